//! The engine on the store in memory, put together by hand: no host, no database.

use std::error::Error;
use std::sync::Arc;

use tasks_abstractions::prelude::*;
use tasks_abstractions::services::Services;
use tasks_abstractions::{
    Clock, GuidGenerator, JobExceptionTypeFinder, JobLockProvider, JobPublisher, JobQueue, JobRegistration,
    JobStatus, JobStore, SequentialGuidGenerator, SystemClock,
};
use tasks_core::{
    Engine, EngineJobPublisher, EngineOptions, EngineParts, JobRegistry, MemoryStore, Signals,
    StoreBackgroundJobManager, StoreClock,
};
use tasks_multitenancy::TenantScope;
use tokio::runtime::Handle;

inject! { struct Add; }

#[async_trait]
impl BackgroundJob for Add {
    const NAME: &'static str = "add";
    type Args = (i64, i64);
    async fn execute(&self, (a, b): (i64, i64), ctx: &JobRunnableContext) -> JobResult {
        ctx.set_result((a + b).to_string());
        Ok(Outcome::Done)
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let machine: Arc<dyn Clock> = Arc::new(SystemClock);
    let guids: Arc<dyn GuidGenerator> = Arc::new(SequentialGuidGenerator::new(Arc::clone(&machine)));
    let store = Arc::new(MemoryStore::new(Arc::clone(&machine)));
    // One for the manager and the engine: what is due for the one is due for the other.
    let clock = Arc::new(StoreClock::new(machine));
    let signals = Signals::new();
    let publisher: Arc<dyn JobPublisher> = Arc::new(EngineJobPublisher::new(signals.clone()));
    let options = EngineOptions::default();
    let mut registry = JobRegistry::new();
    registry.add_job(&JobRegistration::of::<Add>("main.rs"))?;
    let jobs = StoreBackgroundJobManager::new(
        Arc::clone(&store) as Arc<dyn JobQueue>,
        publisher,
        Arc::clone(&clock) as Arc<dyn Clock>,
        Arc::clone(&guids),
        options.limits.clone(),
    );
    let engine = Engine::new(EngineParts {
        options,
        queue: Arc::clone(&store) as Arc<dyn JobQueue>,
        store: Arc::clone(&store) as Arc<dyn JobStore>,
        locks: Arc::clone(&store) as Arc<dyn JobLockProvider>,
        clock,
        guids,
        registry: Arc::new(registry),
        services: Services::default(),
        events: Vec::new(),
        follow_ups: Vec::new(),
        channels: Vec::new(),
        exceptions: Arc::new(JobExceptionTypeFinder::new()),
        signals,
        jobs: Handle::current(),
        version: "1".to_owned(),
        retention: Arc::default(),
    })?;
    let id = jobs.enqueue::<Add>((1, 2)).await?;
    let loops = tokio::spawn({
        let engine = engine.clone();
        async move { engine.run().await }
    });
    let job = loop {
        let found = store.find(TenantScope::All, id).await?;
        match found {
            Some(job) if job.status == JobStatus::Completed => break job,
            Some(_) => tokio::task::yield_now().await,
            None => return Err("the job is gone".into()),
        }
    };
    assert_eq!(job.result.as_deref(), Some("3"));
    assert!(engine.shutdown().await);
    loops.await?;
    Ok(())
}
