//! The store of a scheduler case: any store, with switches for its faults, called while paused time stands still.

mod queue;
mod store;
#[cfg(test)]
mod tests;

use std::fmt;
use std::panic::resume_unwind;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::thread;

use tasks_abstractions::store::StoreErrorKind;
use tasks_abstractions::{Clock, StoreError};
use tokio::runtime::{Builder, Runtime};

use crate::store_suite::FullStore;
use crate::{ManualClock, PausedClock};

/// Where databases are talked to: its time is real, so that timeouts of connections mean what they say.
static OUTSIDE: LazyLock<Runtime> = LazyLock::new(|| {
    Builder::new_multi_thread()
        .worker_threads(1)
        .thread_name("outside-paused-time")
        .enable_all()
        .build()
        .expect("a second runtime")
});

/// Carries out `work` on a runtime in real time and blocks this thread until it is done. On the only thread of a runtime with paused time, no
/// virtual time passes meanwhile: that advances when the runtime has nothing to do, and now it is not asked.
///
/// # Panics
/// With the panic of `work`.
pub fn while_time_stands<T: Send>(work: impl Future<Output = T> + Send) -> T {
    // A thread of its own, because one that belongs to a runtime may not wait for another runtime; scoped, because calls borrow their arguments.
    thread::scope(|scope| {
        let done = scope.spawn(|| OUTSIDE.block_on(work)).join();
        done.unwrap_or_else(|panic| resume_unwind(panic))
    })
}

/// The store of a scheduler case, with the same switches before every backend.
///
/// Its clock is the paused one. A store in memory is called directly; one in a database with [`while_time_stands`], so that each call takes no
/// virtual time and is whole before anything else happens.
pub struct SuiteStore {
    inner: Arc<dyn FullStore>,
    clock: PausedClock,
    /// The clock of a store in a database, which cannot read a paused one from its own runtime. Absent where the store is called directly.
    outside: Option<Arc<ManualClock>>,
    faults: Mutex<Faults>,
}

#[derive(Debug, Default)]
struct Faults {
    is_away: bool,
    failing: Option<(usize, StoreErrorKind)>,
    calls: usize,
}

impl SuiteStore {
    /// A store whose methods never wait for anything, such as one in memory. `clock` is its clock as well.
    #[must_use]
    pub fn direct(inner: Arc<dyn FullStore>, clock: PausedClock) -> Self {
        Self {
            inner,
            clock,
            outside: None,
            faults: Mutex::default(),
        }
    }

    /// Opens a store that waits for a database. `connect` runs in real time and gets the clock that the store must have.
    ///
    /// # Panics
    /// With the panic of `connect`.
    pub fn outside<F>(clock: PausedClock, connect: impl FnOnce(Arc<dyn Clock>) -> F) -> Self
    where
        F: Future<Output = Arc<dyn FullStore>> + Send,
    {
        let outside = Arc::new(ManualClock::at(clock.now()));
        Self {
            inner: while_time_stands(connect(Arc::clone(&outside) as _)),
            clock,
            outside: Some(outside),
            faults: Mutex::default(),
        }
    }

    /// Takes the store away (`false`) or brings it back: meanwhile every method answers with kind `Unavailable` and does nothing.
    pub fn set_available(&self, is_available: bool) {
        self.faults().is_away = !is_available;
    }

    /// Lets the next `calls` method calls fail with `kind`, without doing anything. Replaces what an earlier call of it left.
    pub fn fail_next(&self, calls: usize, kind: StoreErrorKind) {
        self.faults().failing = Some((calls, kind));
    }

    /// How many calls reached the store so far.
    #[must_use]
    pub fn calls(&self) -> usize {
        self.faults().calls
    }

    fn faults(&self) -> MutexGuard<'_, Faults> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One method call, unless a fault is before it.
    async fn call<T: Send>(
        &self,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        self.faults().before()?;
        match &self.outside {
            Some(clock) => {
                clock.set(self.clock.now());
                while_time_stands(call)
            }
            None => call.await,
        }
    }
}

impl Faults {
    fn before(&mut self) -> Result<(), StoreError> {
        if self.is_away {
            let message = "the store is switched off; try again later";
            return Err(StoreError::new(StoreErrorKind::Unavailable, message));
        }
        match &mut self.failing {
            Some((left, kind)) if *left > 0 => {
                *left -= 1;
                Err(StoreError::new(*kind, "the call was made to fail by `fail_next`"))
            }
            _ => {
                self.calls += 1;
                Ok(())
            }
        }
    }
}

impl fmt::Debug for SuiteStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SuiteStore")
            .field("inner", &self.inner)
            .field("faults", &self.faults())
            .finish_non_exhaustive()
    }
}
