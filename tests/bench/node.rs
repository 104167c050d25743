//! One engine on a thread of its own, with jobs on the runtime of the bench: as the host runs it.

use std::sync::Arc;
use std::thread::JoinHandle;

use anyhow::{Context, Result, anyhow};
use sea_orm::{ConnectionTrait, Database};
use tasks_abstractions::services::ServiceRegistry;
use tasks_abstractions::{
    Clock, GuidGenerator, JobEvent, JobExceptionTypeFinder, JobLockProvider, JobQueue, JobRegistration,
    JobStore, SequentialGuidGenerator, SystemClock,
};
use tasks_core::{
    Engine, EngineJobPublisher, EngineOptions, EngineParts, JobRegistry, MemoryStore, Signals,
    StoreBackgroundJobManager,
};
use tasks_store_seaorm::{Durability, SeaOrmStore, SeaOrmStoreOptions};
use tempfile::TempDir;

use crate::{Args, Backend};

/// Where the PostgreSQL server is.
pub(crate) const POSTGRES: &str = "TASKS_TEST_POSTGRES_URL";

/// Where the MariaDB server is.
pub(crate) const MYSQL: &str = "TASKS_TEST_MYSQL_URL";

/// A running engine with its job manager.
pub(crate) struct Node {
    pub(crate) engine: Engine,
    pub(crate) jobs: Arc<StoreBackgroundJobManager>,
    pub(crate) store: Arc<dyn JobStore>,
    thread: JoinHandle<()>,
    folder: Option<TempDir>,
}

type Stores = (
    Arc<dyn JobQueue>,
    Arc<dyn JobStore>,
    Arc<dyn JobLockProvider>,
    Option<TempDir>,
);

async fn open(backend: Backend, clock: &Arc<dyn Clock>) -> Result<Stores> {
    let durability = match backend {
        Backend::Memory => {
            let store = Arc::new(MemoryStore::new(Arc::clone(clock)));
            return Ok((store.clone(), store.clone(), store, None));
        }
        Backend::Postgres => {
            let store = Arc::new(postgres(Arc::clone(clock)).await?);
            return Ok((store.clone(), store.clone(), store, None));
        }
        Backend::Mysql => {
            let store = Arc::new(SeaOrmStore::connect(mysql_options().await?, Arc::clone(clock)).await?);
            return Ok((store.clone(), store.clone(), store, None));
        }
        Backend::SqliteFull => Durability::Full,
        Backend::SqliteNormal => Durability::MayLoseLastCommits,
    };
    let folder = tempfile::tempdir()?;
    let mut options =
        SeaOrmStoreOptions::new(format!("sqlite://{}", folder.path().join("bench.db").display()));
    options.durability = durability;
    let store = Arc::new(SeaOrmStore::connect(options, Arc::clone(clock)).await?);
    Ok((store.clone(), store.clone(), store, Some(folder)))
}

async fn postgres(clock: Arc<dyn Clock>) -> Result<SeaOrmStore> {
    Ok(SeaOrmStore::connect(postgres_options().await?, clock).await?)
}

/// An empty schema on the server.
pub(crate) async fn postgres_options() -> Result<SeaOrmStoreOptions> {
    let url = std::env::var(POSTGRES).with_context(|| format!("{POSTGRES} is not set"))?;
    let server = Database::connect(&url).await?;
    server
        .execute_unprepared("DROP SCHEMA IF EXISTS tasks_bench CASCADE")
        .await?;
    server.close().await?;
    let mut options = SeaOrmStoreOptions::new(url);
    options.schema = Some("tasks_bench".to_owned());
    Ok(options)
}

/// An empty database on the server.
async fn mysql_options() -> Result<SeaOrmStoreOptions> {
    let url = std::env::var(MYSQL).with_context(|| format!("{MYSQL} is not set"))?;
    let server = Database::connect(&url).await?;
    for statement in [
        "DROP DATABASE IF EXISTS tasks_bench",
        "CREATE DATABASE tasks_bench",
    ] {
        server.execute_unprepared(statement).await?;
    }
    server.close().await?;
    let (address, database) = url
        .rsplit_once('/')
        .with_context(|| format!("{MYSQL} names no database"))?;
    // With or without TLS, as the URL says.
    let parameters = database.split_once('?').map_or("", |it| it.1);
    Ok(SeaOrmStoreOptions::new(format!(
        "{address}/tasks_bench?{parameters}"
    )))
}

impl Node {
    pub(crate) async fn start(
        backend: Backend,
        args: &Args,
        types: &[JobRegistration],
        events: Vec<Arc<dyn JobEvent>>,
        is_claiming: bool,
    ) -> Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let guids: Arc<dyn GuidGenerator> = Arc::new(SequentialGuidGenerator::new(Arc::clone(&clock)));
        let (queue, store, locks, folder) = open(backend, &clock).await?;
        let mut registry = JobRegistry::new();
        for it in types {
            registry.add_job(it)?;
        }
        let signals = Signals::new();
        let options = EngineOptions {
            max_concurrency: args.concurrency,
            ..EngineOptions::default()
        };
        let jobs = Arc::new(StoreBackgroundJobManager::new(
            Arc::clone(&queue),
            Arc::new(EngineJobPublisher::new(signals.clone())),
            Arc::clone(&clock),
            Arc::clone(&guids),
            options.limits.clone(),
        ));
        let engine = Engine::new(EngineParts {
            options,
            queue,
            store: Arc::clone(&store),
            locks,
            clock,
            guids,
            registry: Arc::new(registry),
            services: ServiceRegistry::new().finish(),
            events,
            follow_ups: Vec::new(),
            channels: Vec::new(),
            exceptions: Arc::new(JobExceptionTypeFinder::new()),
            signals,
            jobs: tokio::runtime::Handle::current(),
            version: "bench".to_owned(),
        })?;
        engine.set_claiming(is_claiming);
        let loops = engine.clone();
        let thread = std::thread::Builder::new()
            .name("engine".to_owned())
            .spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
                if let Ok(runtime) = runtime {
                    runtime.block_on(loops.run());
                }
            })?;
        Ok(Self {
            engine,
            jobs,
            store,
            thread,
            folder,
        })
    }

    /// Ends the engine and removes its file.
    pub(crate) async fn stop(self) -> Result<()> {
        self.engine.shutdown().await;
        let thread = self.thread;
        let ended = tokio::task::spawn_blocking(move || thread.join()).await?;
        ended.map_err(|_| anyhow!("the engine's thread panicked"))?;
        drop(self.store);
        if let Some(folder) = self.folder {
            folder
                .close()
                .context("the bench's folder could not be removed")?;
        }
        Ok(())
    }
}
