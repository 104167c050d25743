//! Filters, order and pages of lists.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{JobId, JobPriority, JobSource, JobStatus, JobType, RunOutcome, Timestamp};

/// Which part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paging {
    /// Rows to pass over.
    pub skip: u64,
    /// Most rows to answer. At most 1,000.
    pub take: u64,
}

impl Paging {
    /// Most rows of one page.
    pub const MAX_TAKE: u64 = 1_000;
}

impl Default for Paging {
    /// The first 10 rows.
    fn default() -> Self {
        Self { skip: 0, take: 10 }
    }
}

/// Part of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page<T> {
    /// Rows that the filter lets pass.
    pub total: u64,
    /// The rows of this page.
    pub items: Vec<T>,
}

/// Direction of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SortOrder {
    /// Smallest first.
    #[default]
    Ascending,
    /// Largest first.
    Descending,
}

/// What jobs can be ordered by. The id breaks ties, in the same direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum JobSort {
    /// When it was made. The default, newest first.
    #[default]
    CreationTime,
    /// Name.
    Name,
    /// Group.
    Group,
    /// Type.
    TypeName,
    /// Start of the last run; jobs without one count as earliest.
    LastRunTime,
    /// When it is due next; jobs without that count as earliest.
    NextRunTime,
    /// Priority.
    Priority,
    /// Settled runs.
    TriggerCount,
    /// Failures in a row.
    TryCount,
}

/// Filter, order and page of a list of jobs. Every filter that is set must hold. Text filters compare case-sensitively on every store.
#[derive(Debug, Clone, PartialEq)]
pub struct JobQuery {
    /// Contained in name, group, type or description.
    pub filter: Option<String>,
    /// These ids.
    pub ids: Option<Vec<JobId>>,
    /// Equal to the name.
    pub name: Option<String>,
    /// Equal to the group.
    pub group: Option<String>,
    /// Contained in the type.
    pub type_name: Option<String>,
    /// Equal to the type.
    pub exact_type: Option<String>,
    /// Shown status.
    pub status: Option<JobStatus>,
    /// How it repeats.
    pub job_type: Option<JobType>,
    /// Priority.
    pub priority: Option<JobPriority>,
    /// Who made it.
    pub source: Option<JobSource>,
    /// Given up or not.
    pub is_abandoned: Option<bool>,
    /// Enabled or not.
    pub is_enabled: Option<bool>,
    /// Pinned to this node.
    pub node_name: Option<String>,
    /// Begin time at or after this.
    pub begin_time: Option<Timestamp>,
    /// End time at or before this.
    pub end_time: Option<Timestamp>,
    /// Last run at or after this.
    pub begin_last_run_time: Option<Timestamp>,
    /// Last run at or before this.
    pub end_last_run_time: Option<Timestamp>,
    /// Made at or after this.
    pub begin_creation_time: Option<Timestamp>,
    /// Made at or before this.
    pub end_creation_time: Option<Timestamp>,
    /// What it is ordered by.
    pub sort: JobSort,
    /// In which direction.
    pub order: SortOrder,
    /// Which part.
    pub paging: Paging,
}

impl Default for JobQuery {
    /// All jobs, newest first, the first page.
    fn default() -> Self {
        Self {
            filter: None,
            ids: None,
            name: None,
            group: None,
            type_name: None,
            exact_type: None,
            status: None,
            job_type: None,
            priority: None,
            source: None,
            is_abandoned: None,
            is_enabled: None,
            node_name: None,
            begin_time: None,
            end_time: None,
            begin_last_run_time: None,
            end_last_run_time: None,
            begin_creation_time: None,
            end_creation_time: None,
            sort: JobSort::CreationTime,
            order: SortOrder::Descending,
            paging: Paging::default(),
        }
    }
}

/// What log rows can be ordered by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum JobLogSort {
    /// Start of the run. The default, newest first.
    #[default]
    StartedAt,
    /// How long it ran.
    Duration,
}

/// Filter, order and page of a list of finished executions.
#[derive(Debug, Clone, PartialEq)]
pub struct JobLogQuery {
    /// Of this job.
    pub job_id: Option<JobId>,
    /// Contained in name, group, type or message.
    pub filter: Option<String>,
    /// Equal to the job's name.
    pub name: Option<String>,
    /// Equal to the job's group.
    pub group: Option<String>,
    /// Contained in the type.
    pub type_name: Option<String>,
    /// How it ended.
    pub outcome: Option<RunOutcome>,
    /// With an error text (true) or without (false).
    pub has_exceptions: Option<bool>,
    /// Started at or after this.
    pub begin_run_time: Option<Timestamp>,
    /// Started at or before this.
    pub end_run_time: Option<Timestamp>,
    /// What it is ordered by.
    pub sort: JobLogSort,
    /// In which direction.
    pub order: SortOrder,
    /// Which part.
    pub paging: Paging,
}

impl Default for JobLogQuery {
    /// All logs, newest first, the first page.
    fn default() -> Self {
        Self {
            job_id: None,
            filter: None,
            name: None,
            group: None,
            type_name: None,
            outcome: None,
            has_exceptions: None,
            begin_run_time: None,
            end_run_time: None,
            sort: JobLogSort::StartedAt,
            order: SortOrder::Descending,
            paging: Paging::default(),
        }
    }
}

/// How many jobs are in which shown status.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct JobCounts {
    /// By status; a status without jobs is missing.
    pub by_status: BTreeMap<JobStatus, u64>,
    /// Of them, given up.
    pub abandoned: u64,
}

impl JobCounts {
    /// Jobs in this status.
    #[must_use]
    pub fn of(&self, status: JobStatus) -> u64 {
        self.by_status.get(&status).copied().unwrap_or(0)
    }
}

/// How the runs of one type ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStatistics {
    /// The jobs' type.
    pub type_name: String,
    /// How the runs ended.
    pub outcome: RunOutcome,
    /// Runs that ended so.
    pub runs: u64,
    /// Time that they took together, in milliseconds.
    pub total_ms: u64,
    /// Time of the longest one, in milliseconds.
    pub longest_ms: u64,
}

/// One step of a walk over all jobs, in the order of their ids.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct UnarmedPage {
    /// Jobs that are Active and enabled and have neither a waiting execution nor one in flight. What was read meanwhile may have changed since.
    pub unarmed: Vec<JobId>,
    /// Jobs that were looked at.
    pub looked_at: u64,
    /// Where the next step goes on; `None` at the end.
    pub next: Option<JobId>,
}
