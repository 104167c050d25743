//! A job: its arguments, its code, and what is stored of its run.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tasks_abstractions::RunOutcome;
use tasks_abstractions::prelude::*;
use tasks_host::{Host, MemoryStoreModule};
use tasks_multitenancy::TenantScope;
use tasks_testing::Recorder;

inject! { struct Greet; }

#[derive(Serialize, Deserialize)]
struct GreetArgs {
    name: String,
}

#[async_trait]
impl BackgroundJob for Greet {
    const NAME: &'static str = "hello.greet";
    type Args = GreetArgs;
    async fn execute(&self, args: GreetArgs, ctx: &JobRunnableContext) -> JobResult {
        ctx.set_result(format!("hello {}", args.name));
        Ok(Outcome::Done)
    }
}
register_job!(Greet);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    // It listens to the runs, so that this program can wait for one.
    let recorder = Arc::new(Recorder::new());
    let host = Host::builder()
        .module(MemoryStoreModule)
        .event(recorder.clone())
        .build()
        .await?;
    let work = async {
        let args = GreetArgs {
            name: "Ada".to_owned(),
        };
        let id = host.jobs().enqueue::<Greet>(args).await?;
        let limit = Duration::from_secs(60);
        recorder.settled(id, RunOutcome::Succeeded, 1, limit).await?;
        let job = host.management().get(TenantScope::All, id).await?;
        println!("{}: {}", job.status, job.result.unwrap_or_default());
        println!("arguments: {}", job.args.to_json());
        Ok(())
    };
    host.run_until(work).await?.unwrap_or(Ok(()))
}

// Output:
// Completed: hello Ada
// arguments: {"name":"Ada"}
