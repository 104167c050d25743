//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use tasks_abstractions::store::JobSort;
use tasks_abstractions::{JobId, JobStatus};

/// Durable background work: jobs and workers that survive the death of their process.
///
/// Exit codes: 0 done, 1 failed, 2 wrong arguments, 3 cannot start, 4 forced by a second signal, 5 drain incomplete.
#[derive(Debug, Parser)]
#[command(name = "tasks", version, arg_required_else_help = true)]
pub(crate) struct Args {
    /// What to log to standard error: `error`, `warn`, `info`, `debug`, or filters such as `tasks_core=debug`. `RUST_LOG` counts where this is missing.
    #[arg(long, global = true, env = "TASKS_LOG", value_name = "LEVEL")]
    pub(crate) log: Option<String>,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Computes the SHA-256 of every file under a directory, one durable job each, and writes `checksums.sha256`.
    ///
    /// Kill it at any time and start it again: it goes on where it was. Beside the files it runs a worker that reports progress, a delayed job, a job that
    /// fails twice, and one that is given up, of which the administrator is told.
    Demo(DemoArgs),
    /// Runs a node until SIGINT or SIGTERM, then drains. A second signal ends it at once.
    Serve(ServeArgs),
    /// Brings the tables of a database to this program's version, or back.
    Migrate(MigrateArgs),
    /// Shows stored jobs.
    Jobs(JobsArgs),
}

impl Command {
    /// What is logged where neither `--log` nor `RUST_LOG` says it.
    pub(crate) const fn default_level(&self) -> &'static str {
        match self {
            Self::Serve(_) => "info,sea_orm_migration=warn,sqlx=warn",
            Self::Demo(_) => "warn,tasks_host::signals=info",
            Self::Migrate(_) | Self::Jobs(_) => "warn",
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct DatabaseArgs {
    /// SQLite file or URL (`sqlite://FILE`). Else `TASKS_DATABASE`, else `tasks-demo.db` in this directory.
    #[arg(long, global = true, value_name = "FILE-or-URL")]
    pub(crate) database: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct DemoArgs {
    /// Directory whose files are read. Default: this directory without `target` and `.git`.
    #[arg(long, value_name = "DIR")]
    pub(crate) path: Option<PathBuf>,
    /// As for the other commands; `memory` keeps the jobs in memory, where they end with the process.
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
    /// Name of this node. Default: the machine's.
    #[arg(long, value_name = "NAME")]
    pub(crate) node_name: Option<String>,
    /// Jobs that run at once. Default: 500 (files are read by one thread a processor all the same).
    #[arg(long, value_name = "N")]
    pub(crate) concurrency: Option<usize>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    /// TOML file with options.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
    /// Name of this node. Default: the machine's.
    #[arg(long, value_name = "NAME")]
    pub(crate) node_name: Option<String>,
    /// Jobs that run at once.
    #[arg(long, value_name = "N")]
    pub(crate) concurrency: Option<usize>,
}

#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct MigrateArgs {
    #[command(subcommand)]
    pub(crate) action: MigrateAction,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
}

#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum MigrateAction {
    /// Makes all outstanding changes; creates a missing file.
    Up,
    /// Takes changes back. THEIR TABLES ARE REMOVED WITH EVERYTHING IN THEM.
    Down {
        /// How many changes, from the last one backwards.
        #[arg(long, default_value_t = 1, conflicts_with = "all")]
        steps: u32,
        /// All of them.
        #[arg(long)]
        all: bool,
    },
    /// Lists the changes and whether the database has them. Changes nothing.
    Status,
}

#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true)]
pub(crate) struct JobsArgs {
    #[command(subcommand)]
    pub(crate) action: JobsAction,
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
    /// How to write it.
    #[arg(long, global = true, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
}

#[derive(Debug, Subcommand)]
pub(crate) enum JobsAction {
    /// Lists jobs, newest first.
    List(ListArgs),
    /// Shows one job and its last runs.
    Show {
        /// The job's id.
        id: JobId,
        /// Most runs to show.
        #[arg(long, default_value_t = 10)]
        runs: u64,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    Table,
    /// For programs.
    Json,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// Contained in name, group, type or description.
    #[arg(long)]
    pub(crate) filter: Option<String>,
    /// None, Completed, Queuing, Running, FailedRetry, Paused or Stopped, or its number.
    #[arg(long)]
    pub(crate) status: Option<JobStatus>,
    /// Contained in the type.
    #[arg(long = "type", value_name = "TEXT")]
    pub(crate) type_name: Option<String>,
    /// Equal to the name.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Equal to the group.
    #[arg(long)]
    pub(crate) group: Option<String>,
    /// Pinned to this node.
    #[arg(long)]
    pub(crate) node: Option<String>,
    /// Only jobs that were given up.
    #[arg(long)]
    pub(crate) abandoned: bool,
    /// What to order by.
    #[arg(long, value_enum, default_value_t = Sort::Created)]
    pub(crate) sort: Sort,
    /// Smallest first.
    #[arg(long)]
    pub(crate) ascending: bool,
    /// Jobs to pass over.
    #[arg(long, default_value_t = 0)]
    pub(crate) skip: u64,
    /// Most jobs to show, at most 1000.
    #[arg(long, default_value_t = 20)]
    pub(crate) take: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sort {
    /// When it was made.
    Created,
    Name,
    Group,
    Type,
    /// Start of the last run.
    LastRun,
    /// When it is due next.
    NextRun,
    Priority,
    /// Settled runs.
    Runs,
    /// Failures in a row.
    Tries,
}

impl From<Sort> for JobSort {
    fn from(it: Sort) -> Self {
        match it {
            Sort::Created => Self::CreationTime,
            Sort::Name => Self::Name,
            Sort::Group => Self::Group,
            Sort::Type => Self::TypeName,
            Sort::LastRun => Self::LastRunTime,
            Sort::NextRun => Self::NextRunTime,
            Sort::Priority => Self::Priority,
            Sort::Runs => Self::TriggerCount,
            Sort::Tries => Self::TryCount,
        }
    }
}
