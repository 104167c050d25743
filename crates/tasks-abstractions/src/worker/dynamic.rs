//! Workers that are made while the program runs: a name, a schedule and a handler.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use async_trait::async_trait;

use super::{BackgroundWorkerRunnable, WorkerContext, WorkerDefinition, WorkerSchedule};
use crate::{JobError, JobResult, JobRunnable, JobRunnableContext};

type Handler = dyn Fn(WorkerContext) -> Pin<Box<dyn Future<Output = JobResult> + Send>> + Send + Sync;

/// A worker of this name whose code is a closure. Give it to [`BackgroundWorkerManager::add`](crate::BackgroundWorkerManager::add).
///
/// Its job is stored like that of any worker; its handler lives in this process. After a restart of the program its executions wait until a handler of
/// this name is added again.
///
/// ```
/// use std::time::Duration;
/// use tasks_abstractions::{BackgroundWorkerManager, DynamicWorker, Outcome, WorkerError, WorkerSchedule};
///
/// # async fn f(workers: &dyn BackgroundWorkerManager) -> Result<(), WorkerError> {
/// let schedule = WorkerSchedule::every(Duration::from_secs(60));
/// workers.add(DynamicWorker::new("reports.tenant-7", schedule, |ctx| async move {
///     ctx.set_result("done");
///     Ok(Outcome::Done)
/// })).await
/// # }
/// ```
pub struct DynamicWorker {
    name: String,
    schedule: WorkerSchedule,
    handler: Box<Handler>,
}

impl DynamicWorker {
    /// A worker of this name.
    #[must_use]
    pub fn new<F, Fut>(name: impl Into<String>, schedule: WorkerSchedule, handler: F) -> Arc<Self>
    where
        F: Fn(WorkerContext) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = JobResult> + Send + 'static,
    {
        Arc::new(Self {
            name: name.into(),
            schedule,
            handler: Box::new(move |ctx| Box::pin(handler(ctx))),
        })
    }
}

#[async_trait]
impl JobRunnable for DynamicWorker {
    fn name(&self) -> &str {
        &self.name
    }

    async fn execute(&self, ctx: &JobRunnableContext) -> JobResult {
        (self.handler)(WorkerContext::new(ctx.clone())).await
    }
}

#[async_trait]
impl BackgroundWorkerRunnable for DynamicWorker {
    fn build_worker(&self) -> Option<WorkerDefinition> {
        Some(WorkerDefinition {
            name: self.name.clone(),
            rust_type: None,
            schedule: self.schedule.clone(),
        })
    }

    async fn start(&self) -> Result<(), JobError> {
        Ok(())
    }

    async fn stop(&self) -> Result<(), JobError> {
        Ok(())
    }
}

impl fmt::Debug for DynamicWorker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DynamicWorker")
            .field("name", &self.name)
            .field("schedule", &self.schedule)
            .finish_non_exhaustive()
    }
}
