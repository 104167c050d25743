//! A job that says when it was due and when it started.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, ensure};
use tasks_abstractions::prelude::*;
use tasks_abstractions::{Clock, JobRegistration, SystemClock};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use super::Offset;
use crate::frame::samples::percentile;

/// No job is that late, unless something is wrong.
const LIMIT: Duration = Duration::from_secs(120);

/// When a job was due and when it started, in microseconds of this machine's clock.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Start {
    due: i64,
    at: i64,
}

/// To whom the jobs say it.
pub(crate) struct Starts(UnboundedSender<Start>);

inject! {
    /// Says that it started; its argument is when it is due.
    pub(crate) struct Timer { starts: Arc<Starts> }
}

#[async_trait]
impl BackgroundJob for Timer {
    const NAME: &'static str = "bench.timer";
    type Args = i64;

    async fn execute(&self, due: i64, _: &JobRunnableContext) -> JobResult {
        let at = SystemClock.now().timestamp_micros();
        // Nobody listens when the bench has failed.
        let _ = self.starts.0.send(Start { due, at });
        Ok(Outcome::Done)
    }
}

/// The registration of [`Timer`].
pub(crate) const TIMER: JobRegistration = JobRegistration::of::<Timer>("bench");

/// What [`Timer`] needs, as a module.
pub(crate) struct Listening(Arc<Starts>);

#[async_trait]
impl Module for Listening {
    async fn configure(&self, registry: &mut ServiceRegistry) -> Result<(), ModuleError> {
        registry.singleton::<Starts>(Arc::clone(&self.0))?;
        Ok(())
    }
}

/// Where the jobs are heard.
pub(crate) struct Heard(UnboundedReceiver<Start>);

/// A module for a node, and where its jobs are heard.
pub(crate) fn listen() -> (Listening, Heard) {
    let (sender, receiver) = unbounded_channel();
    (Listening(Arc::new(Starts(sender))), Heard(receiver))
}

impl Heard {
    pub(crate) async fn next(&mut self) -> Result<Start> {
        timeout(LIMIT, self.0.recv())
            .await
            .map_err(|_| anyhow!("a job did not start within {LIMIT:?}"))?
            .context("the node has ended")
    }
}

/// How late jobs were.
#[derive(Debug, Default)]
pub(crate) struct Lateness(Vec<Duration>);

impl Lateness {
    /// Adds one.
    ///
    /// # Errors
    /// Where it was early, by more than is known of the clock.
    pub(crate) fn add(&mut self, start: Start, offset: &Offset) -> Result<()> {
        let late = offset.applied(start.at) - start.due;
        let known = i64::try_from(offset.uncertainty().as_micros())?;
        ensure!(late >= -known, "a job started {} µs before it was due", -late);
        self.0
            .push(Duration::from_micros(u64::try_from(late).unwrap_or(0)));
        Ok(())
    }

    /// In milliseconds.
    pub(crate) fn percentile(&mut self, share: usize) -> Result<f64> {
        percentile(&mut self.0, share)
    }
}
