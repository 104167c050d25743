//! apalis-sqlite as its documentation shows it for prompt work: told by the update hook, in large batches. Its set-up switches syncing off; here it is NORMAL, with
//! which a database stays intact.

use std::ops::Range;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use apalis::prelude::*;
use apalis_sqlite::callback::HookCallbackListener;
use apalis_sqlite::{Config, SqliteStorage};
use futures::StreamExt as _;
use sqlx::sqlite::{SqlitePool, SqliteSynchronous};
use sqlx::{query, query_scalar};
use tempfile::TempDir;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::book;
use crate::measure::Queue;

const QUEUE: &str = "bench";

/// Jobs of one fetch.
const BATCH: usize = 200;

/// After so long the worker looks by itself; the last outcomes are not stored before it is woken once more.
const WAKING: Duration = Duration::from_millis(100);

/// Its file and what enqueues.
pub struct ApalisSqlite {
    pool: SqlitePool,
    storage: SqliteStorage<usize>,
    listener: Option<HookCallbackListener>,
    _folder: TempDir,
}

async fn no_op(number: usize) -> Result<(), BoxDynError> {
    book::ran(number).map_err(Into::into)
}

impl ApalisSqlite {
    pub async fn open() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let url = format!("sqlite://{}?mode=rwc", folder.path().join("bench.db").display());
        let setting_up = SqlitePool::connect(&url).await?;
        SqliteStorage::setup(&setting_up).await?;
        // In their favour: by this index SQLite looks through everything that a worker has ever done, for each outcome, where it should look up the job by its id.
        query("DROP INDEX LIdx").execute(&setting_up).await?;
        // The journal's mode stays with the file. What else was set belongs to connections that end here.
        setting_up.close().await;
        let (pool, storage, listener) = connect(&url)?;
        Ok(Self {
            pool,
            storage,
            listener: Some(listener),
            _folder: folder,
        })
    }
}

fn connect(url: &str) -> Result<(SqlitePool, SqliteStorage<usize>, HookCallbackListener)> {
    let (pool, listener) = SqliteStorage::connect_with_callback(url)?;
    let options = (*pool.connect_options())
        .clone()
        .synchronous(SqliteSynchronous::Normal)
        .busy_timeout(Duration::from_secs(30));
    pool.set_connect_options(options);
    let config = Config::default().queue(QUEUE).batch_size(BATCH).lock_tasks(false);
    let storage = SqliteStorage::new(&pool).with_config(config);
    Ok((pool, storage, listener))
}

/// A worker's switch and its task.
type Running = (WorkerContext, JoinHandle<Result<()>>);

impl Queue for ApalisSqlite {
    type Worker = Running;

    async fn enqueue(&mut self, number: usize) -> Result<()> {
        self.storage
            .push(number)
            .await
            .map_err(|it| anyhow!("the job was not stored: {it}"))
    }

    async fn enqueue_bulk(&mut self, numbers: Range<usize>) -> Result<()> {
        self.storage
            .push_bulk(numbers.collect())
            .await
            .map_err(|it| anyhow!("the jobs were not stored: {it}"))
    }

    async fn clear(&mut self) -> Result<()> {
        query("DELETE FROM Jobs").execute(&self.pool).await?;
        Ok(())
    }

    async fn left(&mut self) -> Result<i64> {
        Ok(query_scalar("SELECT count(*) FROM Jobs WHERE status <> 'Done'")
            .fetch_one(&self.pool)
            .await?)
    }

    async fn start(&mut self) -> Result<Running> {
        let listener = self.listener.take().context("the worker was started before")?;
        let context = WorkerContext::new("bench");
        // Each insertion is one event; without chunks each would be one fetch.
        let strategy = Strategy::new()
            .stream(listener.ready_chunks(BATCH))
            .interval(WAKING);
        let worker = WorkerBuilder::new(&context)
            .backend(self.storage.clone().poll_with_strategy(strategy))
            .parallelize(tokio::spawn)
            .build(no_op);
        // Its future cannot be shown to be one that threads may hand over; so it stays on one. The jobs are on all of them.
        let runtime = Handle::current();
        let task =
            tokio::task::spawn_blocking(move || runtime.block_on(worker.run()).map_err(|it| anyhow!("{it}")));
        Ok((context, task))
    }

    async fn stop(&mut self, (context, task): Running) -> Result<()> {
        context.stop().map_err(|it| anyhow!("{it}"))?;
        task.await.context("the worker panicked")?
    }
}
