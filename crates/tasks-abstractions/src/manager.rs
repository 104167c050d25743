//! Enqueueing jobs and adding workers.

use std::fmt::Debug;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tasks_multitenancy::TenantId;
use thiserror::Error;

use crate::job::ArgsError;
use crate::store::{PreparedJob, SubmitAnswer};
use crate::{
    BackgroundJob, BackgroundWorkerRunnable, JobArgs, JobError, JobId, JobPriority, JobSource, RetryPolicy,
    RustType, StoreError, Timestamp, ValidationErrors, WorkerSchedule,
};

/// Why a job was not accepted. Nothing was written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum EnqueueError {
    /// The arguments have no JSON form.
    #[error("the arguments of job `{job}` cannot be stored")]
    Args {
        /// The job's type.
        job: String,
        /// Why.
        #[source]
        source: ArgsError,
    },
    /// Fields are out of bounds.
    #[error("job `{job}` is not valid: {source}")]
    Invalid {
        /// The job's type.
        job: String,
        /// All faults.
        source: ValidationErrors,
    },
    /// Another job has this name in this group and tenant.
    #[error(
        "the name `{name}` is taken in group `{group}` by job {by}; choose another name or enqueue with that job's id"
    )]
    NameTaken {
        /// The name.
        name: String,
        /// The group.
        group: String,
        /// The job that has it.
        by: JobId,
    },
    /// The store did not take it.
    #[error("the job could not be stored")]
    Store(#[from] StoreError),
}

/// One job to be done, with every setting that differs from the defaults.
#[derive(Debug, Clone, PartialEq)]
pub struct EnqueueRequest {
    /// Name of the registered job.
    pub type_name: String,
    /// Its Rust type, for selectors. `None` where it is enqueued by name.
    pub rust_type: Option<RustType>,
    /// Its arguments.
    pub args: JobArgs,
    /// Its id. `None` = generated. Enqueueing an id that exists changes nothing.
    pub id: Option<JobId>,
    /// Its name, unique in (tenant, group). `None` = the id's text.
    pub name: Option<String>,
    /// Its group. `None` = `BackgroundJobs`.
    pub group: Option<String>,
    /// Its tenant. `None` = the ambient one.
    pub tenant_id: Option<TenantId>,
    /// Its priority. `None` = Normal.
    pub priority: Option<JobPriority>,
    /// Wait before it is due. Counted by the store's clock.
    pub delay: Option<Duration>,
    /// No run before this instant; with `delay`, the later one counts.
    pub begin_time: Option<Timestamp>,
    /// No run after this instant.
    pub end_time: Option<Timestamp>,
    /// Failures in a row after which it is given up. `None` = 50; 0 = no limit.
    pub max_try_count: Option<u32>,
    /// Waits between tries. `None` = 300 s growing by half.
    pub retry_policy: Option<RetryPolicy>,
    /// First wait of the default policy. `None` = 300 s.
    pub interval: Option<Duration>,
    /// Longest run. `None` = no limit.
    pub timeout: Option<Duration>,
    /// Longest exclusivity. `None` = as long as it runs.
    pub lock_timeout: Option<Duration>,
    /// Only the node of this name runs it.
    pub node_name: Option<String>,
    /// For people.
    pub description: Option<String>,
    /// Who made it. `None` = System, as for every job that the application enqueues.
    pub source: Option<JobSource>,
}

impl EnqueueRequest {
    /// A request for the job `type_name` with default settings.
    #[must_use]
    pub fn new(type_name: impl Into<String>, args: JobArgs) -> Self {
        Self {
            type_name: type_name.into(),
            rust_type: None,
            args,
            id: None,
            name: None,
            group: None,
            tenant_id: None,
            priority: None,
            delay: None,
            begin_time: None,
            end_time: None,
            max_try_count: None,
            retry_policy: None,
            interval: None,
            timeout: None,
            lock_timeout: None,
            node_name: None,
            description: None,
            source: None,
        }
    }
}

/// Accepts jobs. Use it through [`BackgroundJobManagerExt`], which knows the jobs' types.
#[async_trait]
pub trait BackgroundJobManager: Send + Sync + Debug {
    /// Makes a job of a request: checks it, gives it tenant and id, and writes nothing.
    ///
    /// # Errors
    /// All faults of the request at once.
    fn prepare_request(&self, request: EnqueueRequest) -> Result<PreparedJob, EnqueueError>;

