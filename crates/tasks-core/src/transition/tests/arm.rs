//! First and next executions.

use std::time::Duration;

use tasks_abstractions::job::Lane;
use tasks_abstractions::run::{After, RunInfo, RunKind};
use tasks_abstractions::{JobInfo, JobPriority, JobType, Timestamp};

use super::rows::{TYPES, at, job, now, run, sec, show_entry};
use crate::transition::{ScheduleError, check_schedule, first_execution, next_execution};

use JobType::{Once, Period, Persistent};

fn with(job_type: JobType, edit: impl FnOnce(&mut JobInfo)) -> JobInfo {
    let mut job = job(job_type);
    edit(&mut job);
    job
}

fn first(job: &JobInfo) -> String {
    match first_execution(job, now()) {
        Ok(entry) => show_entry(&entry),
        Err(error) => error.to_string(),
    }
}

fn next(job: &JobInfo, run: &RunInfo, now: Timestamp) -> Timestamp {
    next_execution(job, run, now).unwrap().due_at
}

fn plain() -> RunInfo {
    run(RunKind::Schedule, After::Settle)
}

#[test]
fn the_first_execution_is_now_or_at_the_next_fire() {
    assert_eq!(first(&job(Once)), "schedule now");
    assert_eq!(first(&job(Period)), "schedule +30m");
    assert_eq!(first(&job(Persistent)), "schedule now");
}

#[test]
fn the_first_execution_waits_for_the_begin_time() {
    for job_type in TYPES {
        assert_eq!(
            first(&with(job_type, |it| it.begin_time = sec(90 * 60))),
            "schedule +90m"
        );
    }
    assert_eq!(first(&with(Once, |it| it.begin_time = sec(91))), "schedule +91s");
    assert_eq!(
        first(&with(Persistent, |it| it.begin_time = sec(91))),
        "schedule +91s"
    );
}

#[test]
fn a_begin_time_that_is_a_fire_counts() {
    let fire = at("2026-03-11T09:00:00Z");
    let daily = with(Period, |it| {
        (it.cron, it.begin_time) = (Some("0 0 9 * * ?".to_owned()), fire)
    });
    assert_eq!(first_execution(&daily, now()).unwrap().due_at, fire);
    let later = with(Period, |it| {
        (it.cron, it.begin_time) = (Some("0 0 9 * * ?".to_owned()), fire + Duration::from_micros(1));
    });
    assert_eq!(
        first_execution(&later, now()).unwrap().due_at,
        at("2026-03-12T09:00:00Z")
    );
}

#[test]
fn a_fire_at_the_present_instant_is_over() {
    let fire = at("2026-03-10T13:00:00Z");
    let job = with(Period, |it| it.begin_time = fire);
    assert_eq!(
        first_execution(&job, fire).unwrap().due_at,
        at("2026-03-10T14:00:00Z")
    );
}

#[test]
fn cron_is_read_in_the_zone_of_the_job() {
    let tokyo = with(Period, |it| {
        (it.cron, it.time_zone) = (Some("0 0 9 * * ?".to_owned()), Some("Asia/Tokyo".to_owned()));
    });
    assert_eq!(
        first_execution(&tokyo, now()).unwrap().due_at,
        at("2026-03-11T00:00:00Z")
    );
}

#[test]
fn the_end_time_is_the_last_instant_of_a_run() {
    for job_type in [Once, Persistent] {
        assert_eq!(
            first(&with(job_type, |it| it.end_time = Some(now()))),
            "schedule now"
        );
        let over = with(job_type, |it| it.end_time = Some(sec(-1)));
        assert_eq!(
            first_execution(&over, now()),
            Err(ScheduleError::Expired(sec(-1)))
        );
    }
    assert_eq!(
        first(&with(Period, |it| it.end_time = Some(sec(1_800)))),
        "schedule +30m"
    );
    let before_the_fire = with(Period, |it| it.end_time = Some(sec(1_799)));
    assert_eq!(
        first_execution(&before_the_fire, now()),
        Err(ScheduleError::Expired(sec(1_799)))
    );
    assert_eq!(
        next_execution(&before_the_fire, &plain(), now()),
        Err(ScheduleError::Expired(sec(1_799)))
    );
}

