//! The order of faults.

use std::collections::BTreeSet;
use std::time::Duration;

use super::Plan;
use crate::fault::Kind;
use crate::settings::{Pace, Settings};

const KINDS: [Kind; 5] = [Kind::Kill, Kind::Term, Kind::Stop, Kind::Lock, Kind::Full];

fn drawn(seed: u64, count: usize) -> Vec<Kind> {
    let mut plan = Plan::new(seed, KINDS.to_vec());
    (0..count).map_while(|_| plan.next()).collect()
}

#[test]
fn every_kind_comes_before_any_comes_again() {
    for part in drawn(7, 50).chunks(KINDS.len()) {
        let kinds: BTreeSet<Kind> = part.iter().copied().collect();
        assert_eq!(kinds.len(), KINDS.len(), "{part:?}");
    }
}

#[test]
fn the_seed_decides_the_order() {
    assert_eq!(drawn(3, 40), drawn(3, 40));
    assert_ne!(drawn(3, 40), drawn(4, 40));
}

#[test]
fn a_kind_that_cannot_be_now_comes_after_the_others() {
    let mut plan = Plan::new(1, KINDS.to_vec());
    let first = plan.next().unwrap();
    plan.later(first);
    let rest: Vec<Kind> = (0..KINDS.len()).map_while(|_| plan.next()).collect();
    assert_eq!(rest.last(), Some(&first));
}

#[test]
fn there_are_no_faults_of_no_kind() {
    assert_eq!(Plan::new(1, Vec::new()).next(), None);
}

#[test]
fn a_stop_outlasts_the_time_in_which_it_must_be_noticed() {
    let settings = Settings::new(Pace::Quick, Duration::from_secs(60));
    let mut plan = Plan::new(1, KINDS.to_vec());
    for _ in 0..100 {
        assert!(plan.length(Kind::Stop, &settings) >= settings.rescue_bound());
    }
}
