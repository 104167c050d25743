//! Rows to decide over, and the text form of what was decided.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use tasks_abstractions::job::{ClaimId, InstanceId, Lane, RunId, rank_of};
use tasks_abstractions::run::{After, CancelReason, JobSnapshot, QueueEntry, RunInfo, RunKind};
use tasks_abstractions::store::{Decision, JobChange, Settlement, WaitingChange};
use tasks_abstractions::{
    JobFlags, JobId, JobInfo, JobLimits, JobState, JobStatus, JobType, RunOutcome, Timestamp,
};
use tasks_multitenancy::TenantId;
use uuid::Uuid;

use crate::maintenance::Kept;
use crate::transition::{RunReport, SettleContext, settle};

pub(super) const TYPES: [JobType; 3] = [JobType::Once, JobType::Period, JobType::Persistent];

/// A Tuesday, between two fires of the hourly cron.
pub(super) fn now() -> Timestamp {
    at("2026-03-10T12:30:00Z")
}

pub(super) fn at(text: &str) -> Timestamp {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

/// An instant relative to [`now`], in seconds.
pub(super) fn sec(seconds: i64) -> Timestamp {
    now() + TimeDelta::seconds(seconds)
}

/// A job that began an hour ago. Period fires at every full hour, Persistent every 10 minutes; the first retry of Once waits 5 minutes.
pub(super) fn job(job_type: JobType) -> JobInfo {
    let mut job = JobInfo::builder(
        JobId::new(Uuid::from_u128(7)),
        TenantId::HOST,
        "test.job",
        sec(-3600),
    )
    .job_type(job_type)
    .cron((job_type == JobType::Period).then(|| "0 0 * * * ?".to_owned()))
    .interval(Duration::from_secs(match job_type {
        JobType::Once | JobType::Period => 300,
        JobType::Persistent => 600,
    }))
    .build(&JobLimits::default())
    .unwrap();
    job.status = JobStatus::Queuing;
    job
}

pub(super) fn entry(kind: RunKind, due_at: Timestamp) -> QueueEntry {
    QueueEntry {
        lane: Lane::any_node(),
        rank: rank_of(tasks_abstractions::JobPriority::Normal),
        due_at,
        kind,
        attempt: 1,
    }
}

/// A run that was due and claimed a minute ago.
pub(super) fn run(kind: RunKind, after: After) -> RunInfo {
    RunInfo {
        run_id: RunId::new(Uuid::from_u128(8)),
        job_id: JobId::new(Uuid::from_u128(7)),
        instance: InstanceId::new(Uuid::from_u128(9)),
        claim_id: ClaimId::new(Uuid::from_u128(10)),
        entry: entry(kind, sec(-60)),
        suspect: false,
        job_version: 1,
        after,
        claimed_at: sec(-60),
        cancel: None,
        progress: None,
    }
}

/// A run claimed as a suspect.
pub(super) fn suspect(mut run: RunInfo) -> RunInfo {
    run.entry.lane = run.entry.lane.suspect();
    run.suspect = true;
    run
}

pub(super) fn report(outcome: RunOutcome) -> RunReport {
    let mut report = RunReport::new(outcome, sec(-60), Duration::from_secs(60)).message("said");
    if outcome == RunOutcome::Snoozed {
        report.wait = Some(Duration::from_secs(90));
    }
    report
}

pub(super) fn context(now: Timestamp) -> SettleContext<'static> {
    SettleContext {
        now,
        chance: 0.5,
        node_name: "node-1",
        instance: InstanceId::new(Uuid::from_u128(9)),
        flags: JobFlags::NONE,
        kept: Kept::ALL,
    }
}

pub(super) fn settled(job: &JobInfo, run: &RunInfo, outcome: RunOutcome) -> Settlement {
    settle(job, run, &report(outcome), &context(now()))
}

/// The three rows as one snapshot, with the fields that stores derive.
pub(super) fn snapshot(mut job: JobInfo, waiting: Option<QueueEntry>, run: Option<RunInfo>) -> JobSnapshot {
    job.is_running = run.is_some();
    job.next_run_time = waiting.as_ref().map(|it| it.due_at);
    if job.state() == JobState::Active {
        job.status = match &waiting {
            _ if run.is_some() => JobStatus::Running,
            Some(entry) if entry.kind == RunKind::Retry => JobStatus::FailedRetry,
            _ => JobStatus::Queuing,
        };
    }
    JobSnapshot { job, waiting, run }
}

/// What a store makes of a change, by its contract alone.
pub(super) fn applied(it: &JobSnapshot, change: &JobChange) -> JobSnapshot {
    let waiting = match &change.waiting {
        WaitingChange::Keep => it.waiting.clone(),
        WaitingChange::Remove => None,
        WaitingChange::Set(entry) => {
            assert!(it.run.is_none(), "nothing may wait beside a run");
            Some(entry.clone())
        }
    };
    let run = it.run.clone().map(|run| RunInfo {
        after: change.run.after.unwrap_or(run.after),
        cancel: change.run.cancel.or(run.cancel),
        ..run
    });
    assert_eq!(
        change.job.next_run_time,
        waiting.as_ref().map(|it| it.due_at),
        "the shown time is that of the waiting execution"
    );
    snapshot(change.job.clone(), waiting, run)
}

