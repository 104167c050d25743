//! What a start of a program does to a worker's stored job: hashes, versions, overrides, what is armed.

use std::time::Duration;

use tasks_abstractions::run::{After, JobSnapshot, RunKind};
use tasks_abstractions::store::{Decision, JobChange, WaitingChange};
use tasks_abstractions::{
    DefinitionMark, JobInfo, JobPriority, JobStatus, JobType, MisfirePolicy, RetryPolicy,
};
use uuid::Uuid;

use super::rows::{applied, entry, job, now, run, sec, show_decision, snapshot};
use crate::transition::{changed_by_people, mark_of, redefine, retire};

pub(super) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A worker every ten minutes, as this version of a program defines it now: new ones begin after one period.
pub(super) fn defined(version: &str, change: impl FnOnce(&mut JobInfo)) -> JobInfo {
    let mut job = job(JobType::Persistent);
    (job.max_try_count, job.begin_time) = (0, sec(600));
    change(&mut job);
    job.definition = Some(mark_of(&job, version));
    job
}

pub(super) fn by_cron(job: &mut JobInfo) {
    (job.job_type, job.cron) = (JobType::Period, Some("0 0 * * * ?".to_owned()));
    job.begin_time = now();
}

/// The worker as it was stored by a program of this version, an hour ago, with an execution in five minutes.
pub(super) fn stored(version: &str) -> JobSnapshot {
    let mut job = defined(version, |_| {});
    (job.version, job.begin_time) = (3, sec(-3_600));
    snapshot(job, Some(entry(RunKind::Schedule, sec(300))), None)
}

/// As stored, with what people changed.
pub(super) fn edited(version: &str, edit: impl FnOnce(&mut JobInfo)) -> JobSnapshot {
    let before = stored(version);
    let mut it = before.clone();
    edit(&mut it.job);
    it.job.overrides = changed_by_people(&before.job, &it.job);
    it
}

pub(super) fn changed(decision: Decision) -> JobChange {
    match decision {
        Decision::Change(change) => *change,
        other => panic!("expected a change, got {other:?}"),
    }
}

/// The rows after a start of the program.
pub(super) fn after(it: &JobSnapshot, defined: &JobInfo) -> JobSnapshot {
    applied(it, &changed(redefine(it, defined, now())))
}

pub(super) type Edit = fn(&mut JobInfo);

/// Every field that a definition says, with a change of it.
pub(super) const SAID: [(&str, Edit); 17] = [
    ("name", |it| it.name = "other".to_owned()),
    ("group", |it| it.group = "other".to_owned()),
    ("type_name", |it| it.type_name = "other".to_owned()),
    ("description", |it| it.description = Some("other".to_owned())),
    ("job_type", |it| it.job_type = JobType::Once),
    ("cron", |it| it.cron = Some("0 * * * * ?".to_owned())),
    ("time_zone", |it| it.time_zone = Some("Asia/Tokyo".to_owned())),
    ("interval", |it| it.interval = Duration::from_millis(600_001)),
    ("misfire_policy", |it| it.misfire_policy = MisfirePolicy::Skip),
    ("misfire_policy's number", |it| {
        it.misfire_policy = MisfirePolicy::FireAll { max: 7 }
    }),
    ("max_try_count", |it| it.max_try_count = 9),
    ("max_count", |it| it.max_count = 9),
    ("timeout", |it| it.timeout = Some(secs(9))),
    ("lock_timeout", |it| it.lock_timeout = Some(secs(9))),
    ("retry_policy", |it| {
        it.retry_policy = Some(RetryPolicy::fixed(secs(9)))
    }),
    ("priority", |it| it.priority = JobPriority::High),
    ("node_name", |it| it.node_name = Some("other".to_owned())),
];

#[test]
fn the_hash_is_the_same_for_ever() {
    // Programs of all versions must agree on it: a change of this text writes every worker of every installation anew.
    let hash = mark_of(&defined("1.0.0", |_| {}), "1.0.0").hash;
    assert_eq!(hash.to_string(), "8ade70eb-2cce-59c5-8976-e410f62e28bb");
}

#[test]
fn the_hash_depends_on_every_field_that_a_definition_says() {
    let mut hashes = vec![defined("1.0.0", |_| {}).definition.unwrap().hash];
    for (_, edit) in SAID {
        hashes.push(defined("1.0.0", edit).definition.unwrap().hash);
    }
    hashes.push(
        defined("1.0.0", |it| it.selector = Some("All".to_owned()))
            .definition
            .unwrap()
            .hash,
    );
    let all = hashes.len();
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), all, "two of them are equal");
}

