//! Commands on one job: hold it, run it once by hand, let it go on, run it now.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use tasks_abstractions::prelude::*;
use tasks_abstractions::{JobCommand, JobId, ManagementError, RunOutcome};
use tasks_host::{Host, MemoryStoreModule};
use tasks_multitenancy::TenantScope;
use tasks_testing::Recorder;

inject! { struct Remind; }

#[async_trait]
impl BackgroundJob for Remind {
    const NAME: &'static str = "billing.remind";
    type Args = ();
    async fn execute(&self, (): (), _: &JobRunnableContext) -> JobResult {
        Ok(Outcome::Done)
    }
}
register_job!(Remind);

async fn steer(host: &Host, id: JobId, command: JobCommand) -> Result<(), ManagementError> {
    let answer = host.management().command(TenantScope::All, id, command).await?;
    println!("{command}: {answer:?}");
    Ok(())
}

async fn show(host: &Host, id: JobId) -> Result<(), ManagementError> {
    let job = host.management().get(TenantScope::All, id).await?;
    println!(
        "  {}, runs: {}, due: {}",
        job.status,
        job.trigger_count,
        job.next_run_time.is_some()
    );
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let recorder = Arc::new(Recorder::new());
    let host = Host::builder()
        .module(MemoryStoreModule)
        .event(recorder.clone())
        .build()
        .await?;
    let work = async {
        let (hour, limit) = (Duration::from_secs(3600), Duration::from_secs(60));
        let id = host.jobs().enqueue::<Remind>(()).delay(hour).await?;
        show(&host, id).await?;
        steer(&host, id, JobCommand::Pause).await?;
        steer(&host, id, JobCommand::Pause).await?;
        show(&host, id).await?;
        // One run by hand, beside the job's life: it stays paused and is not done by it.
        steer(&host, id, JobCommand::Trigger).await?;
        recorder.settled(id, RunOutcome::Succeeded, 1, limit).await?;
        show(&host, id).await?;
        steer(&host, id, JobCommand::Resume).await?;
        show(&host, id).await?;
        steer(&host, id, JobCommand::Trigger).await?;
        recorder.settled(id, RunOutcome::Succeeded, 2, limit).await?;
        show(&host, id).await?;
        Ok(())
    };
    host.run_until(work).await?.unwrap_or(Ok(()))
}

// Output:
//   Queuing, runs: 0, due: true
// pause: Changed
// pause: Unchanged
//   Paused, runs: 0, due: false
// trigger: Changed
//   Paused, runs: 1, due: false
// resume: Changed
//   Queuing, runs: 1, due: true
// trigger: Changed
//   Completed, runs: 2, due: false
