//! Answers of job code, and outcomes as they are recorded.

use std::time::Duration;

use super::JobError;
use crate::job::enums::coded_enum;

/// What job code answers when it did not fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The work is done.
    Done,
    /// Try again; counts as a failed try.
    Retry {
        /// Wait, or `None` for the job's own policy.
        after: Option<Duration>,
    },
    /// Come back later; counts neither as a try nor as a run.
    Snooze(Duration),
    /// The work must not be done (any more): no retry. Recorded as Cancelled with this reason.
    Cancel(String),
}

/// What job code returns. Any error type becomes a [`JobError`] by `?`.
pub type JobResult = Result<Outcome, JobError>;

coded_enum! {
    /// How a run ended, as it is recorded. Different endings are never merged: only
    /// [`Succeeded`](RunOutcome::Succeeded) is a success.
    RunOutcome {
        /// The code answered Done.
        Succeeded = 0,
        /// The code returned an error or asked for a retry.
        Failed = 1,
        /// The code panicked.
        Panicked = 2,
        /// The run took longer than its timeout.
        TimedOut = 3,
        /// A command or the code itself ended it.
        Cancelled = 4,
        /// The process died under it, or its node was fenced.
        Interrupted = 5,
        /// It was due after the job's end time and did not start.
        Expired = 6,
        /// A missed fire that the misfire policy dropped; it did not start.
        Skipped = 7,
        /// The code asked to come back later.
        Snoozed = 8,
        /// It was handed back unstarted, or a shutdown ended it: it runs again as if it had never been claimed. Not recorded.
        Returned = 9,
    }
}

impl RunOutcome {
    /// Whether this counts as a failed try.
    #[must_use]
    pub const fn is_failure(self) -> bool {
        matches!(self, Self::Failed | Self::Panicked | Self::TimedOut)
    }

    /// Whether the code came to an end of its own, so that interruptions are forgotten.
    #[must_use]
    pub const fn is_settled(self) -> bool {
        !matches!(self, Self::Interrupted | Self::Returned)
    }
}

coded_enum! {
    /// Why a run was asked to stop.
    CancelReason {
        /// A person cancelled this run.
        Requested = 1,
        /// The job was paused.
        Paused = 2,
        /// The job was stopped.
        Stopped = 3,
        /// The job was disabled.
        Disabled = 4,
        /// The job was deleted.
        Deleted = 5,
        /// The node shuts down.
        Shutdown = 6,
        /// The run took longer than its timeout.
        TimedOut = 7,
        /// The run took longer than its lock timeout and lost its exclusivity.
        LockExpired = 8,
        /// The node lost its lease; another node may run the job already.
        Fenced = 9,
    }
}
