//! Small valid jobs, nodes and outcomes, so that a test names only what it is about.
//!
//! All identifiers come from numbers and all times from [`ManualClock::start`], so that a failure reads the same in every run.

use std::time::Duration;

use chrono::TimeDelta;
use tasks_abstractions::job::{ClaimId, Lane, rank_of};
use tasks_abstractions::run::{JobLog, QueueEntry, RunKind};
use tasks_abstractions::store::{
    ClaimRequest, ClaimedRun, FinishRun, JobUpdate, NodeInfo, NodeState, PreparedJob, Settlement,
};
use tasks_abstractions::{
    InstanceId, JobId, JobInfo, JobLimits, JobState, JobStatus, JobType, RunId, RunOutcome, Timestamp,
};
use tasks_multitenancy::TenantId;
use uuid::Uuid;

use crate::ManualClock;

/// Type of every sample job.
pub const TYPE_NAME: &str = "suite.job";

/// The start of the test clock, and seconds after it (negative: before it).
#[must_use]
pub fn at(seconds: i64) -> Timestamp {
    ManualClock::start() + TimeDelta::seconds(seconds)
}

/// The job of this number. Larger numbers sort later.
#[must_use]
pub fn job_id(number: u128) -> JobId {
    JobId::new(Uuid::from_u128(number))
}

/// The instance of this number.
#[must_use]
pub fn instance_id(number: u128) -> InstanceId {
    InstanceId::new(Uuid::from_u128(number))
}

/// The run of this number, for runs that no store made.
#[must_use]
pub fn run_id(number: u128) -> RunId {
    RunId::new(Uuid::from_u128(number))
}

/// A claim that no other claim of any test shares its id with.
#[must_use]
pub fn claim_id() -> ClaimId {
    ClaimId::new(Uuid::new_v4())
}

/// A claim by the node of this number from the common lane, with `now` as the time.
#[must_use]
pub fn claim_request(node: u128, limit: usize, now: Timestamp) -> ClaimRequest {
    ClaimRequest {
        instance: instance_id(node),
        claim_id: claim_id(),
        lanes: vec![Lane::any_node()],
        limit,
        now: Some(now),
        floors: Vec::new(),
    }
}

/// The tenant of this number.
#[must_use]
pub fn tenant(number: u128) -> TenantId {
    TenantId::new(Uuid::from_u128(number))
}

/// A Once job of the host, unarmed.
///
/// # Panics
/// Never: the sample keeps every limit.
#[must_use]
pub fn once(number: u128) -> JobInfo {
    of_tenant(number, TenantId::HOST)
}

/// A Once job of a tenant, unarmed.
///
/// # Panics
/// Never: the sample keeps every limit.
#[must_use]
pub fn of_tenant(number: u128, tenant: TenantId) -> JobInfo {
    JobInfo::builder(job_id(number), tenant, TYPE_NAME, at(0))
        .build(&JobLimits::default())
        .expect("a sample job keeps every limit")
}

/// A job of the host that repeats every minute, unarmed.
#[must_use]
pub fn repeating(number: u128) -> JobInfo {
    JobInfo {
        job_type: JobType::Persistent,
        interval: Duration::from_secs(60),
        ..once(number)
    }
}

/// The first execution of a job by its schedule.
#[must_use]
pub fn entry(job: &JobInfo, due_at: Timestamp) -> QueueEntry {
    QueueEntry {
        lane: Lane::of(job),
        rank: rank_of(job.priority),
        due_at,
        kind: RunKind::Schedule,
        attempt: 1,
    }
}

/// The job, to be stored with an execution that is due then.
#[must_use]
pub fn due(job: JobInfo, due_at: Timestamp) -> PreparedJob {
    let first = entry(&job, due_at);
    waiting(job, first)
}

/// The job, to be stored with this execution.
#[must_use]
pub fn waiting(mut job: JobInfo, first: QueueEntry) -> PreparedJob {
    job.status = JobStatus::Queuing;
    job.next_run_time = Some(first.due_at);
    PreparedJob::new(job, Some(first), None)
}

