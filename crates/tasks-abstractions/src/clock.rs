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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// The earlier of the two whole microseconds around it, before 1970 and in a leap second, too.
        #[test]
        fn an_instant_is_cut_to_the_microsecond_before_it(nanos in any::<i64>(), is_leap in any::<bool>()) {
            let at = DateTime::from_timestamp_nanos(nanos);
            let cut = truncate_to_micros(at);
            prop_assert_eq!(cut.timestamp_micros(), nanos.div_euclid(1_000));
            prop_assert_eq!(cut.nanosecond() % 1_000, 0);
            prop_assert_eq!(truncate_to_micros(cut), cut);
            let second = at.timestamp().div_euclid(60) * 60 + 59;
            let within = at.timestamp_subsec_nanos() + if is_leap { 1_000_000_000 } else { 0 };
            let leap = DateTime::from_timestamp(second, within).unwrap();
            let cut = truncate_to_micros(leap);
            prop_assert_eq!((cut.timestamp(), cut.nanosecond()), (second, within / 1_000 * 1_000));
        }
    }
}
