//! What this process has seen of the demo: for the bar, the worker's reports and the figures at the end.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use indicatif::{ProgressBar, ProgressStyle};
use tasks_abstractions::{BackgroundJob as _, Clock, JobEvent, JobEventData, RunOutcome};

use super::checksum::Checksum;
use crate::output;

/// Counts runs as they end.
pub(super) struct Board {
    clock: Arc<dyn Clock>,
    began: Instant,
    total: AtomicU64,
    already: AtomicU64,
    finished: AtomicU64,
    retries: AtomicU64,
    /// Milliseconds from `began` to the last file.
    last_at: AtomicU64,
    /// From due to started, of files, in microseconds: 4 bytes a file.
    waits: Mutex<Vec<u32>>,
    bar: Mutex<Option<ProgressBar>>,
}

impl Board {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            began: Instant::now(),
            total: AtomicU64::new(0),
            already: AtomicU64::new(0),
            finished: AtomicU64::new(0),
            retries: AtomicU64::new(0),
            last_at: AtomicU64::new(0),
            waits: Mutex::default(),
            bar: Mutex::default(),
        }
    }

    /// Shows a bar of so many files, where a bar can be shown.
    pub(super) fn begin(&self, total: usize, already: usize) {
        self.total.store(total as u64, Ordering::Relaxed);
        // Some of those that are done already were done here while the files were listed.
        let before = (already as u64).saturating_sub(self.finished());
        self.already.store(before, Ordering::Relaxed);
        if !output::is_terminal() {
            return;
        }
        let bar = ProgressBar::new(total as u64);
        let template = "{bar:40} {pos}/{len} files {msg}";
        bar.set_style(
            ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()),
        );
        output::show(Some(bar.clone()));
        *self.bar.lock().unwrap_or_else(PoisonError::into_inner) = Some(bar);
    }

    /// Moves the bar.
    pub(super) fn tick(&self) {
        if let Some(bar) = &*self.bar.lock().unwrap_or_else(PoisonError::into_inner) {
            bar.set_position(self.position());
        }
    }

    /// One report of the worker: beside the bar, or as a line.
    pub(super) fn report(&self) {
        let text = format!("{:.0} a second", self.throughput());
        let bar = self.bar.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(bar) = bar {
            bar.set_message(text);
        } else {
            let total = match self.total.load(Ordering::Relaxed) {
                0 => "(still listing) ".to_owned(),
                total => format!("of {total} "),
            };
            output::error(&format!("progress: {} {total}files, {text}", self.position()));
        }
    }

    fn position(&self) -> u64 {
        let position = self.already.load(Ordering::Relaxed) + self.finished();
        let total = self.total.load(Ordering::Relaxed);
        // Files of another directory in the same database are read too.
        if total > 0 { position.min(total) } else { position }
    }

    /// Files that were settled here.
    pub(super) fn finished(&self) -> u64 {
        self.finished.load(Ordering::Relaxed)
    }

    /// Runs here that were not the first try.
    pub(super) fn retries(&self) -> u64 {
        self.retries.load(Ordering::Relaxed)
    }

    /// Files a second, until the last one.
    pub(super) fn throughput(&self) -> f64 {
        let millis = self.last_at.load(Ordering::Relaxed).max(1);
        self.finished() as f64 * 1_000.0 / millis as f64
    }

    /// The wait from due to started that this share of the files did not exceed.
    pub(super) fn wait(&self, share: f64) -> Duration {
        let mut waits = self.waits.lock().unwrap_or_else(PoisonError::into_inner).clone();
        waits.sort_unstable();
        percentile(&waits, share)
    }
}

/// The value at this share of sorted microseconds; nothing of nothing.
fn percentile(sorted: &[u32], share: f64) -> Duration {
    let last = sorted.len().saturating_sub(1);
    let at = (last as f64 * share).round() as usize;
    let micros = sorted.get(at.min(last)).copied().unwrap_or(0);
    Duration::from_micros(u64::from(micros))
}

#[async_trait]
impl JobEvent for Board {
    async fn after(&self, data: &JobEventData) {
        if data.run.entry.attempt > 1 {
            self.retries.fetch_add(1, Ordering::Relaxed);
        }
        if data.job.type_name != Checksum::NAME {
            return;
        }
        let since_due = (self.clock.now() - data.run.entry.due_at)
            .to_std()
            .unwrap_or_default();
        let wait = since_due.saturating_sub(data.duration);
        let micros = u32::try_from(wait.as_micros()).unwrap_or(u32::MAX);
        self.waits
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(micros);
        if matches!(data.outcome, RunOutcome::Succeeded | RunOutcome::Cancelled) {
            self.finished.fetch_add(1, Ordering::Relaxed);
            let at = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
            self.last_at.fetch_max(at, Ordering::Relaxed);
        }
    }
}

impl fmt::Debug for Board {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Board")
            .field("total", &self.total)
            .field("finished", &self.finished)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
