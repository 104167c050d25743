//! What processes on one PostgreSQL database tell each other: whoever only polls, or only looks with its heartbeat, would not end here.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ConnectionTrait, Database, DbBackend, Statement};
use tasks_abstractions::job::Lane;
use tasks_abstractions::prelude::*;
use tasks_abstractions::{
    JobCommand, JobId, JobNotifier, JobRegistration, JobStatus, Notification, RunOutcome, SystemClock,
    WakeHint,
};
use tasks_core::JobRegistry;
use tasks_host::{Host, HostBuilder, SeaOrmStoreModule};
use tasks_multitenancy::TenantScope;
use tasks_store_seaorm::{SeaOrmStore, SeaOrmStoreOptions};
use tasks_testing::Recorder;
use tasks_testing::samples::at;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::postgres_schema::Schema;
use crate::proxy::Proxy;

const LIMIT: Duration = Duration::from_secs(30);
const HOUR: Duration = Duration::from_secs(3_600);

async fn open(options: SeaOrmStoreOptions) -> SeaOrmStore {
    SeaOrmStore::connect(options, Arc::new(SystemClock))
        .await
        .unwrap()
}

fn notifier(store: &SeaOrmStore) -> Arc<dyn JobNotifier> {
    Arc::clone(store.notifier().expect("PostgreSQL has one"))
}

/// Somebody who listens.
struct Ear {
    heard: UnboundedReceiver<Notification>,
    listening: JoinHandle<()>,
}

impl Ear {
    /// Listens, and has heard what is passed on after a new connection.
    async fn of(store: &SeaOrmStore) -> Self {
        let (sender, heard) = unbounded_channel();
        let notifier = notifier(store);
        let listening = tokio::spawn(async move {
            notifier
                .listen(&move |it| {
                    // The receiver goes first at the end of a test.
                    let _ = sender.send(it);
                })
                .await;
        });
        let mut ear = Self { heard, listening };
        ear.hears_anything_may_be_missed().await;
        ear
    }

    async fn next(&mut self) -> Notification {
        timeout(LIMIT, self.heard.recv())
            .await
            .expect("it is told")
            .expect("it listens")
    }

    async fn hears_anything_may_be_missed(&mut self) {
        assert_eq!(self.next().await, Notification::Work(Vec::new()));
        assert_eq!(self.next().await, Notification::Commands);
    }
}

