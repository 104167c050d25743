//! Settings of a job that is made or changed.

use std::time::Duration;

use clap::ValueEnum;
use tasks_abstractions::{JobArgs, JobPriority, MisfirePolicy, RetryPolicy, Timestamp};
use tasks_host::parse_duration;

use super::values::{instant, job_args, misfire_policy, retry_policy};

/// Settings of every job.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Settings")]
pub(crate) struct SettingsArgs {
    /// Unique in tenant and group. Default: generated.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Default: `BackgroundJobs`.
    #[arg(long)]
    pub(crate) group: Option<String>,
    /// For people.
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
    /// Arguments as JSON, or `@FILE` with JSON in it. Default: none.
    #[arg(long, value_name = "JSON", value_parser = job_args)]
    pub(crate) args: Option<JobArgs>,
    /// Low, BelowNormal, Normal, AboveNormal or High, or its number.
    #[arg(long)]
    pub(crate) priority: Option<JobPriority>,
    /// No run before this: RFC 3339, or seconds since 1970.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) begin: Option<Timestamp>,
    /// No run after this.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) end: Option<Timestamp>,
    /// First wait after a failure of a job that runs once, such as `30s`. Default: 5 minutes, growing by half.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(crate) interval: Option<Duration>,
    /// Waits between tries: the first, and what differs from the defaults, such as `30s,factor=2,cap=1h,jitter=0`.
    #[arg(long, value_name = "POLICY", value_parser = retry_policy)]
    pub(crate) retry: Option<RetryPolicy>,
    /// Failures in a row after which it is given up; 0 = no limit.
    #[arg(long, value_name = "N")]
    pub(crate) max_tries: Option<u32>,
    /// Longest run.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(crate) timeout: Option<Duration>,
    /// Only the node of this name runs it.
    #[arg(long, value_name = "NAME")]
    pub(crate) node: Option<String>,
}

/// Settings that only a job from `create` or `update` has.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Settings")]
pub(crate) struct RepeatArgs {
    /// Repeats by this cron expression (see `tasks cron`).
    #[arg(long, value_name = "EXPRESSION", allow_hyphen_values = true, conflicts_with_all = ["every", "once"])]
    pub(crate) cron: Option<String>,
    /// IANA zone in which the cron expression is read. Default: UTC.
    #[arg(long, value_name = "ZONE")]
    pub(crate) zone: Option<String>,
    /// Repeats, this long after the end of each run.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration, conflicts_with_all = ["once", "interval"])]
    pub(crate) every: Option<Duration>,
    /// Runs once. The default of a new job.
    #[arg(long)]
    pub(crate) once: bool,
    /// What becomes of fires that nobody could run in time: `fire-once`, `skip`, or `fire-all=MAX`.
    #[arg(long, value_name = "POLICY", value_parser = misfire_policy)]
    pub(crate) misfire: Option<MisfirePolicy>,
    /// Runs after which a repeating job is done; 0 = no limit.
    #[arg(long, value_name = "N")]
    pub(crate) max_runs: Option<u32>,
    /// Interruptions (its process died) after which it is given up, as far as they count.
    #[arg(long, value_name = "N")]
    pub(crate) max_interruptions: Option<u32>,
    /// Longest time for which a run keeps others out.
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    pub(crate) lock_timeout: Option<Duration>,
    /// Whether a job of one node may move when that node is gone.
    #[arg(long, value_name = "BOOL")]
    pub(crate) failover: Option<bool>,
}

/// A setting that can be taken away.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Clearable {
    Args,
    Description,
    End,
    LockTimeout,
    Name,
    Node,
    Retry,
    Timeout,
    Zone,
}