    /// Stores prepared jobs with their first execution in one transaction, then wakes the nodes. One answer each, in order. After
    /// `Ok` none of them is lost. Waking may fail without loss: nodes also look by themselves.
    ///
    /// Conformance: `submit_stores_job_and_first_execution_together`, `submitting_an_id_again_changes_nothing`.
    ///
    /// # Errors
    /// Where nothing was stored. An error of the connection leaves it open whether the transaction was committed; submitting the same
    /// prepared jobs again is safe.
    async fn submit(&self, jobs: Vec<PreparedJob>) -> Result<Vec<SubmitAnswer>, EnqueueError>;
}

/// Enqueueing typed jobs.
///
/// ```no_run
/// # use tasks_abstractions::prelude::*;
/// # use std::time::Duration;
/// # async fn f<J: BackgroundJob<Args = ()>>(jobs: &dyn BackgroundJobManager) -> Result<(), tasks_abstractions::EnqueueError> {
/// let id = jobs.enqueue::<J>(()).delay(Duration::from_secs(3600)).priority(JobPriority::High).await?;
/// # Ok(()) }
/// ```
pub trait BackgroundJobManagerExt: BackgroundJobManager {
    /// Starts to enqueue one job; await the result to store it.
    fn enqueue<J: BackgroundJob>(&self, args: J::Args) -> Enqueue<'_, Self> {
        Enqueue {
            manager: self,
            request: request_of::<J>(&args),
        }
    }

    /// Makes a job without storing it: for a transaction of the caller's own, or to store many at once.
    ///
    /// # Errors
    /// All faults of the request at once.
    fn prepare<J: BackgroundJob>(&self, args: J::Args) -> Result<PreparedJob, EnqueueError> {
        self.prepare_request(request_of::<J>(&args)?)
    }
}

impl<M: BackgroundJobManager + ?Sized> BackgroundJobManagerExt for M {}

fn request_of<J: BackgroundJob>(args: &J::Args) -> Result<EnqueueRequest, EnqueueError> {
    let args = JobArgs::from_typed(args).map_err(|source| EnqueueError::Args {
        job: J::NAME.to_owned(),
        source,
    })?;
    Ok(EnqueueRequest {
        rust_type: Some(RustType::of::<J>()),
        ..EnqueueRequest::new(J::NAME, args)
    })
}

/// A job that is about to be enqueued. Awaiting it stores it and answers its id; an id that exists already is answered as well.
#[derive(Debug)]
#[must_use = "nothing is enqueued until this is awaited"]
pub struct Enqueue<'a, M: ?Sized> {
    manager: &'a M,
    request: Result<EnqueueRequest, EnqueueError>,
}

impl<'a, M: BackgroundJobManager + ?Sized> Enqueue<'a, M> {
    /// Changes any setting of the request.
    pub fn with(mut self, change: impl FnOnce(&mut EnqueueRequest)) -> Self {
        if let Ok(request) = &mut self.request {
            change(request);
        }
        self
    }

    /// Due this long from now.
    pub fn delay(self, delay: Duration) -> Self {
        self.with(|it| it.delay = Some(delay))
    }

    /// Due at this instant.
    pub fn at(self, at: Timestamp) -> Self {
        self.with(|it| it.begin_time = Some(at))
    }

    /// Which of two due jobs goes first.
    pub fn priority(self, priority: JobPriority) -> Self {
        self.with(|it| it.priority = Some(priority))
    }

    /// With this id: enqueueing it again changes nothing.
    pub fn id(self, id: JobId) -> Self {
        self.with(|it| it.id = Some(id))
    }

    /// With this name, unique in (tenant, group).
    pub fn name(self, name: impl Into<String>) -> Self {
        self.with(|it| it.name = Some(name.into()))
    }

    /// For this tenant instead of the ambient one.
    pub fn tenant(self, tenant: TenantId) -> Self {
        self.with(|it| it.tenant_id = Some(tenant))
    }

    /// Failures in a row after which it is given up; 0 = no limit.
    pub fn max_try_count(self, tries: u32) -> Self {
        self.with(|it| it.max_try_count = Some(tries))
    }

    /// Waits between tries.
    pub fn retry_policy(self, policy: RetryPolicy) -> Self {
        self.with(|it| it.retry_policy = Some(policy))
    }

    /// Longest run.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.with(|it| it.timeout = Some(timeout))
    }

    /// Only the node of this name runs it.
    pub fn node_name(self, node: impl Into<String>) -> Self {
        self.with(|it| it.node_name = Some(node.into()))
    }

    /// Makes the job without storing it.
    ///
    /// # Errors
    /// All faults of the request at once.
    pub fn prepare(self) -> Result<PreparedJob, EnqueueError> {
        self.manager.prepare_request(self.request?)
    }
}

