//! The host: what it refuses to start, in which order it starts and stops, and what jobs find in it.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use tasks_abstractions::prelude::*;
use tasks_abstractions::services::Services;
use tasks_abstractions::{
    BackgroundWorkerManager, JobManagement, JobRegistration, JobScheduler, JobStatus, JobStore,
    WorkerRegistration,
};
use tasks_core::JobRegistry;
use tasks_host::{Host, HostBuilder, HostError, HostExit, MemoryStoreModule, SeaOrmStoreModule};
use tasks_multitenancy::TenantScope;
use tokio::sync::Notify;
use tokio::time::timeout;

const LIMIT: Duration = Duration::from_secs(20);

/// What happened, in order.
#[derive(Debug, Default)]
struct Diary {
    lines: Mutex<Vec<String>>,
    changed: Notify,
    release: Notify,
}

impl Diary {
    fn note(&self, line: impl Into<String>) {
        self.lines.lock().expect("not poisoned").push(line.into());
        self.changed.notify_waiters();
    }

    fn lines(&self) -> Vec<String> {
        self.lines.lock().expect("not poisoned").clone()
    }

    async fn wait_for(&self, line: &str) {
        let seen = async {
            loop {
                let changed = self.changed.notified();
                if self.lines().iter().any(|it| it == line) {
                    return;
                }
                changed.await;
            }
        };
        assert!(
            timeout(LIMIT, seen).await.is_ok(),
            "no `{line}` in {:?}",
            self.lines()
        );
    }
}

inject! { struct First { diary: Arc<Diary>, jobs: Arc<dyn BackgroundJobManager> } }

#[async_trait]
impl BackgroundJob for First {
    const NAME: &'static str = "host.first";
    type Args = ();
    async fn execute(&self, (): (), _: &JobRunnableContext) -> JobResult {
        self.diary.note("first ran");
        self.jobs.enqueue::<Second>("from first".to_owned()).await?;
        Ok(Outcome::Done)
    }
}

inject! {
    struct Second {
        diary: Arc<Diary>,
        scheduler: Arc<dyn JobScheduler>,
        management: Arc<dyn JobManagement>,
        workers: Arc<dyn BackgroundWorkerManager>,
        store: Arc<dyn JobStore>,
    }
}

#[async_trait]
impl BackgroundJob for Second {
    const NAME: &'static str = "host.second";
    type Args = String;
    async fn execute(&self, from: String, ctx: &JobRunnableContext) -> JobResult {
        let (scope, id) = (TenantScope::All, ctx.job().id);
        assert!(self.scheduler.exists(scope, id).await?);
        assert_eq!(self.management.get(scope, id).await?.id, id);
        assert!(self.store.find(scope, id).await?.is_some());
        assert_eq!(
            self.workers.names(),
            ["host.worker", "tasks.checking", "tasks.cleaning"]
        );
        self.diary.note(format!("second ran {from}"));
        Ok(Outcome::Done)
    }
}

inject! { struct Deaf { diary: Arc<Diary> } }

#[async_trait]
impl BackgroundJob for Deaf {
    const NAME: &'static str = "host.deaf";
    type Args = ();
    async fn execute(&self, (): (), _: &JobRunnableContext) -> JobResult {
        self.diary.note("deaf began");
        self.diary.release.notified().await;
        Ok(Outcome::Done)
    }
}

inject! { struct Worker { diary: Arc<Diary> } }

#[async_trait]
impl AsyncPeriodicWorker for Worker {
    const NAME: &'static str = "host.worker";
    fn schedule(&self) -> WorkerSchedule {
        WorkerSchedule::every(Duration::from_secs(3600)).run_on_start()
    }
    async fn do_work(&self, _: &WorkerContext) -> JobResult {
        self.diary.note("worker ran");
        Ok(Outcome::Done)
    }
    async fn start(&self) -> Result<(), JobError> {
        self.diary.note("worker started");
        Ok(())
    }
    async fn stop(&self) -> Result<(), JobError> {
        self.diary.note("worker stopped");
        Err(JobError::msg("the worker will not go"))
    }
}

