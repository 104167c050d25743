//! Writing down how runs ended.

use crate::run::{JobLog, JobSnapshot, QueueEntry};
use crate::store::PreparedJob;
use crate::{JobId, JobState, RunId, Timestamp};

/// What a settled run changes on its job.
#[derive(Debug, Clone, PartialEq)]
pub struct JobUpdate {
    /// Stored state from now on.
    pub state: JobState,
    /// Result or error message; `None` keeps the former one.
    pub result: Option<String>,
    /// Start of this run; `None` keeps the former one.
    pub last_run_time: Option<Timestamp>,
    /// When the next execution is due.
    pub next_run_time: Option<Timestamp>,
    /// Settled runs so far.
    pub trigger_count: u32,
    /// Failures in a row.
    pub try_count: u32,
    /// Interruptions since the last settled run.
    pub interruptions: u32,
    /// Those of them that count.
    pub suspect_interruptions: u32,
    /// Whether it is given up.
    pub is_abandoned: bool,
}

/// How a run is settled: computed by the engine, written by the store in one transaction.
#[derive(Debug, Clone)]
pub struct Settlement {
    /// Changes on the job.
    pub update: JobUpdate,
    /// Whether the job's row is removed instead of changed: it is done, and nothing of it is to be kept. Then there is no `next`; a log row is written where there
    /// is one.
    pub is_removed: bool,
    /// The next execution.
    pub next: Option<QueueEntry>,
    /// What is recorded; `None` for runs that were returned, for types that are not logged, and for successes of which no log row is kept.
    pub log: Option<JobLog>,
    /// Jobs that follow. Their ids come from the run, so storing them again changes nothing.
    pub follow_ups: Vec<PreparedJob>,
}

/// One run to settle.
#[derive(Debug, Clone)]
pub struct FinishRun {
    /// The job.
    pub job_id: JobId,
    /// The run: the fencing token.
    pub run_id: RunId,
    /// The job's version that the settlement was computed from.
    pub job_version: i64,
    /// What to write.
    pub settlement: Settlement,
}

/// What became of one settlement.
#[derive(Debug, Clone)]
pub enum FinishAnswer {
    /// Everything was written and the run row is gone.
    Applied,
    /// A command changed the job meanwhile: nothing was written and the run row stays. The settlement must be computed anew from this snapshot.
    Stale(Box<JobSnapshot>),
    /// No run has this id (any more): it was taken over, deleted, or settled by an earlier call whose reply was lost. Nothing was written.
    Gone,
}
