//! The jobs of the bench, and a listener that counts them.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use async_trait::async_trait;
use tasks_abstractions::prelude::*;
use tasks_abstractions::{JobEvent, JobRegistration, JobSettled};
use tokio::sync::Notify;

inject! {
    /// Does nothing.
    pub(crate) struct NoOp;
}

#[async_trait]
impl BackgroundJob for NoOp {
    const NAME: &'static str = "bench.no-op";
    type Args = ();

    async fn execute(&self, (): (), _: &JobRunnableContext) -> JobResult {
        Ok(Outcome::Done)
    }
}

/// The job's registration.
pub(crate) const NO_OP: JobRegistration = JobRegistration::of::<NoOp>("bench");

/// Counts what was started and settled.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    settled: AtomicUsize,
    target: AtomicUsize,
    reached: Notify,
    started: Mutex<Option<Instant>>,
    start_seen: Notify,
}

impl Counter {
    /// Waits until `count` more outcomes are stored than when it was called first.
    pub(crate) fn expect(&self, count: usize) {
        self.target
            .store(self.settled.load(Ordering::Acquire) + count, Ordering::Release);
    }

    pub(crate) async fn reached(&self) {
        self.reached.notified().await;
    }

    /// When a job was started last.
    pub(crate) async fn started(&self) -> Instant {
        loop {
            if let Some(at) = self.started.lock().unwrap_or_else(PoisonError::into_inner).take() {
                return at;
            }
            self.start_seen.notified().await;
        }
    }
}

#[async_trait]
impl JobEvent for Counter {
    async fn before(&self, _: &JobRunnableContext) {
        *self.started.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        self.start_seen.notify_one();
    }

    fn settled(&self, _: &JobSettled) {
        let count = self.settled.fetch_add(1, Ordering::AcqRel) + 1;
        if count == self.target.load(Ordering::Acquire) {
            self.reached.notify_one();
        }
    }
}