/// The job, to be stored without an execution.
#[must_use]
pub fn unarmed(job: JobInfo) -> PreparedJob {
    PreparedJob::new(job, None, None)
}

/// A living node that started and renewed at [`at`]`(0)` and serves the common lane.
#[must_use]
pub fn node(number: u128) -> NodeInfo {
    NodeInfo {
        instance: instance_id(number),
        name: format!("node-{number}"),
        state: NodeState::Alive,
        started_at: at(0),
        heartbeat_at: at(0),
        capacity: 8,
        running: 0,
        lanes: vec![Lane::any_node()],
        version: "1.0.0".to_owned(),
    }
}

/// What is recorded of a run that started a second after its claim and took 250 ms.
#[must_use]
pub fn log(run: &ClaimedRun, outcome: RunOutcome) -> JobLog {
    JobLog {
        run_id: run.run.run_id,
        job_id: run.job.id,
        tenant_id: run.job.tenant_id,
        job_name: run.job.name.clone(),
        job_group: run.job.group.clone(),
        type_name: run.job.type_name.clone(),
        outcome,
        message: None,
        error: None,
        started_at: run.run.claimed_at + TimeDelta::seconds(1),
        duration: Duration::from_millis(250),
        node_name: "node".to_owned(),
        instance: run.run.instance,
        attempt: run.run.entry.attempt,
    }
}

/// The counters and state of a job as they are, as an update that changes nothing.
#[must_use]
pub fn unchanged(job: &JobInfo) -> JobUpdate {
    JobUpdate {
        state: job.state(),
        result: None,
        last_run_time: None,
        next_run_time: None,
        trigger_count: job.trigger_count,
        try_count: job.try_count,
        interruptions: job.interruptions,
        suspect_interruptions: job.suspect_interruptions,
        is_abandoned: job.is_abandoned,
    }
}

/// A success after which nothing more runs.
#[must_use]
pub fn done(run: &ClaimedRun) -> FinishRun {
    let log = log(run, RunOutcome::Succeeded);
    let update = JobUpdate {
        state: JobState::Completed,
        result: Some("done".to_owned()),
        last_run_time: Some(log.started_at),
        trigger_count: run.job.trigger_count + 1,
        try_count: 0,
        ..unchanged(&run.job)
    };
    finish(run, update, None, Some(log))
}

/// A settled run after which this execution waits: a failed one if it is a retry, else a success.
#[must_use]
pub fn again(run: &ClaimedRun, next: QueueEntry) -> FinishRun {
    let failed = next.kind == RunKind::Retry;
    let outcome = if failed {
        RunOutcome::Failed
    } else {
        RunOutcome::Succeeded
    };
    let log = log(run, outcome);
    let update = JobUpdate {
        state: JobState::Active,
        last_run_time: Some(log.started_at),
        next_run_time: Some(next.due_at),
        trigger_count: run.job.trigger_count + 1,
        try_count: if failed { run.job.try_count + 1 } else { 0 },
        ..unchanged(&run.job)
    };
    finish(run, update, Some(next), Some(log))
}

/// A run handed back as if it had never been claimed: no log, no counter, the same execution waits.
#[must_use]
pub fn returned(run: &ClaimedRun) -> FinishRun {
    let next = run.run.entry.clone();
    let update = JobUpdate {
        state: JobState::Active,
        next_run_time: Some(next.due_at),
        ..unchanged(&run.job)
    };
    finish(run, update, Some(next), None)
}

/// A settlement of this run.
#[must_use]
pub fn finish(
    run: &ClaimedRun,
    update: JobUpdate,
    next: Option<QueueEntry>,
    log: Option<JobLog>,
) -> FinishRun {
    FinishRun {
        job_id: run.job.id,
        run_id: run.run.run_id,
        job_version: run.job.version,
        settlement: Settlement {
            update,
            is_removed: false,
            next,
            log,
            follow_ups: Vec::new(),
        },
    }
}
