//! One node in a test: an engine with its managers over any store, run by its loops or step by step.

mod builder;
mod closure;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tasks_abstractions::services::Services;
use tasks_abstractions::{
    BackgroundJobManager, BackgroundWorkerManager, Clock, EnqueueError, EnqueueRequest, GuidGenerator,
    JobArgs, JobCommand, JobId, JobInfo, JobInfoBuilder, JobManagement, JobStore, ManagementError,
    StoreError, ValidationErrors, WorkerError,
};
use tasks_core::{DuplicateName, Engine, EngineManagement, EngineScheduler};
use tasks_multitenancy::{CurrentTenant, TenantScope};
use thiserror::Error;
use tokio::task::JoinHandle;

use crate::Recorder;
use crate::recorder::NotInTime;

pub use builder::TestHostBuilder;
pub use closure::ClosureJob;

/// Why a test host could not be made or could not go on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TestHostError {
    /// Options are out of bounds.
    #[error("the options are not valid: {0}")]
    Options(#[from] ValidationErrors),
    /// Two jobs have one name.
    #[error(transparent)]
    Duplicate(#[from] DuplicateName),
    /// A service is missing.
    #[error(transparent)]
    Service(#[from] tasks_abstractions::services::ServiceError),
    /// A worker could not be started.
    #[error(transparent)]
    Worker(#[from] WorkerError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Runs did not end.
    #[error(transparent)]
    NotInTime(#[from] NotInTime),
}

/// One node: engine, managers, schedule and management over a store, with a [`Recorder`] that listens.
///
/// Either [`start`](Self::start) its loops, or drive its steps by hand with [`run_due`](Self::run_due) and the steps of
/// [`engine`](Self::engine). Several hosts over one store are several nodes.
///
/// ```
/// use std::sync::Arc;
/// use tasks_abstractions::{Outcome, RunOutcome};
/// use tasks_core::MemoryStore;
/// use tasks_testing::{ManualClock, TestHost};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let clock = Arc::new(ManualClock::new());
/// let store = Arc::new(MemoryStore::new(clock.clone()));
/// let host = TestHost::builder(&store, clock)
///     .run("shop.ping", |_| async { Ok(Outcome::Done) })
///     .build()?;
/// host.enqueue("shop.ping").await?;
/// assert_eq!(host.run_due().await?, 1);
/// assert_eq!(host.recorder().count(RunOutcome::Succeeded), 1);
/// # Ok(()) }
/// ```
pub struct TestHost {
    engine: Engine,
    jobs: Arc<dyn BackgroundJobManager>,
    workers: Arc<dyn BackgroundWorkerManager>,
    registered_workers: Vec<tasks_abstractions::WorkerRegistration>,
    scheduler: Arc<EngineScheduler>,
    management: Arc<EngineManagement>,
    store: Arc<dyn JobStore>,
    recorder: Arc<Recorder>,
    clock: Arc<dyn Clock>,
    guids: Arc<dyn GuidGenerator>,
    services: Services,
    loops: Mutex<Option<JoinHandle<()>>>,
}

impl TestHost {
    /// How long [`run_due`](Self::run_due) waits for the runs of one round.
    pub const RUN_LIMIT: Duration = Duration::from_secs(60);

    /// The engine, with its steps.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Enqueues.
    #[must_use]
    pub fn jobs(&self) -> &dyn BackgroundJobManager {
        self.jobs.as_ref()
    }

    /// Holds the workers.
    #[must_use]
    pub fn workers(&self) -> &dyn BackgroundWorkerManager {
        self.workers.as_ref()
    }

    /// The schedule.
    #[must_use]
    pub fn scheduler(&self) -> &EngineScheduler {
        &self.scheduler
    }

    /// Commands and lists.
    #[must_use]
    pub fn management(&self) -> &EngineManagement {
        &self.management
    }

    /// The stored jobs.
    #[must_use]
    pub fn store(&self) -> &dyn JobStore {
        self.store.as_ref()
    }

    /// What happened.
    #[must_use]
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// The clock of the host and, where it is authoritative, of its store.
    #[must_use]
    pub fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// The services of its runs.
    #[must_use]
    pub const fn services(&self) -> &Services {
        &self.services
    }

    /// Runs the engine's loops on the present runtime until [`shutdown`](Self::shutdown) or [`kill`](Self::kill). Later calls change nothing.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn start(&self) {
        let mut loops = self.loops.lock().unwrap_or_else(PoisonError::into_inner);
        loops.get_or_insert_with(|| {
            let engine = self.engine.clone();
            tokio::spawn(async move { engine.run().await })
        });
    }

    /// Builds the registered workers, adds them to the manager and starts them, as a program does at its start.
    ///
    /// # Errors
    /// Where a service is missing, a start hook failed, or a definition was not accepted.
    pub async fn start_workers(&self) -> Result<(), TestHostError> {
        let scope = self.services.scope();
        for registration in &self.registered_workers {
            let worker = (registration.build)(&scope.resolver())?;
            self.workers.add(worker).await?;
        }
        self.workers.start().await?;
        Ok(())
    }

    /// Ends the node well, and its loops with it. False when it was called before.
    pub async fn shutdown(&self) -> bool {
        let is_first = self.engine.shutdown().await;
        let loops = self.take_loops();
        if let Some(loops) = loops {
            // Only a panic of a loop or `kill` ends them otherwise, and the caller sees either by what is missing.
            let _ = loops.await;
        }
        is_first
    }

    /// Ends the loops at once, as a killed process does: no outcome is written any more, no lease renewed. The code of its runs goes on
    /// where it does not wait for ever, since tasks cannot be killed from outside; nobody takes its outcome.
    pub fn kill(&self) {
        if let Some(loops) = self.take_loops() {
            loops.abort();
        }
    }

    fn take_loops(&self) -> Option<JoinHandle<()>> {
        self.loops.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Runs by hand everything that is due now, also what becomes due by it at once; answers how many executions were claimed. Do not use it
    /// while the loops run.
    ///
    /// # Errors
    /// Where the store failed, or a run did not end within [`RUN_LIMIT`](Self::RUN_LIMIT).
    pub async fn run_due(&self) -> Result<usize, TestHostError> {
        // Between two calls as much time may pass as a test likes: the lease of a node that drives its steps by hand must not be over by that.
        self.engine.heartbeat_step().await?;
        let mut claimed = 0;
        loop {
            let ended = self.recorder.look(crate::recorder::Record::ended);
            let round = self.engine.claim_step().await?.claimed;
            if round == 0 {
                return Ok(claimed);
            }
            claimed += round;
            let wanted = ended + self.engine.executing();
            self.recorder
                .wait_for("the end of claimed runs", Self::RUN_LIMIT, |it| {
                    it.ended() >= wanted
                })
                .await?;
            while self.engine.executing() > 0 {
                // The recorder heard of the end a moment before the engine did.
                tokio::task::yield_now().await;
            }
            self.settle_all().await?;
        }
    }

    /// Writes by hand every outcome that waits for the store.
    ///
    /// # Errors
    /// Where the store failed. The outcomes are kept.
    pub async fn settle_all(&self) -> Result<(), TestHostError> {
        while self.engine.unsettled() > 0 {
            self.engine.finish_step().await?;
        }
        Ok(())
    }

    /// Starts to describe a job of this type with a fresh id for the ambient tenant.
    pub fn job(&self, type_name: &str) -> JobInfoBuilder {
        let id = JobId::generate(self.guids.as_ref());
        JobInfo::builder(id, CurrentTenant::id(), type_name, self.clock.now())
    }

    /// Enqueues one job of this type without arguments.
    ///
    /// # Errors
    /// Where it was not accepted.
    pub async fn enqueue(&self, type_name: &str) -> Result<JobId, EnqueueError> {
        self.enqueue_with(EnqueueRequest::new(type_name, JobArgs::new()))
            .await
    }

    /// Enqueues one job.
    ///
    /// # Errors
    /// Where it was not accepted.
    pub async fn enqueue_with(&self, request: EnqueueRequest) -> Result<JobId, EnqueueError> {
        let job = self.jobs.prepare_request(request)?;
        let id = job.job.id;
        self.jobs.submit(vec![job]).await?;
        Ok(id)
    }

    /// Enqueues many jobs of this type in one transaction.
    ///
    /// # Errors
    /// Where they were not accepted.
    pub async fn enqueue_many(&self, type_name: &str, count: usize) -> Result<Vec<JobId>, EnqueueError> {
        let prepared = (0..count)
            .map(|_| {
                self.jobs
                    .prepare_request(EnqueueRequest::new(type_name, JobArgs::new()))
            })
            .collect::<Result<Vec<_>, _>>()?;
        let ids = prepared.iter().map(|it| it.job.id).collect();
        self.jobs.submit(prepared).await?;
        Ok(ids)
    }

    /// One job of any tenant, as the store has it.
    ///
    /// # Errors
    /// Where there is none.
    pub async fn find(&self, id: JobId) -> Result<JobInfo, ManagementError> {
        self.management.get(TenantScope::All, id).await
    }

    /// Carries out a command on a job of any tenant.
    ///
    /// # Errors
    /// Where the store failed.
    pub async fn command(
        &self,
        id: JobId,
        command: JobCommand,
    ) -> Result<tasks_abstractions::CommandAnswer, ManagementError> {
        self.management.command(TenantScope::All, id, command).await
    }
}

impl Drop for TestHost {
    /// A host that is dropped is a node that died.
    fn drop(&mut self) {
        self.kill();
    }
}

impl fmt::Debug for TestHost {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestHost")
            .field("engine", &self.engine)
            .finish_non_exhaustive()
    }
}
