//! A listener: told before a run, after its code, and when its outcome is stored.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use tasks_abstractions::prelude::*;
use tasks_abstractions::{JobEvent, JobEventData, JobSettled, RunOutcome};
use tasks_core::MaintenanceOptions;
use tasks_host::{Host, MemoryStoreModule};
use tasks_testing::Recorder;

/// Would feed metrics.
struct Diary;

#[async_trait]
impl JobEvent for Diary {
    async fn before(&self, ctx: &JobRunnableContext) {
        println!("before {}, attempt {}", ctx.job().type_name, ctx.attempt());
    }
    async fn after(&self, data: &JobEventData) {
        let message = data.message.as_deref().unwrap_or_default();
        let class = data
            .exception_type
            .map_or_else(String::new, |it| format!(" ({it})"));
        println!("after: {}{class}: {message}", data.outcome);
    }
    fn settled(&self, data: &JobSettled) {
        println!("stored: {}", data.is_applied);
    }
}

inject! { struct Fetch; }

#[async_trait]
impl BackgroundJob for Fetch {
    const NAME: &'static str = "example.fetch";
    type Args = ();
    async fn execute(&self, (): (), ctx: &JobRunnableContext) -> JobResult {
        if ctx.attempt() == 1 {
            // The failure says itself how long the next try should wait.
            let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
            return Err(JobError::from(refused).retry_after(Duration::from_millis(10)));
        }
        ctx.set_result("fetched");
        Ok(Outcome::Done)
    }
}
register_job!(Fetch);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let recorder = Arc::new(Recorder::new());
    let host = Host::builder()
        .module(MemoryStoreModule)
        .event(Arc::new(Diary))
        // Its own jobs are heard of like all others; this example is not about them.
        .options(|it| it.maintenance = MaintenanceOptions::off())
        .event(recorder.clone())
        .build()
        .await?;
    let work = async {
        let id = host.jobs().enqueue::<Fetch>(()).await?;
        let limit = Duration::from_secs(60);
        recorder.settled(id, RunOutcome::Succeeded, 1, limit).await?;
        Ok(())
    };
    host.run_until(work).await?.unwrap_or(Ok(()))
}

// Output:
// before example.fetch, attempt 1
// after: Failed (Network): connection refused
// stored: true
// before example.fetch, attempt 2
// after: Succeeded: fetched
// stored: true
