//! Where the time comes from.

use std::fmt::Debug;

use chrono::{DateTime, Timelike as _, Utc};

/// An instant in UTC. Everywhere in this system instants are whole microseconds, the finest unit that every supported
/// database keeps.
pub type Timestamp = DateTime<Utc>;

/// Cuts an instant to whole microseconds, so that it is equal to itself after a round trip through any store.
#[must_use]
pub fn truncate_to_micros(at: Timestamp) -> Timestamp {
    let at = at.naive_utc();
    let whole = at.nanosecond() / 1_000 * 1_000;
    // No count of nanoseconds is refused that is less than one which was there.
    at.with_nanosecond(whole).unwrap_or(at).and_utc()
}

/// Tells the time to the engine and its services.
///
/// Nothing else in the system reads the machine's clock, so a test that owns the clock owns the time.
pub trait Clock: Send + Sync + Debug {
    /// The present instant, in whole microseconds.
    fn now(&self) -> Timestamp;

    /// The instant that stores must take as "now", or `None` where the database's own clock decides.
    ///
    /// A production clock answers `None`: due times and leases are then compared by the database's clock alone, so
    /// nodes need no synchronised clocks. A clock for tests answers its own time.
    fn authoritative_now(&self) -> Option<Timestamp>;
}

/// The machine's clock. [`authoritative_now`](Clock::authoritative_now) is `None`: the database decides.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place that reads the machine's clock"
    )]
    fn now(&self) -> Timestamp {
        truncate_to_micros(Utc::now())
    }

    fn authoritative_now(&self) -> Option<Timestamp> {
        None
    }
}
