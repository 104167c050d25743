//! Workers that people changed: theirs wins over the program's definition, field by field, until they take it back.

use tasks_abstractions::run::RunKind;
use tasks_abstractions::store::Decision;
use tasks_abstractions::{JobInfo, JobPriority, JobType, MisfirePolicy, RetryPolicy};

use super::definition::{SAID, after, by_cron, changed, defined, edited, secs, stored};
use super::rows::{applied, entry, now, sec, snapshot};
use crate::transition::{changed_by_people, forget_overrides, redefine};

#[test]
fn each_field_that_people_changed_wins_and_the_others_follow_the_program() {
    for (field, people) in SAID.into_iter().skip(3) {
        if ["job_type", "cron"].contains(&field) {
            // Kinds of schedules have tests of their own.
            continue;
        }
        let it = edited("1.0.0", people);
        let program = defined("1.1.0", |it| {
            it.description = Some("program's".to_owned());
            (it.interval, it.misfire_policy) = (secs(77), MisfirePolicy::FireAll { max: 2 });
            (it.max_try_count, it.max_count) = (77, 77);
            (it.timeout, it.lock_timeout) = (Some(secs(77)), Some(secs(78)));
            (it.retry_policy, it.priority) = (Some(RetryPolicy::fixed(secs(77))), JobPriority::Low);
            it.node_name = Some("program's".to_owned());
        });
        let job = after(&it, &program).job;
        let mut expected = JobInfo {
            version: it.job.version,
            overrides: it.job.overrides.clone(),
            next_run_time: job.next_run_time,
            ..program
        };
        people(&mut expected);
        if field == "time_zone" {
            // It means nothing to a worker without a cron expression.
            expected.time_zone = None;
        }
        if field == "interval" {
            expected.begin_time = it.job.begin_time;
        }
        assert_eq!(job, expected, "{field}");
    }
}

#[test]
fn people_may_have_taken_a_setting_away() {
    let mut before = stored("1.0.0");
    before.job.timeout = Some(secs(5));
    let mut it = before.clone();
    it.job.timeout = None;
    it.job.overrides = changed_by_people(&before.job, &it.job);
    let job = after(&it, &defined("1.1.0", |it| it.timeout = Some(secs(6)))).job;
    assert_eq!(job.timeout, None);
}

#[test]
fn by_cron_or_by_interval_is_one_decision_of_people() {
    let cron = |it: &mut JobInfo| {
        by_cron(it);
        it.begin_time = sec(-3_600);
    };
    // People made it a cron job: it stays one, whatever the program's interval is.
    let it = edited("1.0.0", cron);
    let job = after(&it, &defined("1.1.0", |it| it.interval = secs(60))).job;
    assert_eq!(
        (job.job_type, job.cron.as_deref()),
        (JobType::Period, Some("0 0 * * * ?"))
    );
    // And it keeps its own expression where the program comes with one.
    let program = defined("1.1.0", |it| {
        by_cron(it);
        (it.cron, it.time_zone) = (Some("0 30 * * * ?".to_owned()), Some("Asia/Tokyo".to_owned()));
    });
    let job = after(&it, &program).job;
    assert_eq!(job.cron.as_deref(), Some("0 0 * * * ?"));
    assert_eq!(
        job.time_zone.as_deref(),
        Some("Asia/Tokyo"),
        "of which they said nothing"
    );
    // People chose an interval: it does not become a cron job.
    let it = edited("1.0.0", |it| it.interval = secs(30));
    let job = after(&it, &program).job;
    assert_eq!(
        (job.job_type, job.cron, job.interval),
        (JobType::Persistent, None, secs(30))
    );
    // People said nothing of the schedule: it becomes one.
    let it = edited("1.0.0", |it| it.timeout = Some(secs(5)));
    let job = after(&it, &program).job;
    assert_eq!((job.job_type, job.cron), (JobType::Period, program.cron.clone()));
}

#[test]
fn people_may_make_a_cron_worker_one_by_interval() {
    let mut before = stored("1.0.0");
    by_cron(&mut before.job);
    let mut it = before.clone();
    (it.job.job_type, it.job.cron, it.job.interval) = (JobType::Persistent, None, secs(45));
    it.job.overrides = changed_by_people(&before.job, &it.job);
    let program = defined("1.1.0", |it| {
        by_cron(it);
        it.cron = Some("0 30 * * * ?".to_owned());
    });
    let job = after(&it, &program).job;
    assert_eq!(
        (job.job_type, job.cron, job.interval),
        (JobType::Persistent, None, secs(45))
    );
}

#[test]
fn a_zone_of_people_counts_for_the_expression_of_the_program() {
    let mut before = stored("1.0.0");
    by_cron(&mut before.job);
    let mut it = before.clone();
    it.job.time_zone = Some("Asia/Tokyo".to_owned());
    it.job.overrides = changed_by_people(&before.job, &it.job);
    let program = defined("1.1.0", |it| {
        by_cron(it);
        (it.cron, it.time_zone) = (Some("0 30 * * * ?".to_owned()), Some("Europe/London".to_owned()));
    });
    let job = after(&it, &program).job;
    assert_eq!(
        (job.cron.as_deref(), job.time_zone.as_deref()),
        (Some("0 30 * * * ?"), Some("Asia/Tokyo"))
    );
}

#[test]
fn a_start_that_people_put_off_stays_put_off() {
    let it = edited("1.0.0", |it| it.begin_time = sec(86_400));
    let program = defined("1.1.0", |it| (it.interval, it.begin_time) = (secs(60), sec(60)));
    let there = after(&it, &program);
    assert_eq!(there.job.begin_time, sec(86_400));
    assert_eq!(there.waiting.unwrap().due_at, sec(86_400));
}

#[test]
fn forgotten_overrides_lead_to_the_definition_with_the_next_start() {
    let edit = |it: &mut JobInfo| {
        (it.priority, it.interval) = (JobPriority::High, secs(30));
        it.max_try_count = 8;
    };
    let it = edited("1.1.0", edit);
    let there = applied(&it, &changed(forget_overrides(&it, now())));
    assert!(there.job.overrides.is_empty());
    assert_eq!(
        (there.job.interval, &there.waiting),
        (secs(30), &it.waiting),
        "nothing else yet"
    );
    // An older program has another definition and does not write it.
    let older = defined("1.0.0", |it| it.interval = secs(99));
    assert_eq!(redefine(&there, &older, now()), Decision::Keep);
    let program = defined("1.1.0", |_| {});
    let there = after(&there, &program);
    assert_eq!(
        (there.job.priority, there.job.interval, there.job.max_try_count),
        (JobPriority::Normal, secs(600), 0)
    );
    assert_eq!(there.waiting.as_ref().unwrap().due_at, sec(600));
    assert_eq!(there.job.definition, program.definition);
    assert_eq!(redefine(&there, &program, now()), Decision::Keep);
}

#[test]
fn forgetting_nothing_changes_nothing() {
    assert_eq!(forget_overrides(&stored("1.0.0"), now()), Decision::Keep);
}

#[test]
fn a_start_that_was_put_off_is_over_with_its_override() {
    let it = edited("1.0.0", |it| it.begin_time = sec(86_400));
    let it = snapshot(it.job, Some(entry(RunKind::Schedule, sec(86_400))), None);
    let there = applied(&it, &changed(forget_overrides(&it, now())));
    assert_eq!(there.waiting.unwrap().due_at, now());
}
