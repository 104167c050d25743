//! Missed fires: what runs, and in which order, when the node was away.

use std::time::Duration;

use chrono::TimeDelta;
use tasks_abstractions::run::{After, QueueEntry, RunInfo, RunKind};
use tasks_abstractions::{JobInfo, JobType, MisfirePolicy, Timestamp};

use super::rows::{at, job, run};
use crate::transition::next_execution;

const AWAY: [TimeDelta; 3] = [TimeDelta::hours(1), TimeDelta::days(1), TimeDelta::days(365)];

fn cron(expression: &str, misfire_policy: MisfirePolicy) -> JobInfo {
    JobInfo {
        cron: Some(expression.to_owned()),
        misfire_policy,
        ..job(JobType::Period)
    }
}

fn all(max: u32) -> MisfirePolicy {
    MisfirePolicy::FireAll { max }
}

fn claimed(due_at: Timestamp, claimed_at: Timestamp) -> RunInfo {
    let run = run(RunKind::Schedule, After::Settle);
    RunInfo {
        entry: QueueEntry { due_at, ..run.entry },
        claimed_at,
        ..run
    }
}

/// Runs what is due from `back` on, each run taking `takes`: the due times that ran, and the one that waits then.
fn catch_up(
    job: &JobInfo,
    first: Timestamp,
    back: Timestamp,
    takes: Duration,
) -> (Vec<Timestamp>, Timestamp) {
    let (mut ran, mut due, mut now) = (Vec::new(), first, back);
    while due <= now {
        ran.push(due);
        assert!(ran.len() < 1_000, "catching up does not end");
        let run = claimed(due, now);
        now += takes;
        due = next_execution(job, &run, now).unwrap().due_at;
    }
    (ran, due)
}

const SHORT: Duration = Duration::from_micros(1);

#[test]
fn fire_once_runs_once_and_goes_on_from_now() {
    let first = at("2026-03-10T12:00:00Z");
    for away in AWAY {
        for (expression, gap) in [("0 * * * * ?", 60), ("0 0 * * * ?", 3_600)] {
            let back = first + away + TimeDelta::seconds(10);
            let (ran, next) = catch_up(&cron(expression, MisfirePolicy::FireOnce), first, back, SHORT);
            assert_eq!(ran, [first]);
            assert_eq!(next, first + away + TimeDelta::seconds(gap));
        }
    }
}

#[test]
fn skip_goes_on_from_now() {
    let first = at("2026-03-10T12:00:00Z");
    for away in AWAY {
        let back = first + away + TimeDelta::seconds(10);
        let next = next_execution(
            &cron("0 * * * * ?", MisfirePolicy::Skip),
            &claimed(first, back),
            back,
        );
        assert_eq!(next.unwrap().due_at, first + away + TimeDelta::seconds(60));
    }
}

#[test]
fn fire_all_runs_every_missed_fire_up_to_its_limit() {
    let first = at("2026-03-10T12:00:00Z");
    let back = first + TimeDelta::minutes(5) + TimeDelta::seconds(10);
    let minutes =
        |list: &[i64]| -> Vec<Timestamp> { list.iter().map(|it| first + TimeDelta::minutes(*it)).collect() };
    for (max, expected) in [
        (0, &[0][..]),
        (1, &[0]),
        (2, &[0, 5]),
        (3, &[0, 4, 5]),
        (5, &[0, 2, 3, 4, 5]),
        (6, &[0, 1, 2, 3, 4, 5]),
        (7, &[0, 1, 2, 3, 4, 5]),
        (u32::MAX, &[0, 1, 2, 3, 4, 5]),
    ] {
        let (ran, next) = catch_up(&cron("0 * * * * ?", all(max)), first, back, SHORT);
        assert_eq!(ran, minutes(expected), "at most {max}");
        assert_eq!(next, first + TimeDelta::minutes(6));
    }
}

#[test]
fn fire_all_runs_the_newest_of_more_fires_than_its_limit() {
    for (expression, gap) in [
        ("* * * * * ?", TimeDelta::seconds(1)),
        ("0 * * * * ?", TimeDelta::minutes(1)),
        ("0 0 * * * ?", TimeDelta::hours(1)),
    ] {
        for away in AWAY {
            for max in [1, 2, 10] {
                let first = at("2026-03-10T12:00:00Z");
                let last = first + away;
                let back = last + TimeDelta::milliseconds(500);
                let (ran, next) = catch_up(&cron(expression, all(max)), first, back, SHORT);
                let kept = i32::try_from(max).unwrap() - 1;
                let mut expected = vec![first];
                expected.extend((0..kept).rev().map(|it| last - gap * it).filter(|it| *it > first));
                assert_eq!(ran, expected, "`{expression}`, {away} away, at most {max}");
                assert_eq!(next, last + gap);
            }
        }
    }
}

#[test]
fn fires_in_bursts_are_found_after_a_year_away() {
    // Every second of the first hour of a year, and again a year later.
    let job = cron("* * 0 1 1 ?", all(3));
    let first = at("2026-01-01T00:00:00Z");
    let (ran, next) = catch_up(&job, first, at("2027-06-01T00:00:00Z"), SHORT);
    assert_eq!(
        ran,
        [first, at("2027-01-01T00:59:58Z"), at("2027-01-01T00:59:59Z")]
    );
    assert_eq!(next, at("2028-01-01T00:00:00Z"));
}

#[test]
fn fires_missed_during_a_long_run_that_was_in_time_are_caught_up_with() {
    let first = at("2026-03-10T12:00:00Z");
    let job = cron("0 * * * * ?", all(3));
    let settled = first + TimeDelta::seconds(330);
    let after_it = next_execution(&job, &claimed(first, first), settled)
        .unwrap()
        .due_at;
    let (ran, next) = catch_up(&job, after_it, settled, SHORT);
    let expected = [
        "2026-03-10T12:03:00Z",
        "2026-03-10T12:04:00Z",
        "2026-03-10T12:05:00Z",
    ]
    .map(at);
    assert_eq!(ran, expected);
    assert_eq!(next, at("2026-03-10T12:06:00Z"));
}

#[test]
fn missed_fires_after_the_end_time_do_not_run() {
    let first = at("2026-03-10T12:00:00Z");
    let mut job = cron("0 * * * * ?", all(100));
    job.end_time = Some(at("2026-03-10T12:01:30Z"));
    let back = at("2026-03-10T12:10:10Z");
    let second = next_execution(&job, &claimed(first, back), back).unwrap().due_at;
    assert_eq!(second, at("2026-03-10T12:01:00Z"));
    assert!(next_execution(&job, &claimed(second, back), back).is_err());
}

#[test]
fn fires_before_the_begin_time_were_not_missed() {
    let mut job = cron("0 * * * * ?", all(100));
    job.begin_time = at("2026-03-10T12:08:00Z");
    let triggered = RunInfo {
        entry: QueueEntry {
            kind: RunKind::Trigger,
            ..claimed(at("2026-03-10T12:00:05Z"), at("2026-03-10T12:00:05Z")).entry
        },
        ..claimed(at("2026-03-10T12:00:05Z"), at("2026-03-10T12:00:05Z"))
    };
    let next = next_execution(&job, &triggered, at("2026-03-10T12:10:10Z")).unwrap();
    assert_eq!(next.due_at, at("2026-03-10T12:08:00Z"));
}