#[test]
fn the_hash_does_not_depend_on_anything_else() {
    let plain = defined("1.0.0", |_| {}).definition.unwrap();
    let other = defined("1.0.0", |it| {
        (it.status, it.is_enabled, it.is_running) = (JobStatus::Paused, false, true);
        (it.trigger_count, it.try_count, it.version) = (7, 8, 9);
        (it.begin_time, it.creation_time, it.end_time) = (sec(1), sec(2), Some(sec(3)));
        it.result = Some("x".to_owned());
    });
    assert_eq!(other.definition.unwrap(), plain);
    assert_eq!(defined("2.0.0", |_| {}).definition.unwrap().hash, plain.hash);
}

#[test]
fn a_long_version_is_cut() {
    let mark = mark_of(&job(JobType::Once), &"ä".repeat(100));
    assert_eq!(mark.version, "ä".repeat(DefinitionMark::MAX_VERSION));
}

#[test]
fn the_same_definition_of_the_same_or_an_older_program_changes_nothing() {
    for version in ["1.1.0", "1.1.0+build.7", "1.0.9", "1.1.0-beta.1"] {
        let decision = redefine(&stored("1.1.0"), &defined(version, |_| {}), now());
        assert_eq!(decision, Decision::Keep, "{version}");
    }
}

#[test]
fn the_same_definition_of_a_newer_program_becomes_that_programs() {
    let it = stored("1.0.0");
    let change = changed(redefine(&it, &defined("1.1.0", |_| {}), now()));
    assert_eq!(
        change.job,
        JobInfo {
            definition: defined("1.1.0", |_| {}).definition,
            ..it.job.clone()
        }
    );
    assert_eq!(change.waiting, WaitingChange::Keep);
    // A program between both, with another definition, comes too late.
    let it = applied(&it, &change);
    let between = defined("1.0.5", |it| it.interval = secs(60));
    assert_eq!(redefine(&it, &between, now()), Decision::Keep);
}

#[test]
fn another_definition_is_written_unless_a_newer_program_wrote_the_stored_one() {
    for (mine, is_written) in [
        ("1.2.0", true),
        ("1.1.0", true),
        ("1.1.0+other", true),
        ("1.0.0", false),
        ("1.1.0-rc.1", false),
        ("0.99.99", false),
        // No version by the rules counts as equal to every other.
        ("today", true),
        ("", true),
    ] {
        let it = stored("1.1.0");
        let decision = redefine(&it, &defined(mine, |it| it.timeout = Some(secs(5))), now());
        assert_eq!(decision != Decision::Keep, is_written, "{mine}");
        if is_written {
            let job = changed(decision).job;
            assert_eq!(job.timeout, Some(secs(5)));
            assert_eq!(job.definition.unwrap().version, mine);
        }
    }
}

#[test]
fn two_versions_side_by_side_do_not_turn_a_definition_to_and_fro() {
    let old = defined("1.0.0", |it| it.interval = secs(60));
    let new = defined("1.1.0", |it| it.interval = secs(120));
    let mut it = stored("0.9.0");
    let mut seen = Vec::new();
    for program in [&old, &new, &old, &new, &old] {
        if let Decision::Change(change) = redefine(&it, program, now()) {
            it = applied(&it, &change);
        }
        seen.push(it.job.interval.as_secs());
    }
    assert_eq!(seen, [60, 120, 120, 120, 120]);
}

#[test]
fn a_job_without_a_mark_takes_the_definition_over() {
    let mut it = stored("1.0.0");
    it.job.definition = None;
    let mine = defined("0.1.0", |it| it.timeout = Some(secs(5)));
    let job = after(&it, &mine).job;
    assert_eq!((job.timeout, job.definition), (Some(secs(5)), mine.definition));
}

#[test]
fn settings_that_no_definition_has_stay() {
    let mut it = stored("1.0.0");
    (it.job.end_time, it.job.failover, it.job.max_interruptions) = (Some(sec(9_000)), true, 7);
    (it.job.trigger_count, it.job.try_count) = (8, 2);
    let job = after(&it, &defined("1.1.0", |it| it.timeout = Some(secs(5)))).job;
    assert_eq!(
        (
            job.end_time,
            job.failover,
            job.max_interruptions,
            job.trigger_count,
            job.try_count
        ),
        (Some(sec(9_000)), true, 7, 8, 2)
    );
}

#[test]
fn only_a_changed_schedule_arms_anew() {
    let it = stored("1.0.0");
    let show = |program: &JobInfo| show_decision(&it, &redefine(&it, program, now()));
    assert_eq!(
        show(&defined("1.1.0", |it| it.max_try_count = 5)),
        "Active, schedule +5m"
    );
    let faster = defined("1.1.0", |it| (it.interval, it.begin_time) = (secs(120), sec(120)));
    assert_eq!(show(&faster), "Active, schedule +2m");
    assert_eq!(show(&defined("1.1.0", by_cron)), "Active, schedule +30m");
    let moved = defined("1.1.0", |it| it.node_name = Some("b".to_owned()));
    assert_eq!(show(&moved), "Active, schedule +5m in node:b");
}

