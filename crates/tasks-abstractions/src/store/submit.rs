//! Accepting new jobs.

use std::sync::Arc;

use crate::run::QueueEntry;
use crate::{JobId, JobInfo, JobPublisher, WakeHandle, WakeHint};

/// A job that is ready to be stored, with its first execution. It can be stored by the store itself, or through a transaction of the
/// caller's own.
#[derive(Debug, Clone)]
pub struct PreparedJob {
    /// The job. Its stored state is Active where `first` is set.
    pub job: JobInfo,
    /// Its first execution; `None` for a job that is stored and not armed.
    pub first: Option<QueueEntry>,
    publisher: Option<Arc<dyn JobPublisher>>,
}

impl PreparedJob {
    /// A job with its first execution, and who to tell when it is stored.
    #[must_use]
    pub fn new(job: JobInfo, first: Option<QueueEntry>, publisher: Option<Arc<dyn JobPublisher>>) -> Self {
        Self {
            job,
            first,
            publisher,
        }
    }

    /// What wakes the nodes once the job is stored.
    pub fn wake_handle(&self) -> WakeHandle {
        WakeHandle::new(
            self.publisher.clone(),
            self.first.iter().map(WakeHint::from).collect(),
        )
    }
}

/// What became of one prepared job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubmitAnswer {
    /// It was stored.
    Inserted,
    /// A job of this id exists; it is unchanged.
    Exists,
    /// Another job has this name in this tenant and group; nothing was stored for this one.
    NameTaken {
        /// The job that has it.
        by: JobId,
    },
}