fn registry() -> JobRegistry {
    let mut registry = JobRegistry::new();
    registry
        .add_job(&JobRegistration::of::<First>("host.rs:1"))
        .expect("free")
        .add_job(&JobRegistration::of::<Second>("host.rs:2"))
        .expect("free")
        .add_job(&JobRegistration::of::<Deaf>("host.rs:3"))
        .expect("free")
        .add_worker(&WorkerRegistration::async_periodic::<Worker>("host.rs:4"))
        .expect("free");
    registry
}

/// Notes what is asked of it; fails where its name says so.
struct Part {
    name: &'static str,
    diary: Arc<Diary>,
}

#[async_trait]
impl Module for Part {
    fn name(&self) -> &'static str {
        self.name
    }
    async fn configure(&self, registry: &mut ServiceRegistry) -> Result<(), ModuleError> {
        if !registry.contains::<Diary>() {
            registry.singleton::<Diary>(Arc::clone(&self.diary))?;
        }
        if self.name == "cannot configure" {
            return Err(ModuleError::new("no configuration today"));
        }
        Ok(())
    }
    async fn start(&self, services: &Services) -> Result<(), ModuleError> {
        services.get::<dyn BackgroundJobManager>()?;
        self.diary.note(format!("{} started", self.name));
        if self.name == "cannot start" {
            return Err(ModuleError::new("no start today"));
        }
        Ok(())
    }
    async fn stop(&self, _: &Services) -> Result<(), ModuleError> {
        self.diary.note(format!("{} stopped", self.name));
        Err(ModuleError::new(format!("{} will not go", self.name)))
    }
}

fn part(name: &'static str, diary: &Arc<Diary>) -> Part {
    Part {
        name,
        diary: Arc::clone(diary),
    }
}

fn host(diary: &Arc<Diary>) -> HostBuilder {
    Host::builder()
        .ignore_environment()
        .module(MemoryStoreModule)
        .module(part("one", diary))
        .registry(registry())
}

fn problems(outcome: Result<Host, HostError>) -> Vec<String> {
    match outcome {
        Err(error @ HostError::CannotStart(_)) => {
            assert_eq!(error.exit(), HostExit::CannotStart);
            error.to_string().lines().map(str::to_owned).collect()
        }
        other => panic!("expected that it cannot start, got {other:?}"),
    }
}

#[tokio::test]
async fn everything_starts_in_order_and_stops_in_reverse_whatever_fails() {
    let diary = Arc::new(Diary::default());
    let host = host(&diary)
        .module(part("two", &diary))
        .build()
        .await
        .expect("complete");
    // Accepted before the start, and not run before the workers have started.
    host.jobs().enqueue::<First>(()).await.expect("accepted");
    host.start().await.expect("started");
    diary.wait_for("second ran from first").await;
    diary.wait_for("worker ran").await;
    assert!(matches!(host.start().await, Err(HostError::StartedBefore)));
    let error = host.stop().await.expect_err("three parts do not stop well");
    assert_eq!(error.exit(), HostExit::Failed);
    for expected in [
        "3 problems",
        "the worker will not go",
        "one will not go",
        "two will not go",
    ] {
        assert!(error.to_string().contains(expected), "{error}");
    }
    let lines = diary.lines();
    assert_eq!(lines[..3], ["one started", "two started", "worker started"]);
    assert_eq!(
        lines[lines.len() - 3..],
        ["worker stopped", "two stopped", "one stopped"]
    );
    host.stop().await.expect("nothing is left to stop");
}

#[tokio::test]
async fn a_failed_start_stops_what_had_started() {
    let diary = Arc::new(Diary::default());
    let host = host(&diary)
        .module(part("cannot start", &diary))
        .module(part("never reached", &diary))
        .build()
        .await
        .expect("complete");
    let error = host.start().await.expect_err("a module does not start");
    assert_eq!(error.exit(), HostExit::CannotStart);
    assert!(error.to_string().contains("no start today"), "{error}");
    assert_eq!(
        diary.lines(),
        [
            "one started",
            "cannot start started",
            "cannot start stopped",
            "one stopped"
        ]
    );
}

