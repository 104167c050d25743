//! Which job runs first: the due one of the highest priority, the older one among equals.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use tasks_abstractions::RunOutcome;
use tasks_abstractions::prelude::*;
use tasks_host::{Host, MemoryStoreModule};
use tasks_testing::Recorder;

inject! { struct Say; }

#[async_trait]
impl BackgroundJob for Say {
    const NAME: &'static str = "example.say";
    type Args = String;
    async fn execute(&self, text: String, _: &JobRunnableContext) -> JobResult {
        println!("{text}");
        Ok(Outcome::Done)
    }
}
register_job!(Say);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let recorder = Arc::new(Recorder::new());
    let host = Host::builder()
        .module(MemoryStoreModule)
        .event(recorder.clone())
        // One at a time, so that the order shows.
        .options(|it| it.engine.max_concurrency = 1)
        .build()
        .await?;
    let jobs = host.jobs();
    // Nothing runs before the host does, but what is enqueued now is not forgotten.
    let later = jobs
        .enqueue::<Say>("low, and only after its delay".to_owned())
        .delay(Duration::from_millis(200))
        .priority(JobPriority::Low)
        .await?;
    for text in ["normal, enqueued first", "normal, enqueued second"] {
        jobs.enqueue::<Say>(text.to_owned()).await?;
    }
    jobs.enqueue::<Say>("high".to_owned())
        .priority(JobPriority::High)
        .await?;
    let limit = Duration::from_secs(60);
    let ran = host
        .run_until(recorder.settled(later, RunOutcome::Succeeded, 1, limit))
        .await?;
    Ok(ran.unwrap_or(Ok(()))?)
}

// Output:
// high
// normal, enqueued first
// normal, enqueued second
// low, and only after its delay
