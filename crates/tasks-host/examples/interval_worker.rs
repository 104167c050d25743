//! A worker that repeats: its next run comes a fixed time after the end of the last one.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use tasks_abstractions::RunOutcome;
use tasks_abstractions::prelude::*;
use tasks_abstractions::store::JobQuery;
use tasks_host::{Host, MemoryStoreModule};
use tasks_multitenancy::TenantScope;
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
        recorder
            .wait_for("three runs", Duration::from_secs(60), |it| {
                it.count(RunOutcome::Failed) == 1 && it.count(RunOutcome::Succeeded) >= 2
            })
            .await?;
        let page = host
            .management()
            .list(TenantScope::All, &JobQuery::default())
            .await?;
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
