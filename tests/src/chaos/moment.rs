//! An instant that programs of one machine agree on, whatever their clocks are told.

use std::time::Duration;

use rustix::time::{ClockId, clock_gettime};
use serde::{Deserialize, Serialize};

/// Monotonic and wall time, both in microseconds. The monotonic one is the same for all processes of a machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Moment {
    /// Since the machine started.
    pub mono: i64,
    /// Since 1970.
    pub wall: i64,
}

impl Moment {
    /// Now.
    #[must_use]
    pub fn now() -> Self {
        Self {
            mono: read(ClockId::Monotonic),
            wall: read(ClockId::Realtime),
        }
    }

    /// This much later.
    #[must_use]
    pub fn plus(self, time: Duration) -> Self {
        let micros = i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
        Self {
            mono: self.mono.saturating_add(micros),
            wall: self.wall.saturating_add(micros),
        }
    }

    /// Time since an earlier moment; zero where it is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_micros(u64::try_from(self.mono - earlier.mono).unwrap_or(0))
    }
}

fn read(clock: ClockId) -> i64 {
    let at = clock_gettime(clock);
    at.tv_sec.saturating_mul(1_000_000) + at.tv_nsec / 1_000
}
