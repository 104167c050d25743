//! The system jobs Cleaning and Checking: stored once for a cluster, and doing what they are for, in memory and on SQLite.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use sea_orm::ConnectionTrait;
use tasks_abstractions::JobRegistration;
use tasks_abstractions::prelude::*;
use tasks_abstractions::services::ServiceRegistry;
use tasks_abstractions::store::JobQuery;
use tasks_abstractions::{
    AsyncPeriodicWorker, JobCommand, JobId, JobInfo, JobLockProvider, JobManagement, JobQueue, JobSource,
    JobStatus, JobStore, JobType, Outcome,
};
use tasks_core::maintenance::{Checking, Cleaning};
use tasks_core::{JobRegistry, MaintenanceOptions, MemoryStore, Retention, TypeRetention};
use tasks_host::{Host, HostOptions, MemoryStoreModule};
use tasks_multitenancy::{TenantId, TenantScope};
use tasks_store_seaorm::SeaOrmStore;
use tasks_testing::{ManualClock, TestHost};

inject! {
    /// Does nothing.
    struct Quiet;
}

#[async_trait]
impl BackgroundJob for Quiet {
    const NAME: &'static str = "test.quiet";
    type Args = ();

    async fn execute(&self, (): (), _: &JobRunnableContext) -> JobResult {
        Ok(Outcome::Done)
    }
}

const ALL: TenantScope = TenantScope::All;

async fn host<S>(store: &Arc<S>, clock: &Arc<ManualClock>, options: MaintenanceOptions) -> TestHost
where
    S: JobQueue + JobStore + JobLockProvider + 'static,
{
    let jobs: Arc<dyn JobStore> = Arc::clone(store) as _;
    let host = TestHost::builder(store, Arc::clone(clock) as _)
        .run("done", |_| async { Ok(Outcome::Done) })
        .run("kept", |_| async { Ok(Outcome::Done) })
        .worker(Cleaning::registration())
        .worker(Checking::registration())
        .services(move |registry: &mut ServiceRegistry| {
            registry
                .singleton::<MaintenanceOptions>(Arc::new(options))?
                .singleton::<dyn JobStore>(jobs)?;
            Ok(())
        })
        .build()
        .expect("a host");
    host.start_workers().await.expect("workers start");
    host
}

fn worker(name: &str) -> JobId {
    JobId::from_name(TenantId::HOST, JobInfo::WORKERS_GROUP, name)
}

async fn sqlite(folder: &tempfile::TempDir, clock: &Arc<ManualClock>) -> Arc<SeaOrmStore> {
    let path = folder.path().join("jobs.db");
    let store = SeaOrmStore::connect_path(path, Arc::clone(clock) as _).await;
    Arc::new(store.expect("the database opens"))
}

/// Triggers a worker, runs it, and answers what it said.
async fn result_of(host: &TestHost, name: &str) -> String {
    host.command(worker(name), JobCommand::Trigger)
        .await
        .expect("trigger");
    host.run_due().await.expect("it runs");
    let job = host.find(worker(name)).await.expect("it is stored");
    assert_eq!((job.status, job.try_count), (JobStatus::Queuing, 0), "{job:?}");
    job.result.expect("it says what it did")
}

async fn cleans<S>(store: &Arc<S>, clock: &Arc<ManualClock>)
where
    S: JobQueue + JobStore + JobLockProvider + 'static,
{
    let mut options = MaintenanceOptions::default();
    options.cleaning.batch = 2;
    options.cleaning.types.insert(
        "kept".to_owned(),
        TypeRetention {
            completed: Some(Retention::Forever),
            logs: Some(Retention::For(Duration::from_secs(3600))),
            ..TypeRetention::default()
        },
    );
    let host = host(store, clock, options).await;
    host.enqueue_many("done", 5).await.expect("accepted");
    host.enqueue("kept").await.expect("accepted");
    host.run_due().await.expect("they run");
    clock.advance(Duration::from_secs(2 * 3600));
    assert_eq!(
        result_of(&host, Cleaning::NAME).await,
        "removed 0 jobs, 1 log rows, 0 nodes"
    );
    clock.advance(Duration::from_secs(15 * 86_400));
    assert_eq!(
        result_of(&host, Cleaning::NAME).await,
        "removed 5 jobs, 5 log rows, 0 nodes"
    );
    let left = host
        .management()
        .list(ALL, &JobQuery::default())
        .await
        .expect("list");
    let mut names: Vec<&str> = left.items.iter().map(|it| it.type_name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["kept", Checking::NAME, Cleaning::NAME]);
}

#[tokio::test]
async fn cleaning_keeps_to_the_retention_in_memory() {
    let clock = Arc::new(ManualClock::new());
    cleans(&Arc::new(MemoryStore::new(clock.clone())), &clock).await;
}

