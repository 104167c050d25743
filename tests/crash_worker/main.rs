//! A node that crash tests start, kill and start again: it enqueues jobs under fixed ids, runs until none is left, and keeps a ledger of what its
//! code really did outside the database.

mod jobs;
mod points;

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use async_trait::async_trait;
use clap::Parser;
use tasks_abstractions::services::ServiceRegistry;
use tasks_abstractions::{
    BackgroundJobManager, Clock, EnqueueRequest, GuidGenerator, JobArgs, JobEvent, JobEventData,
    JobExceptionTypeFinder, JobId, JobQueue, JobSettled, JobStatus, JobStore, SequentialGuidGenerator,
    SystemClock,
};
use tasks_core::{
    AdministratorChannels, Engine, EngineJobPublisher, EngineOptions, EngineParts, JobRegistry, LogChannel,
    NotifyAdministrator, Signals, StoreBackgroundJobManager, StoreClock,
};
use tasks_multitenancy::{TenantId, TenantScope};
use tasks_store_seaorm::{SeaOrmStore, SeaOrmStoreOptions};
use tokio::sync::Notify;

use crate::jobs::{Kind, Ledger, Scripted};
use crate::points::{CrashPoint, CrashingQueue};

/// A node for crash tests.
#[derive(Debug, Parser)]
struct Args {
    /// The URL of the database. It may hold a password, which the list of processes would show.
    #[arg(long, env = "TASKS_CRASH_DATABASE", hide_env_values = true)]
    database: String,
    /// The schema of the tables on PostgreSQL.
    #[arg(long)]
    schema: Option<String>,
    /// The file to which every start and end of code is appended.
    #[arg(long)]
    ledger: PathBuf,
    /// Jobs to enqueue, such as `quick:480,abort:20`.
    #[arg(long, default_value = "")]
    jobs: String,
    /// Failures after which a job is given up; 0 = no limit.
    #[arg(long, default_value_t = 0)]
    max_try_count: u32,
    /// Jobs that run at once.
    #[arg(long, default_value_t = 100)]
    concurrency: usize,
    /// Milliseconds after which others may take over what this node runs.
    #[arg(long, default_value_t = 2_000)]
    lease: u64,
    /// Milliseconds after which a suspect is none any more.
    #[arg(long, default_value_t = 30_000)]
    suspect_window: u64,
    /// `hold` jobs wait until this file exists.
    #[arg(long)]
    hold: Option<PathBuf>,
    /// Where the process kills itself.
    #[arg(long)]
    crash_at: Option<CrashPoint>,
    /// At which time that the point is reached, from 1.
    #[arg(long, default_value_t = 1)]
    crash_on: usize,
}

/// Says when an outcome was stored.
#[derive(Debug)]
struct Settled {
    notify: Arc<Notify>,
    point: Option<Arc<points::Fuse>>,
}

#[async_trait]
impl JobEvent for Settled {
    async fn after(&self, _: &JobEventData) {
        points::burn(self.point.as_deref(), CrashPoint::AfterRun);
    }

    fn settled(&self, _: &JobSettled) {
        self.notify.notify_one();
    }
}

fn main() -> Result<()> {
    let args = Args::parse();
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()?
        .block_on(run(args))
}

async fn run(args: Args) -> Result<()> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let guids: Arc<dyn GuidGenerator> = Arc::new(SequentialGuidGenerator::new(Arc::clone(&clock)));
    let mut options = SeaOrmStoreOptions::new(&args.database);
    options.schema.clone_from(&args.schema);
    let store = Arc::new(SeaOrmStore::connect(options, Arc::clone(&clock)).await?);
    let fuse = args
        .crash_at
        .map(|point| Arc::new(points::Fuse::new(point, args.crash_on)));
    let queue: Arc<dyn JobQueue> = Arc::new(CrashingQueue::new(store.clone(), fuse.clone()));

    let file = OpenOptions::new().create(true).append(true).open(&args.ledger)?;
    let mut services = ServiceRegistry::new();
    services.singleton(Arc::new(Ledger::new(file, args.hold.clone())))?;
    services.singleton(Arc::new(AdministratorChannels(vec![Arc::new(LogChannel)])))?;
    let mut registry = JobRegistry::new();
    registry
        .add_job(&Scripted::registration())?
        .add_job(&NotifyAdministrator::registration())?;

    let signals = Signals::new();
    let notify = Arc::new(Notify::new());
    let options = EngineOptions {
        node_name: "crash".to_owned(),
        max_concurrency: args.concurrency,
        heartbeat: Duration::from_millis(200),
        lease: Duration::from_millis(args.lease),
        suspect_window: Duration::from_millis(args.suspect_window),
        ..EngineOptions::default()
    };
    let jobs = StoreBackgroundJobManager::new(
        Arc::clone(&queue),
        Arc::new(EngineJobPublisher::new(signals.clone())),
        Arc::clone(&clock),
        Arc::clone(&guids),
        options.limits.clone(),
    );
    let engine = Engine::new(EngineParts {
        options,
        queue,
        store: store.clone(),
        locks: store.clone(),
        clock: Arc::new(StoreClock::new(clock)),
        guids,
        registry: Arc::new(registry),
        services: services.finish(),
        events: vec![Arc::new(Settled {
            notify: Arc::clone(&notify),
            point: fuse,
        })],
        follow_ups: Vec::new(),
        channels: vec![Arc::new(LogChannel)],
        exceptions: Arc::new(JobExceptionTypeFinder::new()),
        signals,
        jobs: tokio::runtime::Handle::current(),
        version: "crash".to_owned(),
        retention: Arc::default(),
    })?;
    enqueue(&jobs, &args).await?;
    say("enqueued")?;
    let loops = engine.clone();
    let running = tokio::spawn(async move { loops.run().await });
    loop {
        let counts = store.counts(TenantScope::All).await?;
        let left: u64 = [JobStatus::Queuing, JobStatus::Running, JobStatus::FailedRetry]
            .iter()
            .map(|it| counts.of(*it))
            .sum();
        if left == 0 {
            break;
        }
        // Another worker may have done the rest, of which nobody tells this one.
        let _ = tokio::time::timeout(Duration::from_millis(200), notify.notified()).await;
    }
    engine.shutdown().await;
    running.await.context("the engine's loops panicked")?;
    say("done")
}

/// Enqueues under ids that are the same at every start.
async fn enqueue(jobs: &StoreBackgroundJobManager, args: &Args) -> Result<()> {
    let mut prepared = Vec::new();
    for part in args.jobs.split(',').filter(|it| !it.is_empty()) {
        let (kind, count) = part.split_once(':').context("expected KIND:COUNT")?;
        let kind: Kind = serde_json::from_value(kind.into()).context("unknown kind of job")?;
        for i in 0..count.parse::<usize>()? {
            let name = format!("{}-{i}", part.split(':').next().unwrap_or_default());
            let mut request = EnqueueRequest::new(Scripted::name(), JobArgs::from_typed(&kind)?);
            request.id = Some(JobId::from_name(TenantId::HOST, "crash", &name));
            request.name = Some(name);
            request.max_try_count = Some(args.max_try_count);
            prepared.push(jobs.prepare_request(request)?);
        }
    }
    if !prepared.is_empty() {
        jobs.submit(prepared).await?;
    }
    Ok(())
}

fn say(line: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    Ok(out.flush()?)
}
