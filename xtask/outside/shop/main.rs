//! A shop that sends invoices and forgets carts: the whole of what an application writes. `shop serve` runs until Ctrl-C; without it the program
//! starts, looks whether its worker is stored as its operators want it, and ends.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseTransaction, DbErr};
use serde::{Deserialize, Serialize};
use tasks_abstractions::prelude::*;
use tasks_abstractions::{BusinessError, EnqueueError, JobId, JobInfo, JobType, StoreError};
use tasks_host::{Host, HostError, SeaOrmStoreModule};
use tasks_multitenancy::{TenantId, TenantScope};
use tasks_store_seaorm::SeaOrmStore;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

#[async_trait]
trait Mailer: Send + Sync {
    async fn send(&self, invoice: Uuid, cancellation: &CancellationToken) -> Result<(), BusinessError>;
}

#[async_trait]
trait Carts: Send + Sync {
    async fn purge(&self) -> Result<(), BusinessError>;
}

inject! { struct SendInvoice { mailer: Arc<dyn Mailer> } }

#[derive(Serialize, Deserialize)]
struct SendInvoiceArgs {
    invoice_id: Uuid,
}

#[async_trait]
impl BackgroundJob for SendInvoice {
    const NAME: &'static str = "billing.send-invoice";
    type Args = SendInvoiceArgs;
    async fn execute(&self, args: SendInvoiceArgs, ctx: &JobRunnableContext) -> JobResult {
        self.mailer.send(args.invoice_id, ctx.cancellation()).await?;
        Ok(Outcome::Done)
    }
}
register_job!(SendInvoice);

inject! { struct PurgeCarts { carts: Arc<dyn Carts> } }

#[async_trait]
impl AsyncPeriodicWorker for PurgeCarts {
    const NAME: &'static str = "shop.purge-carts";
    fn schedule(&self) -> WorkerSchedule {
        WorkerSchedule::every(Duration::from_secs(300))
    }
    async fn do_work(&self, _: &WorkerContext) -> JobResult {
        self.carts.purge().await?;
        Ok(Outcome::Done)
    }
}
register_worker!(PurgeCarts: AsyncPeriodicWorker);

struct ShopModule;

struct Nobody;

#[async_trait]
impl Mailer for Nobody {
    async fn send(&self, _: Uuid, _: &CancellationToken) -> Result<(), BusinessError> {
        Ok(())
    }
}

#[async_trait]
impl Carts for Nobody {
    async fn purge(&self) -> Result<(), BusinessError> {
        Ok(())
    }
}

#[async_trait]
impl Module for ShopModule {
    async fn configure(&self, registry: &mut ServiceRegistry) -> Result<(), ModuleError> {
        registry.singleton::<dyn Mailer>(Arc::new(Nobody))?;
        registry.singleton::<dyn Carts>(Arc::new(Nobody))?;
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), HostError> {
    let host = Host::builder()
        .module(SeaOrmStoreModule::connect("sqlite://shop.db"))
        .module(ShopModule)
        .node_name("batch-1")
        .options(|o| {
            o.selectors
                .add_worker::<PurgeCarts>(|s| s.cron("0 0/10 * * * ?").node_name("batch-1"));
        })
        .build()
        .await?;
    if std::env::args().nth(1).as_deref() == Some("serve") {
        return host.run().await; // until Ctrl-C / SIGTERM, then drains
    }
    host.run_until(look_at_the_worker(&host)).await.map(drop)
}

/// # Panics
/// Where the worker is not stored as it was described.
async fn look_at_the_worker(host: &Host) {
    let id = JobId::from_name(TenantId::HOST, JobInfo::WORKERS_GROUP, PurgeCarts::NAME);
    let found = host.management().get(TenantScope::All, id).await;
    let worker = found.expect("the worker is stored");
    assert_eq!(worker.job_type, JobType::Period, "a selector made it a cron job");
    assert_eq!(worker.cron.as_deref(), Some("0 0/10 * * * ?"));
    assert_eq!(worker.node_name.as_deref(), Some("batch-1"));
    assert_eq!(
        host.options().engine.node_name,
        "batch-1",
        "this node is the one that runs it"
    );
    let selector = worker.selector.expect("which selector it was is noted");
    assert_eq!(
        selector,
        format!("Worker:{}", std::any::type_name::<PurgeCarts>())
    );
    let due = worker.next_run_time.expect("it is armed");
    assert_eq!(due.timestamp() % 600, 0, "at a full ten minutes");
}

/// What an order can fail of.
#[derive(Debug)]
#[expect(dead_code, reason = "shown by `Debug` only")]
enum OrderError {
    Enqueue(EnqueueError),
    Store(StoreError),
    Database(DbErr),
}

impl From<EnqueueError> for OrderError {
    fn from(error: EnqueueError) -> Self {
        Self::Enqueue(error)
    }
}

impl From<StoreError> for OrderError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<DbErr> for OrderError {
    fn from(error: DbErr) -> Self {
        Self::Database(error)
    }
}

#[expect(dead_code, reason = "called by the parts of a shop that are left out here")]
async fn remind(jobs: &dyn BackgroundJobManager, invoice_id: Uuid) -> Result<(), EnqueueError> {
    let hour = Duration::from_secs(3600);
    let args = SendInvoiceArgs { invoice_id };
    jobs.enqueue::<SendInvoice>(args)
        .delay(hour)
        .priority(JobPriority::High)
        .await?;
    Ok(())
}

#[expect(dead_code, reason = "called by the parts of a shop that are left out here")]
async fn order(
    store: &SeaOrmStore,
    jobs: &dyn BackgroundJobManager,
    invoice_id: Uuid,
) -> Result<(), OrderError> {
    let args = SendInvoiceArgs { invoice_id };
    store
        .transaction(|tx| async move {
            insert_order(&tx).await?;
            tx.enqueue(jobs.prepare::<SendInvoice>(args)?).await?;
            Ok(())
        })
        .await
}

async fn insert_order(tx: &DatabaseTransaction) -> Result<(), DbErr> {
    tx.execute_unprepared("INSERT INTO orders DEFAULT VALUES").await?;
    Ok(())
}
