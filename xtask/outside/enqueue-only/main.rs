//! A program that only enqueues, together with rows of its own: the store without the engine.

use std::error::Error;
use std::sync::Arc;

use sea_orm::ConnectionTrait;
use tasks_abstractions::job::{Lane, rank_of};
use tasks_abstractions::run::{QueueEntry, RunKind};
use tasks_abstractions::store::{PreparedJob, SubmitAnswer};
use tasks_abstractions::{
    Clock, JobArgs, JobId, JobInfo, JobLimits, JobStatus, JobStore, StoreError, SystemClock,
};
use tasks_multitenancy::{TenantId, TenantScope};
use tasks_store_seaorm::{SeaOrmStore, SeaOrmStoreOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let clock = Arc::new(SystemClock);
    let now = clock.now();
    let store = SeaOrmStore::connect(SeaOrmStoreOptions::new("sqlite::memory:"), clock).await?;
    store
        .connection()
        .execute_unprepared("CREATE TABLE orders (id INTEGER PRIMARY KEY)")
        .await?;

    let id = JobId::from_name(TenantId::HOST, "invoices", "4711");
    let mut job = JobInfo::builder(id, TenantId::HOST, "billing.send-invoice", now)
        .args(JobArgs::from_typed(&("4711",))?)
        .build(&JobLimits::default())?;
    job.status = JobStatus::Queuing;
    job.next_run_time = Some(now);
    let first = QueueEntry {
        lane: Lane::any_node(),
        rank: rank_of(job.priority),
        due_at: now,
        kind: RunKind::Schedule,
        attempt: 1,
    };
    let prepared = PreparedJob::new(job, Some(first), None);

    for expected in [SubmitAnswer::Inserted, SubmitAnswer::Exists] {
        let job = prepared.clone();
        let answer = store
            .transaction(|tx| async move {
                tx.connection()
                    .execute_unprepared("INSERT INTO orders DEFAULT VALUES")
                    .await?;
                let enqueued = tx.enqueue_many(&[job]).await?;
                Ok::<_, Failure>(enqueued)
            })
            .await?;
        assert_eq!(answer, [expected]);
    }
    let stored = store.find(TenantScope::All, id).await?;
    assert_eq!(stored.map(|it| it.status), Some(JobStatus::Queuing));
    store.close().await?;
    Ok(())
}

/// An error of either side of the transaction.
#[derive(Debug)]
struct Failure(Box<dyn Error>);

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl Error for Failure {}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self(error.into())
    }
}

impl From<sea_orm::DbErr> for Failure {
    fn from(error: sea_orm::DbErr) -> Self {
        Self(error.into())
    }
}
