//! A host on a machine whose clock is wrong, over a store whose clock is right.

use std::sync::Arc;
use std::time::Duration;

use tasks_abstractions::prelude::*;
use tasks_abstractions::{
    Clock, JobLockProvider, JobQueue, JobRegistration, JobStore, SystemClock, Timestamp,
};
use tasks_core::{JobRegistry, MemoryStore};
use tasks_host::{Host, SeaOrmStoreModule};
use tasks_multitenancy::TenantScope;

use crate::mysql_database::OwnDatabase;
use crate::postgres_schema::Schema;

/// The machine's clock, ahead by a number of seconds.
#[derive(Debug)]
struct Ahead(i64);

impl Clock for Ahead {
    fn now(&self) -> Timestamp {
        SystemClock.now() + chrono::TimeDelta::seconds(self.0)
    }

    fn authoritative_now(&self) -> Option<Timestamp> {
        None
    }
}

/// A store that is elsewhere, with a clock of its own.
struct Elsewhere(Arc<MemoryStore>);

#[async_trait]
impl Module for Elsewhere {
    async fn configure(&self, registry: &mut ServiceRegistry) -> Result<(), ModuleError> {
        registry
            .singleton::<dyn JobStore>(Arc::clone(&self.0) as _)?
            .singleton::<dyn JobQueue>(Arc::clone(&self.0) as _)?
            .singleton::<dyn JobLockProvider>(Arc::clone(&self.0) as _)?;
        Ok(())
    }
}

inject! { struct Nothing {} }

#[async_trait]
impl BackgroundJob for Nothing {
    const NAME: &'static str = "host_clock.nothing";
    type Args = ();
    async fn execute(&self, (): (), _: &JobRunnableContext) -> JobResult {
        Ok(Outcome::Done)
    }
}

/// When a job is due that a host with such a clock was asked for, with this delay. It was never started: what it knows of the store's time is from its making.
async fn due(store: impl Module + 'static, ahead: i64, delay: Duration) -> Timestamp {
    let mut registry = JobRegistry::new();
    let job = JobRegistration::of::<Nothing>("host_clock.rs:1");
    registry.add_job(&job).expect("free");
    let host = Host::builder()
        .ignore_environment()
        .clock(Arc::new(Ahead(ahead)))
        .module(store)
        .registry(registry)
        .build()
        .await
        .expect("it can start");
    let id = host
        .jobs()
        .enqueue::<Nothing>(())
        .delay(delay)
        .await
        .expect("it is stored");
    let store = host.services().get::<dyn JobStore>().expect("provided");
    let job = store.find(TenantScope::All, id).await.expect("it answers");
    let due = job.expect("it is there").next_run_time;
    due.expect("it waits")
}

/// What the clock is wrong by is an hour; how long the host takes does not matter.
async fn no_job_is_early_or_late<M: Module + 'static>(store: impl Fn() -> M) {
    for ahead in [3_600, -3_600] {
        for delay in [Duration::ZERO, Duration::from_secs(600)] {
            let asked = SystemClock.now() + chrono::TimeDelta::from_std(delay).expect("short");
            let due = due(store(), ahead, delay).await;
            assert!(
                (due - asked).abs() < chrono::TimeDelta::minutes(10),
                "{ahead} s ahead, delay {delay:?}: due {due}, asked for {asked}"
            );
        }
    }
}

#[tokio::test]
async fn a_wrong_clock_of_the_machine_makes_no_job_early_or_late() {
    no_job_is_early_or_late(|| Elsewhere(Arc::new(MemoryStore::new(Arc::new(SystemClock))))).await;
}

#[tokio::test]
async fn the_clock_of_a_postgresql_server_counts() {
    let schema = Schema::new();
    no_job_is_early_or_late(|| SeaOrmStoreModule::with(schema.options())).await;
}

#[tokio::test]
async fn the_clock_of_a_mysql_server_counts() {
    let database = OwnDatabase::new().await;
    no_job_is_early_or_late(|| SeaOrmStoreModule::with(database.options())).await;
}
