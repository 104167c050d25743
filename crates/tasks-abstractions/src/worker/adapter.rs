//! Turns a worker into a job that the engine runs.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use async_trait::async_trait;
use tasks_multitenancy::TenantId;

use super::{
    AsyncPeriodicWorker, BackgroundWorker, PeriodicWorker, WorkerContext, WorkerSchedule, WorkerTrigger,
};
use crate::job::{JobInfo, JobInfoBuilder};
use crate::{
    JobError, JobId, JobResult, JobRunnable, JobRunnableContext, JobSource, JobType, RustType, Timestamp,
};

/// A worker in a form that the engine can hold: it can be run as a job, says which job it is, and has hooks.
#[async_trait]
pub trait BackgroundWorkerRunnable: JobRunnable {
    /// The definition of its job, `None` for a worker that has only hooks.
    fn build_worker(&self) -> Option<WorkerDefinition>;

    /// Start hook.
    async fn start(&self) -> Result<(), JobError>;

    /// Stop hook.
    async fn stop(&self) -> Result<(), JobError>;
}

/// What a worker's job should look like, before it meets a node and a store.
#[derive(Debug, Clone, PartialEq)]
pub struct WorkerDefinition {
    /// The worker's stable name.
    pub name: String,
    /// Its Rust type, for selectors. `None` where it was made of a closure.
    pub rust_type: Option<RustType>,
    /// When it runs.
    pub schedule: WorkerSchedule,
}

impl WorkerDefinition {
    /// The job's stable id on the node called `node`: one in the cluster, or one a node.
    #[must_use]
    pub fn job_id(&self, tenant: TenantId, node: &str) -> JobId {
        JobId::from_name(tenant, JobInfo::WORKERS_GROUP, &self.job_name(node))
    }

    /// The job's name on the node called `node`.
    #[must_use]
    pub fn job_name(&self, node: &str) -> String {
        if self.schedule.every_node {
            format!("{}@{node}", self.name)
        } else {
            self.name.clone()
        }
    }

    /// The job, as it is before its first run.
    pub fn to_job(&self, tenant: TenantId, node: &str, now: Timestamp) -> JobInfoBuilder {
        let job = JobInfo::builder(self.job_id(tenant, node), tenant, self.name.clone(), now)
            .name(self.job_name(node))
            .group(JobInfo::WORKERS_GROUP)
            .source(JobSource::System)
            .description(Some("From the background workers of the program".to_owned()))
            .max_try_count(self.schedule.max_try_count)
            .timeout(self.schedule.timeout)
            .misfire_policy(self.schedule.misfire_policy)
            .retry_policy(self.schedule.retry_policy)
            .priority(self.schedule.priority)
            .node_name(self.schedule.every_node.then(|| node.to_owned()));
        match &self.schedule.trigger {
            WorkerTrigger::Every(period) => job.job_type(JobType::Persistent).interval(*period),
            WorkerTrigger::Cron {
                expression,
                time_zone,
            } => job
                .job_type(JobType::Period)
                .cron(Some(expression.clone()))
                .time_zone(time_zone.clone()),
        }
    }
}

/// Turns the worker `W` into a job and runs it. Which kind of worker it is, its registration says.
pub struct BackgroundWorkerAdapter<W> {
    name: &'static str,
    schedule: Option<WorkerSchedule>,
    calls: Arc<dyn Calls>,
    is_blocking: bool,
    worker: PhantomData<fn() -> W>,
}

/// The calls of one kind of worker, without its type.
#[async_trait]
trait Calls: Send + Sync {
    async fn run(&self, ctx: &WorkerContext) -> JobResult;
    async fn start(&self) -> Result<(), JobError>;
    async fn stop(&self) -> Result<(), JobError>;
}

struct AsyncCalls<W>(W);
struct SyncCalls<W>(W);
struct PlainCalls<W>(W);

#[async_trait]
impl<W: AsyncPeriodicWorker> Calls for AsyncCalls<W> {
    async fn run(&self, ctx: &WorkerContext) -> JobResult {
        self.0.do_work(ctx).await
    }
    async fn start(&self) -> Result<(), JobError> {
        self.0.start().await
    }
    async fn stop(&self) -> Result<(), JobError> {
        self.0.stop().await
    }
}

#[async_trait]
impl<W: PeriodicWorker> Calls for SyncCalls<W> {
    async fn run(&self, ctx: &WorkerContext) -> JobResult {
        self.0.do_work(ctx)
    }
    async fn start(&self) -> Result<(), JobError> {
        self.0.start()
    }
    async fn stop(&self) -> Result<(), JobError> {
        self.0.stop()
    }
}

#[async_trait]
impl<W: BackgroundWorker> Calls for PlainCalls<W> {
    async fn run(&self, _: &WorkerContext) -> JobResult {
        // Nothing arms a worker without a schedule; a row made by hand must not look like work that was done.
        Err(JobError::msg(format!(
            "worker `{}` has only start and stop hooks and cannot be run",
            W::NAME
        ))
        .permanent())
    }
    async fn start(&self) -> Result<(), JobError> {
        self.0.start().await
    }
    async fn stop(&self) -> Result<(), JobError> {
        self.0.stop().await
    }
}

impl<W: AsyncPeriodicWorker> BackgroundWorkerAdapter<W> {
    /// An adapter of an asynchronous periodic worker.
    #[must_use]
    pub fn async_periodic(worker: W) -> Self {
        let schedule = Some(worker.schedule());
        Self {
            name: W::NAME,
            schedule,
            calls: Arc::new(AsyncCalls(worker)),
            is_blocking: false,
            worker: PhantomData,
        }
    }
}

impl<W: PeriodicWorker> BackgroundWorkerAdapter<W> {
    /// An adapter of a synchronous periodic worker.
    #[must_use]
    pub fn periodic(worker: W) -> Self {
        let schedule = Some(worker.schedule());
        Self {
            name: W::NAME,
            schedule,
            calls: Arc::new(SyncCalls(worker)),
            is_blocking: true,
            worker: PhantomData,
        }
    }
}

impl<W: BackgroundWorker> BackgroundWorkerAdapter<W> {
    /// An adapter of a worker that has only hooks.
    #[must_use]
    pub fn plain(worker: W) -> Self {
        Self {
            name: W::NAME,
            schedule: None,
            calls: Arc::new(PlainCalls(worker)),
            is_blocking: false,
            worker: PhantomData,
        }
    }
}

impl<W> fmt::Debug for BackgroundWorkerAdapter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BackgroundWorkerAdapter")
            .field("name", &self.name)
            .field("schedule", &self.schedule)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl<W: 'static> JobRunnable for BackgroundWorkerAdapter<W> {
    fn name(&self) -> &str {
        self.name
    }

    async fn execute(&self, ctx: &JobRunnableContext) -> JobResult {
        self.calls.run(&WorkerContext::new(ctx.clone())).await
    }

    fn is_blocking(&self) -> bool {
        self.is_blocking
    }
}

#[async_trait]
impl<W: 'static> BackgroundWorkerRunnable for BackgroundWorkerAdapter<W> {
    fn build_worker(&self) -> Option<WorkerDefinition> {
        let schedule = self.schedule.clone()?;
        Some(WorkerDefinition {
            name: self.name.to_owned(),
            rust_type: Some(RustType::of::<W>()),
            schedule,
        })
    }

    async fn start(&self) -> Result<(), JobError> {
        self.calls.start().await
    }

    async fn stop(&self) -> Result<(), JobError> {
        self.calls.stop().await
    }
}
