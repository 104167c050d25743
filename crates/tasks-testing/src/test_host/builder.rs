//! What a test host is made of.

use std::fmt;
use std::sync::{Arc, Mutex};

use tasks_abstractions::services::{FromScope, ServiceError, ServiceRegistry};
use tasks_abstractions::{
    AdministratorChannel, BackgroundJob, BackgroundJobManager, BackgroundWorkerManager, Clock, GuidGenerator,
    JobDispatcher, JobDispatcherSelectors, JobEvent, JobExceptionTypeFinder, JobLockProvider, JobManagement,
    JobPublisher, JobQueue, JobRegistration, JobResult, JobRunnable, JobRunnableContext, JobStore,
    RunFollowUps, SequentialGuidGenerator, WorkerRegistration,
};
use tasks_core::{
    AdministratorChannels, CleaningOptions, Engine, EngineJobDispatcher, EngineJobPublisher,
    EngineManagement, EngineOptions, EngineParts, EngineScheduler, JobRegistry, LogChannel,
    NotifyAdministrator, Signals, StoreBackgroundJobManager, StoreBackgroundWorkerManager, StoreClock,
    WorkerManagerParts,
};
use tokio::runtime::Handle;

use super::{ClosureJob, TestHost, TestHostError};
use crate::Recorder;

type AddServices = Box<dyn FnOnce(&mut ServiceRegistry) -> Result<(), ServiceError> + Send>;
type AddJob = Box<dyn FnOnce(&mut JobRegistry) -> Result<(), tasks_core::DuplicateName> + Send>;

/// Makes a [`TestHost`].
#[must_use]
pub struct TestHostBuilder {
    queue: Arc<dyn JobQueue>,
    store: Arc<dyn JobStore>,
    locks: Arc<dyn JobLockProvider>,
    clock: Arc<dyn Clock>,
    options: EngineOptions,
    jobs: Vec<AddJob>,
    workers: Vec<WorkerRegistration>,
    services: Vec<AddServices>,
    listeners: Vec<Arc<dyn JobEvent>>,
    follow_ups: Vec<Arc<dyn RunFollowUps>>,
    channels: Vec<Arc<dyn AdministratorChannel>>,
    recorder: Arc<Recorder>,
    selectors: JobDispatcherSelectors,
    version: String,
    retention: Arc<CleaningOptions>,
}

impl TestHost {
    /// Starts to describe a node over `store`. `clock` is the store's clock as well.
    pub fn builder<S>(store: &Arc<S>, clock: Arc<dyn Clock>) -> TestHostBuilder
    where
        S: JobQueue + JobStore + JobLockProvider + 'static,
    {
        Self::over(
            Arc::clone(store) as _,
            Arc::clone(store) as _,
            Arc::clone(store) as _,
            clock,
        )
    }

    /// Starts to describe a node over a store in three parts, which must be the same database.
    pub fn over(
        queue: Arc<dyn JobQueue>,
        store: Arc<dyn JobStore>,
        locks: Arc<dyn JobLockProvider>,
        clock: Arc<dyn Clock>,
    ) -> TestHostBuilder {
        TestHostBuilder {
            queue,
            store,
            locks,
            clock,
            options: EngineOptions::default(),
            jobs: Vec::new(),
            workers: Vec::new(),
            services: Vec::new(),
            listeners: Vec::new(),
            follow_ups: Vec::new(),
            channels: vec![Arc::new(LogChannel)],
            recorder: Arc::new(Recorder::new()),
            selectors: JobDispatcherSelectors::new(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            retention: Arc::default(),
        }
    }
}

impl TestHostBuilder {
    /// Puts another queue in front of the store, for example one that fails on demand.
    pub fn queue(mut self, queue: Arc<dyn JobQueue>) -> Self {
        self.queue = queue;
        self
    }

    /// Names the node. Defaults to `node`.
    pub fn node_name(self, name: impl Into<String>) -> Self {
        let name = name.into();
        self.options(|it| it.node_name = name)
    }

    /// Changes options of the engine.
    pub fn options(mut self, change: impl FnOnce(&mut EngineOptions)) -> Self {
        change(&mut self.options);
        self
    }

    /// Adds a job type.
    pub fn job<J: BackgroundJob + FromScope>(self) -> Self {
        self.registration(JobRegistration::of::<J>("test"))
    }

    /// Adds a registered job type, with its flags.
    pub fn registration(mut self, job: JobRegistration) -> Self {
        self.jobs
            .push(Box::new(move |registry| registry.add_job(&job).map(|_| ())));
        self
    }

    /// Adds a job whose code is a closure.
    pub fn run<F, Fut>(self, type_name: &str, run: F) -> Self
    where
        F: Fn(JobRunnableContext) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = JobResult> + Send + 'static,
    {
        self.runnable(Arc::new(ClosureJob::new(type_name, run)))
    }

    /// Adds a job that exists already.
    pub fn runnable(mut self, job: Arc<dyn JobRunnable>) -> Self {
        self.jobs.push(Box::new(move |registry| {
            registry.add_instance(job, "test").map(|_| ())
        }));
        self
    }

    /// Adds a worker. [`TestHost::start_workers`] starts it.
    pub fn worker(mut self, worker: WorkerRegistration) -> Self {
        self.workers.push(worker);
        self.jobs
            .push(Box::new(move |registry| registry.add_worker(&worker).map(|_| ())));
        self
    }

