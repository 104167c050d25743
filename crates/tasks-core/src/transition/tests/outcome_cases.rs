//! Outcomes at the limits: tries, interruptions, number of runs, end time, waits and ranks.

use std::time::Duration;

use tasks_abstractions::run::{After, CancelReason, RunInfo, RunKind};
use tasks_abstractions::{JobInfo, JobPriority, JobStatus, JobType, RetryPolicy, RunOutcome};

use super::rows::{
    TYPES, asked_to_end, at, context, job, now, report, run, sec, settled, show_settlement, suspect,
};
use crate::transition::{RunReport, SettleContext, settle};

use JobType::{Once, Period, Persistent};
use RunOutcome::{Cancelled, Failed, Interrupted, Snoozed, Succeeded};

fn active(job_type: JobType, edit: impl FnOnce(&mut JobInfo)) -> JobInfo {
    let mut job = job(job_type);
    edit(&mut job);
    job
}

fn plain() -> RunInfo {
    run(RunKind::Schedule, After::Settle)
}

fn shown(job: &JobInfo, run: &RunInfo, report: &RunReport) -> String {
    show_settlement(&settle(job, run, report, &context(now())))
}

fn after(job: &JobInfo, run: &RunInfo, outcome: RunOutcome) -> String {
    show_settlement(&settled(job, run, outcome))
}

#[test]
fn the_last_try_gives_up_every_type() {
    for job_type in TYPES {
        let last = active(job_type, |it| (it.try_count, it.max_try_count) = (2, 3));
        assert_eq!(after(&last, &plain(), Failed), "Stopped abandoned 1 3 0/0, –");
        let before = active(job_type, |it| (it.try_count, it.max_try_count) = (1, 3));
        assert!(after(&before, &plain(), Failed).starts_with("Active 1 2 0/0, "));
    }
}

#[test]
fn without_a_limit_of_tries_nothing_is_given_up() {
    let endless = |job_type| active(job_type, |it| (it.try_count, it.max_try_count) = (4_000_000, 0));
    assert_eq!(
        after(&endless(Once), &plain(), Failed),
        "Active 1 4000001 0/0, retry +1440m #4000002"
    );
    assert_eq!(
        after(&endless(Period), &plain(), Failed),
        "Active 1 4000001 0/0, schedule +30m #4000002"
    );
    assert_eq!(
        after(&endless(Persistent), &plain(), Failed),
        "Active 1 4000001 0/0, schedule +10m #4000002"
    );
}

#[test]
fn a_permanent_error_gives_up_once_and_takes_the_retries_of_the_others() {
    let error = RunReport {
        is_permanent: true,
        ..report(Failed)
    };
    let retried = |job_type| {
        active(job_type, |it| {
            it.retry_policy = Some(RetryPolicy::fixed(Duration::from_secs(5)))
        })
    };
    assert_eq!(
        shown(&retried(Once), &plain(), &error),
        "Stopped abandoned 1 1 0/0, –"
    );
    assert_eq!(
        shown(&retried(Period), &plain(), &error),
        "Active 1 1 0/0, schedule +30m #2"
    );
    assert_eq!(
        shown(&retried(Persistent), &plain(), &error),
        "Active 1 1 0/0, schedule +10m #2"
    );
}

#[test]
fn a_trigger_during_the_run_wins_over_giving_up_for_its_tries() {
    let last = active(Once, |it| it.max_try_count = 1);
    assert_eq!(
        after(&last, &run(RunKind::Schedule, After::RunAgain), Failed),
        "Active 1 1 0/0, trigger now #2"
    );
    let error = RunReport {
        is_permanent: true,
        ..report(Failed)
    };
    assert_eq!(
        shown(&last, &run(RunKind::Schedule, After::RunAgain), &error),
        "Active 1 1 0/0, trigger now #2"
    );
}

