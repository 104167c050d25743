//! The store in memory: all rows in one process, gone with it. Also the readable specification of what a store does.
//!
//! One lock guards everything, so each method is one transaction by construction. What a job's execution is (none, waiting, in flight) is one
//! value of its row (`rows::Execution`): two at once cannot be written down.

mod change;
mod claim;
mod cleanup;
mod faults;
mod finish;
mod indexes;
mod job_queue;
mod job_store;
mod list;
mod locks;
mod logs;
mod nodes;
mod rows;
mod submit;
#[cfg(test)]
mod tests;
mod texts;
mod walk;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tasks_abstractions::store::StoreErrorKind;
use tasks_abstractions::{Clock, StoreError, Timestamp};

use faults::Faults;
use rows::Rows;

/// Keeps jobs, executions, logs, nodes and locks in memory.
///
/// For tests, for examples, and for programs whose work may be lost when they end. It implements [`JobStore`](tasks_abstractions::JobStore),
/// [`JobQueue`](tasks_abstractions::JobQueue) and [`JobLockProvider`](tasks_abstractions::JobLockProvider); share it as one `Arc`. Several engines over
/// one store are several nodes.
///
/// ```
/// # use std::sync::Arc;
/// # use tasks_abstractions::SystemClock;
/// # use tasks_core::memory::MemoryStore;
/// let store = Arc::new(MemoryStore::new(Arc::new(SystemClock)));
/// ```
pub struct MemoryStore {
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    rows: Rows,
    faults: Faults,
}

impl MemoryStore {
    /// An empty store. `clock` is what it takes as "now" where a caller gives none.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            state: Mutex::default(),
        }
    }

    /// Takes the store away (`false`) or brings it back: meanwhile every method answers with kind `Unavailable` and does nothing. For tests of what an
    /// engine does in an outage.
    pub fn set_available(&self, available: bool) {
        self.lock().faults.available = available;
    }

    /// Lets the next `calls` method calls fail with `kind`, without doing anything. For tests. Replaces what an earlier call of
    /// it left.
    pub fn fail_next(&self, calls: usize, kind: StoreErrorKind) {
        self.lock().faults.fail_next(calls, kind);
    }

    /// Lets the next method call that is carried out answer with kind `Unavailable` all the same, as if its reply had been lost. For tests.
    pub fn lose_next_reply(&self) {
        self.lock().faults.lose_reply = true;
    }

    /// The state, also after a panic: nothing is half written then, because code that is not the store's own runs only
    /// before the first write of a step.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One transaction, with the faults that a test asked for.
    fn transaction<T>(&self, step: impl FnOnce(&mut Rows) -> Result<T, StoreError>) -> Result<T, StoreError> {
        let mut state = self.lock();
        state.faults.before()?;
        let answer = step(&mut state.rows)?;
        state.faults.after()?;
        Ok(answer)
    }

    /// The instant that a caller gave, or the clock's.
    fn instant(&self, given: Option<Timestamp>) -> Timestamp {
        given.unwrap_or_else(|| self.clock.now())
    }
}

impl fmt::Debug for MemoryStore {
    /// Sizes only: the rows would flood a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.lock();
        f.debug_struct("MemoryStore")
            .field("jobs", &state.rows.jobs().len())
            .field("runs", &state.rows.runs().len())
            .field("logs", &state.rows.logs.len())
            .finish_non_exhaustive()
    }
}
