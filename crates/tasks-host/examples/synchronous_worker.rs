//! A worker that blocks its thread: it runs on the blocking pool, where it holds up nobody.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::fs;
use std::sync::Arc;
use std::time::Duration;

use tasks_abstractions::prelude::*;
use tasks_abstractions::{JobId, JobInfo, RunOutcome};
use tasks_host::{Host, MemoryStoreModule};
use tasks_multitenancy::TenantId;
use tasks_testing::Recorder;

inject! { struct CountFiles; }

impl PeriodicWorker for CountFiles {
    const NAME: &'static str = "disk.count-files";
    fn schedule(&self) -> WorkerSchedule {
        WorkerSchedule::every(Duration::from_secs(3600)).run_on_start()
    }
    fn do_work(&self, ctx: &WorkerContext) -> JobResult {
        let folder = std::env::temp_dir();
        let mut count = 0_u64;
        for entry in fs::read_dir(folder)? {
            entry?;
            count += 1;
            // Code that takes long looks now and then whether it should end.
            if ctx.cancellation().is_cancelled() {
                return Ok(Outcome::Cancel("counted in part".to_owned()));
            }
        }
        println!("counted files: {}", count > 0);
        ctx.set_json_result(&count)?;
        Ok(Outcome::Done)
    }
}
register_worker!(CountFiles: PeriodicWorker);

// One thread for all asynchronous code: a worker that blocked it would stop the program.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let recorder = Arc::new(Recorder::new());
    let host = Host::builder()
        .module(MemoryStoreModule)
        .event(recorder.clone())
        .build()
        .await?;
    let id = JobId::from_name(TenantId::HOST, JobInfo::WORKERS_GROUP, CountFiles::NAME);
    let one_run = recorder.settled(id, RunOutcome::Succeeded, 1, Duration::from_secs(60));
    Ok(host.run_until(one_run).await?.unwrap_or(Ok(()))?)
}

// Output:
// counted files: true
