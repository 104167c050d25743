//! The clock of a node, which may be wrong.

use std::sync::atomic::{AtomicI64, Ordering};

use chrono::TimeDelta;
use tasks_abstractions::{Clock, SystemClock, Timestamp};

/// The machine's clock, ahead by some milliseconds.
#[derive(Debug)]
pub(crate) struct ShiftedClock {
    ahead: AtomicI64,
}

impl ShiftedClock {
    pub(crate) fn new(ahead: i64) -> Self {
        Self {
            ahead: AtomicI64::new(ahead),
        }
    }

    pub(crate) fn shift(&self, ahead: i64) {
        self.ahead.store(ahead, Ordering::Relaxed);
    }
}

impl Clock for ShiftedClock {
    fn now(&self) -> Timestamp {
        SystemClock.now() + TimeDelta::milliseconds(self.ahead.load(Ordering::Relaxed))
    }

    fn authoritative_now(&self) -> Option<Timestamp> {
        None
    }
}