impl<'a, M: BackgroundJobManager + ?Sized> IntoFuture for Enqueue<'a, M> {
    type Output = Result<JobId, EnqueueError>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        let manager = self.manager;
        let prepared = self.prepare();
        Box::pin(async move {
            let job = prepared?;
            let (id, name, group) = (job.job.id, job.job.name.clone(), job.job.group.clone());
            match manager.submit(vec![job]).await?.first() {
                Some(SubmitAnswer::NameTaken { by }) => Err(EnqueueError::NameTaken { name, group, by: *by }),
                _ => Ok(id),
            }
        })
    }
}

/// Why a worker was not added.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum WorkerError {
    /// Its definition is not valid.
    #[error("worker `{worker}` is not valid: {source}")]
    Invalid {
        /// The worker's name.
        worker: String,
        /// All faults.
        source: ValidationErrors,
    },
    /// A hook failed.
    #[error("the {hook} hook of worker `{worker}` failed: {error}")]
    Hook {
        /// The worker's name.
        worker: String,
        /// `start` or `stop`.
        hook: &'static str,
        /// What it said.
        error: JobError,
    },
    /// The store did not take it.
    #[error("worker `{worker}` could not be stored")]
    Store {
        /// The worker's name.
        worker: String,
        /// Why.
        #[source]
        source: StoreError,
    },
    /// No worker of this name was added.
    #[error("no worker is called `{0}`")]
    Unknown(String),
}

/// Holds the workers of this program.
#[async_trait]
pub trait BackgroundWorkerManager: Send + Sync + Debug {
    /// Adds a worker, also while the program runs: from then on this program can run it. If the manager has started, its start hook is called and its
    /// job is stored under a stable id, in the tenant that is ambient. A worker of the same name is replaced: its stop hook is called first.
    ///
    /// A job that exists keeps its state, counters and waiting execution unless its schedule changed: starting a program twenty times
    /// leaves one row, and a frequent start does not put off a long period. What people changed on it stays, and a definition that a newer
    /// program wrote is left alone. A worker that was one of the cluster and is one of every node now (or the other way round) has other jobs; the
    /// former one is disabled.
    ///
    /// Conformance: `a_worker_is_registered_in_six_steps`, `a_rolling_deployment_does_not_flip_definitions`, `a_dynamic_worker_cannot_take_a_registered_name`, `a_hook_that_fails_leaves_no_half_worker`.
    ///
    /// # Errors
    /// [`Invalid`](WorkerError::Invalid), before anything changed, where its definition is not valid, or its name is that of a job, of another
    /// registered worker, or of a worker of another tenant. [`Hook`](WorkerError::Hook): where the stop hook of a former worker failed, that one stays;
    /// where the start hook failed, neither is there. [`Store`](WorkerError::Store): the worker was added and its job could not be stored; add it again.
    async fn add(&self, worker: Arc<dyn BackgroundWorkerRunnable>) -> Result<(), WorkerError>;

    /// Takes a worker away from this program: calls its stop hook. Its job stays in the store, shown and not run here; delete it by
    /// [`JobScheduler::remove`](crate::JobScheduler::remove) where no other program has the worker either.
    ///
    /// Conformance: `a_dynamic_worker_comes_changes_goes_and_comes_back`.
    ///
    /// # Errors
    /// [`Unknown`](WorkerError::Unknown); [`Hook`](WorkerError::Hook) where its stop hook failed, the worker being gone all the same.
    async fn remove(&self, name: &str) -> Result<(), WorkerError>;

    /// Gives a worker another schedule, keeping its code. Stored at once if the manager has started. Counts until the program ends; the next start
    /// finds the schedule of the code.
    ///
    /// Conformance: `a_dynamic_worker_comes_changes_goes_and_comes_back`, `a_bad_schedule_is_refused_and_changes_nothing`.
    ///
    /// # Errors
    /// Where there is no such worker, it has only hooks, the schedule is not valid, or the store failed. The former schedule then stays.
    async fn update_schedule(&self, name: &str, schedule: WorkerSchedule) -> Result<(), WorkerError>;

    /// Starts every worker added so far. False when they are started already.
    async fn start(&self) -> Result<bool, WorkerError>;

    /// Stops every worker, each one also where another's hook fails. False when they are stopped already.
    async fn stop(&self) -> Result<bool, Vec<WorkerError>>;

    /// Names of the workers of this program.
    fn names(&self) -> Vec<String>;
}
