//! A worker that repeats: its next run comes a fixed time after the end of the last one.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use tasks_abstractions::prelude::*;
use tasks_abstractions::store::JobQuery;
use tasks_abstractions::{JobId, JobInfo, RunOutcome};
use tasks_host::{Host, MemoryStoreModule};
use tasks_multitenancy::{TenantId, TenantScope};
use tasks_testing::Recorder;

inject! { struct Sweep; }

#[async_trait]
impl AsyncPeriodicWorker for Sweep {
    const NAME: &'static str = "shop.sweep";
    fn schedule(&self) -> WorkerSchedule {
        // Without `run_on_start` a new worker waits for one period first.
        WorkerSchedule::every(Duration::from_millis(10)).run_on_start()
    }
    async fn do_work(&self, ctx: &WorkerContext) -> JobResult {
        // A failure does not end a worker: the next period tries again.
        match ctx.job().trigger_count {
            0 => Err(JobError::msg("nothing could be swept")),
            _ => Ok(Outcome::Done),
        }
    }
    async fn start(&self) -> Result<(), JobError> {
        println!("start");
        Ok(())
    }
    async fn stop(&self) -> Result<(), JobError> {
        println!("stop");
        Ok(())
    }
}
register_worker!(Sweep: AsyncPeriodicWorker);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let recorder = Arc::new(Recorder::new());
    let host = Host::builder()
        .module(MemoryStoreModule)
        .event(recorder.clone())
        .build()
        .await?;
    let work = async {
        let (id, limit) = (
            JobId::from_name(TenantId::HOST, JobInfo::WORKERS_GROUP, Sweep::NAME),
            Duration::from_secs(60),
        );
        recorder.settled(id, RunOutcome::Failed, 1, limit).await?;
        recorder.settled(id, RunOutcome::Succeeded, 2, limit).await?;
        let sweeps = JobQuery {
            type_name: Some(Sweep::NAME.to_owned()),
            ..JobQuery::default()
        };
        let page = host.management().list(TenantScope::All, &sweeps).await?;
        let job = &page.items[0];
        println!(
            "failed once, went on; {} job: {} every {:?}",
            page.total, job.name, job.interval
        );
        Ok(())
    };
    host.run_until(work).await?.unwrap_or(Ok(()))
}

// Output:
// start
// failed once, went on; 1 job: shop.sweep every 10ms
// stop
