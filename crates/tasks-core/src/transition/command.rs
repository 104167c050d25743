//! From a command to a change of a job's rows: the table "State × command".

use std::time::Duration;

use tasks_abstractions::job::{Lane, rank_of};
use tasks_abstractions::run::{After, CancelReason, JobLog, JobSnapshot, QueueEntry, RunInfo, RunKind};
use tasks_abstractions::store::{Decision, JobChange, RunChange, WaitingChange};
use tasks_abstractions::{
    JobCommand, JobInfo, JobState, JobStatus, JobType, MisfirePolicy, RunOutcome, Timestamp,
};

use super::arm::first_execution;

/// What `command` does to a job in this condition.
///
/// The decision is made while the store holds the job's rows, so it never meets a finish or a claim half-way.
#[must_use]
pub fn decide(command: JobCommand, it: &JobSnapshot, now: Timestamp) -> Decision {
    let state = it.job.state();
    match command {
        JobCommand::Pause => match state {
            JobState::Active | JobState::None => hold(it, JobStatus::Paused, CancelReason::Paused),
            JobState::Paused | JobState::Stopped | JobState::Completed => Decision::Keep,
        },
        JobCommand::Stop => match state {
            JobState::Active | JobState::None | JobState::Paused => {
                hold(it, JobStatus::Stopped, CancelReason::Stopped)
            }
            JobState::Stopped | JobState::Completed => Decision::Keep,
        },
        JobCommand::Resume => match state {
            JobState::Paused | JobState::Stopped => go_on(it, now),
            JobState::Active if !it.job.is_enabled => go_on(it, now),
            JobState::Active | JobState::Completed | JobState::None => Decision::Keep,
        },
        JobCommand::Start => match state {
            JobState::Active => Decision::Keep,
            _ => go_on(it, now),
        },
        JobCommand::Trigger => trigger(it, now),
        JobCommand::Cancel => cancel(it),
        JobCommand::Enable if it.job.is_enabled => Decision::Keep,
        JobCommand::Enable if state == JobState::Active => go_on(it, now),
        JobCommand::Enable => flag(it, true),
        JobCommand::Disable if !it.job.is_enabled => Decision::Keep,
        JobCommand::Disable if state == JobState::Active => {
            let mut change = held(it, it.job.status, CancelReason::Disabled);
            change.job.is_enabled = false;
            Decision::Change(Box::new(change))
        }
        JobCommand::Disable => flag(it, false),
        JobCommand::Delete => {
            Decision::Delete(it.run.as_ref().map(|run| Box::new(deleted(&it.job, run, now))))
        }
        _ => Decision::Refuse(format!("this version does not know the command `{command}`")),
    }
}

fn hold(it: &JobSnapshot, status: JobStatus, reason: CancelReason) -> Decision {
    Decision::Change(Box::new(held(it, status, reason)))
}

/// Nothing waits, the run in flight should end, and nothing follows it.
fn held(it: &JobSnapshot, status: JobStatus, reason: CancelReason) -> JobChange {
    JobChange {
        job: JobInfo {
            status,
            next_run_time: None,
            ..it.job.clone()
        },
        waiting: WaitingChange::Remove,
        run: RunChange {
            after: Some(After::Settle),
            cancel: Some(reason),
        },
    }
}

/// A flag that changes nothing now. A run by hand that waits must not start on a disabled job.
fn flag(it: &JobSnapshot, is_enabled: bool) -> Decision {
    let next_run_time = if is_enabled { it.job.next_run_time } else { None };
    Decision::Change(Box::new(JobChange {
        job: JobInfo {
            is_enabled,
            next_run_time,
            ..it.job.clone()
        },
        waiting: if is_enabled {
            WaitingChange::Keep
        } else {
            WaitingChange::Remove
        },
        run: RunChange {
            // Nor must one that was asked for during the run in flight, should the job be enabled again before that ends.
            after: (!is_enabled).then_some(After::Settle),
            cancel: None,
        },
    }))
}

