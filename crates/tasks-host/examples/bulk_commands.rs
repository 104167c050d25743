//! A command on every job that a filter finds: first what it would do, then done.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tasks_abstractions::prelude::*;
use tasks_abstractions::store::JobQuery;
use tasks_abstractions::{BulkAnswer, BulkMode, JobCommand, RunOutcome};
use tasks_host::{Host, MemoryStoreModule};
use tasks_multitenancy::TenantScope;
use tasks_testing::Recorder;

/// A remote server that is away at first.
#[derive(Default)]
struct Server {
    is_there: AtomicBool,
}

inject! { struct Upload { server: Arc<Server> } }

#[async_trait]
impl BackgroundJob for Upload {
    const NAME: &'static str = "data.upload";
    type Args = u32;
    async fn execute(&self, _: u32, _: &JobRunnableContext) -> JobResult {
        if self.server.is_there.load(Ordering::Relaxed) {
            return Ok(Outcome::Done);
        }
        Err(JobError::msg("the server is away").permanent())
    }
}
register_job!(Upload);

struct ServerModule(Arc<Server>);

#[async_trait]
impl Module for ServerModule {
    async fn configure(&self, registry: &mut ServiceRegistry) -> Result<(), ModuleError> {
        registry.singleton(Arc::clone(&self.0))?;
        Ok(())
    }
}

fn show(what: &str, it: &BulkAnswer) {
    let (matched, changed) = (it.matched, it.changed);
    println!(
        "{what}: {matched} found, {changed} changed, {} unchanged",
        it.unchanged
    );
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let (recorder, server) = (Arc::new(Recorder::new()), Arc::new(Server::default()));
    let host = Host::builder()
        .module(MemoryStoreModule)
        .module(ServerModule(Arc::clone(&server)))
        .event(recorder.clone())
        .build()
        .await?;
    let work = async {
        let (jobs, management) = (host.jobs(), host.management());
        let limit = Duration::from_secs(60);
        let mut ids = Vec::new();
        for file in 0..3 {
            ids.push(jobs.enqueue::<Upload>(file).await?);
        }
        for id in &ids {
            recorder.settled(*id, RunOutcome::Failed, 1, limit).await?;
        }

        server.is_there.store(true, Ordering::Relaxed);
        for (what, mode) in [("would", BulkMode::DryRun), ("does", BulkMode::Apply)] {
            let answer = management
                .retry_abandoned(TenantScope::All, Some(Upload::NAME), mode)
                .await?;
            show(what, &answer);
        }
        for id in &ids {
            recorder.settled(*id, RunOutcome::Succeeded, 1, limit).await?;
        }

        let uploads = JobQuery {
            type_name: Some(Upload::NAME.to_owned()),
            ..JobQuery::default()
        };
        for command in [JobCommand::Pause, JobCommand::Delete] {
            let answer = management
                .command_where(TenantScope::All, &uploads, command, BulkMode::Apply)
                .await?;
            show(command.as_str(), &answer);
        }
        Ok(())
    };
    host.run_until(work).await?.unwrap_or(Ok(()))
}

// Output:
// would: 3 found, 3 changed, 0 unchanged
// does: 3 found, 3 changed, 0 unchanged
// pause: 3 found, 0 changed, 3 unchanged
// delete: 3 found, 3 changed, 0 unchanged
