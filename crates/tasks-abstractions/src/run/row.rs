//! The rows around a run: the waiting execution, the one in flight, and the finished one.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use tasks_multitenancy::TenantId;

use super::{CancelReason, RunOutcome};
use crate::Timestamp;
use crate::job::enums::coded_enum;
use crate::job::{ClaimId, InstanceId, JobId, JobInfo, Lane, RunId};

coded_enum! {
    /// Why an execution waits.
    RunKind {
        /// By the job's schedule.
        Schedule = 0,
        /// A failed run is tried again.
        Retry = 1,
        /// A person brought an execution forward or asked for one while the job ran.
        Trigger = 2,
        /// One run by hand of a job that is not Active: it leaves the job's state as it is.
        Manual = 3,
    }
}

coded_enum! {
    /// What comes after the run in flight. Written by commands, read by whoever settles the run.
    After {
        /// What the outcome says.
        Settle = 0,
        /// Another run at once.
        RunAgain = 1,
        /// The next execution of the job's (edited) schedule.
        Arm = 2,
        /// As [`Arm`](After::Arm), unless the run ends Done.
        ArmUnlessDone = 3,
    }
}

/// The one waiting execution of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueEntry {
    /// Where it waits.
    pub lane: Lane,
    /// Its place there: 25 − priority, after demotion.
    pub rank: i16,
    /// When it is due.
    pub due_at: Timestamp,
    /// Why it waits.
    pub kind: RunKind,
    /// Which try it is; 1 = the first.
    pub attempt: u32,
}

impl QueueEntry {
    /// Whether it waits because its former run died with its process.
    #[must_use]
    pub fn is_suspect(&self) -> bool {
        self.lane.is_suspect()
    }
}

/// The one execution of a job that is in flight.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunInfo {
    /// The fencing token.
    pub run_id: RunId,
    /// The job.
    pub job_id: JobId,
    /// The program that runs it.
    pub instance: InstanceId,
    /// The claim that took it.
    pub claim_id: ClaimId,
    /// The waiting execution that it was.
    pub entry: QueueEntry,
    /// Whether it was claimed as a suspect and has not yet run for the suspect window.
    pub suspect: bool,
    /// The job's version when it was claimed.
    pub job_version: i64,
    /// What comes next.
    pub after: After,
    /// When it was claimed.
    pub claimed_at: Timestamp,
    /// Why it is asked to stop, if it is.
    pub cancel: Option<CancelReason>,
    /// How far it says it has come.
    pub progress: Option<RunProgress>,
}

/// How far a run said it had come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunProgress {
    /// Units done.
    pub done: u64,
    /// Units in all; 0 = not known.
    pub total: u64,
    /// For people. Cut at the limit of a log's message.
    pub message: String,
    /// When it was stored.
    pub at: Timestamp,
}

/// One finished execution. Append-only.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobLog {
    /// The run: unique among logs.
    pub run_id: RunId,
    /// The job.
    pub job_id: JobId,
    /// The job's tenant.
    pub tenant_id: TenantId,
    /// The job's name.
    pub job_name: String,
    /// The job's group.
    pub job_group: String,
    /// The job's type.
    pub type_name: String,
    /// How it ended.
    pub outcome: RunOutcome,
    /// Result, or message of the innermost error.
    pub message: Option<String>,
    /// The whole error, with its causes.
    pub error: Option<String>,
    /// When the code was started; when it was claimed, if it never was.
    pub started_at: Timestamp,
    /// How long the code ran.
    #[serde(with = "crate::job::millis")]
    pub duration: Duration,
    /// Name of the node.
    pub node_name: String,
    /// The program that ran it.
    pub instance: InstanceId,
    /// Which try it was.
    pub attempt: u32,
}

/// A job with its waiting and running execution, read in one piece.
#[derive(Debug, Clone, PartialEq)]
pub struct JobSnapshot {
    /// The job; `status` and `is_running` agree with the other fields.
    pub job: JobInfo,
    /// The waiting execution.
    pub waiting: Option<QueueEntry>,
    /// The execution in flight.
    pub run: Option<RunInfo>,
}
