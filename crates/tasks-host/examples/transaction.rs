//! A job and the application's own rows in one transaction of SQLite: both are there, or neither.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ConnectionTrait, Statement};
use tasks_abstractions::prelude::*;
use tasks_abstractions::store::JobQuery;
use tasks_abstractions::{EnqueueError, JobId, RunOutcome, StoreError};
use tasks_host::{Host, SeaOrmStoreModule};
use tasks_multitenancy::TenantScope;
use tasks_store_seaorm::{SeaOrmStore, SeaOrmStoreOptions};
use tasks_testing::Recorder;

inject! { struct Confirm; }

#[async_trait]
impl BackgroundJob for Confirm {
    const NAME: &'static str = "orders.confirm";
    type Args = String;
    async fn execute(&self, order: String, _: &JobRunnableContext) -> JobResult {
        println!("confirmed: {order}");
        Ok(Outcome::Done)
    }
}
register_job!(Confirm);

/// Why an order was not taken.
#[derive(Debug, thiserror::Error)]
enum OrderError {
    #[error("there is nothing left of it")]
    SoldOut,
    #[error(transparent)]
    Enqueue(#[from] EnqueueError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Database(#[from] sea_orm::DbErr),
}

async fn order(
    store: &SeaOrmStore,
    jobs: &dyn BackgroundJobManager,
    what: &str,
    is_there: bool,
) -> Result<JobId, OrderError> {
    // Checked and given its id outside of the transaction, which should be short.
    let confirm = jobs.prepare::<Confirm>(what.to_owned())?;
    let id = confirm.job.id;
    store
        .transaction(|tx| async move {
            let insert = "INSERT INTO orders (what) VALUES (?)";
            let backend = tx.get_database_backend();
            tx.execute_raw(Statement::from_sql_and_values(backend, insert, [what.into()]))
                .await?;
            tx.enqueue(confirm).await?;
            if is_there {
                Ok(id)
            } else {
                Err(OrderError::SoldOut)
            }
        })
        .await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let options = SeaOrmStoreOptions::path(folder.path().join("shop.db"))?;
    let recorder = Arc::new(Recorder::new());
    let host = Host::builder()
        .module(SeaOrmStoreModule::with(options))
        .event(recorder.clone())
        .build()
        .await?;
    let work = async {
        let (store, jobs) = (host.services().get::<SeaOrmStore>()?, host.jobs());
        let table = "CREATE TABLE orders (id INTEGER PRIMARY KEY, what TEXT NOT NULL)";
        store.connection().execute_unprepared(table).await?;
        if let Err(error) = order(&store, jobs.as_ref(), "a lamp", false).await {
            println!("not taken: {error}");
        }
        let id = order(&store, jobs.as_ref(), "a chair", true).await?;
        let limit = Duration::from_secs(60);
        recorder.settled(id, RunOutcome::Succeeded, 1, limit).await?;
        let confirmations = JobQuery {
            type_name: Some(Confirm::NAME.to_owned()),
            ..JobQuery::default()
        };
        let page = host.management().list(TenantScope::All, &confirmations).await?;
        println!("{} job", page.total);
        Ok(())
    };
    host.run_until(work).await?.unwrap_or(Ok(()))
}

// Output:
// not taken: there is nothing left of it
// confirmed: a chair
// 1 job
