//! Arguments of `tasks jobs`.

use clap::{Subcommand, ValueEnum};
use tasks_abstractions::store::{JobLogSort, JobSort, SortOrder};
use tasks_abstractions::{JobArgs, JobId, RunOutcome, Timestamp};
use tasks_host::parse_duration;

use super::values::{Since, instant, job_args, since};
use super::{Clearable, FilterArgs, ManageArgs, RepeatArgs, SelectArgs, SettingsArgs};

#[derive(Debug, clap::Args)]
#[command(arg_required_else_help = true, after_help = EXIT_CODES)]
pub(crate) struct JobsArgs {
    #[command(subcommand)]
    pub(crate) action: JobsAction,
    #[command(flatten)]
    pub(crate) manage: ManageArgs,
}

const EXIT_CODES: &str = "Exit codes: 0 done (also where everything was as wanted already), 1 failed, or refused for at least one job, 2 wrong arguments or \
     not confirmed, 3 the database or configuration cannot be used.";

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
    /// Enqueues a job that runs once. Enqueueing an id that exists changes nothing.
    Enqueue(EnqueueArgs),
    /// Makes a job with any schedule and setting.
    Create(CreateArgs),
    /// Changes settings of a job. What is not named stays.
    Update(UpdateArgs),
    /// Holds jobs and cancels their runs; `resume` goes on.
    Pause(SelectArgs),
    /// Goes on with paused and stopped jobs, also with disabled ones, which it enables.
    Resume(SelectArgs),
    /// Runs jobs now.
    Trigger(SelectArgs),
    /// Begins jobs anew: tries, interruptions and abandonment are forgotten.
    Start(SelectArgs),
    /// Ends jobs and cancels their runs; `start` begins them anew.
    Stop(SelectArgs),
    /// Cancels runs in flight.
    Cancel(SelectArgs),
    /// Lets jobs be armed.
    Enable(SelectArgs),
    /// Never arms jobs, and cancels their runs.
    Disable(SelectArgs),
    /// Removes jobs for good.
    Delete(SelectArgs),
    /// Runs jobs anew, now, also with other arguments; or begins every job anew that was given up.
    Retry(RetryArgs),
    /// Makes a new job like another one.
    Copy(CopyArgs),
    /// Lets the program's definition of a worker count again where people changed it.
    Reset {
        /// The job's id.
        id: JobId,
    },
    /// Lists finished runs, newest first.
    Logs(LogsArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    #[command(flatten)]
    pub(crate) filter: FilterArgs,
    /// What to order by.
    #[arg(long, value_enum, default_value_t = Sort::Created)]
    pub(crate) sort: Sort,
    /// Smallest first.
    #[arg(long)]
    pub(crate) ascending: bool,
    /// Jobs to pass over.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) skip: u64,
    /// Most jobs to show, at most 1000.
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub(crate) take: u64,
}