    /// Changes the dispatcher selectors.
    pub fn selectors(mut self, change: impl FnOnce(&mut JobDispatcherSelectors)) -> Self {
        change(&mut self.selectors);
        self
    }

    /// Version of the program, noted with the definitions of its workers. Defaults to that of this crate.
    pub fn version(mut self, version: impl Into<String>) -> Self {
        self.version = version.into();
        self
    }

    /// Adds services for jobs and workers.
    pub fn services(
        mut self,
        add: impl FnOnce(&mut ServiceRegistry) -> Result<(), ServiceError> + Send + 'static,
    ) -> Self {
        self.services.push(Box::new(add));
        self
    }

    /// How long what is done is kept, where it is not the default.
    pub fn retention(mut self, retention: CleaningOptions) -> Self {
        self.retention = Arc::new(retention);
        self
    }

    /// Adds a listener; listeners are told in the order of their addition, the recorder last.
    pub fn listener(mut self, listener: Arc<dyn JobEvent>) -> Self {
        self.listeners.push(listener);
        self
    }

    /// Adds a source of what follows runs.
    pub fn follow_ups(mut self, source: Arc<dyn RunFollowUps>) -> Self {
        self.follow_ups.push(source);
        self
    }

    /// Adds a way to the administrator, beside the log.
    pub fn channel(mut self, channel: Arc<dyn AdministratorChannel>) -> Self {
        self.channels.push(channel);
        self
    }

    /// Uses a recorder that other hosts use as well.
    pub fn recorder(mut self, recorder: &Arc<Recorder>) -> Self {
        self.recorder = Arc::clone(recorder);
        self
    }

    /// Makes the host. Nothing runs yet.
    ///
    /// # Errors
    /// Where options are out of bounds, a name or service is registered twice.
    ///
    /// # Panics
    /// Outside of a tokio runtime: its runs are spawned on the present one.
    pub fn build(self) -> Result<TestHost, TestHostError> {
        let signals = Signals::new();
        let publisher: Arc<dyn JobPublisher> = Arc::new(EngineJobPublisher::new(signals.clone()));
        let dispatcher: Arc<dyn JobDispatcher> = Arc::new(EngineJobDispatcher::new(signals.clone()));
        let guids: Arc<dyn GuidGenerator> = Arc::new(SequentialGuidGenerator::new(Arc::clone(&self.clock)));
        let limits = self.options.limits.clone();
        let (queue, store) = (&self.queue, &self.store);
        let clock = Arc::new(StoreClock::new(Arc::clone(&self.clock)));
        let selectors = Arc::new(self.selectors);
        let jobs: Arc<dyn BackgroundJobManager> = Arc::new(
            StoreBackgroundJobManager::new(
                Arc::clone(queue),
                Arc::clone(&publisher),
                Arc::clone(&clock) as _,
                Arc::clone(&guids),
                limits.clone(),
            )
            .with_selectors(Arc::clone(&selectors)),
        );
        let mut registry = JobRegistry::new();
        registry.add_job(&NotifyAdministrator::registration())?;
        for add in self.jobs {
            add(&mut registry)?;
        }
        let registry = Arc::new(registry);
        let workers: Arc<dyn BackgroundWorkerManager> =
            Arc::new(StoreBackgroundWorkerManager::new(WorkerManagerParts {
                queue: Arc::clone(queue),
                publisher: Arc::clone(&publisher),
                clock: Arc::clone(&clock) as _,
                registry: Arc::clone(&registry),
                selectors,
                node_name: self.options.node_name.clone(),
                limits: limits.clone(),
                version: self.version.clone(),
            }));
        let management = Arc::new(EngineManagement::new(
            Arc::clone(queue),
            Arc::clone(store),
            Arc::clone(&publisher),
            dispatcher,
            Arc::clone(&clock) as _,
            limits,
        ));
        let mut services = ServiceRegistry::new();
        services
            .singleton(Arc::new(AdministratorChannels(self.channels.clone())))?
            .singleton::<dyn Clock>(Arc::clone(&self.clock))?
            .singleton::<dyn BackgroundJobManager>(Arc::clone(&jobs))?
            .singleton::<dyn JobManagement>(Arc::clone(&management) as _)?;
        for add in self.services {
            add(&mut services)?;
        }
        let services = services.finish();
        let mut events = self.listeners;
        events.push(Arc::clone(&self.recorder) as _);
        let engine = Engine::new(EngineParts {
            options: self.options,
            queue: Arc::clone(queue),
            store: Arc::clone(store),
            locks: self.locks,
            clock: Arc::clone(&clock),
            guids: Arc::clone(&guids),
            registry,
            services: services.clone(),
            events,
            follow_ups: self.follow_ups,
            channels: self.channels,
            exceptions: Arc::new(JobExceptionTypeFinder::new()),
            signals,
            jobs: Handle::current(),
            version: self.version,
            retention: self.retention,
        })?;
        let scheduler = Arc::new(EngineScheduler::new(
            engine.clone(),
            Arc::clone(&management),
            Arc::clone(queue),
            Arc::clone(store),
            publisher,
            clock,
        ));
        Ok(TestHost {
            engine,
            jobs,
            workers,
            registered_workers: self.workers,
            scheduler,
            management,
            store: self.store,
            recorder: self.recorder,
            clock: self.clock,
            guids,
            services,
            loops: Mutex::new(None),
        })
    }
}

impl fmt::Debug for TestHostBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestHostBuilder")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}
