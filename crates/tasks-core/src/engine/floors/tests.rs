//! Floors rise with full claims, and fall for whatever comes in before them.

use chrono::{TimeDelta, TimeZone as _, Utc};
use tasks_abstractions::Timestamp;
use tasks_abstractions::job::Lane;
use tokio::time::advance;

use super::{Floors, LONGEST};

fn second(of: i64) -> Timestamp {
    Utc.timestamp_opt(1_800_000_000, 0).unwrap() + TimeDelta::seconds(of)
}

fn lanes() -> [Lane; 2] {
    [Lane::any_node(), Lane::node("a")]
}

/// Floors after a full claim that took up to rank 5, and of that from second 10 on.
fn raised() -> Floors {
    let floors = Floors::default();
    assert!(
        floors.for_next_claim().is_empty(),
        "the first claim looks everywhere"
    );
    floors.raise(
        &lanes(),
        [(3, second(50)), (5, second(12)), (5, second(10))].into_iter(),
    );
    floors
}

#[tokio::test(start_paused = true)]
async fn a_full_claim_raises_the_floors_of_all_its_lanes() {
    let floors = raised().for_next_claim();
    assert_eq!(
        floors.iter().map(|it| it.lane.clone()).collect::<Vec<_>>(),
        lanes()
    );
    assert!(floors.iter().all(|it| it.rank == 5 && it.due_at == second(10)));
}

#[tokio::test(start_paused = true)]
async fn what_comes_in_before_a_floor_drops_them() {
    for (rank, due_at, drops) in [
        (5, second(9), true),
        (4, second(99), true),
        (5, second(10), false),
        (5, second(99), false),
        (6, second(0), false),
    ] {
        let floors = raised();
        floors.lower(rank, due_at);
        assert_eq!(
            floors.for_next_claim().is_empty(),
            drops,
            "rank {rank} at {due_at}"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn what_comes_in_while_a_claim_is_on_its_way_counts_against_the_floors_that_it_sets() {
    for (due_at, is_set) in [(second(14), false), (second(15), true)] {
        let floors = raised();
        assert!(!floors.for_next_claim().is_empty());
        floors.lower(5, due_at);
        floors.raise(&lanes(), [(5, second(15))].into_iter());
        assert_eq!(!floors.for_next_claim().is_empty(), is_set, "due at {due_at}");
    }
    let floors = raised();
    assert!(!floors.for_next_claim().is_empty());
    floors.drop_all();
    floors.raise(&lanes(), [(5, second(15))].into_iter());
    assert!(floors.for_next_claim().is_empty(), "something came in anywhere");
}

#[tokio::test(start_paused = true)]
async fn one_claim_each_second_looks_everywhere() {
    let floors = raised();
    advance(LONGEST / 2).await;
    assert!(!floors.for_next_claim().is_empty());
    floors.raise(&lanes(), [(5, second(20))].into_iter());
    advance(LONGEST / 2).await;
    assert!(floors.for_next_claim().is_empty());
    floors.raise(&lanes(), [(5, second(30))].into_iter());
    assert!(!floors.for_next_claim().is_empty());
}
