//! What a run says while it runs, and what it leaves behind.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use tasks_abstractions::RunOutcome;
use tasks_abstractions::prelude::*;
use tasks_abstractions::store::JobLogQuery;
use tasks_host::{Host, MemoryStoreModule};
use tasks_multitenancy::TenantScope;
use tasks_testing::Recorder;
use tokio::sync::Notify;

/// Lets this program look at a run in its middle.
#[derive(Default)]
struct Gate {
    half: Notify,
    go_on: Notify,
}

inject! { struct Import { gate: Arc<Gate> } }

#[derive(Serialize)]
struct Imported {
    rows: u64,
}

#[async_trait]
impl BackgroundJob for Import {
    const NAME: &'static str = "data.import";
    type Args = u64;
    async fn execute(&self, rows: u64, ctx: &JobRunnableContext) -> JobResult {
        for row in 1..=rows {
            ctx.progress(row, rows, "rows");
            if row == rows / 2 {
                self.gate.half.notify_one();
                self.gate.go_on.notified().await;
            }
        }
        ctx.set_json_result(&Imported { rows })?;
        Ok(Outcome::Done)
    }
}
register_job!(Import);

struct ImportModule(Arc<Gate>);

#[async_trait]
impl Module for ImportModule {
    async fn configure(&self, registry: &mut ServiceRegistry) -> Result<(), ModuleError> {
        registry.singleton(Arc::clone(&self.0))?;
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (recorder, gate) = (Arc::new(Recorder::new()), Arc::new(Gate::default()));
    let host = Host::builder()
        .module(MemoryStoreModule)
        .module(ImportModule(Arc::clone(&gate)))
        .event(recorder.clone())
        .build()
        .await?;
    let work = async {
        let id = host.jobs().enqueue::<Import>(10).await?;
        gate.half.notified().await;
        // Stored with the run, once a second at most, so that other nodes and people see it.
        let (job, progress) = loop {
            let runs = host.management().runs(TenantScope::All, 10).await?;
            let half = runs.into_iter().find_map(|it| Some((it.job, it.run?.progress?)));
            match half.filter(|(_, it)| it.done == 5) {
                Some(it) => break it,
                None => tokio::task::yield_now().await,
            }
        };
        println!(
            "{}: {} of {} {}",
            job.type_name, progress.done, progress.total, progress.message
        );
        gate.go_on.notify_one();
        let limit = Duration::from_secs(60);
        recorder.settled(id, RunOutcome::Succeeded, 1, limit).await?;
        let query = JobLogQuery {
            job_id: Some(id),
            ..JobLogQuery::default()
        };
        for log in host.management().logs(TenantScope::All, &query).await?.items {
            println!("{}: {}", log.outcome, log.message.unwrap_or_default());
        }
        Ok(())
    };
    host.run_until(work).await?.unwrap_or(Ok(()))
}

// Output:
// data.import: 5 of 10 rows
// Succeeded: {"rows":10}
