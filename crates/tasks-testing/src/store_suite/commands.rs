//! The suite's own commands: decisions that model and store are both asked to carry out.
//!
//! They follow the table of commands, in the simplest way that makes use of every kind of change. The engine's own are tested elsewhere.

use std::time::Duration;

use chrono::TimeDelta;
use tasks_abstractions::run::{After, CancelReason, JobLog, JobSnapshot, QueueEntry, RunKind};
use tasks_abstractions::store::{Decision, JobChange, RunChange, WaitingChange};
use tasks_abstractions::{JobInfo, JobState, JobStatus, RunOutcome, Timestamp};

use crate::samples::entry;

fn change(job: JobInfo, waiting: WaitingChange, run: RunChange) -> Decision {
    Decision::Change(Box::new(JobChange { job, waiting, run }))
}

fn after(after: After) -> RunChange {
    RunChange {
        after: Some(after),
        cancel: None,
    }
}

fn arm(job: &JobInfo, next: QueueEntry) -> Decision {
    let job = JobInfo {
        next_run_time: Some(next.due_at),
        ..job.clone()
    };
    change(job, WaitingChange::Set(next), RunChange::default())
}

/// Brings the next execution forward, asks for another run, or arms one run by hand.
pub(super) fn trigger(it: &JobSnapshot, now: Timestamp) -> Decision {
    if !it.job.is_enabled {
        return Decision::Refuse("it is disabled".to_owned());
    }
    if it.run.is_some() {
        return change(it.job.clone(), WaitingChange::Keep, after(After::RunAgain));
    }
    match &it.waiting {
        Some(waits) => {
            let due_at = waits.due_at.min(now);
            arm(
                &it.job,
                QueueEntry {
                    due_at,
                    ..waits.clone()
                },
            )
        }
        None if it.job.state() == JobState::Active => arm(
            &it.job,
            QueueEntry {
                kind: RunKind::Trigger,
                ..entry(&it.job, now)
            },
        ),
        None => arm(
            &it.job,
            QueueEntry {
                kind: RunKind::Manual,
                ..entry(&it.job, now)
            },
        ),
    }
}

fn hold(it: &JobSnapshot, status: JobStatus, why: CancelReason) -> Decision {
    let job = JobInfo {
        status,
        next_run_time: None,
        ..it.job.clone()
    };
    let run = RunChange {
        after: Some(After::Settle),
        cancel: Some(why),
    };
    change(job, WaitingChange::Remove, run)
}

/// Holds an Active job.
pub(super) fn pause(it: &JobSnapshot, _: Timestamp) -> Decision {
    match it.job.state() {
        JobState::Active => hold(it, JobStatus::Paused, CancelReason::Paused),
        _ => Decision::Keep,
    }
}

/// Ends a job that is not ended.
pub(super) fn stop(it: &JobSnapshot, _: Timestamp) -> Decision {
    match it.job.state() {
        JobState::Active | JobState::Paused => hold(it, JobStatus::Stopped, CancelReason::Stopped),
        _ => Decision::Keep,
    }
}

/// Goes on with a job that was held.
pub(super) fn resume(it: &JobSnapshot, now: Timestamp) -> Decision {
    if it.job.state() != JobState::Paused {
        return Decision::Keep;
    }
    let job = JobInfo {
        status: JobStatus::Queuing,
        try_count: 0,
        ..it.job.clone()
    };
    if it.run.is_some() {
        return change(job, WaitingChange::Keep, after(After::ArmUnlessDone));
    }
    arm(&job, entry(&it.job, now))
}

/// Edits a text.
pub(super) fn edit(it: &JobSnapshot, _: Timestamp) -> Decision {
    let job = JobInfo {
        description: Some(format!("{}+", it.job.description.as_deref().unwrap_or_default())),
        ..it.job.clone()
    };
    change(job, WaitingChange::Keep, RunChange::default())
}

/// Edits the schedule and arms from it.
pub(super) fn edit_schedule(it: &JobSnapshot, now: Timestamp) -> Decision {
    let job = JobInfo {
        interval: Duration::from_secs(90),
        ..it.job.clone()
    };
    if it.run.is_some() {
        return change(job, WaitingChange::Keep, after(After::Arm));
    }
    if it.job.state() == JobState::Active {
        let next = entry(&job, now + TimeDelta::seconds(90));
        return arm(&job, next);
    }
    change(job, WaitingChange::Keep, RunChange::default())
}

/// Removes the job; a run in flight is recorded as cancelled.
pub(super) fn delete(it: &JobSnapshot, now: Timestamp) -> Decision {
    let log = it.run.as_ref().map(|run| {
        Box::new(JobLog {
            run_id: run.run_id,
            job_id: it.job.id,
            tenant_id: it.job.tenant_id,
            job_name: it.job.name.clone(),
            job_group: it.job.group.clone(),
            type_name: it.job.type_name.clone(),
            outcome: RunOutcome::Cancelled,
            message: Some("deleted while running".to_owned()),
            error: None,
            started_at: now,
            duration: Duration::ZERO,
            node_name: "operator".to_owned(),
            instance: run.instance,
            attempt: run.entry.attempt,
        })
    });
    Decision::Delete(log)
}

/// Arms an Active job that has neither a waiting execution nor one in flight.
pub(super) fn check(it: &JobSnapshot, now: Timestamp) -> Decision {
    let lost = it.waiting.is_none() && it.run.is_none();
    if lost && it.job.is_enabled && it.job.state() == JobState::Active {
        return arm(&it.job, entry(&it.job, now));
    }
    Decision::Keep
}
