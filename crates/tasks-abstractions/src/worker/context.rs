//! What a worker is given for one run.

use std::ops::Deref;

use crate::JobRunnableContext;

/// One run of a worker. Everything that a job's context offers is here as well.
#[derive(Debug, Clone)]
pub struct WorkerContext(JobRunnableContext);

impl WorkerContext {
    /// The worker's view of a run.
    #[must_use]
    pub fn new(ctx: JobRunnableContext) -> Self {
        Self(ctx)
    }
}

impl Deref for WorkerContext {
    type Target = JobRunnableContext;

    fn deref(&self) -> &JobRunnableContext {
        &self.0
    }
}
