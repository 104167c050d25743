//! A clock that a test moves by hand.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use tasks_abstractions::{Clock, Timestamp, truncate_to_micros};

/// A clock that stands still until a test moves it. Its time is authoritative: stores take it instead of their own.
///
/// It does not move tokio's timers. Use it where steps are called by hand; tests of real loops need paused tokio time.
#[derive(Debug)]
pub struct ManualClock(Mutex<Timestamp>);

impl ManualClock {
    /// Where a new clock stands, in seconds since 1970: 2026-03-01T12:00:00Z.
    pub const START_SECONDS: i64 = 1_772_366_400;

    /// A clock at [`ManualClock::start`].
    #[must_use]
    pub fn new() -> Self {
        Self::at(Self::start())
    }

    /// A clock at this instant, cut to microseconds.
    #[must_use]
    pub fn at(now: Timestamp) -> Self {
        Self(Mutex::new(truncate_to_micros(now)))
    }

    /// 2026-03-01T12:00:00Z.
    #[must_use]
    pub fn start() -> Timestamp {
        DateTime::from_timestamp(Self::START_SECONDS, 0).unwrap_or(DateTime::UNIX_EPOCH)
    }

    /// Moves to this instant, forwards or backwards.
    pub fn set(&self, now: Timestamp) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = truncate_to_micros(now);
    }

    /// Moves forwards and answers the new instant. A duration beyond the calendar moves to its end.
    pub fn advance(&self, by: Duration) -> Timestamp {
        let mut now = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let by = TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX);
        *now = truncate_to_micros(
            now.checked_add_signed(by)
                .unwrap_or(DateTime::<chrono::Utc>::MAX_UTC),
        );
        *now
    }
}

impl Default for ManualClock {
    fn default() -> Self {
        Self::new()
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn authoritative_now(&self) -> Option<Timestamp> {
        Some(self.now())
    }
}

#[cfg(test)]
mod tests;