#[test]
fn a_schedule_that_changes_under_a_run_is_armed_after_it() {
    let it = stored("1.0.0");
    let it = snapshot(it.job, None, Some(run(RunKind::Schedule, After::Settle)));
    let decision = redefine(&it, &defined("1.1.0", by_cron), now());
    assert_eq!(show_decision(&it, &decision), "Active, running after 2");
    let decision = redefine(&it, &defined("1.1.0", |it| it.max_try_count = 5), now());
    assert_eq!(show_decision(&it, &decision), "Active, running after 0");
}

#[test]
fn what_lost_its_execution_is_armed_by_any_start() {
    for version in ["0.9.0", "1.0.0", "1.1.0"] {
        for is_same in [true, false] {
            let it = JobSnapshot {
                waiting: None,
                ..stored("1.0.0")
            };
            let it = snapshot(it.job, None, None);
            let program = defined(version, |it| {
                it.timeout = (!is_same).then_some(secs(5));
            });
            let now_there = after(&it, &program);
            assert_eq!(now_there.waiting.unwrap().due_at, now(), "{version}");
            let is_written = now_there.job.definition == program.definition;
            assert_eq!(is_written, version != "0.9.0", "{version}");
        }
    }
}

#[test]
fn a_held_worker_stays_held() {
    for status in [JobStatus::Paused, JobStatus::Stopped] {
        let mut it = stored("1.0.0");
        it.job.status = status;
        let it = snapshot(it.job, None, None);
        let there = after(&it, &defined("1.1.0", by_cron));
        assert_eq!((there.job.status, there.waiting), (status, None));
        assert_eq!(there.job.job_type, JobType::Period, "for when it goes on");
    }
    let mut it = stored("1.0.0");
    it.job.is_enabled = false;
    let it = snapshot(it.job, None, None);
    let there = after(&it, &defined("1.1.0", by_cron));
    assert_eq!((there.job.is_enabled, there.waiting), (false, None));
}

#[test]
fn a_worker_at_the_end_of_its_schedule_goes_on_with_a_new_one_that_fires() {
    let mut it = stored("1.0.0");
    (it.job.status, it.job.max_count, it.job.trigger_count) = (JobStatus::Completed, 3, 3);
    it.job.definition = Some(mark_of(&it.job, "1.0.0"));
    let it = snapshot(it.job, None, None);
    let show = |program: &JobInfo| show_decision(&it, &redefine(&it, program, now()));
    assert_eq!(
        show(&defined("1.1.0", |_| {})),
        "Active, schedule now",
        "no limit any more"
    );
    let still_limited = defined("1.1.0", |it| (it.max_count, it.interval) = (3, secs(60)));
    assert_eq!(show(&still_limited), "Completed");
    let no_schedule = defined("1.1.0", |it| (it.max_count, it.timeout) = (3, Some(secs(5))));
    assert_eq!(show(&no_schedule), "Completed");
}

#[test]
fn a_worker_of_another_kind_is_retired_and_comes_back_with_its_program() {
    let it = stored("1.0.0");
    let by = |version| DefinitionMark::new(Uuid::nil(), version);
    assert_eq!(retire(&it, &by("0.9.0")), Decision::Keep, "an older program");
    let there = applied(&it, &changed(retire(&it, &by("1.1.0"))));
    assert_eq!((there.job.is_enabled, &there.waiting), (false, &None));
    assert_eq!(retire(&there, &by("1.2.0")), Decision::Keep, "once is enough");
    // The older program that has it in the former way leaves it alone.
    let old = defined("1.0.0", |_| {});
    assert_eq!(redefine(&there, &old, now()), Decision::Keep);
    let back = after(&there, &defined("1.2.0", |_| {}));
    assert_eq!((back.job.is_enabled, back.waiting.is_some()), (true, true));
    // What people disabled is not enabled by a program.
    let mut disabled = stored("1.0.0");
    disabled.job.is_enabled = false;
    let disabled = snapshot(disabled.job, None, None);
    let still = after(&disabled, &defined("1.2.0", |it| it.timeout = Some(secs(5))));
    assert!(!still.job.is_enabled);
}

#[test]
fn a_run_in_flight_of_a_retired_worker_comes_to_its_end() {
    let it = stored("1.0.0");
    let it = snapshot(it.job, None, Some(run(RunKind::Schedule, After::RunAgain)));
    let decision = retire(&it, &DefinitionMark::new(Uuid::nil(), "1.0.0"));
    assert_eq!(show_decision(&it, &decision), "Active disabled, running after 0");
}
