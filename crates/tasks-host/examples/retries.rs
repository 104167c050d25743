//! A job that fails: it is tried again, given up in the end, and then the administrator is told.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use tasks_abstractions::prelude::*;
use tasks_abstractions::{AbandonedNotice, AdministratorChannel, ChannelError, RunOutcome};
use tasks_host::{Host, MemoryStoreModule};
use tasks_multitenancy::TenantScope;
use tasks_testing::Recorder;

inject! { struct Charge; }

#[async_trait]
impl BackgroundJob for Charge {
    const NAME: &'static str = "billing.charge";
    type Args = String;
    async fn execute(&self, card: String, ctx: &JobRunnableContext) -> JobResult {
        println!("try {}", ctx.attempt());
        Err(JobError::msg(format!("{card} was declined")))
    }
}
register_job!(Charge);

/// Would send a message to somebody's telephone.
struct Pager;

#[async_trait]
impl AdministratorChannel for Pager {
    fn name(&self) -> &str {
        "pager"
    }
    async fn notify(&self, it: &AbandonedNotice) -> Result<(), ChannelError> {
        let message = it.message.as_deref().unwrap_or_default();
        println!(
            "{} given up after {} tries: {message}",
            it.type_name, it.try_count
        );
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let recorder = Arc::new(Recorder::new());
    let host = Host::builder()
        .module(MemoryStoreModule)
        .event(recorder.clone())
        .channel(Arc::new(Pager))
        .build()
        .await?;
    let work = async {
        let id = host
            .jobs()
            .enqueue::<Charge>("card 1234".to_owned())
            .max_try_count(3)
            .retry_policy(RetryPolicy::fixed(Duration::from_millis(10)))
            .await?;
        // Two notices, each a job of its own: one for the pager, one for the log, which is always a channel.
        recorder
            .wait_for("the notices", Duration::from_secs(60), |it| {
                it.count(RunOutcome::Succeeded) == 2
            })
            .await?;
        let job = host.management().get(TenantScope::All, id).await?;
        println!("{}, abandoned: {}", job.status, job.is_abandoned);
        Ok(())
    };
    host.run_until(work).await?.unwrap_or(Ok(()))
}

// Output:
// try 1
// try 2
// try 3
// billing.charge given up after 3 tries: card 1234 was declined
// Stopped, abandoned: true
