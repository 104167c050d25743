//! The services of the host itself: those that need no store before the modules, the managers as soon as a store is there.

use std::sync::Arc;

use tasks_abstractions::services::{ServiceError, ServiceRegistry};
use tasks_abstractions::{
    BackgroundJobManager, BackgroundWorkerManager, Clock, GuidGenerator, JobDispatcher, JobLockProvider,
    JobManagement, JobPublisher, JobQueue, JobStore, SequentialGuidGenerator,
};
use tasks_core::{
    EngineJobDispatcher, EngineJobPublisher, EngineManagement, JobRegistry, Signals,
    StoreBackgroundJobManager, StoreBackgroundWorkerManager, StoreClock, WorkerManagerParts,
};

use crate::HostOptions;

/// Registers what modules may build on.
pub(crate) fn before_modules(
    registry: &mut ServiceRegistry,
    clock: Arc<dyn Clock>,
    signals: &Signals,
) -> Result<(), ServiceError> {
    let guids = SequentialGuidGenerator::new(Arc::clone(&clock));
    registry
        .singleton::<dyn Clock>(clock)?
        .singleton::<dyn GuidGenerator>(Arc::new(guids))?
        .singleton::<dyn JobPublisher>(Arc::new(EngineJobPublisher::new(signals.clone())))?
        .singleton::<dyn JobDispatcher>(Arc::new(EngineJobDispatcher::new(signals.clone())))?;
    Ok(())
}

/// The managers, which stand on a store.
#[derive(Debug, Clone)]
pub(crate) struct Managers {
    pub(crate) store: Arc<dyn JobStore>,
    pub(crate) queue: Arc<dyn JobQueue>,
    pub(crate) locks: Arc<dyn JobLockProvider>,
    pub(crate) clock: Arc<StoreClock>,
    pub(crate) guids: Arc<dyn GuidGenerator>,
    pub(crate) publisher: Arc<dyn JobPublisher>,
    pub(crate) jobs: Arc<dyn BackgroundJobManager>,
    pub(crate) workers: Arc<dyn BackgroundWorkerManager>,
    pub(crate) management: Arc<EngineManagement>,
}

/// Whether a module has provided a whole store.
pub(crate) fn has_store(registry: &ServiceRegistry) -> bool {
    registry.contains::<dyn JobStore>()
        && registry.contains::<dyn JobQueue>()
        && registry.contains::<dyn JobLockProvider>()
}

/// Makes the managers over the store in the registry, and registers them.
pub(crate) fn after_store(
    registry: &mut ServiceRegistry,
    options: &HostOptions,
    types: &Arc<JobRegistry>,
    version: &str,
) -> Result<Managers, ServiceError> {
    let limits = &options.engine.limits;
    let selectors = Arc::new(options.selectors.clone());
    let store = registry.get::<dyn JobStore>()?;
    let queue = registry.get::<dyn JobQueue>()?;
    let locks = registry.get::<dyn JobLockProvider>()?;
    let clock = Arc::new(StoreClock::new(registry.get::<dyn Clock>()?));
    let guids = registry.get::<dyn GuidGenerator>()?;
    let publisher = registry.get::<dyn JobPublisher>()?;
    let dispatcher = registry.get::<dyn JobDispatcher>()?;
    let jobs: Arc<dyn BackgroundJobManager> = Arc::new(
        StoreBackgroundJobManager::new(
            Arc::clone(&queue),
            Arc::clone(&publisher),
            Arc::clone(&clock) as _,
            Arc::clone(&guids),
            limits.clone(),
        )
        .with_selectors(Arc::clone(&selectors)),
    );
    let workers: Arc<dyn BackgroundWorkerManager> =
        Arc::new(StoreBackgroundWorkerManager::new(WorkerManagerParts {
            queue: Arc::clone(&queue),
            publisher: Arc::clone(&publisher),
            clock: Arc::clone(&clock) as _,
            registry: Arc::clone(types),
            selectors,
            node_name: options.engine.node_name.clone(),
            limits: limits.clone(),
            version: version.to_owned(),
        }));
    let management = Arc::new(EngineManagement::new(
        Arc::clone(&queue),
        Arc::clone(&store),
        Arc::clone(&publisher),
        dispatcher,
        Arc::clone(&clock) as _,
        limits.clone(),
    ));
    registry
        .singleton::<dyn BackgroundJobManager>(Arc::clone(&jobs))?
        .singleton::<dyn BackgroundWorkerManager>(Arc::clone(&workers))?
        .singleton::<dyn JobManagement>(Arc::clone(&management) as _)?;
    Ok(Managers {
        store,
        queue,
        locks,
        clock,
        guids,
        publisher,
        jobs,
        workers,
        management,
    })
}
