//! The command line.

mod cron;
mod filter;
mod jobs;
mod look;
mod migrate;
mod node;
mod select;
mod settings;
mod transfer;
pub(crate) mod values;

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;
use tasks_multitenancy::TenantId;

pub(crate) use cron::{CronAction, CronArgs, NextArgs};
pub(crate) use filter::FilterArgs;
pub(crate) use jobs::{
    CopyArgs, CreateArgs, EnqueueArgs, JobsAction, JobsArgs, ListArgs, LogsArgs, RetryArgs, UpdateArgs, order,
};
pub(crate) use look::{CheckArgs, NodesArgs, RunsArgs, StatsArgs, WatchArgs, WorkersArgs};
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub(crate) use migrate::MigrateAction;
pub(crate) use migrate::MigrateArgs;
pub(crate) use node::{DemoArgs, ServeArgs};
pub(crate) use select::SelectArgs;
pub(crate) use settings::{Clearable, RepeatArgs, SettingsArgs};
pub(crate) use transfer::{ExportArgs, ImportArgs};

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
    /// Shows, makes, changes and steers stored jobs.
    Jobs(Box<JobsArgs>),
    /// Lists workers: the jobs that programs define.
    Workers(WorkersArgs),
    /// Lists runs in flight, longest running first.
    Runs(RunsArgs),
    /// Lists the nodes of the cluster.
    Nodes(NodesArgs),
    /// Says how many jobs are in which state, and how runs ended.
    Stats(StatsArgs),
    /// Shows jobs, nodes and runs as they change, until `q` or Ctrl-C. Where standard output is no terminal, it prints a line each time.
    Watch(WatchArgs),
    /// Looks for jobs that should be armed and are not, and arms them. Exit code 1 where it found any: each is an error of the system.
    Check(CheckArgs),
    /// Writes jobs as JSON lines.
    ///
    /// A job is written whole, with its state and counters. Finished runs are not.
    Export(Box<ExportArgs>),
    /// Stores exported jobs that are not there yet.
    ///
    /// A job goes on where it was: what waited, waits until the same time; what ran, runs again; what was held or done, stays so. A job whose id exists is
    /// left alone, so that importing twice is harmless. A line that is refused stops nothing, and makes the exit code 1.
    Import(ImportArgs),
    /// Says when a cron expression fires, and what it means.
    Cron(CronArgs),
    /// Prints a completion script for a shell, for example `tasks completion bash > /etc/bash_completion.d/tasks`.
    Completion {
        /// The shell.
        shell: Shell,
    },
}

impl Command {
    /// What is logged where neither `--log` nor `RUST_LOG` says it.
    pub(crate) const fn default_level(&self) -> &'static str {
        match self {
            Self::Serve(_) => "info,sea_orm_migration=warn,sqlx=warn",
            Self::Demo(_) => "warn,tasks_host::signals=info",
            _ => "warn",
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct DatabaseArgs {
    /// SQLite file or URL (`sqlite://FILE`, `postgres://USER@HOST/DATABASE`, `mysql://USER@HOST/DATABASE`). Else `TASKS_DATABASE`, else what the file of options
    /// says, else `tasks-demo.db` in this directory. Better not with a password in it: the system shows arguments of a process to everybody.
    #[arg(long, global = true, value_name = "FILE-or-URL")]
    pub(crate) database: Option<String>,
    /// Schema of the tables on PostgreSQL. Else `TASKS_SCHEMA`, else the first one of the user's search path.
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) schema: Option<String>,
    /// TOML file with options.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct TenantArgs {
    /// Only jobs of this tenant, and new ones for it: its id, `host`, or the name that it has in the file of options (`--config`). Default: jobs of all tenants,
    /// and new ones for the host.
    #[arg(long, global = true, value_name = "ID-or-NAME", value_parser = values::tenant)]
    pub(crate) tenant: Option<TenantName>,
}

/// How a tenant is called on the command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TenantName {
    Id(TenantId),
    /// As in the options.
    Named(String),
}

#[derive(Debug, clap::Args)]
pub(crate) struct OutputArgs {
    /// How to write it.
    #[arg(long, global = true, value_enum, default_value_t = Output::Table)]
    pub(crate) output: Output,
}

/// What most commands have that look at stored jobs.
#[derive(Debug, clap::Args)]
pub(crate) struct ManageArgs {
    #[command(flatten)]
    pub(crate) database: DatabaseArgs,
    #[command(flatten)]
    pub(crate) tenant: TenantArgs,
    #[command(flatten)]
    pub(crate) output: OutputArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    Table,
    /// For programs.
    Json,
}