#[tokio::test]
async fn cleaning_keeps_to_the_retention_on_sqlite() {
    let (folder, clock) = (
        tempfile::tempdir().expect("a folder"),
        Arc::new(ManualClock::new()),
    );
    cleans(&sqlite(&folder, &clock).await, &clock).await;
}

/// Two nodes store each of them once, as cron jobs of the system that people can see, pause and change.
#[tokio::test]
async fn system_jobs_are_stored_once_for_a_cluster() {
    let (folder, clock) = (
        tempfile::tempdir().expect("a folder"),
        Arc::new(ManualClock::new()),
    );
    let store = sqlite(&folder, &clock).await;
    let one = host(&store, &clock, MaintenanceOptions::default()).await;
    let _two = host(&store, &clock, MaintenanceOptions::default()).await;
    let jobs = one
        .management()
        .list(ALL, &JobQuery::default())
        .await
        .expect("list")
        .items;
    assert_eq!(jobs.len(), 2, "{jobs:?}");
    for job in jobs {
        assert_eq!((job.source, job.job_type), (JobSource::System, JobType::Period));
        assert_eq!((job.status, job.max_try_count), (JobStatus::Queuing, 0));
        let wait = job.next_run_time.expect("armed") - tasks_abstractions::Clock::now(clock.as_ref());
        assert!(wait > TimeDelta::zero() && wait <= TimeDelta::hours(2), "{wait}");
    }
}

/// A job whose queue row somebody deleted is armed again, by a walk over all jobs in steps that goes on where it was cut off.
#[tokio::test]
async fn checking_arms_what_lost_its_execution() {
    let (folder, clock) = (
        tempfile::tempdir().expect("a folder"),
        Arc::new(ManualClock::new()),
    );
    let store = sqlite(&folder, &clock).await;
    let mut options = MaintenanceOptions::default();
    options.checking.batch = 7;
    let host = host(&store, &clock, options).await;
    let mut ids = host.enqueue_many("done", 40).await.expect("accepted");
    ids.sort_unstable();
    for id in [ids[0], ids[39]] {
        let row = format!(
            "DELETE FROM tk_job_queue WHERE job_id = unhex('{}')",
            id.as_uuid().simple()
        );
        let deleted = store
            .connection()
            .execute_unprepared(&row)
            .await
            .expect("deleted");
        assert_eq!(deleted.rows_affected(), 1);
    }
    host.run_due().await.expect("the others run");
    assert_eq!(
        host.find(ids[0]).await.expect("it is there").status,
        JobStatus::Queuing
    );

    // The walk was cut off before: what it had passed over is for the next one.
    let after_first = ids[0].to_string();
    store
        .set_cursor("checking", Some(&after_first))
        .await
        .expect("set");
    let said = result_of(&host, Checking::NAME).await;
    assert!(said.ends_with("repaired 1"), "{said}");
    assert_eq!(store.cursor("checking").await.expect("cursor"), None);
    host.run_due().await.expect("it runs");
    assert_eq!(
        host.find(ids[39]).await.expect("it is there").status,
        JobStatus::Completed
    );
    assert_eq!(
        host.find(ids[0]).await.expect("it is there").status,
        JobStatus::Queuing
    );

    assert_eq!(
        result_of(&host, Checking::NAME).await,
        "looked at 42 jobs, repaired 1"
    );
    host.run_due().await.expect("it runs");
    assert_eq!(
        host.find(ids[0]).await.expect("it is there").status,
        JobStatus::Completed
    );
    assert_eq!(
        result_of(&host, Checking::NAME).await,
        "looked at 42 jobs, repaired 0"
    );
}

/// The options of a host reach its engine: what is not to be kept is gone with its outcome, without the cleaning job.
#[tokio::test]
async fn a_host_keeps_no_success_that_its_options_do_not_keep() {
    let mut registry = JobRegistry::new();
    registry
        .add_job(&JobRegistration::of::<Quiet>("maintenance.rs:1"))
        .expect("free");
    let host = Host::builder()
        .ignore_environment()
        .module(MemoryStoreModule)
        .registry(registry)
        .options(|it: &mut HostOptions| {
            it.maintenance = MaintenanceOptions::off();
            it.maintenance.cleaning.completed = Retention::None;
        })
        .build()
        .await
        .expect("a host");
    host.start().await.expect("it starts");
    let id = host.jobs().enqueue::<Quiet>(()).await.expect("it is stored");
    while let Some(job) = host.store().find(ALL, id).await.expect("it answers") {
        assert_ne!(job.status, JobStatus::Completed, "it is kept");
        tokio::task::yield_now().await;
    }
    host.stop().await.expect("it stops");
}
