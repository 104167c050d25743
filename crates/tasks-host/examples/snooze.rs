//! Coming back later: neither a failure nor a run that counts.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tasks_abstractions::RunOutcome;
use tasks_abstractions::prelude::*;
use tasks_host::{Host, MemoryStoreModule};
use tasks_multitenancy::TenantScope;
use tasks_testing::Recorder;

/// A payment that arrives when somebody has asked for it twice.
#[derive(Default)]
struct Bank {
    asked: AtomicU32,
}

inject! { struct AwaitPayment { bank: Arc<Bank> } }

#[async_trait]
impl BackgroundJob for AwaitPayment {
    const NAME: &'static str = "orders.await-payment";
    type Args = ();
    async fn execute(&self, (): (), ctx: &JobRunnableContext) -> JobResult {
        if self.bank.asked.fetch_add(1, Ordering::Relaxed) < 2 {
            println!("not paid yet, attempt {}", ctx.attempt());
            return Ok(Outcome::Snooze(Duration::from_millis(10)));
        }
        println!("paid, attempt {}", ctx.attempt());
        Ok(Outcome::Done)
    }
}
register_job!(AwaitPayment);

struct BankModule;

#[async_trait]
impl Module for BankModule {
    async fn configure(&self, registry: &mut ServiceRegistry) -> Result<(), ModuleError> {
        registry.singleton(Arc::new(Bank::default()))?;
        Ok(())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let recorder = Arc::new(Recorder::new());
    let host = Host::builder()
        .module(MemoryStoreModule)
        .module(BankModule)
        .event(recorder.clone())
        .build()
        .await?;
    let work = async {
        let id = host.jobs().enqueue::<AwaitPayment>(()).await?;
        let limit = Duration::from_secs(60);
        recorder.settled(id, RunOutcome::Succeeded, 1, limit).await?;
        let job = host.management().get(TenantScope::All, id).await?;
        println!(
            "{}, runs: {}, failures: {}",
            job.status, job.trigger_count, job.try_count
        );
        Ok(())
    };
    host.run_until(work).await?.unwrap_or(Ok(()))
}

// Output:
// not paid yet, attempt 1
// not paid yet, attempt 1
// paid, attempt 1
// Completed, runs: 1, failures: 0
