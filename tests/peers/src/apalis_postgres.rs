//! apalis-postgres as its documentation shows it for prompt work: told by NOTIFY, in large batches, each job on a task of its own.

use std::ops::Range;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use apalis::prelude::*;
use apalis_postgres::{Config, PostgresStorage};
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgPool, query, query_scalar};
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::book;
use crate::measure::Queue;

const QUEUE: &str = "bench";

/// Jobs of one fetch.
const BATCH: usize = 1_000;

/// After so long the worker looks by itself.
const WAKING: Duration = Duration::from_millis(100);

/// Its database and what enqueues.
pub struct ApalisPostgres {
    pool: PgPool,
    storage: PostgresStorage<usize>,
}

async fn no_op(number: usize) -> Result<(), BoxDynError> {
    book::ran(number).map_err(Into::into)
}

impl ApalisPostgres {
    pub async fn open(url: &str) -> Result<Self> {
        let pool = PgPoolOptions::new().max_connections(10).connect(url).await?;
        query("DROP SCHEMA IF EXISTS apalis CASCADE")
            .execute(&pool)
            .await?;
        PostgresStorage::setup(&pool).await?;
        let config = Config::default().queue(QUEUE).batch_size(BATCH).lock_tasks(false);
        let storage = PostgresStorage::new(&pool).with_config(config);
        Ok(Self { pool, storage })
    }
}

/// A worker's switch and its task.
type Running = (WorkerContext, JoinHandle<Result<()>>);

impl Queue for ApalisPostgres {
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
        query("TRUNCATE apalis.jobs CASCADE").execute(&self.pool).await?;
        Ok(())
    }

    async fn left(&mut self) -> Result<i64> {
        Ok(
            query_scalar("SELECT count(*) FROM apalis.jobs WHERE status <> 'Done'")
                .fetch_one(&self.pool)
                .await?,
        )
    }

    async fn start(&mut self) -> Result<Running> {
        let context = WorkerContext::new("bench");
        // Told by NOTIFY, as above; and from time to time, for the last outcomes are not stored before the worker is woken once more.
        let strategy = Strategy::new().interval(WAKING);
        let worker = WorkerBuilder::new(&context)
            .backend(self.storage.clone().with_pubsub().poll_with_strategy(strategy))
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
