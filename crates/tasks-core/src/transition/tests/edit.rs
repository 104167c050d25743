//! Edited definitions.

use std::time::Duration;

use tasks_abstractions::job::Lane;
use tasks_abstractions::run::{After, JobSnapshot, QueueEntry, RunInfo, RunKind};
use tasks_abstractions::{JobInfo, JobPriority, JobStatus, JobType};

use super::rows::{TYPES, entry, job, now, run, sec, show_decision, snapshot, suspect};
use crate::transition::{is_schedule_changed, replace_definition};

use JobType::{Once, Period, Persistent};

fn waiting(job_type: JobType) -> JobSnapshot {
    snapshot(job(job_type), Some(entry(RunKind::Schedule, sec(1_200))), None)
}

fn running(job_type: JobType, after: After) -> JobSnapshot {
    snapshot(job(job_type), None, Some(run(RunKind::Schedule, after)))
}

fn held(status: JobStatus, waiting: Option<QueueEntry>, run: Option<RunInfo>) -> JobSnapshot {
    let mut job = job(Period);
    job.status = status;
    snapshot(job, waiting, run)
}

/// What becomes of `it` when its definition is replaced by its own with a change.
fn edited(it: &JobSnapshot, edit: impl FnOnce(&mut JobInfo)) -> String {
    let mut new = it.job.clone();
    edit(&mut new);
    show_decision(it, &replace_definition(it, &new, now()))
}

fn other_schedule(job: &mut JobInfo) {
    match job.job_type {
        Once => job.begin_time = sec(3_600),
        Period => job.cron = Some("0 0/20 * * * ?".to_owned()),
        Persistent => job.interval = Duration::from_secs(60),
    }
}

#[test]
fn the_same_definition_changes_nothing() {
    for job_type in TYPES {
        assert_eq!(edited(&waiting(job_type), |_| {}), "–");
        assert_eq!(edited(&running(job_type, After::RunAgain), |_| {}), "–");
    }
}

#[test]
fn fields_that_a_definition_does_not_have_are_not_replaced() {
    let it = waiting(Once);
    let result = edited(&it, |new| {
        (new.status, new.is_running, new.is_abandoned) = (JobStatus::Completed, true, true);
        (new.trigger_count, new.try_count) = (9, 9);
        (new.interruptions, new.suspect_interruptions) = (9, 9);
        (new.version, new.creation_time) = (99, sec(5));
        (new.last_run_time, new.next_run_time, new.result) = (None, None, Some("x".to_owned()));
    });
    assert_eq!(result, "–");
}

#[test]
fn only_a_changed_schedule_arms_anew() {
    for job_type in TYPES {
        let it = waiting(job_type);
        let kept = "Active, schedule +20m";
        assert_eq!(
            edited(&it, |new| new.description = Some("other".to_owned())),
            kept
        );
        assert_eq!(edited(&it, |new| new.max_try_count = 2), kept);
        assert_eq!(
            edited(&it, |new| new.timeout = Some(Duration::from_secs(1))),
            kept
        );
    }
    assert_eq!(edited(&waiting(Once), other_schedule), "Active, schedule +60m");
    assert_eq!(edited(&waiting(Period), other_schedule), "Active, schedule +10m");
    assert_eq!(
        edited(&waiting(Persistent), other_schedule),
        "Active, schedule now"
    );
}

#[test]
fn a_job_that_lost_its_execution_is_armed_by_any_edit() {
    let it = snapshot(job(Period), None, None);
    assert_eq!(edited(&it, |new| new.max_try_count = 2), "Active, schedule +30m");
}

#[test]
fn settings_of_another_type_are_no_change_of_schedule() {
    let changed = |job_type, edit: fn(&mut JobInfo)| {
        let old = job(job_type);
        let mut new = old.clone();
        edit(&mut new);
        is_schedule_changed(&old, &new)
    };
    type Edit = fn(&mut JobInfo);
    let table: [(&str, Edit, [bool; 3]); 9] = [
        ("nothing", |_| {}, [false, false, false]),
        ("begin time", |it| it.begin_time = sec(1), [true, true, true]),
        ("end time", |it| it.end_time = Some(sec(1)), [true, true, true]),
        ("max count", |it| it.max_count = 7, [false, true, true]),
        (
            "interval",
            |it| it.interval = Duration::from_secs(7),
            [false, false, true],
        ),
        (
            "cron",
            |it| it.cron = Some("0 * * * * ?".to_owned()),
            [false, true, false],
        ),
        (
            "time zone",
            |it| it.time_zone = Some("Asia/Tokyo".to_owned()),
            [false, true, false],
        ),
        ("retry policy", |it| it.retry_policy = None, [false, false, false]),
        (
            "priority",
            |it| it.priority = JobPriority::High,
            [false, false, false],
        ),
    ];
    for (field, edit, expected) in table {
        assert_eq!(TYPES.map(|it| changed(it, edit)), expected, "{field}");
    }
    for (from, to) in [(Once, Period), (Period, Persistent), (Persistent, Once)] {
        assert!(is_schedule_changed(&job(from), &job(to)));
    }
}

#[test]
fn node_and_priority_move_what_waits() {
    let it = snapshot(
        job(Once),
        Some(QueueEntry {
            attempt: 3,
            ..entry(RunKind::Retry, sec(90))
        }),
        None,
    );
    assert_eq!(
        edited(&it, |new| new.node_name = Some("b".to_owned())),
        "Active, retry +90s #3 in node:b"
    );
    assert_eq!(
        edited(&it, |new| new.priority = JobPriority::Low),
        "Active, retry +90s #3 rank 20"
    );
    let mut of_suspect = it;
    of_suspect.waiting.as_mut().unwrap().lane = Lane::any_node().suspect();
    assert_eq!(
        edited(&of_suspect, |new| new.node_name = Some("b".to_owned())),
        "Active, retry +90s #3 in suspect/node:b"
    );
    let mut of_type = waiting(Once);
    of_type.waiting.as_mut().unwrap().lane = Lane::unknown_type(None, "test.job");
    assert_eq!(
        edited(&of_type, |new| new.type_name = "other.job".to_owned()),
        "Active, schedule +20m"
    );
}

