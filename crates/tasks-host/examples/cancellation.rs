//! Ending a run: by a command, and by its timeout. Neither is ever taken for a success.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use tasks_abstractions::prelude::*;
use tasks_abstractions::{JobCommand, RunOutcome};
use tasks_host::{Host, MemoryStoreModule};
use tasks_multitenancy::TenantScope;
use tasks_testing::Recorder;

inject! { struct Export; }

#[async_trait]
impl BackgroundJob for Export {
    const NAME: &'static str = "data.export";
    type Args = ();
    async fn execute(&self, (): (), ctx: &JobRunnableContext) -> JobResult {
        // An export that takes for ever, and is asked to end. Code that does not listen runs on to its end.
        ctx.cancellation().cancelled().await;
        if let Some(reason) = ctx.cancel_reason() {
            println!("asked to end: {reason}");
        }
        Err(JobError::msg("exported in part"))
    }
}
register_job!(Export);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let recorder = Arc::new(Recorder::new());
    let host = Host::builder()
        .module(MemoryStoreModule)
        .event(recorder.clone())
        .build()
        .await?;
    let work = async {
        let (jobs, management) = (host.jobs(), host.management());
        let limit = Duration::from_secs(60);

        let id = jobs.enqueue::<Export>(()).await?;
        recorder.started(id, 1, limit).await?;
        management
            .command(TenantScope::All, id, JobCommand::Cancel)
            .await?;
        recorder.settled(id, RunOutcome::Cancelled, 1, limit).await?;
        let job = management.get(TenantScope::All, id).await?;
        println!("{}, failures: {}", job.status, job.try_count);

        let timeout = Duration::from_millis(20);
        let id = jobs
            .enqueue::<Export>(())
            .timeout(timeout)
            .max_try_count(1)
            .await?;
        recorder.settled(id, RunOutcome::TimedOut, 1, limit).await?;
        let job = management.get(TenantScope::All, id).await?;
        println!(
            "{}, failures: {}, abandoned: {}",
            job.status, job.try_count, job.is_abandoned
        );
        Ok(())
    };
    host.run_until(work).await?.unwrap_or(Ok(()))
}

// Output:
// asked to end: Requested
// Stopped, failures: 0
// asked to end: TimedOut
// Stopped, failures: 1, abandoned: true