#[derive(Debug, clap::Args)]
pub(crate) struct EnqueueArgs {
    /// Name of the registered job.
    #[arg(value_name = "TYPE")]
    pub(crate) type_name: String,
    /// Its id. Default: generated.
    #[arg(long)]
    pub(crate) id: Option<JobId>,
    /// Due this long from now.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(crate) delay: Option<std::time::Duration>,
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CreateArgs {
    /// Name of the registered job.
    #[arg(value_name = "TYPE")]
    pub(crate) type_name: String,
    /// Its id. Default: generated.
    #[arg(long)]
    pub(crate) id: Option<JobId>,
    /// Stores it and does not arm it.
    #[arg(long)]
    pub(crate) disabled: bool,
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
    #[command(flatten)]
    pub(crate) repeats: RepeatArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct UpdateArgs {
    /// The job's id.
    pub(crate) id: JobId,
    /// Only where the job still has this version. Default: the version that it has when the program reads it.
    #[arg(long)]
    pub(crate) version: Option<i64>,
    /// Another registered job.
    #[arg(long = "type", value_name = "TYPE")]
    pub(crate) type_name: Option<String>,
    #[command(flatten)]
    pub(crate) settings: SettingsArgs,
    #[command(flatten)]
    pub(crate) repeats: RepeatArgs,
    /// Takes settings away.
    #[arg(long, value_enum, value_delimiter = ',', value_name = "SETTING")]
    pub(crate) clear: Vec<Clearable>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RetryArgs {
    /// Ids of jobs.
    #[arg(
        value_name = "ID",
        required_unless_present = "abandoned",
        conflicts_with = "abandoned"
    )]
    pub(crate) ids: Vec<JobId>,
    /// Other arguments, as JSON or `@FILE` with JSON in it. Default: those that the job has.
    #[arg(long, value_name = "JSON", value_parser = job_args, conflicts_with = "abandoned")]
    pub(crate) args: Option<JobArgs>,
    /// Instead of ids: every job that was given up.
    #[arg(long)]
    pub(crate) abandoned: bool,
    /// Of them, only those of exactly this type.
    #[arg(long = "type", value_name = "TYPE", conflicts_with = "ids")]
    pub(crate) type_name: Option<String>,
    /// Says how many would begin anew, and does nothing.
    #[arg(long, conflicts_with = "ids")]
    pub(crate) dry_run: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CopyArgs {
    /// Id of the job to copy.
    pub(crate) id: JobId,
    /// The copy's name, unique in tenant and group. Default: generated.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Its arguments, as JSON or `@FILE` with JSON in it. Default: those of the original.
    #[arg(long, value_name = "JSON", value_parser = job_args)]
    pub(crate) args: Option<JobArgs>,
    /// No run before this: RFC 3339, or seconds since 1970. Default: now.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) begin: Option<Timestamp>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct LogsArgs {
    /// Of this job. Default: of all.
    pub(crate) id: Option<JobId>,
    /// Contained in name, group, type or message.
    #[arg(long, value_name = "TEXT")]
    pub(crate) filter: Option<String>,
    /// Equal to the job's name.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Equal to the job's group.
    #[arg(long)]
    pub(crate) group: Option<String>,
    /// Contained in the type.
    #[arg(long = "type", value_name = "TEXT")]
    pub(crate) type_name: Option<String>,
    /// Succeeded, Failed, Panicked, TimedOut, Cancelled, Interrupted, Expired, Skipped or Snoozed, or its number.
    #[arg(long)]
    pub(crate) outcome: Option<RunOutcome>,
    /// Only runs with an error text; the table shows it below.
    #[arg(long)]
    pub(crate) errors: bool,
    /// Started at or after this: how long ago, such as `24h`, or RFC 3339.
    #[arg(long, value_name = "TIME", value_parser = since)]
    pub(crate) since: Option<Since>,
    /// Started at or before this.
    #[arg(long, value_name = "TIME", value_parser = since)]
    pub(crate) until: Option<Since>,
    /// What to order by.
    #[arg(long, value_enum, default_value_t = LogSort::Started)]
    pub(crate) sort: LogSort,
    /// Smallest first.
    #[arg(long)]
    pub(crate) ascending: bool,
    /// Runs to pass over.
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) skip: u64,
    /// Most runs to show, at most 1000.
    #[arg(long, default_value_t = 20, value_name = "N")]
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

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogSort {
    /// Start of the run.
    Started,
    /// How long it ran.
    Duration,
}

impl From<LogSort> for JobLogSort {
    fn from(it: LogSort) -> Self {
        match it {
            LogSort::Started => Self::StartedAt,
            LogSort::Duration => Self::Duration,
        }
    }
}

/// The direction of an order.
pub(crate) const fn order(ascending: bool) -> SortOrder {
    if ascending {
        SortOrder::Ascending
    } else {
        SortOrder::Descending
    }
}
