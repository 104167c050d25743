//! Commands and edits: a decision over a job's rows, made while they are locked.

use crate::run::{After, CancelReason, JobLog, JobSnapshot, QueueEntry};
use crate::{JobInfo, Timestamp};

/// What becomes of the waiting execution.
#[derive(Debug, Clone, PartialEq)]
pub enum WaitingChange {
    /// It stays as it is.
    Keep,
    /// There is none from now on.
    Remove,
    /// This one waits from now on. Not allowed while a run is in flight.
    Set(QueueEntry),
}

/// What becomes of the run in flight. Without effect where there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RunChange {
    /// What comes after it, where this changes.
    pub after: Option<After>,
    /// Why it should end, where it should.
    pub cancel: Option<CancelReason>,
}

/// A change of one job and its executions.
#[derive(Debug, Clone, PartialEq)]
pub struct JobChange {
    /// The job from now on. Its stored state is `status.state()`; the store sets the version to the former one + 1, and keeps id, tenant
    /// and creation time.
    pub job: JobInfo,
    /// The waiting execution.
    pub waiting: WaitingChange,
    /// The run in flight.
    pub run: RunChange,
}

/// What to do with one job.
#[derive(Debug, Clone, PartialEq)]
pub enum Decision {
    /// Nothing; its version stays.
    Keep,
    /// Nothing, because it is not allowed.
    Refuse(String),
    /// Change it.
    Change(Box<JobChange>),
    /// Remove it with its queue row, its run row (whose holder is fenced by that) and the locks of that run. The log rows stay, and this one is added.
    Delete(Option<Box<JobLog>>),
}

/// Decides over one job. Pure: it sees the rows while they are locked and the present instant, and nothing else.
pub type Decide<'a> = &'a (dyn Fn(&JobSnapshot, Timestamp) -> Decision + Send + Sync);

/// What became of one job.
#[derive(Debug, Clone, PartialEq)]
pub enum ChangeAnswer {
    /// It was changed; this is how it is now.
    Changed(Box<JobSnapshot>),
    /// It was removed; this is how it was.
    Deleted(Box<JobSnapshot>),
    /// The decision was to keep it.
    Kept(Box<JobSnapshot>),
    /// The decision was to refuse.
    Refused(String),
    /// The changed name is taken by this job; nothing was changed.
    NameTaken(crate::JobId),
    /// No such job in the scope.
    NotFound,
}
