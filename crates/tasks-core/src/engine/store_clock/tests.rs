//! A node's idea of the store's time, while its machine's clock goes wrong and answers take long.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{TimeDelta, TimeZone as _, Utc};
use tasks_abstractions::{Clock, Timestamp};
use tokio::time::{Instant, advance};

use super::StoreClock;
use crate::MemoryStore;

fn noon() -> Timestamp {
    Utc.timestamp_opt(1_800_000_000, 0).unwrap()
}

/// A machine's clock that is what somebody has set it to.
#[derive(Debug)]
struct SetClock(Mutex<Timestamp>);

impl SetClock {
    fn set(&self, to: Timestamp) {
        *self.0.lock().unwrap() = to;
    }
}

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        *self.0.lock().unwrap()
    }

    fn authoritative_now(&self) -> Option<Timestamp> {
        None
    }
}

fn clocks() -> (Arc<SetClock>, StoreClock) {
    let machine = Arc::new(SetClock(Mutex::new(noon())));
    let clock = StoreClock::new(Arc::clone(&machine) as _);
    (machine, clock)
}

const fn ms(of: i64) -> TimeDelta {
    TimeDelta::milliseconds(of)
}

#[tokio::test(start_paused = true)]
async fn before_the_first_answer_it_is_the_machines() {
    let (machine, clock) = clocks();
    machine.set(noon() + ms(7));
    assert_eq!(clock.now(), noon() + ms(7));
    assert_eq!(clock.authoritative_now(), None);
}

#[tokio::test(start_paused = true)]
async fn a_machines_clock_that_is_set_moves_nothing() {
    let (machine, clock) = clocks();
    clock.answered(Instant::now(), noon() + ms(100_000));
    for wrong in [-3_600_000, 0, 8_000] {
        machine.set(noon() + ms(wrong));
        assert_eq!(clock.now(), noon() + ms(100_000));
    }
    advance(Duration::from_millis(2_500)).await;
    assert_eq!(clock.now(), noon() + ms(102_500));
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_does_not_set_it_back() {
    let (_, clock) = clocks();
    clock.answered(Instant::now(), noon());
    let sent = Instant::now();
    advance(Duration::from_millis(900)).await;
    // Read by the store 100 ms after the question; the answer was 800 ms on its way.
    clock.answered(sent, noon() + ms(100));
    assert_eq!(clock.now(), noon() + ms(900));
}

#[tokio::test(start_paused = true)]
async fn a_late_first_answer_makes_it_late_until_the_next() {
    let (_, clock) = clocks();
    let sent = Instant::now();
    advance(Duration::from_millis(900)).await;
    clock.answered(sent, noon());
    assert_eq!(clock.now(), noon(), "never ahead of the store");
    advance(Duration::from_millis(5_000)).await;
    clock.answered(Instant::now(), noon() + ms(5_900));
    assert_eq!(clock.now(), noon() + ms(5_900));
}

#[tokio::test(start_paused = true)]
async fn it_follows_a_store_whose_clock_is_set() {
    let (_, clock) = clocks();
    clock.answered(Instant::now(), noon());
    for set in [3_600_000, -3_600_000] {
        let sent = Instant::now();
        advance(Duration::from_millis(10)).await;
        clock.answered(sent, noon() + ms(set));
        assert_eq!(clock.now(), noon() + ms(set));
    }
}

#[tokio::test(start_paused = true)]
async fn a_store_that_goes_by_a_clock_of_this_process_is_followed_at_once() {
    let (_, clock) = clocks();
    let stores = Arc::new(SetClock(Mutex::new(noon() + ms(1_000))));
    let store = MemoryStore::new(Arc::clone(&stores) as _);
    assert_eq!(clock.ask(&store).await.unwrap(), noon() + ms(1_000));
    for set in [-3_600_000, 3_600_000] {
        stores.set(noon() + ms(set));
        assert_eq!(clock.now(), noon() + ms(set));
    }
}
