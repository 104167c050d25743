//! Filters of jobs, which many commands share.

use tasks_abstractions::store::JobQuery;
use tasks_abstractions::{JobPriority, JobSource, JobStatus, JobType, Timestamp};

use super::values::instant;

/// Every filter that is given must hold.
#[derive(Debug, Clone, PartialEq, Default, clap::Args)]
#[command(next_help_heading = "Filters")]
pub(crate) struct FilterArgs {
    /// Contained in name, group, type or description.
    #[arg(long, value_name = "TEXT")]
    pub(crate) filter: Option<String>,
    /// None, Completed, Queuing, Running, FailedRetry, Paused or Stopped, or its number.
    #[arg(long)]
    pub(crate) status: Option<JobStatus>,
    /// Contained in the type.
    #[arg(long = "type", value_name = "TEXT")]
    pub(crate) type_name: Option<String>,
    /// Equal to the type.
    #[arg(long, value_name = "TYPE")]
    pub(crate) exact_type: Option<String>,
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
    /// Once, Period (cron) or Persistent (interval), or its number.
    #[arg(long, value_name = "KIND")]
    pub(crate) repeats: Option<JobType>,
    /// Low, BelowNormal, Normal, AboveNormal or High, or its number.
    #[arg(long)]
    pub(crate) priority: Option<JobPriority>,
    /// None, User or System, or its number.
    #[arg(long)]
    pub(crate) source: Option<JobSource>,
    /// Only jobs that are enabled (`true`) or disabled (`false`).
    #[arg(long, value_name = "BOOL")]
    pub(crate) is_enabled: Option<bool>,
    /// Made at or after this: RFC 3339, or seconds since 1970.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) created_from: Option<Timestamp>,
    /// Made at or before this.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) created_to: Option<Timestamp>,
    /// Last run at or after this.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) last_run_from: Option<Timestamp>,
    /// Last run at or before this.
    #[arg(long, value_name = "TIME", value_parser = instant)]
    pub(crate) last_run_to: Option<Timestamp>,
}

impl FilterArgs {
    /// The filter, with the default order and page.
    pub(crate) fn query(&self) -> JobQuery {
        JobQuery {
            filter: self.filter.clone(),
            status: self.status,
            type_name: self.type_name.clone(),
            exact_type: self.exact_type.clone(),
            name: self.name.clone(),
            group: self.group.clone(),
            node_name: self.node.clone(),
            is_abandoned: self.abandoned.then_some(true),
            job_type: self.repeats,
            priority: self.priority,
            source: self.source,
            is_enabled: self.is_enabled,
            begin_creation_time: self.created_from,
            end_creation_time: self.created_to,
            begin_last_run_time: self.last_run_from,
            end_last_run_time: self.last_run_to,
            ..JobQuery::default()
        }
    }
}
