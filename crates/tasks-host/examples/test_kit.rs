//! Testing a job with the kit: a clock that is moved by hand, a service that fails on demand, no waiting.
#![expect(clippy::print_stdout, reason = "an example shows what it does")]

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tasks_abstractions::prelude::*;
use tasks_abstractions::{BusinessError, JobStatus, RunOutcome};
use tasks_core::MemoryStore;
use tasks_testing::{ManualClock, TestHost};

trait Mailer: Send + Sync {
    fn send(&self, to: &str) -> Result<(), BusinessError>;
}

inject! { struct Welcome { mailer: Arc<dyn Mailer> } }

#[async_trait]
impl BackgroundJob for Welcome {
    const NAME: &'static str = "users.welcome";
    type Args = String;
    async fn execute(&self, to: String, _: &JobRunnableContext) -> JobResult {
        self.mailer.send(&to)?;
        Ok(Outcome::Done)
    }
}

/// The mailer of the test.
#[derive(Default)]
struct Broken(AtomicBool);

impl Mailer for Broken {
    fn send(&self, _: &str) -> Result<(), BusinessError> {
        if self.0.load(Ordering::Relaxed) {
            let message = "the server is away".to_owned();
            return Err(BusinessError { code: None, message });
        }
        Ok(())
    }
}

// In a program of your own this is a `#[tokio::test]` with `assert_eq!`.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let (clock, mailer) = (Arc::new(ManualClock::new()), Arc::new(Broken::default()));
    let store = Arc::new(MemoryStore::new(clock.clone()));
    let service = Arc::clone(&mailer);
    let host = TestHost::builder(&store, clock.clone())
        .job::<Welcome>()
        .services(|registry| registry.singleton::<dyn Mailer>(service).map(drop))
        .build()?;

    mailer.0.store(true, Ordering::Relaxed);
    let id = host
        .jobs()
        .enqueue::<Welcome>("ada@example.com".to_owned())
        .await?;
    println!("claimed: {}", host.run_due().await?);
    let job = host.find(id).await?;
    println!("{}: {}", job.status, job.result.unwrap_or_default());
    println!("claimed before the wait is over: {}", host.run_due().await?);

    mailer.0.store(false, Ordering::Relaxed);
    clock.advance(Duration::from_secs(6 * 60));
    println!("claimed six minutes later: {}", host.run_due().await?);
    println!(
        "completed: {}",
        host.find(id).await?.status == JobStatus::Completed
    );
    println!(
        "failed {}, succeeded {}",
        host.recorder().count(RunOutcome::Failed),
        host.recorder().count(RunOutcome::Succeeded)
    );
    Ok(())
}

// Output:
// claimed: 1
// FailedRetry: the server is away
// claimed before the wait is over: 0
// claimed six minutes later: 1
// completed: true
// failed 1, succeeded 1
