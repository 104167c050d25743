//! Jobs that were written down elsewhere and go on here.

use tasks_abstractions::{JobInfo, JobStatus, JobType};

use super::rows::{TYPES, job, now, sec, show_entry};
use crate::transition::restored_execution;

use JobType::{Once, Period, Persistent};

fn restored(job_type: JobType, edit: impl FnOnce(&mut JobInfo)) -> String {
    let mut job = job(job_type);
    edit(&mut job);
    match restored_execution(&job, now()) {
        Ok(Some(entry)) => show_entry(&entry),
        Ok(None) => "nothing".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn what_waited_waits_until_the_same_time() {
    for job_type in TYPES {
        assert_eq!(
            restored(job_type, |it| it.next_run_time = Some(sec(120))),
            "schedule +2m"
        );
        // A fire that was due long ago is late, and the misfire policy decides about it when it is claimed.
        assert_eq!(
            restored(job_type, |it| it.next_run_time = Some(sec(-7200))),
            "schedule -120m"
        );
    }
}

#[test]
fn a_retry_that_waited_stays_one() {
    let waits = |it: &mut JobInfo| {
        it.status = JobStatus::FailedRetry;
        it.try_count = 3;
        it.next_run_time = Some(sec(300));
    };
    for job_type in TYPES {
        assert_eq!(restored(job_type, waits), "retry +5m #4");
    }
}

#[test]
fn what_ran_runs_again_as_the_same_try() {
    let ran = |it: &mut JobInfo| {
        it.status = JobStatus::Running;
        it.is_running = true;
        it.try_count = 1;
    };
    assert_eq!(restored(Once, ran), "schedule now #2");
    assert_eq!(restored(Persistent, ran), "schedule now #2");
    assert_eq!(restored(Period, ran), "schedule +30m #2");
    let ended = |it: &mut JobInfo| {
        it.status = JobStatus::Running;
        it.end_time = Some(sec(-60));
    };
    assert!(restored(Once, ended).contains("end time"));
}

#[test]
fn what_was_held_done_or_disabled_stays_so() {
    for status in [
        JobStatus::None,
        JobStatus::Completed,
        JobStatus::Paused,
        JobStatus::Stopped,
    ] {
        let held = |it: &mut JobInfo| {
            it.status = status;
            // A run by hand that waited.
            it.next_run_time = Some(sec(0));
        };
        for job_type in TYPES {
            assert_eq!(restored(job_type, held), "nothing", "{status}");
        }
    }
    assert_eq!(restored(Period, |it| it.is_enabled = false), "nothing");
}
