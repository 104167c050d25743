//! Tenants: a job belongs to the tenant that was current when it was enqueued, runs as it, and is seen by it alone.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use tasks_abstractions::RunOutcome;
use tasks_abstractions::prelude::*;
use tasks_abstractions::store::JobQuery;
use tasks_host::{Host, MemoryStoreModule};
use tasks_multitenancy::{CurrentTenant, TenantId, TenantScope};
use tasks_testing::Recorder;

inject! { struct CloseMonth; }

#[async_trait]
impl BackgroundJob for CloseMonth {
    const NAME: &'static str = "books.close-month";
    type Args = ();
    async fn execute(&self, (): (), ctx: &JobRunnableContext) -> JobResult {
        // A bare `tokio::spawn` would lose the tenant.
        let in_task = CurrentTenant::spawn(async { CurrentTenant::id() }).await?;
        println!(
            "acme: {}",
            ctx.tenant() == TenantId::from_name("acme") && in_task == ctx.tenant()
        );
        Ok(Outcome::Done)
    }
}
register_job!(CloseMonth);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (acme, globex) = (TenantId::from_name("acme"), TenantId::from_name("globex"));
    let recorder = Arc::new(Recorder::new());
    let host = Host::builder()
        .module(MemoryStoreModule)
        .event(recorder.clone())
        .build()
        .await?;
    let work = async {
        let jobs = host.jobs();
        let id = CurrentTenant::change(acme, async { jobs.enqueue::<CloseMonth>(()).await }).await?;
        let limit = Duration::from_secs(60);
        recorder.settled(id, RunOutcome::Succeeded, 1, limit).await?;
        let management = host.management();
        let closings = JobQuery {
            type_name: Some(CloseMonth::NAME.to_owned()),
            ..JobQuery::default()
        };
        for (name, scope) in [
            ("acme", TenantScope::One(acme)),
            ("globex", TenantScope::One(globex)),
            ("host", TenantScope::One(TenantId::HOST)),
            ("operators", TenantScope::All),
        ] {
            let page = management.list(scope, &closings).await?;
            println!("{name}: {} jobs", page.total);
        }
        if let Err(error) = management.get(TenantScope::One(globex), id).await {
            println!("globex: {error}");
        }
        Ok(())
    };
    host.run_until(work).await?.unwrap_or(Ok(()))
}

// Output:
// acme: true
// acme: 1 jobs
// globex: 0 jobs
// host: 0 jobs
// operators: 1 jobs
// globex: job … was not found
