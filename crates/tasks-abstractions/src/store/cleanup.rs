//! What old data may be removed.

use serde::{Deserialize, Serialize};

use crate::{RunOutcome, Timestamp};

/// How a job that runs no more came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobEnd {
    /// Completed.
    Completed,
    /// Stopped by a person.
    Stopped,
    /// Given up.
    Abandoned,
}

/// Which rows one cleaning step is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CleanupTarget {
    /// Once jobs without executions that came to this end. Their age counts from the start of the last run; of those without one, from when they were
    /// made. Their log rows stay until their own retention.
    Jobs(JobEnd),
    /// Log rows of runs that ended like this; `None` = however they ended. Their age counts from the start of the run.
    Logs(Option<RunOutcome>),
    /// Rows of nodes that are not alive and hold no run. Their age counts from the last renewal. Types mean nothing here.
    Nodes,
}

/// Types of jobs, by their names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum TypeFilter {
    /// Every type.
    #[default]
    All,
    /// These types.
    Only(Vec<String>),
    /// Every type but these.
    Except(Vec<String>),
}

impl TypeFilter {
    /// Whether rows of this type are meant.
    #[must_use]
    pub fn allows(&self, type_name: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(names) => names.iter().any(|it| it == type_name),
            Self::Except(names) => !names.iter().any(|it| it == type_name),
        }
    }
}

/// One cleaning step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cleanup {
    /// Which rows.
    pub target: CleanupTarget,
    /// Of which types.
    pub types: TypeFilter,
    /// Older than this.
    pub before: Timestamp,
    /// At most this many rows.
    pub limit: usize,
}