#[test]
fn a_repeating_job_that_ran_as_often_as_it_may_has_no_execution() {
    for job_type in [Period, Persistent] {
        for (ran, is_left) in [(3, true), (4, false), (5, false)] {
            let job = with(job_type, |it| (it.trigger_count, it.max_count) = (ran, 4));
            let exhausted = Err(ScheduleError::Exhausted(4));
            assert_eq!(
                first_execution(&job, now()) != exhausted,
                is_left,
                "{job_type} after {ran}"
            );
            assert_eq!(
                next_execution(&job, &plain(), now()) != exhausted,
                is_left,
                "{job_type} after {ran}"
            );
        }
    }
    let once = with(Once, |it| (it.trigger_count, it.max_count) = (9, 4));
    assert_eq!(
        first(&once),
        "schedule now",
        "max_count says nothing about a Once job"
    );
}

#[test]
fn a_cron_that_never_fires_again_says_so() {
    let past = with(Period, |it| it.cron = Some("0 0 0 1 1 ? 2020".to_owned()));
    let error = first_execution(&past, now()).unwrap_err();
    assert_eq!(error, ScheduleError::NeverFires("0 0 0 1 1 ? 2020".to_owned()));
    assert_eq!(
        error.to_string(),
        "the cron expression `0 0 0 1 1 ? 2020` never fires again; change it first"
    );
}

#[test]
fn a_cron_that_cannot_be_read_is_found_before_it_is_stored() {
    let bad = with(Period, |it| it.cron = Some("every day".to_owned()));
    assert_eq!(check_schedule(&bad).unwrap_err().faults()[0].field, "cron");
    assert!(matches!(
        first_execution(&bad, now()),
        Err(ScheduleError::Invalid(_))
    ));
    let zone = with(Period, |it| it.time_zone = Some("Mars/Olympus".to_owned()));
    assert!(check_schedule(&zone).is_err());
    for job_type in TYPES {
        assert!(check_schedule(&job(job_type)).is_ok());
    }
}

#[test]
fn a_persistent_job_counts_its_interval_from_the_end_of_the_run() {
    assert_eq!(next(&job(Persistent), &plain(), sec(5_000)), sec(5_600));
    let early = with(Persistent, |it| it.begin_time = sec(86_400));
    assert_eq!(
        next(&early, &plain(), now()),
        sec(86_400),
        "not before its begin time"
    );
    let short = with(Persistent, |it| it.interval = Duration::from_millis(500));
    assert_eq!(next(&short, &plain(), now()), now() + Duration::from_millis(500));
}

#[test]
fn a_period_job_that_was_triggered_early_waits_for_its_begin_time() {
    let early = with(Period, |it| it.begin_time = at("2026-03-20T09:00:00Z"));
    let triggered = run(RunKind::Trigger, After::Settle);
    assert_eq!(next(&early, &triggered, now()), at("2026-03-20T09:00:00Z"));
}

#[test]
fn a_clock_behind_the_due_time_does_not_fire_twice() {
    let mut run = plain();
    run.entry.due_at = at("2026-03-10T13:00:00Z");
    let behind = at("2026-03-10T12:59:58Z");
    assert_eq!(next(&job(Period), &run, behind), at("2026-03-10T14:00:00Z"));
}

#[test]
fn an_execution_has_the_jobs_lane_rank_and_next_attempt() {
    for job_type in TYPES {
        let job = with(job_type, |it| {
            (it.node_name, it.priority, it.try_count) = (Some("a".to_owned()), JobPriority::High, 4);
        });
        let entry = first_execution(&job, now()).unwrap();
        assert_eq!((entry.lane, entry.rank, entry.attempt), (Lane::node("a"), 0, 5));
    }
}
