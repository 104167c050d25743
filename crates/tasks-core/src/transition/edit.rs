//! From an edited definition to a change of a job's rows.

use tasks_abstractions::job::{Lane, rank_of};
use tasks_abstractions::run::{After, JobSnapshot};
use tasks_abstractions::store::{Decision, JobChange, RunChange, WaitingChange};
use tasks_abstractions::{JobInfo, JobState, JobStatus, Timestamp};

use super::arm::first_execution;

/// Whether two definitions fire at different times.
#[must_use]
pub fn is_schedule_changed(old: &JobInfo, new: &JobInfo) -> bool {
    old.job_type != new.job_type
        || old.cron != new.cron
        || old.time_zone != new.time_zone
        || old.begin_time != new.begin_time
        || old.end_time != new.end_time
        || old.max_count != new.max_count
        || (new.is_repeating() && old.interval != new.interval)
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
            RunChange::default(),
        );
    }
    let is_rearmed = is_schedule_changed(old, new) || !old.is_enabled;
    if it.run.is_some() {
        let after = is_rearmed.then_some(After::Arm);
        return change(job, WaitingChange::Keep, RunChange { after, cancel: None });
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
