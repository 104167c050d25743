//! A job that says when it starts and when it is asked to end, and a listener that says when its outcome is stored.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow};
use tasks_abstractions::prelude::*;
use tasks_abstractions::{JobEvent, JobRegistration, JobSettled};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

/// Nothing takes longer than that, unless something is wrong.
const LIMIT: Duration = Duration::from_secs(60);

inject! {
    /// Says when it starts. Where its argument is true, it runs until it is asked to end, and says that, too.
    pub(crate) struct Stamp { told: Arc<Told> }
}

#[async_trait]
impl BackgroundJob for Stamp {
    const NAME: &'static str = "bench.stamp";
    type Args = bool;

    async fn execute(&self, waits: bool, ctx: &JobRunnableContext) -> JobResult {
        self.told.say();
        if waits {
            ctx.cancellation().cancelled().await;
            self.told.say();
            return Err(JobError::msg("asked to end"));
        }
        Ok(Outcome::Done)
    }
}

/// The registration of [`Stamp`].
pub(crate) const STAMP: JobRegistration = JobRegistration::of::<Stamp>("bench");

/// To whom something is told.
#[derive(Debug)]
pub(crate) struct Told(UnboundedSender<Instant>);

impl Told {
    fn say(&self) {
        // After the last round nobody listens.
        let _ = self.0.send(Instant::now());
    }
}

#[async_trait]
impl JobEvent for Told {
    fn settled(&self, _: &JobSettled) {
        self.say();
    }
}

/// What [`Stamp`] needs, as a module.
pub(crate) struct Telling(pub(crate) Arc<Told>);

#[async_trait]
impl Module for Telling {
    async fn configure(&self, registry: &mut ServiceRegistry) -> Result<(), ModuleError> {
        registry.singleton::<Told>(Arc::clone(&self.0))?;
        Ok(())
    }
}

/// Where what is told is heard.
#[derive(Debug)]
pub(crate) struct Heard(UnboundedReceiver<Instant>);

pub(crate) fn channel() -> (Arc<Told>, Heard) {
    let (sender, receiver) = unbounded_channel();
    (Arc::new(Told(sender)), Heard(receiver))
}

impl Heard {
    /// When the next thing was said.
    pub(crate) async fn next(&mut self) -> Result<Instant> {
        timeout(LIMIT, self.0.recv())
            .await
            .map_err(|_| anyhow!("nothing was heard within {LIMIT:?}"))?
            .context("the node has ended")
    }
}
