//! The store's clock, as a node knows it between two answers of the store.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, OnceLock};

use tasks_abstractions::{Clock, JobQueue, StoreError, Timestamp};
use tokio::time::Instant;

/// Stands for "never asked".
const UNKNOWN: i64 = i64::MIN;

/// Tells the store's time to one node: its engine, which computes the next fires, and its managers, which say when a new job is due.
///
/// Where the store [goes by the clock of this process](JobQueue::clock), it is that clock. Else what the store said last is carried on by a monotonic clock, so a machine's clock that is wrong, or is set while the node runs, makes
/// nothing early, late or left out. It is never ahead of the store's clock by more than these two clocks drift apart between two
/// answers, and behind by at most the way of one answer. A machine that was suspended is behind for as long until the store is asked again.
///
/// Until the store is asked for the first time it is the machine's clock. Over a clock that is [authoritative](Clock::authoritative_now), as in
/// tests, it is that clock.
#[derive(Debug)]
pub struct StoreClock {
    machine: Arc<dyn Clock>,
    /// That of a store without one of its own.
    stores: OnceLock<Arc<dyn Clock>>,
    origin: Instant,
    /// The store's time at `origin`, in microseconds since 1970.
    at_origin: AtomicI64,
}

impl StoreClock {
    /// A clock that has not asked the store yet.
    #[must_use]
    pub fn new(machine: Arc<dyn Clock>) -> Self {
        Self {
            machine,
            stores: OnceLock::new(),
            origin: Instant::now(),
            at_origin: AtomicI64::new(UNKNOWN),
        }
    }

    /// Asks the store for its time, and goes by that from now on.
    ///
    /// # Errors
    /// Where the store failed; the clock then goes on as it did.
    pub async fn ask(&self, queue: &dyn JobQueue) -> Result<Timestamp, StoreError> {
        if let Some(clock) = queue.clock() {
            self.stores.get_or_init(|| clock);
        }
        let sent = Instant::now();
        let store_now = queue.now().await?;
        self.answered(sent, store_now);
        Ok(store_now)
    }

    /// Takes the time in an answer of the store to a question that was sent at `sent`.
    pub(super) fn answered(&self, sent: Instant, store_now: Timestamp) {
        let store_now = store_now.timestamp_micros();
        // The store read its clock between question and answer.
        let earliest = store_now.saturating_sub(self.since_origin(Instant::now()));
        let latest = store_now.saturating_sub(self.since_origin(sent));
        let known = self.at_origin.load(Ordering::Relaxed);
        // An answer that was long on its way says less than what is known.
        if !(earliest..=latest).contains(&known) {
            self.at_origin.store(earliest, Ordering::Relaxed);
        }
    }

    fn since_origin(&self, at: Instant) -> i64 {
        let passed = at.saturating_duration_since(self.origin).as_micros();
        i64::try_from(passed).unwrap_or(i64::MAX)
    }
}

impl Clock for StoreClock {
    fn now(&self) -> Timestamp {
        if let Some(now) = self.machine.authoritative_now() {
            return now;
        }
        #[cfg(feature = "chaos-mutants")]
        if crate::mutants::is("machine-clock") {
            return self.machine.now();
        }
        if let Some(clock) = self.stores.get() {
            return clock.now();
        }
        let at_origin = self.at_origin.load(Ordering::Relaxed);
        if at_origin == UNKNOWN {
            return self.machine.now();
        }
        Timestamp::from_timestamp_micros(at_origin.saturating_add(self.since_origin(Instant::now())))
            .unwrap_or_else(|| self.machine.now())
    }

    fn authoritative_now(&self) -> Option<Timestamp> {
        self.machine.authoritative_now()
    }
}

#[cfg(test)]
mod tests;
