//! From an edited definition to a change of a job's rows.

use tasks_abstractions::job::{Lane, rank_of};
use tasks_abstractions::run::{After, CancelReason, JobSnapshot};
use tasks_abstractions::store::{Decision, JobChange, RunChange, WaitingChange};
use tasks_abstractions::{JobInfo, JobState, JobStatus, JobType, Timestamp};

use super::arm::first_execution;

/// Whether two definitions fire at different times.
#[must_use]
pub fn is_schedule_changed(old: &JobInfo, new: &JobInfo) -> bool {
    // Each type has settings that say nothing about when it fires: changing them must not make a finished Once job run again, nor drop
    // the retry of a cron job.
    old.job_type != new.job_type
        || old.begin_time != new.begin_time
        || old.end_time != new.end_time
        || match new.job_type {
            JobType::Once => false,
            JobType::Period => {
                (&old.cron, &old.time_zone, old.max_count) != (&new.cron, &new.time_zone, new.max_count)
            }
            JobType::Persistent => (old.interval, old.max_count) != (new.interval, new.max_count),
        }
}

/// Replaces a job's definition and settings by those of `new`. State, counters and times of runs stay; what waits is armed anew only where the
/// schedule changed, and moved where the node or priority changed. Where a schedule changed under a run in flight, it is armed after it.
#[must_use]
pub fn replace_definition(it: &JobSnapshot, new: &JobInfo, now: Timestamp) -> Decision {
    let old = &it.job;
    let mut job = JobInfo {
        id: old.id,
        tenant_id: old.tenant_id,
        status: old.status,
        is_running: old.is_running,
        creation_time: old.creation_time,
        last_run_time: old.last_run_time,
        next_run_time: old.next_run_time,
        result: old.result.clone(),
        trigger_count: old.trigger_count,
        try_count: old.try_count,
        is_abandoned: old.is_abandoned,
        interruptions: old.interruptions,
        suspect_interruptions: old.suspect_interruptions,
        version: old.version,
        ..new.clone()
    };
    if job == *old {
        return Decision::Keep;
    }
    let is_active = old.state() == JobState::Active;
    let run = while_running(it, new);
    if !is_active || !job.is_enabled {
        let is_disarmed = is_active || !job.is_enabled;
        if is_disarmed {
            job.next_run_time = None;
        }
        return change(
            job,
            if is_disarmed {
                WaitingChange::Remove
            } else {
                moved(it, new)
            },
            run,
        );
    }
    let is_rearmed = is_schedule_changed(old, new) || !old.is_enabled;
    if it.run.is_some() {
        return change(job, WaitingChange::Keep, run);
    }
    if !is_rearmed && it.waiting.is_some() {
        return change(job, moved(it, new), RunChange::default());
    }
    match first_execution(&job, now) {
        Ok(armed) => {
            job.next_run_time = Some(armed.due_at);
            change(job, WaitingChange::Set(armed), RunChange::default())
        }
        Err(_) => {
            job.status = JobStatus::Completed;
            job.next_run_time = None;
            change(job, WaitingChange::Remove, RunChange::default())
        }
    }
}

/// What the edit means for the run in flight. A job that is edited while it is held keeps the mark of its new schedule for when it goes on.
fn while_running(it: &JobSnapshot, new: &JobInfo) -> RunChange {
    let Some(run) = &it.run else {
        return RunChange::default();
    };
    let old = &it.job;
    let after = if is_schedule_changed(old, new) {
        Some(After::Arm)
    } else if old.is_enabled && !new.is_enabled {
        Some(After::Settle)
    } else if !old.is_enabled && new.is_enabled && old.state() == JobState::Active && run.after != After::Arm
    {
        // As the command: the schedule is the same, so a success of this run is not repeated.
        Some(After::ArmUnlessDone)
    } else {
        None
    };
    let is_disabled = old.is_enabled && !new.is_enabled && old.state() == JobState::Active;
    RunChange {
        after,
        cancel: is_disabled.then_some(CancelReason::Disabled),
    }
}

/// The waiting execution under the job's new node and priority.
fn moved(it: &JobSnapshot, new: &JobInfo) -> WaitingChange {
    let Some(waiting) = &it.waiting else {
        return WaitingChange::Keep;
    };
    let mut entry = waiting.clone();
    if it.job.node_name != new.node_name || it.job.type_name != new.type_name {
        let lane = Lane::of(new);
        entry.lane = if waiting.is_suspect() {
            lane.suspect()
        } else {
            lane
        };
    }
    if it.job.priority != new.priority {
        entry.rank = rank_of(new.priority);
    }
    if entry == *waiting {
        WaitingChange::Keep
    } else {
        WaitingChange::Set(entry)
    }
}

fn change(job: JobInfo, waiting: WaitingChange, run: RunChange) -> Decision {
    Decision::Change(Box::new(JobChange { job, waiting, run }))
}
