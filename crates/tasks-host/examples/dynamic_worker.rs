//! A worker that is made while the program runs: a name, a schedule and a closure. Then it gets another schedule, and goes.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use tasks_abstractions::{DynamicWorker, JobId, JobInfo, JobManagement, Outcome, RunOutcome, WorkerSchedule};
use tasks_host::{Host, MemoryStoreModule};
use tasks_multitenancy::{TenantId, TenantScope};
use tasks_testing::Recorder;

const NAME: &str = "reports.customer-7";

async fn show(management: &dyn JobManagement, id: JobId) -> Result<(), Box<dyn Error>> {
    let job = management.get(TenantScope::All, id).await?;
    println!("{}: {}, {:?}", job.name, job.job_type, job.cron);
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
        let (workers, management) = (host.workers(), host.management());
        let hourly = WorkerSchedule::every(Duration::from_secs(3600)).run_on_start();
        let worker = DynamicWorker::new(NAME, hourly, |_| async {
            println!("the report is written");
            Ok(Outcome::Done)
        });
        workers.add(worker).await?;
        let id = JobId::from_name(TenantId::HOST, JobInfo::WORKERS_GROUP, NAME);
        let limit = Duration::from_secs(60);
        recorder.settled(id, RunOutcome::Succeeded, 1, limit).await?;
        show(management.as_ref(), id).await?;

        let nightly = WorkerSchedule::cron("0 0 3 ? * *");
        workers.update_schedule(NAME, nightly).await?;
        show(management.as_ref(), id).await?;

        // Its job stays, for other programs that have the worker.
        workers.remove(NAME).await?;
        println!("known here: {}", workers.names().iter().any(|it| it == NAME));
        show(management.as_ref(), id).await
    };
    host.run_until(work).await?.unwrap_or(Ok(()))
}

// Output:
// the report is written
// reports.customer-7: Persistent, None
// reports.customer-7: Period, Some("0 0 3 ? * *")
// known here: false
// reports.customer-7: Period, Some("0 0 3 ? * *")
