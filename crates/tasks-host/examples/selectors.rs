//! Selectors: settings for jobs and workers by their type, without touching their code. The first one that matches applies.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use tasks_abstractions::prelude::*;
use tasks_abstractions::{JobId, JobInfo, RunOutcome};
use tasks_host::{Host, MemoryStoreModule};
use tasks_multitenancy::{TenantId, TenantScope};
use tasks_testing::Recorder;

inject! { struct Sweep; }

#[async_trait]
impl AsyncPeriodicWorker for Sweep {
    const NAME: &'static str = "shop.sweep";
    fn schedule(&self) -> WorkerSchedule {
        WorkerSchedule::every(Duration::from_secs(3600))
    }
    async fn do_work(&self, _: &WorkerContext) -> JobResult {
        Ok(Outcome::Done)
    }
}
register_worker!(Sweep: AsyncPeriodicWorker);

inject! { struct Pack; }

#[async_trait]
impl BackgroundJob for Pack {
    const NAME: &'static str = "shop.pack";
    type Args = ();
    async fn execute(&self, (): (), _: &JobRunnableContext) -> JobResult {
        Ok(Outcome::Done)
    }
}
register_job!(Pack);

fn show(job: &JobInfo) {
    let selector = job.selector.as_deref().unwrap_or("none");
    let (cron, tries) = (job.cron.as_deref().unwrap_or("none"), job.max_try_count);
    println!("{}: cron {cron}, tries {tries}, by {selector}", job.type_name);
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let recorder = Arc::new(Recorder::new());
    let host = Host::builder()
        .module(MemoryStoreModule)
        .event(recorder.clone())
        .options(|it| {
            it.selectors
                .add_worker::<Sweep>(|it| it.cron("0 0/10 * * * ?").time_zone("Europe/London"))
                .add_namespace("shop", |it| it.max_try_count(5_u32));
        })
        .build()
        .await?;
    let work = async {
        let (jobs, management) = (host.jobs(), host.management());
        let pack = jobs.enqueue::<Pack>(()).await?;
        let limit = Duration::from_secs(60);
        recorder.settled(pack, RunOutcome::Succeeded, 1, limit).await?;
        let sweep = JobId::from_name(TenantId::HOST, JobInfo::WORKERS_GROUP, Sweep::NAME);
        for id in [sweep, pack] {
            show(&management.get(TenantScope::All, id).await?);
        }
        Ok(())
    };
    host.run_until(work).await?.unwrap_or(Ok(()))
}

// Output:
// shop.sweep: cron 0 0/10 * * * ?, tries 0, by Worker:selectors::Sweep
// shop.pack: cron none, tries 5, by Namespace:shop