#[tokio::test]
async fn every_fault_of_options_modules_and_services_is_reported_at_once() {
    let diary = Arc::new(Diary::default());
    let lines = problems(
        Host::builder()
            .ignore_environment()
            .config_file("/no/such/file.toml")
            .options(|it| {
                it.engine.max_concurrency = 0;
                it.engine.lease = Duration::from_secs(1);
            })
            .registry(registry())
            .channel(Arc::new(tasks_core::LogChannel))
            .build()
            .await,
    );
    let text = lines.join("\n");
    for expected in [
        "/no/such/file.toml",
        "`max_concurrency` is 0",
        "`lease` is 1s",
        "administrator channel `log` was added twice",
        "no module provides a store",
        "job `host.deaf` (host.rs:3) needs `it::host::Diary`",
        "worker `host.worker` (host.rs:4) needs `it::host::Diary`",
    ] {
        assert!(text.contains(expected), "no `{expected}` in: {text}");
    }
    assert_eq!(lines[0], format!("cannot start, {} problems:", lines.len() - 1));

    let lines = problems(
        host(&diary)
            .module(part("one", &diary))
            .module(part("cannot configure", &diary))
            .build()
            .await,
    );
    let text = lines.join("\n");
    assert!(text.contains("module `one` was added twice"), "{text}");
    assert!(text.contains("no configuration today"), "{text}");
}

#[tokio::test]
async fn two_stores_are_refused() {
    let diary = Arc::new(Diary::default());
    let lines = problems(
        host(&diary)
            .module(SeaOrmStoreModule::connect("sqlite::memory:"))
            .build()
            .await,
    );
    assert!(
        lines
            .iter()
            .any(|it| it.contains("JobStore` is registered twice")),
        "{lines:?}"
    );
}

#[tokio::test]
async fn runs_that_do_not_end_make_the_drain_incomplete() {
    let diary = Arc::new(Diary::default());
    let host = host(&diary)
        .options(|it| {
            it.engine.shutdown_grace = Duration::ZERO;
            it.engine.cancel_grace = Duration::ZERO;
        })
        .build()
        .await
        .expect("complete");
    host.start().await.expect("started");
    host.jobs().enqueue::<Deaf>(()).await.expect("accepted");
    diary.wait_for("deaf began").await;
    let error = host.stop().await.expect_err("one run goes on");
    assert!(
        matches!(error, HostError::DrainIncomplete { executing: 1, .. }),
        "{error}"
    );
    assert_eq!(error.exit(), HostExit::DrainIncomplete);
    diary.release.notify_one();
}

#[tokio::test]
async fn a_host_that_waits_for_its_work_ends_by_itself() {
    let diary = Arc::new(Diary::default());
    let registry = {
        let mut registry = JobRegistry::new();
        registry
            .add_job(&JobRegistration::of::<Deaf>("host.rs:3"))
            .expect("free");
        registry
    };
    let folder = tempfile::tempdir().expect("a folder");
    let url = format!("sqlite://{}", folder.path().join("host.db").display());
    let build = || {
        Host::builder()
            .ignore_environment()
            .module(SeaOrmStoreModule::connect(url.clone()))
            .module(Quiet(Arc::clone(&diary)))
            .registry(registry.clone())
            .build()
    };
    let host = build().await.expect("complete");
    let jobs = host.jobs();
    let answer = host
        .run_until(async {
            let id = jobs.enqueue::<Deaf>(()).await.expect("accepted");
            diary.wait_for("deaf began").await;
            diary.release.notify_one();
            id
        })
        .await;
    let id = answer.expect("drained").expect("no signal came");
    // The next host finds what the last one left, and is refused nothing by it.
    let next = build().await.expect("complete");
    let job = next.management().get(TenantScope::All, id).await.expect("stored");
    assert_eq!(job.status, JobStatus::Completed);
}

/// Provides the diary and has nothing to stop.
struct Quiet(Arc<Diary>);

#[async_trait]
impl Module for Quiet {
    async fn configure(&self, registry: &mut ServiceRegistry) -> Result<(), ModuleError> {
        registry.singleton::<Diary>(Arc::clone(&self.0))?;
        Ok(())
    }
}
