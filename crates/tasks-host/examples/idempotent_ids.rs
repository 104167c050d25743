//! An id that comes from the work itself: however often a request is repeated, the work is done once.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use tasks_abstractions::prelude::*;
use tasks_abstractions::store::JobQuery;
use tasks_abstractions::{EnqueueError, JobId, RunOutcome};
use tasks_host::{Host, MemoryStoreModule};
use tasks_multitenancy::{CurrentTenant, TenantScope};
use tasks_testing::Recorder;

inject! { struct Ship; }

#[async_trait]
impl BackgroundJob for Ship {
    const NAME: &'static str = "orders.ship";
    type Args = u32;
    async fn execute(&self, order: u32, _: &JobRunnableContext) -> JobResult {
        println!("order {order} is shipped");
        Ok(Outcome::Done)
    }
}
register_job!(Ship);

/// Enqueues the shipment of an order; a second call for the same order changes nothing.
async fn ship(jobs: &dyn BackgroundJobManager, order: u32) -> Result<JobId, EnqueueError> {
    let id = JobId::from_name(CurrentTenant::id(), "shipments", &order.to_string());
    jobs.enqueue::<Ship>(order).id(id).await
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let recorder = Arc::new(Recorder::new());
    let host = Host::builder()
        .module(MemoryStoreModule)
        .event(recorder.clone())
        .build()
        .await?;
    let jobs = host.jobs();
    let first = ship(jobs.as_ref(), 4711).await?;
    let again = ship(jobs.as_ref(), 4711).await?;
    println!("the same job: {}", first == again);
    let work = async {
        let limit = Duration::from_secs(60);
        recorder.settled(first, RunOutcome::Succeeded, 1, limit).await?;
        // Also when the job has run already, as long as its row is kept.
        ship(jobs.as_ref(), 4711).await?;
        let shipments = JobQuery {
            type_name: Some(Ship::NAME.to_owned()),
            ..JobQuery::default()
        };
        let page = host.management().list(TenantScope::All, &shipments).await?;
        println!("{} job, {} run", page.total, page.items[0].trigger_count);
        Ok(())
    };
    host.run_until(work).await?.unwrap_or(Ok(()))
}

// Output:
// the same job: true
// order 4711 is shipped
// 1 job, 1 run
