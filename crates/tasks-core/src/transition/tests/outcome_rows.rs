//! What a settled run writes besides its state: lanes and ranks of what follows, and the log.

use std::time::Duration;

use tasks_abstractions::job::Lane;
use tasks_abstractions::run::{After, RunInfo, RunKind};
use tasks_abstractions::{JobFlags, JobInfo, JobPriority, JobType, RunOutcome};

use super::rows::{TYPES, context, job, now, report, run, sec, settled, show_settlement, suspect};
use crate::transition::{SettleContext, settle};

use JobType::{Once, Period};
use RunOutcome::{Failed, Interrupted, Snoozed, Succeeded};

fn active(job_type: JobType, edit: impl FnOnce(&mut JobInfo)) -> JobInfo {
    let mut job = job(job_type);
    edit(&mut job);
    job
}

fn plain() -> RunInfo {
    run(RunKind::Schedule, After::Settle)
}

fn after(job: &JobInfo, run: &RunInfo, outcome: RunOutcome) -> String {
    show_settlement(&settled(job, run, outcome))
}

#[test]
fn what_follows_stays_in_the_lane_of_its_run() {
    for (node, lane) in [
        (None, "type:test.job"),
        (Some("a"), "node:a/type:test.job"),
        (Some("a"), "node:a"),
    ] {
        for job_type in TYPES {
            let mine = active(job_type, |it| it.node_name = node.map(str::to_owned));
            let mut run = plain();
            run.entry.lane = Lane::from_name(lane);
            for outcome in [Failed, Snoozed, RunOutcome::Returned] {
                let next = settled(&mine, &run, outcome).next.unwrap();
                assert_eq!(next.lane.as_str(), lane, "{job_type} {outcome}");
            }
            let next = settled(&mine, &run, Interrupted).next.unwrap();
            assert_eq!(next.lane.as_str(), format!("suspect/{lane}"));
            let next = settled(&mine, &suspect(run), Failed).next.unwrap();
            assert_eq!(next.lane.as_str(), lane, "a settled run is no suspect");
        }
    }
}

#[test]
fn what_follows_goes_where_an_edit_moved_the_job_during_its_run() {
    for (node, lane) in [(None, "default"), (Some("b"), "node:b")] {
        for job_type in TYPES {
            let moved = active(job_type, |it| it.node_name = node.map(str::to_owned));
            let mut run = plain();
            run.entry.lane = Lane::node("a");
            for outcome in [Failed, Snoozed, RunOutcome::Returned] {
                let next = settled(&moved, &run, outcome).next.unwrap();
                assert_eq!(next.lane.as_str(), lane, "{job_type} {outcome}");
            }
            let next = settled(&moved, &run, Interrupted).next.unwrap();
            assert_eq!(next.lane.as_str(), format!("suspect/{lane}"));
            run.entry.lane = Lane::unknown_type(node, "former.type");
            let next = settled(&moved, &run, Failed).next.unwrap();
            assert_eq!(next.lane.as_str(), lane, "its type was edited");
        }
    }
}

#[test]
fn what_follows_has_the_priority_of_an_edit_during_the_run() {
    let raised = active(Period, |it| it.priority = JobPriority::High);
    assert_eq!(
        after(&raised, &plain(), Succeeded),
        "Active 1 0 0/0, schedule +30m rank 0"
    );
    let again = run(RunKind::Schedule, After::RunAgain);
    assert_eq!(
        after(&raised, &again, Succeeded),
        "Active 1 0 0/0, trigger now rank 0"
    );
}

#[test]
fn the_log_says_what_happened_and_flags_leave_it_out() {
    let mut failed = report(Failed);
    failed.error = Some("because".to_owned());
    let ended = settle(&job(Once), &plain(), &failed, &context(now()));
    let log = ended.log.unwrap();
    assert_eq!(
        (log.outcome, log.attempt, log.node_name.as_str()),
        (Failed, 1, "node-1")
    );
    assert_eq!(
        (log.message.as_deref(), log.error.as_deref()),
        (Some("said"), Some("because"))
    );
    assert_eq!(
        (log.started_at, log.duration),
        (sec(-60), Duration::from_secs(60))
    );
    assert_eq!(ended.update.result.as_deref(), Some("said"));
    assert_eq!(ended.update.last_run_time, Some(sec(-60)));

    let flags = JobFlags::DisableAuditing.and(JobFlags::DisableJobStatus);
    let ctx = SettleContext {
        flags,
        ..context(now())
    };
    let quiet = settle(&job(Once), &plain(), &failed, &ctx);
    assert!(quiet.log.is_none());
    assert_eq!((quiet.update.result, quiet.update.last_run_time), (None, None));
    assert_eq!(quiet.update.try_count, 1, "counters are the engine's own");
}

#[test]
fn returned_runs_leave_no_trace() {
    let ended = settled(&job(Once), &plain(), RunOutcome::Returned);
    assert!(ended.log.is_none());
    assert_eq!((ended.update.result, ended.update.last_run_time), (None, None));
}

#[test]
fn every_other_outcome_is_logged_as_what_it_was() {
    for outcome in RunOutcome::ALL
        .iter()
        .copied()
        .filter(|it| *it != RunOutcome::Returned)
    {
        assert_eq!(
            settled(&job(Period), &plain(), outcome).log.unwrap().outcome,
            outcome
        );
    }
}
