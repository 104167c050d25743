//! Jobs that were written down elsewhere and go on here.

use tasks_abstractions::run::{QueueEntry, RunKind};
use tasks_abstractions::{JobInfo, JobState, JobStatus, Timestamp};

use super::arm::{ScheduleError, entry, first_execution};

/// The execution with which a job goes on that was written down in this condition: what waited, waits until the same time; what ran, runs again, as the
/// same try. `None` where nothing waited and nothing ran: it is held, done or disabled.
///
/// # Errors
/// Where it ran and nothing is left to run.
pub fn restored_execution(job: &JobInfo, now: Timestamp) -> Result<Option<QueueEntry>, ScheduleError> {
    if job.state() != JobState::Active || !job.is_enabled {
        return Ok(None);
    }
    match job.next_run_time {
        Some(due) if job.status == JobStatus::FailedRetry => Ok(Some(QueueEntry {
            kind: RunKind::Retry,
            ..entry(job, due)
        })),
        Some(due) => Ok(Some(entry(job, due))),
        None => first_execution(job, now).map(Some),
    }
}
