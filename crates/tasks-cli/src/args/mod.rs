//! The command line.

mod cron;
mod jobs;
mod migrate;
mod node;

use clap::{Parser, Subcommand, ValueEnum};

pub(crate) use cron::{CronAction, CronArgs, NextArgs};
pub(crate) use jobs::{JobsAction, JobsArgs, ListArgs};
pub(crate) use migrate::{MigrateAction, MigrateArgs};
pub(crate) use node::{DemoArgs, ServeArgs};

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
    /// Says when a cron expression fires, and what it means.
    Cron(CronArgs),
}

impl Command {
    /// What is logged where neither `--log` nor `RUST_LOG` says it.
    pub(crate) const fn default_level(&self) -> &'static str {
        match self {
            Self::Serve(_) => "info,sea_orm_migration=warn,sqlx=warn",
            Self::Demo(_) => "warn,tasks_host::signals=info",
            Self::Migrate(_) | Self::Jobs(_) | Self::Cron(_) => "warn",
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct DatabaseArgs {
    /// SQLite file or URL (`sqlite://FILE`). Else `TASKS_DATABASE`, else `tasks-demo.db` in this directory.
    #[arg(long, global = true, value_name = "FILE-or-URL")]
    pub(crate) database: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Output {
    /// For people.
    Table,
    /// For programs.
    Json,
}