/// The text form of a decision: `–`, a refusal, a deletion, or the rows that result.
pub(super) fn show_decision(it: &JobSnapshot, decision: &Decision) -> String {
    match decision {
        Decision::Keep => "–".to_owned(),
        Decision::Refuse(_) => "refused".to_owned(),
        Decision::Delete(None) => "gone".to_owned(),
        Decision::Delete(Some(log)) => {
            format!(
                "gone, logged {} {:?}",
                log.outcome,
                log.message.as_deref().unwrap_or("")
            )
        }
        Decision::Change(change) => show(&applied(it, change)),
    }
}

/// State, marks, then the waiting execution or the run in flight.
pub(super) fn show(it: &JobSnapshot) -> String {
    let job = &it.job;
    let mut text = job.state().to_string();
    for (mark, is_shown) in [(" disabled", !job.is_enabled), (" abandoned", job.is_abandoned)] {
        text.push_str(if is_shown { mark } else { "" });
    }
    if job.try_count > 0 {
        text.push_str(&format!(" tries {}", job.try_count));
    }
    if job.interruptions + job.suspect_interruptions > 0 {
        text.push_str(&format!(
            " interrupted {}/{}",
            job.interruptions, job.suspect_interruptions
        ));
    }
    if let Some(entry) = &it.waiting {
        text.push_str(&format!(", {}", show_entry(entry)));
    }
    if let Some(run) = &it.run {
        text.push_str(&format!(", running after {}", run.after.code()));
        if let Some(reason) = run.cancel {
            text.push_str(&format!(" cancel {reason}"));
        }
    }
    text
}

/// Kind and due time; attempt, rank and lane where they are not 1, 10 and `default`.
pub(super) fn show_entry(it: &QueueEntry) -> String {
    let mut text = format!("{} {}", it.kind.as_str().to_lowercase(), show_time(it.due_at));
    if it.attempt != 1 {
        text.push_str(&format!(" #{}", it.attempt));
    }
    if it.rank != 10 {
        text.push_str(&format!(" rank {}", it.rank));
    }
    if it.lane != Lane::any_node() {
        text.push_str(&format!(" in {}", it.lane));
    }
    text
}

fn show_time(at: Timestamp) -> String {
    let off = at - now();
    match off.num_milliseconds() {
        0 => "now".to_owned(),
        ms if ms % 60_000 == 0 => format!("{:+}m", ms / 60_000),
        ms if ms % 1_000 == 0 => format!("{:+}s", ms / 1_000),
        ms => format!("{ms:+}ms"),
    }
}

/// State, runs, tries, interruptions, then the next execution.
pub(super) fn show_settlement(it: &Settlement) -> String {
    let update = &it.update;
    assert_eq!(update.next_run_time, it.next.as_ref().map(|it| it.due_at));
    format!(
        "{}{} {} {} {}/{}, {}",
        update.state,
        if update.is_abandoned { " abandoned" } else { "" },
        update.trigger_count,
        update.try_count,
        update.interruptions,
        update.suspect_interruptions,
        it.next.as_ref().map_or_else(|| "–".to_owned(), show_entry)
    )
}

/// A run that somebody asked to end.
pub(super) fn asked_to_end(mut run: RunInfo, reason: CancelReason) -> RunInfo {
    run.cancel = Some(reason);
    run
}

/// A block of a table: its name, and its lines of keys and cells.
type Block<'a> = (&'a str, Vec<(Vec<&'a str>, Vec<&'a str>)>);

/// Blocks of a table: a line `# name`, then lines `key key | cell`, or `key | type: cell | type: cell`.
pub(super) fn blocks(table: &str) -> Vec<Block<'_>> {
    let mut blocks: Vec<Block<'_>> = Vec::new();
    for line in table.lines().map(str::trim).filter(|it| !it.is_empty()) {
        if let Some(name) = line.strip_prefix("# ") {
            blocks.push((name, Vec::new()));
            continue;
        }
        let mut parts = line.split('|').map(str::trim);
        let keys = parts.next().unwrap().split_whitespace().collect();
        blocks.last_mut().unwrap().1.push((keys, parts.collect()));
    }
    blocks
}

/// The cell for one type of job: the one that names it, else the one that names none.
pub(super) fn cell_for<'a>(cells: &[&'a str], job_type: JobType) -> &'a str {
    let prefix = format!("{job_type}:");
    let named = cells.iter().find_map(|it| it.strip_prefix(prefix.as_str()));
    let unnamed = cells
        .iter()
        .find(|it| !TYPES.iter().any(|of| it.starts_with(&format!("{of}:"))));
    named
        .or(unnamed.copied())
        .unwrap_or_else(|| panic!("no cell for {job_type} in {cells:?}"))
        .trim()
}
