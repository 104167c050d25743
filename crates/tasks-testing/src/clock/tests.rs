//! The clock stands, moves both ways, and decides for stores.

use std::time::Duration;

use tasks_abstractions::Clock;

use super::ManualClock;

#[test]
fn it_starts_at_noon_of_the_first_of_march() {
    let clock = ManualClock::new();
    assert_eq!(clock.now().to_rfc3339(), "2026-03-01T12:00:00+00:00");
    assert_eq!(clock.authoritative_now(), Some(clock.now()));
}

#[test]
fn it_moves_only_by_hand() {
    let clock = ManualClock::new();
    let later = clock.advance(Duration::from_millis(1_500));
    assert_eq!(
        later - ManualClock::start(),
        chrono::TimeDelta::milliseconds(1_500)
    );
    assert_eq!(clock.now(), later);
    clock.set(ManualClock::start());
    assert_eq!(clock.now(), ManualClock::start());
}

#[test]
fn it_keeps_whole_microseconds() {
    let clock = ManualClock::new();
    let later = clock.advance(Duration::from_nanos(1_999));
    assert_eq!(later - ManualClock::start(), chrono::TimeDelta::microseconds(1));
}
