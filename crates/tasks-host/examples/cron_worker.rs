//! A worker by cron expression in a time zone, and what a change of the clocks does to it.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use chrono::DateTime;
use tasks_abstractions::prelude::*;
use tasks_abstractions::{JobCommand, JobId, JobInfo, RunOutcome};
use tasks_core::cron::CronSchedule;
use tasks_host::{Host, MemoryStoreModule};
use tasks_multitenancy::{TenantId, TenantScope};
use tasks_testing::Recorder;

const EXPRESSION: &str = "0 30 8 ? * MON-FRI";
const ZONE: &str = "Europe/London";

inject! { struct Report; }

#[async_trait]
impl AsyncPeriodicWorker for Report {
    const NAME: &'static str = "sales.report";
    fn schedule(&self) -> WorkerSchedule {
        WorkerSchedule::cron(EXPRESSION).time_zone(ZONE)
    }
    async fn do_work(&self, _: &WorkerContext) -> JobResult {
        println!("the report is written");
        Ok(Outcome::Done)
    }
}
register_worker!(Report: AsyncPeriodicWorker);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let schedule = CronSchedule::parse(EXPRESSION, Some(ZONE))?;
    println!("{}", schedule.explain());
    // The clocks go forward on Sunday, 29 March 2026: in UTC the same time of day is an hour earlier.
    let mut at = DateTime::parse_from_rfc3339("2026-03-27T00:00:00Z")?.to_utc();
    for _ in 0..2 {
        at = schedule.next_after(at).ok_or("it never fires again")?;
        println!("{}", at.to_rfc3339());
    }

    let recorder = Arc::new(Recorder::new());
    let host = Host::builder()
        .module(MemoryStoreModule)
        .event(recorder.clone())
        .build()
        .await?;
    let work = async {
        let id = JobId::from_name(TenantId::HOST, JobInfo::WORKERS_GROUP, Report::NAME);
        // Nobody waits until half past eight: trigger runs it now and leaves its schedule alone.
        let management = host.management();
        management
            .command(TenantScope::All, id, JobCommand::Trigger)
            .await?;
        let limit = Duration::from_secs(60);
        recorder.settled(id, RunOutcome::Succeeded, 1, limit).await?;
        let job = management.get(TenantScope::All, id).await?;
        println!("{}, due again: {}", job.status, job.next_run_time.is_some());
        Ok(())
    };
    host.run_until(work).await?.unwrap_or(Ok(()))
}

// Output:
// …
// 2026-03-27T08:30:00+00:00
// 2026-03-30T07:30:00+00:00
// the report is written
// Queuing, due again: true