#[test]
fn a_retry_policy_counts_between_fires_only_where_its_try_comes_first() {
    let retried = |job_type, seconds| {
        active(job_type, |it| {
            it.retry_policy = Some(RetryPolicy::fixed(Duration::from_secs(seconds)))
        })
    };
    assert_eq!(
        after(&retried(Period, 1_799), &plain(), Failed),
        "Active 1 1 0/0, retry +1799s #2"
    );
    assert_eq!(
        after(&retried(Period, 1_800), &plain(), Failed),
        "Active 1 1 0/0, schedule +30m #2"
    );
    assert_eq!(
        after(&retried(Persistent, 599), &plain(), Failed),
        "Active 1 1 0/0, retry +599s #2"
    );
    assert_eq!(
        after(&retried(Persistent, 600), &plain(), Failed),
        "Active 1 1 0/0, schedule +10m #2"
    );
    assert_eq!(
        after(&retried(Once, 7_200), &plain(), Failed),
        "Active 1 1 0/0, retry +120m #2"
    );
}

#[test]
fn the_wait_that_the_code_asks_for_wins_over_the_policy() {
    let asked = RunReport {
        wait: Some(Duration::from_secs(20)),
        ..report(Failed)
    };
    assert_eq!(
        shown(&job(Once), &plain(), &asked),
        "Active 1 1 0/0, retry +20s #2"
    );
    // A repeating job without a policy has no retries, whatever its code asks for.
    assert_eq!(
        shown(&job(Period), &plain(), &asked),
        "Active 1 1 0/0, schedule +30m #2"
    );
    let retried = active(Period, |it| {
        it.retry_policy = Some(RetryPolicy::fixed(Duration::from_secs(5)))
    });
    assert_eq!(shown(&retried, &plain(), &asked), "Active 1 1 0/0, retry +20s #2");
}

#[test]
fn waits_for_ever_end_with_the_year_9999() {
    let latest = at("9999-12-31T23:59:59Z");
    for outcome in [Failed, Snoozed] {
        let asked = RunReport {
            wait: Some(Duration::MAX),
            ..report(outcome)
        };
        let next = settle(&job(Once), &plain(), &asked, &context(now()))
            .next
            .unwrap();
        assert_eq!(next.due_at, latest, "{outcome}");
    }
}

#[test]
fn a_snooze_without_a_wait_is_due_at_once() {
    let asked = RunReport {
        wait: None,
        ..report(Snoozed)
    };
    assert_eq!(
        shown(&job(Once), &plain(), &asked),
        "Active 0 0 0/0, schedule now"
    );
}

#[test]
fn retries_grow_by_half_up_to_a_day() {
    let waits = [
        (0, "+5m"),
        (1, "+450s"),
        (2, "+675s"),
        (3, "+1012500ms"),
        (20, "+1440m"),
        (40, "+1440m"),
    ];
    for (tries, wait) in waits {
        let failing = active(Once, |it| (it.try_count, it.max_try_count) = (tries, 0));
        let expected = format!("Active 1 {0} 0/0, retry {wait} #{1}", tries + 1, tries + 2);
        assert_eq!(after(&failing, &plain(), Failed), expected);
    }
}

#[test]
fn jitter_moves_a_retry_by_a_tenth_at_most() {
    for (chance, due) in [(0.0, 270), (0.5, 300), (1.0, 330)] {
        let ctx = SettleContext {
            chance,
            ..context(now())
        };
        let next = settle(&job(Once), &plain(), &report(Failed), &ctx).next.unwrap();
        assert_eq!(next.due_at, sec(due));
    }
}

#[test]
fn retries_stand_back_after_a_third_and_two_thirds_of_the_tries() {
    // Of nine tries: up to the third Normal (10), up to the sixth BelowNormal (15), then Low (20).
    let ranks = [(0, 10), (2, 10), (3, 15), (5, 15), (6, 20), (7, 20)];
    for (tries, rank) in ranks {
        let failing = active(Once, |it| (it.try_count, it.max_try_count) = (tries, 9));
        let next = settled(&failing, &plain(), Failed).next.unwrap();
        assert_eq!(next.rank, rank, "after {tries} tries");
    }
    let low = active(Once, |it| {
        (it.try_count, it.max_try_count, it.priority) = (3, 9, JobPriority::Low)
    });
    assert_eq!(
        settled(&low, &plain(), Failed).next.unwrap().rank,
        20,
        "never above its own"
    );
    let high = active(Once, |it| {
        (it.max_try_count, it.priority) = (0, JobPriority::High)
    });
    assert_eq!(
        settled(&high, &plain(), Failed).next.unwrap().rank,
        0,
        "no limit, no demotion"
    );
}