#[test]
fn a_schedule_edited_during_a_run_is_armed_after_it() {
    for job_type in TYPES {
        for after in [After::Settle, After::RunAgain, After::Arm, After::ArmUnlessDone] {
            assert_eq!(
                edited(&running(job_type, after), other_schedule),
                "Active, running after 2"
            );
        }
        let other = |new: &mut JobInfo| new.description = Some("other".to_owned());
        assert_eq!(
            edited(&running(job_type, After::RunAgain), other),
            "Active, running after 1"
        );
        assert_eq!(
            edited(&running(job_type, After::ArmUnlessDone), other),
            "Active, running after 3"
        );
    }
    // Nothing of this says when a Once job fires, so its success is not repeated.
    assert_eq!(
        edited(&running(Once, After::Settle), |new| new.max_count = 3),
        "Active, running after 0"
    );
}

#[test]
fn a_schedule_edited_while_the_job_is_held_is_remembered_by_its_run() {
    for status in [JobStatus::Paused, JobStatus::Stopped] {
        let it = held(status, None, Some(run(RunKind::Schedule, After::Settle)));
        assert_eq!(edited(&it, other_schedule), format!("{status}, running after 2"));
        assert_eq!(
            edited(&it, |new| new.max_try_count = 2),
            format!("{status}, running after 0")
        );
    }
}

#[test]
fn a_held_job_is_not_armed_by_an_edit() {
    for status in [
        JobStatus::Paused,
        JobStatus::Stopped,
        JobStatus::Completed,
        JobStatus::None,
    ] {
        assert_eq!(
            edited(&held(status, None, None), other_schedule),
            status.to_string()
        );
        let manual = held(status, Some(entry(RunKind::Manual, sec(-5))), None);
        assert_eq!(edited(&manual, other_schedule), format!("{status}, manual -5s"));
        assert_eq!(
            edited(&manual, |new| new.node_name = Some("b".to_owned())),
            format!("{status}, manual -5s in node:b")
        );
        assert_eq!(
            edited(&manual, |new| new.is_enabled = false),
            format!("{status} disabled")
        );
    }
}

#[test]
fn an_edit_that_disables_is_the_command_disable() {
    for job_type in TYPES {
        assert_eq!(
            edited(&waiting(job_type), |new| new.is_enabled = false),
            "Active disabled"
        );
        for after in [After::Settle, After::RunAgain, After::ArmUnlessDone] {
            assert_eq!(
                edited(&running(job_type, after), |new| new.is_enabled = false),
                "Active disabled, running after 0 cancel Disabled"
            );
        }
    }
    let manual = held(
        JobStatus::Paused,
        None,
        Some(run(RunKind::Manual, After::RunAgain)),
    );
    assert_eq!(
        edited(&manual, |new| new.is_enabled = false),
        "Paused disabled, running after 0"
    );
}

#[test]
fn an_edit_that_enables_is_the_command_enable() {
    let disabled = |run: Option<RunInfo>, status| {
        let mut job = job(Once);
        (job.is_enabled, job.status) = (false, status);
        snapshot(job, None, run)
    };
    let enable = |new: &mut JobInfo| new.is_enabled = true;
    assert_eq!(
        edited(&disabled(None, JobStatus::Queuing), enable),
        "Active, schedule now"
    );
    assert_eq!(edited(&disabled(None, JobStatus::Paused), enable), "Paused");
    let it = disabled(Some(run(RunKind::Schedule, After::Settle)), JobStatus::Queuing);
    assert_eq!(edited(&it, enable), "Active, running after 3");
    let both = |new: &mut JobInfo| (new.is_enabled, new.begin_time) = (true, sec(60));
    assert_eq!(edited(&it, both), "Active, running after 2");
    let it = disabled(Some(run(RunKind::Schedule, After::Arm)), JobStatus::Queuing);
    assert_eq!(edited(&it, enable), "Active, running after 2");
}

#[test]
fn an_edit_that_leaves_nothing_to_run_completes() {
    assert_eq!(
        edited(&waiting(Period), |new| new.end_time = Some(sec(60))),
        "Completed"
    );
    let mut ran = waiting(Persistent);
    ran.job.trigger_count = 3;
    assert_eq!(edited(&ran, |new| new.max_count = 3), "Completed");
    assert_eq!(edited(&ran, |new| new.max_count = 4), "Active, schedule now");
}

#[test]
fn an_edit_of_the_type_arms_the_new_one() {
    let to = |job_type| {
        move |new: &mut JobInfo| {
            let other = job(job_type);
            (new.job_type, new.cron, new.interval) = (job_type, other.cron, other.interval);
        }
    };
    assert_eq!(edited(&waiting(Persistent), to(Period)), "Active, schedule +30m");
    assert_eq!(edited(&waiting(Period), to(Persistent)), "Active, schedule now");
    assert_eq!(
        edited(&running(Persistent, After::Settle), to(Period)),
        "Active, running after 2"
    );
}

#[test]
fn an_edited_schedule_of_a_waiting_suspect_begins_in_its_own_lane() {
    let it = waiting(Period);
    let entry = suspect(run(RunKind::Schedule, After::Settle)).entry;
    let it = snapshot(it.job, Some(entry), None);
    assert_eq!(edited(&it, other_schedule), "Active, schedule +10m");
}
