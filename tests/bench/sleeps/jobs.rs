//! A job that sleeps, and one that never yields.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tasks_abstractions::JobRegistration;
use tasks_abstractions::prelude::*;
use tokio::sync::Notify;

use crate::frame::pause::pause;

inject! {
    /// Sleeps for as many milliseconds as its argument says.
    pub(crate) struct Sleep;
}

#[async_trait]
impl BackgroundJob for Sleep {
    const NAME: &'static str = "bench.sleep";
    type Args = u128;

    async fn execute(&self, millis: u128, _: &JobRunnableContext) -> JobResult {
        AWAKE.begin();
        pause(Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX))).await;
        AWAKE.end();
        Ok(Outcome::Done)
    }
}

/// The registration of [`Sleep`].
pub(crate) const SLEEP: JobRegistration = JobRegistration::of::<Sleep>("bench");

inject! {
    /// Keeps its thread busy for as many milliseconds as its argument says, without yielding.
    pub(crate) struct Spin;
}

#[async_trait]
impl BackgroundJob for Spin {
    const NAME: &'static str = "bench.spin";
    type Args = u128;

    async fn execute(&self, millis: u128, _: &JobRunnableContext) -> JobResult {
        AWAKE.begin();
        let began = Instant::now();
        while began.elapsed().as_millis() < millis {
            std::hint::spin_loop();
        }
        AWAKE.end();
        Ok(Outcome::Done)
    }
}

/// The registration of [`Spin`].
pub(crate) const SPIN: JobRegistration = JobRegistration::of::<Spin>("bench");

/// Counts the jobs of this process.
pub(crate) static AWAKE: Awake = Awake {
    now: AtomicUsize::new(0),
    most: AtomicUsize::new(0),
    done: AtomicUsize::new(0),
    ended: Notify::const_new(),
};

/// Jobs that are between their beginning and their end.
pub(crate) struct Awake {
    now: AtomicUsize,
    most: AtomicUsize,
    done: AtomicUsize,
    ended: Notify,
}

impl Awake {
    fn begin(&self) {
        let now = self.now.fetch_add(1, Ordering::AcqRel) + 1;
        self.most.fetch_max(now, Ordering::AcqRel);
    }

    fn end(&self) {
        self.now.fetch_sub(1, Ordering::AcqRel);
        self.done.fetch_add(1, Ordering::AcqRel);
        self.ended.notify_one();
    }

    /// Jobs that are at work now.
    pub(crate) fn now(&self) -> usize {
        self.now.load(Ordering::Acquire)
    }

    pub(crate) fn most_at_once(&self) -> usize {
        self.most.load(Ordering::Acquire)
    }

    pub(crate) fn done(&self) -> usize {
        self.done.load(Ordering::Acquire)
    }

    /// Waits until so many have ended.
    pub(crate) async fn reached(&self, count: usize) {
        loop {
            let ended = self.ended.notified();
            if self.done() >= count {
                return;
            }
            ended.await;
        }
    }
}
