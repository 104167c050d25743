//! A copy of the database while a run is in flight, and what a program makes of it that is started with the copy.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::ConnectionTrait;
use tasks_abstractions::RunOutcome;
use tasks_abstractions::prelude::*;
use tasks_host::{Host, SeaOrmStoreModule};
use tasks_store_seaorm::{SeaOrmStore, SeaOrmStoreOptions};
use tasks_testing::Recorder;

const LIMIT: Duration = Duration::from_secs(60);

inject! { struct Bill; }

#[async_trait]
impl BackgroundJob for Bill {
    const NAME: &'static str = "billing.bill";
    type Args = ();
    async fn execute(&self, (): (), ctx: &JobRunnableContext) -> JobResult {
        if ctx.interruptions() == 0 {
            // In flight until the program is asked to end.
            ctx.cancellation().cancelled().await;
        }
        println!("interrupted before: {}", ctx.interruptions());
        Ok(Outcome::Done)
    }
}
register_job!(Bill);

async fn host(file: &Path, recorder: &Arc<Recorder>) -> Result<Host, Box<dyn Error>> {
    let host = Host::builder()
        .module(SeaOrmStoreModule::with(SeaOrmStoreOptions::path(file)?))
        .event(Arc::clone(recorder) as _)
        .options(|it| {
            // Short, so that this example ends soon: how long the copy's node counts as alive, and how long a run may go on at the end.
            it.engine.heartbeat = Duration::from_millis(500);
            it.engine.lease = Duration::from_secs(2);
            it.engine.shutdown_grace = Duration::ZERO;
        });
    Ok(host.build().await?)
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let folder = tempfile::tempdir()?;
    let (file, copy) = (folder.path().join("shop.db"), folder.path().join("copy.db"));

    let recorder = Arc::new(Recorder::new());
    let first = host(&file, &recorder).await?;
    let work = async {
        let id = first.jobs().enqueue::<Bill>(()).await?;
        recorder.started(id, 1, LIMIT).await?;
        let store = first.services().get::<SeaOrmStore>()?;
        // One statement, one consistent copy, however much is written meanwhile.
        let statement = format!("VACUUM INTO '{}'", copy.display());
        store.connection().execute_unprepared(&statement).await?;
        Ok::<_, Box<dyn Error>>(id)
    };
    let Some(id) = first.run_until(work).await?.transpose()? else {
        return Ok(());
    };

    println!("with the copy:");
    let recorder = Arc::new(Recorder::new());
    let second = host(&copy, &recorder).await?;
    let outcome = recorder.settled(id, RunOutcome::Succeeded, 1, LIMIT);
    Ok(second.run_until(outcome).await?.unwrap_or(Ok(()))?)
}

// Output:
// interrupted before: 0
// with the copy:
// interrupted before: 1
