//! graphile_worker as its own throughput bench and its documentation set it up: a local queue, 500 jobs at once, completions batched for 5 ms.

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use graphile_worker::{
    IntoTaskHandlerResult, JobSpec, LocalQueueConfig, RawJobSpec, TaskHandler, Worker, WorkerContext,
    WorkerOptions, WorkerUtils,
};
use serde::{Deserialize, Serialize};
use sqlx::postgres::PgPoolOptions;
use sqlx::{PgPool, query, query_scalar};
use tokio::task::JoinHandle;

use crate::book;
use crate::measure::Queue;

const SCHEMA: &str = "bench_graphile";

#[derive(Debug, Serialize, Deserialize)]
struct NoOp {
    number: usize,
}

impl TaskHandler for NoOp {
    const IDENTIFIER: &'static str = "no_op";

    async fn run(self, _: WorkerContext) -> impl IntoTaskHandlerResult {
        book::ran(self.number).map_err(|it| it.to_string())
    }
}

/// Its database and what enqueues.
pub struct Graphile {
    pool: PgPool,
    utils: WorkerUtils,
}

impl Graphile {
    pub async fn open(url: &str) -> Result<Self> {
        let pool = PgPoolOptions::new().max_connections(20).connect(url).await?;
        query("DROP SCHEMA IF EXISTS bench_graphile CASCADE")
            .execute(&pool)
            .await?;
        let utils = WorkerUtils::new(pool.clone(), SCHEMA);
        utils.migrate().await?;
        Ok(Self { pool, utils })
    }
}

/// A worker and its task.
type Running = (Arc<Worker>, JoinHandle<Result<()>>);

impl Queue for Graphile {
    type Worker = Running;

    async fn enqueue(&mut self, number: usize) -> Result<()> {
        self.utils.add_job(NoOp { number }, JobSpec::default()).await?;
        Ok(())
    }

    async fn enqueue_bulk(&mut self, numbers: Range<usize>) -> Result<()> {
        let jobs = numbers
            .map(|number| {
                Ok(RawJobSpec {
                    identifier: NoOp::IDENTIFIER.to_owned(),
                    payload: serde_json::to_value(NoOp { number })?,
                    spec: JobSpec::default(),
                })
            })
            .collect::<Result<Vec<_>>>()?;
        self.utils.add_raw_jobs(&jobs).await?;
        Ok(())
    }

    async fn clear(&mut self) -> Result<()> {
        query("TRUNCATE bench_graphile._private_jobs CASCADE")
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    async fn left(&mut self) -> Result<i64> {
        Ok(query_scalar("SELECT count(*) FROM bench_graphile._private_jobs")
            .fetch_one(&self.pool)
            .await?)
    }

    async fn start(&mut self) -> Result<Running> {
        let worker = WorkerOptions::default()
            .pg_pool(self.pool.clone())
            .schema(SCHEMA)
            .concurrency(500)
            .poll_interval(Duration::from_millis(500))
            .complete_job_batch_delay(Duration::from_millis(5))
            .fail_job_batch_delay(Duration::from_millis(5))
            .local_queue(LocalQueueConfig::default().with_size(5_000))
            .listen_os_shutdown_signals(false)
            .define_job::<NoOp>()
            .init()
            .await?;
        let worker = Arc::new(worker);
        let running = Arc::clone(&worker);
        let task = tokio::spawn(async move { running.run().await.map_err(|it| anyhow!("{it}")) });
        Ok((worker, task))
    }

    async fn stop(&mut self, (worker, task): Running) -> Result<()> {
        worker.request_shutdown();
        task.await.context("the worker panicked")?
    }
}