impl Drop for Ear {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

fn work(lane: Lane) -> Notification {
    Notification::Work(vec![WakeHint {
        lane,
        rank: 10,
        due_at: at(7),
    }])
}

#[tokio::test]
async fn others_hear_and_the_sender_does_not() {
    let (schema, elsewhere) = (Schema::new(), Schema::new());
    let (left, right) = (open(schema.options()).await, open(schema.options()).await);
    let stranger = open(elsewhere.options()).await;
    let mut left_ear = Ear::of(&left).await;
    let mut right_ear = Ear::of(&right).await;
    let mut strangers_ear = Ear::of(&stranger).await;

    notifier(&left).notify(work(Lane::node("a")));
    assert_eq!(right_ear.next().await, work(Lane::node("a")));
    notifier(&right).notify(Notification::Commands);
    assert_eq!(left_ear.next().await, Notification::Commands, "not its own");

    // Several at once are told, and may become one.
    for number in 0..3 {
        notifier(&left).notify(work(Lane::node(&number.to_string())));
    }
    let mut heard = Vec::new();
    while heard.len() < 3 {
        match right_ear.next().await {
            Notification::Work(hints) => heard.extend(hints.into_iter().map(|it| it.lane)),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(heard, ["0", "1", "2"].map(Lane::node));

    // Tables in another schema are another store's.
    let other = open(elsewhere.options()).await;
    notifier(&other).notify(Notification::Commands);
    assert_eq!(strangers_ear.next().await, Notification::Commands);
    assert!(left_ear.heard.is_empty() && right_ear.heard.is_empty());
}

#[tokio::test]
async fn a_broken_connection_is_made_anew() {
    let schema = Schema::new();
    let mut options = schema.options();
    let separator = if options.url.contains('?') { '&' } else { '?' };
    options.url = format!("{}{separator}application_name={}", options.url, schema.name());
    let (left, right) = (open(options).await, open(schema.options()).await);
    let mut ear = Ear::of(&left).await;

    let server = Database::connect(schema.options().url).await.unwrap();
    let kill = Statement::from_sql_and_values(
        DbBackend::Postgres,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1",
        [schema.name().into()],
    );
    let killed = server.query_all_raw(kill).await.unwrap();
    assert!(!killed.is_empty());
    ear.hears_anything_may_be_missed().await;
    notifier(&right).notify(work(Lane::any_node()));
    assert_eq!(ear.next().await, work(Lane::any_node()));
}

#[tokio::test]
async fn a_connection_that_went_silent_is_noticed() {
    let schema = Schema::new();
    let (options, proxy) = Proxy::before(schema.options()).await;
    let (left, right) = (open(options).await, open(schema.options()).await);
    let mut ear = Ear::of(&left).await;
    // Neither end is told.
    proxy.lose();
    notifier(&right).notify(work(Lane::any_node()));
    ear.hears_anything_may_be_missed().await;
    notifier(&right).notify(work(Lane::any_node()));
    assert_eq!(ear.next().await, work(Lane::any_node()));
}

#[tokio::test]
async fn what_is_notified_last_is_sent_before_the_store_closes() {
    let schema = Schema::new();
    let (left, right) = (open(schema.options()).await, open(schema.options()).await);
    let mut ear = Ear::of(&left).await;
    notifier(&right).notify(work(Lane::any_node()));
    notifier(&right).notify(Notification::Commands);
    right.close().await.unwrap();
    assert_eq!(ear.next().await, work(Lane::any_node()));
    assert_eq!(ear.next().await, Notification::Commands);
}

#[tokio::test]
async fn a_store_can_be_told_not_to() {
    let schema = Schema::new();
    let mut options = schema.options();
    options.notify = false;
    assert!(open(options).await.notifier().is_none());
}

inject! { struct Quick; }

#[async_trait]
impl BackgroundJob for Quick {
    const NAME: &'static str = "notify.quick";
    type Args = ();
    async fn execute(&self, (): (), _: &JobRunnableContext) -> JobResult {
        Ok(Outcome::Done)
    }
}

inject! { struct Endless; }

#[async_trait]
impl BackgroundJob for Endless {
    const NAME: &'static str = "notify.endless";
    type Args = ();
    async fn execute(&self, (): (), ctx: &JobRunnableContext) -> JobResult {
        ctx.cancellation().cancelled().await;
        Err(JobError::msg("asked to end"))
    }
}

struct Node {
    host: Host,
    recorder: Arc<Recorder>,
}

impl Node {
    /// A node that looks at nothing by itself.
    async fn start(schema: &Schema, name: &str, runs_jobs: bool) -> Self {
        let recorder = Arc::new(Recorder::new());
        let host = Self::builder(schema.options(), name, runs_jobs).event(recorder.clone());
        let host = host.build().await.unwrap();
        host.start().await.unwrap();
        Self { host, recorder }
    }

    fn builder(store: SeaOrmStoreOptions, name: &str, runs_jobs: bool) -> HostBuilder {
        let mut registry = JobRegistry::new();
        registry
            .add_job(&JobRegistration::of::<Quick>("notify_postgres.rs:1"))
            .unwrap()
            .add_job(&JobRegistration::of::<Endless>("notify_postgres.rs:2"))
            .unwrap();
        Host::builder()
            .module(SeaOrmStoreModule::with(store))
            .ignore_environment()
            .registry(registry)
            .node_name(name)
            .options(move |it| {
                it.maintenance.cleaning.enabled = false;
                it.maintenance.checking.enabled = false;
                let engine = &mut it.engine;
                engine.is_execution_enabled = runs_jobs;
                engine.poll_interval = HOUR;
                engine.heartbeat = HOUR;
                engine.lease = 4 * HOUR;
                engine.shutdown_grace = Duration::ZERO;
            })
    }

    async fn runs(&self, id: JobId, outcome: RunOutcome) {
        self.recorder.settled(id, outcome, 1, LIMIT).await.unwrap();
    }
}

#[tokio::test]
async fn work_and_commands_of_one_node_reach_another() {
    let schema = Schema::new();
    let office = Node::start(&schema, "office", false).await;
    let worker = Node::start(&schema, "worker", true).await;

    // The first may be found with the first look, the second is not.
    for _ in 0..2 {
        let id = office.host.jobs().enqueue::<Quick>(()).await.unwrap();
        worker.runs(id, RunOutcome::Succeeded).await;
    }

    let management = office.host.management();
    for (command, outcome, status) in [
        (JobCommand::Cancel, RunOutcome::Cancelled, JobStatus::Stopped),
        (JobCommand::Pause, RunOutcome::Cancelled, JobStatus::Paused),
    ] {
        let id = office.host.jobs().enqueue::<Endless>(()).await.unwrap();
        worker.recorder.started(id, 1, LIMIT).await.unwrap();
        management.command(TenantScope::All, id, command).await.unwrap();
        worker.runs(id, outcome).await;
        assert_eq!(management.get(TenantScope::All, id).await.unwrap().status, status);
    }
    let id = office.host.jobs().enqueue::<Endless>(()).await.unwrap();
    worker.recorder.started(id, 1, LIMIT).await.unwrap();
    management
        .command(TenantScope::All, id, JobCommand::Delete)
        .await
        .unwrap();
    let ended = worker.recorder.settled(id, RunOutcome::Cancelled, 1, LIMIT).await;
    assert!(ended.is_ok(), "{ended:?}");

    // Brought forward by somebody else.
    let id = office.host.jobs().enqueue::<Quick>(()).delay(HOUR).await.unwrap();
    management
        .command(TenantScope::All, id, JobCommand::Trigger)
        .await
        .unwrap();
    worker.runs(id, RunOutcome::Succeeded).await;

    worker.host.stop().await.unwrap();
    office.host.stop().await.unwrap();
}

#[tokio::test]
async fn what_a_scheduler_arms_reaches_another_node() {
    let schema = Schema::new();
    let office = Node::start(&schema, "office", false).await;
    let worker = Node::start(&schema, "worker", true).await;
    let id = office.host.jobs().enqueue::<Quick>(()).await.unwrap();
    worker.runs(id, RunOutcome::Succeeded).await;

    let job = office.host.management().get(TenantScope::All, id).await.unwrap();
    assert!(office.host.scheduler().queue_many(vec![job]).await.is_ok());
    worker
        .recorder
        .settled(id, RunOutcome::Succeeded, 2, LIMIT)
        .await
        .unwrap();
    worker.host.stop().await.unwrap();
    office.host.stop().await.unwrap();
}

/// As a program does that enqueues, and ends at once with its runtime.
#[tokio::test]
async fn what_a_host_that_never_started_told_last_arrives() {
    let schema = Schema::new();
    let worker = Node::start(&schema, "worker", true).await;
    let options = schema.options();
    let enqueued = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            let host = Node::builder(options, "visitor", false).build().await.unwrap();
            let id = host.jobs().enqueue::<Quick>(()).await.unwrap();
            host.flush().await;
            id
        })
    });
    let id = tokio::task::spawn_blocking(move || enqueued.join().unwrap())
        .await
        .unwrap();
    worker.runs(id, RunOutcome::Succeeded).await;
    worker.host.stop().await.unwrap();
}

#[tokio::test]
async fn what_a_node_gives_back_at_its_end_goes_on_elsewhere() {
    let schema = Schema::new();
    let first = Node::start(&schema, "first", true).await;
    let id = first.host.jobs().enqueue::<Endless>(()).await.unwrap();
    first.recorder.started(id, 1, LIMIT).await.unwrap();
    let second = Node::start(&schema, "second", true).await;
    // Its first look is over when it has run something.
    let quick = second.host.jobs().enqueue::<Quick>(()).await.unwrap();
    tokio::select! {
        _ = first.recorder.settled(quick, RunOutcome::Succeeded, 1, LIMIT) => {}
        _ = second.recorder.settled(quick, RunOutcome::Succeeded, 1, LIMIT) => {}
    }
    first.host.stop().await.unwrap();
    second.recorder.started(id, 1, LIMIT).await.unwrap();
    second.host.stop().await.unwrap();
}