#[test]
fn success_and_the_next_fire_forget_a_demotion() {
    let mut run = plain();
    run.entry.rank = 20;
    assert_eq!(
        after(&job(Period), &run, Succeeded),
        "Active 1 0 0/0, schedule +30m"
    );
    assert_eq!(
        after(&job(Period), &run, Failed),
        "Active 1 1 0/0, schedule +30m #2"
    );
    assert_eq!(
        after(&job(Period), &run, RunOutcome::Returned),
        "Active 0 0 0/0, schedule -1m rank 20"
    );
}

#[test]
fn the_last_run_of_max_count_completes_whether_it_succeeds_or_fails() {
    for job_type in [Period, Persistent] {
        let last = active(job_type, |it| (it.trigger_count, it.max_count) = (4, 5));
        assert_eq!(after(&last, &plain(), Succeeded), "Completed 5 0 0/0, –");
        assert_eq!(after(&last, &plain(), Failed), "Completed 5 1 0/0, –");
        assert!(after(&last, &plain(), Cancelled).starts_with("Active 4 0 0/0, schedule +"));
        let retried = JobInfo {
            retry_policy: Some(RetryPolicy::fixed(Duration::from_secs(1))),
            ..last
        };
        assert_eq!(
            after(&retried, &plain(), Failed),
            "Completed 5 1 0/0, –",
            "a retry would be one run more"
        );
    }
    let once = active(Once, |it| (it.trigger_count, it.max_count) = (4, 5));
    assert_eq!(
        after(&once, &plain(), Failed),
        "Active 5 1 0/0, retry +5m #2",
        "no limit of a Once job"
    );
}

#[test]
fn a_trigger_during_the_last_run_is_one_run_more() {
    let last = active(Period, |it| (it.trigger_count, it.max_count) = (4, 5));
    assert_eq!(
        after(&last, &run(RunKind::Schedule, After::RunAgain), Succeeded),
        "Active 5 0 0/0, trigger now"
    );
}

#[test]
fn the_last_run_while_paused_leaves_the_job_paused() {
    let last = active(Period, |it| {
        (it.trigger_count, it.max_count, it.status) = (4, 5, JobStatus::Paused);
    });
    assert_eq!(after(&last, &plain(), Succeeded), "Paused 5 0 0/0, –");
}

#[test]
fn no_fire_before_the_end_time_completes() {
    let ending = |job_type| active(job_type, |it| it.end_time = Some(sec(599)));
    assert_eq!(
        after(&ending(Period), &plain(), Succeeded),
        "Completed 1 0 0/0, –"
    );
    assert_eq!(
        after(&ending(Persistent), &plain(), Succeeded),
        "Completed 1 0 0/0, –"
    );
    let at_the_end = active(Persistent, |it| it.end_time = Some(sec(600)));
    assert_eq!(
        after(&at_the_end, &plain(), Succeeded),
        "Active 1 0 0/0, schedule +10m"
    );
    // Whether a retry is still in time is found when it is claimed.
    assert_eq!(
        after(&active(Once, |it| it.end_time = Some(sec(1))), &plain(), Failed),
        "Active 1 1 0/0, retry +5m #2"
    );
}

#[test]
fn an_end_time_moved_during_an_expired_run_lets_the_job_go_on() {
    let extended = active(Period, |it| it.end_time = Some(sec(86_400)));
    for after_run in [After::Arm, After::ArmUnlessDone, After::Settle] {
        let run = run(RunKind::Schedule, after_run);
        assert_eq!(
            after(&extended, &run, RunOutcome::Expired),
            "Active 0 0 0/0, schedule +30m"
        );
    }
    let run = run(RunKind::Schedule, After::RunAgain);
    assert_eq!(
        after(&extended, &run, RunOutcome::Expired),
        "Active 0 0 0/0, trigger now"
    );
}

