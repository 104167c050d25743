//! Jobs that begin anew by hand, and jobs that should be armed and are not.

use tasks_abstractions::job::rank_of;
use tasks_abstractions::run::{JobSnapshot, QueueEntry, RunKind};
use tasks_abstractions::store::{Decision, JobChange, RunChange, WaitingChange};
use tasks_abstractions::{JobArgs, JobInfo, JobState, JobStatus, Timestamp};

use super::arm::{ScheduleError, first_execution};
use super::command::{brought_forward, go_on};

/// Runs a job anew, now, with these arguments, with tries, interruptions and abandonment forgotten.
///
/// Refused while a run is in flight: its outcome would be that of the former arguments.
#[must_use]
pub fn requeue(it: &JobSnapshot, args: Option<&JobArgs>, now: Timestamp) -> Decision {
    if !it.job.is_enabled {
        return Decision::Refuse("the job is disabled; enable it first".to_owned());
    }
    if it.run.is_some() {
        return Decision::Refuse(
            "a run of the job is in flight; cancel it first, or wait for its end".to_owned(),
        );
    }
    if let Some(end) = it.job.end_time.filter(|end| now > *end) {
        return Decision::Refuse(ScheduleError::Expired(end).to_string());
    }
    let fresh = JobSnapshot {
        job: JobInfo {
            args: args.unwrap_or(&it.job.args).clone(),
            try_count: 0,
            interruptions: 0,
            suspect_interruptions: 0,
            ..it.job.clone()
        },
        ..it.clone()
    };
    let mut change = match (&fresh.waiting, fresh.job.state()) {
        (Some(waiting), JobState::Active) => JobChange {
            waiting: WaitingChange::Set(QueueEntry {
                attempt: 1,
                // A retry stands back behind other work; this is none any more.
                rank: rank_of(fresh.job.priority),
                ..brought_forward(waiting, now)
            }),
            job: fresh.job,
            run: RunChange::default(),
        },
        _ => match go_on(&fresh, now) {
            Decision::Change(change) => *change,
            refused => return refused,
        },
    };
    if let WaitingChange::Set(entry) = &mut change.waiting {
        entry.due_at = now.min(entry.due_at);
        // A fire by the schedule could be dropped as missed; this one was asked for.
        entry.kind = RunKind::Trigger;
        change.job.next_run_time = Some(entry.due_at);
        change.job.status = JobStatus::Queuing;
    }
    Decision::Change(Box::new(change))
}

/// Arms a job that is Active and enabled and has neither a waiting execution nor one in flight, which nothing in the protocol leads to. One with nothing
/// left to run is Completed. Everything else is left alone: it was right, or became so since somebody suspected it.
#[must_use]
pub fn rearm(it: &JobSnapshot, now: Timestamp) -> Decision {
    let is_suspected =
        it.job.state() == JobState::Active && it.job.is_enabled && it.waiting.is_none() && it.run.is_none();
    if !is_suspected {
        return Decision::Keep;
    }
    let mut job = it.job.clone();
    let waiting = match first_execution(&job, now) {
        Ok(entry) => {
            job.next_run_time = Some(entry.due_at);
            WaitingChange::Set(entry)
        }
        Err(_) => {
            job.status = JobStatus::Completed;
            job.next_run_time = None;
            WaitingChange::Keep
        }
    };
    Decision::Change(Box::new(JobChange {
        job,
        waiting,
        run: RunChange::default(),
    }))
}