/// Resume, start, enable and queueing anew: active and armed, with tries forgotten. Refused where nothing is left to run.
///
/// A job that was stopped or has ended begins anew. One that was only held goes on: should its process have died under it, the next run must be told.
#[must_use]
pub fn go_on(it: &JobSnapshot, now: Timestamp) -> Decision {
    let is_completed_once = it.job.state() == JobState::Completed && it.job.job_type == JobType::Once;
    let mut job = JobInfo {
        status: JobStatus::Queuing,
        is_enabled: true,
        is_abandoned: false,
        try_count: 0,
        ..it.job.clone()
    };
    if !matches!(it.job.state(), JobState::Paused | JobState::Active) {
        (job.interruptions, job.suspect_interruptions) = (0, 0);
    }
    let armed = first_execution(&job, now);
    if let Some(run) = &it.run {
        if let (JobState::Completed, Err(reason)) = (it.job.state(), &armed) {
            return Decision::Refuse(reason.to_string());
        }
        // The run in flight decides whether there is anything left to do, unless a trigger or an edit has said that there is.
        let is_said = matches!(run.after, After::RunAgain | After::Arm);
        return Decision::Change(Box::new(JobChange {
            job,
            waiting: WaitingChange::Remove,
            run: RunChange {
                after: (!is_said).then_some(After::ArmUnlessDone),
                cancel: None,
            },
        }));
    }
    let armed = match armed {
        Ok(armed) if is_completed_once => Ok(QueueEntry { due_at: now, ..armed }),
        other => other,
    };
    match armed {
        Ok(armed) => {
            // A run by hand that was asked for while the job was held is not forgotten.
            let armed = match &it.waiting {
                Some(manual) if manual.due_at < armed.due_at => QueueEntry {
                    due_at: manual.due_at,
                    kind: RunKind::Trigger,
                    ..armed
                },
                _ => armed,
            };
            job.next_run_time = Some(armed.due_at);
            Decision::Change(Box::new(JobChange {
                job,
                waiting: WaitingChange::Set(armed),
                run: RunChange::default(),
            }))
        }
        Err(reason) => Decision::Refuse(reason.to_string()),
    }
}

fn trigger(it: &JobSnapshot, now: Timestamp) -> Decision {
    if !it.job.is_enabled {
        return Decision::Refuse("the job is disabled; enable it first".to_owned());
    }
    let is_active = it.job.state() == JobState::Active;
    if let Some(run) = &it.run {
        if run.after == After::RunAgain {
            return Decision::Keep;
        }
        return Decision::Change(Box::new(JobChange {
            job: it.job.clone(),
            waiting: WaitingChange::Keep,
            run: RunChange {
                after: Some(After::RunAgain),
                cancel: None,
            },
        }));
    }
    let entry = match &it.waiting {
        Some(waiting) if waiting.due_at <= now && !may_be_skipped(&it.job, waiting) => return Decision::Keep,
        Some(waiting) => brought_forward(waiting, now),
        None => QueueEntry {
            lane: Lane::of(&it.job),
            rank: rank_of(it.job.priority),
            due_at: now,
            kind: if is_active {
                RunKind::Trigger
            } else {
                RunKind::Manual
            },
            attempt: 1,
        },
    };
    Decision::Change(Box::new(JobChange {
        job: JobInfo {
            next_run_time: Some(entry.due_at),
            ..it.job.clone()
        },
        waiting: WaitingChange::Set(entry),
        run: RunChange::default(),
    }))
}

/// The waiting execution as somebody wants it who asks for a run now: due, and no longer a fire that a misfire policy may drop.
pub(super) fn brought_forward(waiting: &QueueEntry, now: Timestamp) -> QueueEntry {
    QueueEntry {
        due_at: waiting.due_at.min(now),
        kind: if waiting.kind == RunKind::Schedule {
            RunKind::Trigger
        } else {
            waiting.kind
        },
        ..waiting.clone()
    }
}

/// Whether the execution, once late, is dropped instead of run.
fn may_be_skipped(job: &JobInfo, waiting: &QueueEntry) -> bool {
    job.misfire_policy == MisfirePolicy::Skip && waiting.kind == RunKind::Schedule
}

fn cancel(it: &JobSnapshot) -> Decision {
    match &it.run {
        Some(run) if run.cancel.is_none() => Decision::Change(Box::new(JobChange {
            job: it.job.clone(),
            waiting: WaitingChange::Keep,
            run: RunChange {
                after: None,
                cancel: Some(CancelReason::Requested),
            },
        })),
        _ => Decision::Keep,
    }
}

fn deleted(job: &JobInfo, run: &RunInfo, now: Timestamp) -> JobLog {
    JobLog {
        run_id: run.run_id,
        job_id: job.id,
        tenant_id: job.tenant_id,
        job_name: job.name.clone(),
        job_group: job.group.clone(),
        type_name: job.type_name.clone(),
        outcome: RunOutcome::Cancelled,
        message: Some("deleted while running".to_owned()),
        error: None,
        started_at: run.claimed_at,
        duration: (now - run.claimed_at).to_std().unwrap_or(Duration::ZERO),
        node_name: String::new(),
        instance: run.instance,
        attempt: run.entry.attempt,
    }
}
