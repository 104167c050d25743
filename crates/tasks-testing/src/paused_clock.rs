//! A clock that moves with tokio's paused time.

use chrono::{DateTime, TimeDelta};
use tasks_abstractions::{Clock, Timestamp, truncate_to_micros};
use tokio::time::Instant;

/// Wall clock and timers in one: its time is a fixed start plus what tokio's clock says has passed.
///
/// Under `#[tokio::test(start_paused = true)]` "due at nine" and "sleep until nine" then agree, and a day takes no time. Its time is
/// authoritative: stores take it instead of their own. Do not await a real database under it: paused time jumps to the next timer whenever the
/// runtime is idle, so a pool's timeout fires at once. [`SuiteStore`](crate::scheduler_suite::SuiteStore) calls one while time stands still.
#[derive(Debug, Clone)]
pub struct PausedClock {
    base: Timestamp,
    origin: Instant,
}

impl PausedClock {
    /// Where a new clock stands, in seconds since 1970: 2026-03-01T12:00:00Z.
    pub const START_SECONDS: i64 = 1_772_366_400;

    /// A clock that stands at 2026-03-01T12:00:00Z now.
    #[must_use]
    pub fn new() -> Self {
        let start = DateTime::from_timestamp(Self::START_SECONDS, 0);
        Self::at(start.unwrap_or(DateTime::UNIX_EPOCH))
    }

    /// A clock that stands at `base` now.
    #[must_use]
    pub fn at(base: Timestamp) -> Self {
        Self {
            base: truncate_to_micros(base),
            origin: Instant::now(),
        }
    }
}

impl Default for PausedClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for PausedClock {
    fn now(&self) -> Timestamp {
        let passed = TimeDelta::from_std(self.origin.elapsed()).unwrap_or(TimeDelta::MAX);
        let now = self.base.checked_add_signed(passed);
        truncate_to_micros(now.unwrap_or(Timestamp::MAX_UTC))
    }

    fn authoritative_now(&self) -> Option<Timestamp> {
        Some(self.now())
    }
}
