//! Events around a run, for users. They are told, never asked: nothing that they do changes the job.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;

use crate::run::RunInfo;
use crate::{JobExceptionType, JobId, JobInfo, JobRunnableContext, RunId, RunOutcome};

/// What is known after a run.
#[derive(Debug, Clone)]
pub struct JobEventData {
    /// The job as it was claimed.
    pub job: Arc<JobInfo>,
    /// The run.
    pub run: RunInfo,
    /// How it ended.
    pub outcome: RunOutcome,
    /// Result, or message of the innermost error.
    pub message: Option<String>,
    /// The whole error.
    pub error: Option<String>,
    /// What class of failure it was.
    pub exception_type: Option<JobExceptionType>,
    /// How long the code ran.
    pub duration: Duration,
}

/// What became of a run's outcome in the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JobSettled {
    /// The job.
    pub job_id: JobId,
    /// The run.
    pub run_id: RunId,
    /// How it ended.
    pub outcome: RunOutcome,
    /// Whether the store took it. False where the run had been taken over or deleted.
    pub is_applied: bool,
    /// Whether the job was given up by it.
    pub is_abandoned: bool,
}

/// Told before and after each run on this node, inside the run's tenant. A panic is caught and logged; it harms neither the job nor other listeners.
#[async_trait]
pub trait JobEvent: Send + Sync {
    /// Before the code starts. The run waits for it, so it must be quick.
    async fn before(&self, ctx: &JobRunnableContext) {
        let _ = ctx;
    }

    /// After the code ended and before the outcome is stored. The outcome may still be refused by the store when the run was taken over.
    async fn after(&self, data: &JobEventData) {
        let _ = data;
    }

    /// After the store answered for the outcome. Called on the engine's own thread, so it must not block.
    fn settled(&self, data: &JobSettled) {
        let _ = data;
    }
}
