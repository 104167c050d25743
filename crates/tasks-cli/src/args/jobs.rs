//! Arguments of `tasks jobs`.

use clap::{Subcommand, ValueEnum};
use tasks_abstractions::store::JobSort;
use tasks_abstractions::{JobId, JobStatus};

use super::{DatabaseArgs, Output};

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
