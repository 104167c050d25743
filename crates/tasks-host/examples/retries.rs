//! A job that fails: it is tried again, given up in the end, and then the administrator is told.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use tasks_abstractions::prelude::*;
use tasks_abstractions::{AbandonedNotice, AdministratorChannel, ChannelError};
use tasks_host::{Host, MemoryStoreModule};
use tasks_multitenancy::TenantScope;
use tokio::sync::Notify;

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
#[derive(Default)]
struct Pager {
    rang: Notify,
}

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
        self.rang.notify_one();
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let pager = Arc::new(Pager::default());
    let host = Host::builder()
        .module(MemoryStoreModule)
        .channel(pager.clone())
        .build()
        .await?;
    let work = async {
        let id = host
            .jobs()
            .enqueue::<Charge>("card 1234".to_owned())
            .max_try_count(3)
            .retry_policy(RetryPolicy::fixed(Duration::from_millis(10)))
            .await?;
        // The notice is a job of its own, so it is not lost when the program is killed meanwhile. So is the one for the log, which is always a channel.
        pager.rang.notified().await;
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