#[test]
fn only_suspects_are_given_up_for_interruptions() {
    for job_type in TYPES {
        let poison = active(job_type, |it| {
            (it.interruptions, it.suspect_interruptions) = (3, 2)
        });
        assert_eq!(
            after(&poison, &suspect(plain()), Interrupted),
            "Stopped abandoned 0 0 4/3, –"
        );
        assert_eq!(
            after(&poison, &plain(), Interrupted),
            "Active 0 0 4/2, schedule -1m in suspect/default"
        );
        // Its window of 30 s had passed: it ran in the lane of suspects, but was none any more.
        let mut long = suspect(plain());
        long.suspect = false;
        assert_eq!(
            after(&poison, &long, Interrupted),
            "Active 0 0 4/2, schedule -1m in suspect/default"
        );
        assert_eq!(
            after(&poison, &long, RunOutcome::Returned),
            "Active 0 0 3/2, schedule -1m"
        );
    }
    let many = active(Once, |it| (it.interruptions, it.suspect_interruptions) = (90, 0));
    assert_eq!(
        after(&many, &plain(), Interrupted),
        "Active 0 0 91/0, schedule -1m in suspect/default"
    );
    let lowered = active(Once, |it| {
        (it.suspect_interruptions, it.max_interruptions) = (2, 1)
    });
    assert_eq!(
        after(&lowered, &plain(), Interrupted),
        "Active 0 0 1/2, schedule -1m in suspect/default"
    );
    let first = active(Once, |it| it.max_interruptions = 1);
    assert_eq!(
        after(&first, &suspect(plain()), Interrupted),
        "Stopped abandoned 0 0 1/1, –"
    );
}

#[test]
fn a_poisonous_job_is_given_up_although_it_was_triggered_or_edited() {
    let poison = active(Once, |it| (it.interruptions, it.suspect_interruptions) = (3, 2));
    for after_run in [After::RunAgain, After::Arm, After::ArmUnlessDone] {
        let run = suspect(run(RunKind::Schedule, after_run));
        assert_eq!(after(&poison, &run, Interrupted), "Stopped abandoned 0 0 4/3, –");
    }
}

#[test]
fn a_run_by_hand_that_kills_its_process_is_repeated_until_it_is_given_up() {
    let held = active(Once, |it| {
        (it.interruptions, it.suspect_interruptions, it.status) = (3, 2, JobStatus::Paused);
    });
    let manual = run(RunKind::Manual, After::Settle);
    assert_eq!(
        after(&held, &manual, Interrupted),
        "Paused 0 0 4/2, manual -1m in suspect/default"
    );
    assert_eq!(after(&held, &suspect(manual), Interrupted), "Paused 0 0 4/3, –");
    let again = suspect(run(RunKind::Manual, After::RunAgain));
    assert_eq!(
        after(&held, &again, Interrupted),
        "Paused 0 0 4/3, manual now in suspect/default"
    );
}

#[test]
fn an_interrupted_run_that_was_cancelled_ends_so() {
    let run = asked_to_end(plain(), CancelReason::Requested);
    assert_eq!(after(&job(Once), &run, Interrupted), "Stopped 0 0 1/0, –");
    assert_eq!(
        after(&job(Period), &run, Interrupted),
        "Active 0 0 1/0, schedule +30m"
    );
}

#[test]
fn a_skipping_job_runs_an_interrupted_execution_that_was_triggered() {
    let skipping = active(Period, |it| {
        it.misfire_policy = tasks_abstractions::MisfirePolicy::Skip
    });
    let run = run(RunKind::Schedule, After::RunAgain);
    assert_eq!(
        after(&skipping, &run, Interrupted),
        "Active 0 0 1/0, trigger -1m in suspect/default"
    );
    assert_eq!(
        after(&skipping, &run, RunOutcome::Returned),
        "Active 0 0 0/0, trigger -1m"
    );
}
