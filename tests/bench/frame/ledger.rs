//! Jobs that do nothing but say that they ran, and the book in which it is written.

use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Instant;

use anyhow::{Result, anyhow, ensure};
use async_trait::async_trait;
use tasks_abstractions::prelude::*;
use tasks_abstractions::{JobEvent, JobRegistration, JobSettled};
use tokio::sync::Notify;

inject! {
    /// Does nothing but being counted.
    pub(crate) struct NoOp;
}

#[async_trait]
impl BackgroundJob for NoOp {
    const NAME: &'static str = "bench.no-op";
    /// Its number, counted from zero.
    type Args = usize;

    async fn execute(&self, number: usize, _: &JobRunnableContext) -> JobResult {
        let ledger = LEDGER.get().ok_or_else(|| JobError::msg("no ledger is open"))?;
        ledger.ran(number);
        Ok(Outcome::Done)
    }
}

/// The registration of [`NoOp`].
pub(crate) const NO_OP: JobRegistration = JobRegistration::of::<NoOp>("bench");

/// Outcomes after which somebody who waits for a number of them looks again.
const STEP: usize = 100;

/// The ledger of this process. Not a service, so that a run costs what a run without services costs.
static LEDGER: OnceLock<Arc<Ledger>> = OnceLock::new();

/// How often each job ran, and how many outcomes the store has taken.
#[derive(Debug)]
pub(crate) struct Ledger {
    runs: Box<[AtomicU8]>,
    settled: AtomicUsize,
    target: AtomicUsize,
    reached: Notify,
    /// After every few outcomes.
    step: Notify,
    /// When each tenth of the jobs was settled.
    tenths: Mutex<Vec<Instant>>,
}

impl Ledger {
    /// A ledger without a place in the process: for programs that write into it themselves.
    pub(crate) fn new(jobs: usize) -> Self {
        Self {
            runs: (0..jobs).map(|_| AtomicU8::new(0)).collect(),
            settled: AtomicUsize::new(0),
            target: AtomicUsize::new(jobs),
            reached: Notify::new(),
            step: Notify::new(),
            tenths: Mutex::new(Vec::with_capacity(10)),
        }
    }

    /// Opens the one ledger of this process, for so many jobs.
    ///
    /// # Errors
    /// Where one was opened before.
    pub(crate) fn open(jobs: usize) -> Result<Arc<Self>> {
        let ledger = Arc::new(Self::new(jobs));
        LEDGER
            .set(Arc::clone(&ledger))
            .map_err(|_| anyhow!("this process has a ledger already"))?;
        Ok(ledger)
    }

    /// Writes one run down.
    pub(crate) fn ran(&self, number: usize) {
        if let Some(runs) = self.runs.get(number) {
            runs.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until the outcomes of all jobs are stored.
    pub(crate) async fn reached(&self) {
        self.reached.notified().await;
    }

    /// Waits until at least so many outcomes are stored.
    pub(crate) async fn at_least(&self, count: usize) {
        loop {
            let step = self.step.notified();
            if self.settled.load(Ordering::Acquire) >= count {
                return;
            }
            step.await;
        }
    }

    /// When each tenth of the jobs was settled.
    pub(crate) fn tenths(&self) -> Vec<Instant> {
        self.tenths.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Every job ran once.
    ///
    /// # Errors
    /// Where one did not run, or ran again.
    pub(crate) fn each_ran_once(&self) -> Result<()> {
        let times = |wanted: fn(u8) -> bool| {
            self.runs
                .iter()
                .filter(|it| wanted(it.load(Ordering::Acquire)))
                .count()
        };
        let (never, again) = (times(|it| it == 0), times(|it| it > 1));
        ensure!(
            never == 0 && again == 0,
            "of {} jobs {never} never ran and {again} ran more than once",
            self.runs.len()
        );
        Ok(())
    }
}

/// The ledger as a listener: a run's outcome counts when the store has it.
#[async_trait]
impl JobEvent for Ledger {
    fn settled(&self, settled: &JobSettled) {
        if !settled.is_applied {
            return;
        }
        let count = self.settled.fetch_add(1, Ordering::AcqRel) + 1;
        let target = self.target.load(Ordering::Acquire);
        if count.is_multiple_of((target / 10).max(1)) {
            self.tenths
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .push(Instant::now());
        }
        if count.is_multiple_of(STEP) {
            self.step.notify_one();
        }
        if count == target {
            self.reached.notify_one();
        }
    }
}
