//! The next execution of a job's schedule.

use chrono::TimeDelta;
use tasks_abstractions::job::{Lane, rank_of};
use tasks_abstractions::run::{QueueEntry, RunKind};
use tasks_abstractions::{JobInfo, JobType, MisfirePolicy, Timestamp, ValidationErrors};
use thiserror::Error;

use crate::cron::CronSchedule;

/// Why a job has no next execution.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ScheduleError {
    /// It ran as often as it may.
    #[error("the job has run {0} times, which is its limit (`max_count`); raise the limit first")]
    Exhausted(u32),
    /// Its end has passed, or no fire lies before it.
    #[error("the job's end time ({0}) leaves no further run; move the end time first")]
    Expired(Timestamp),
    /// Its cron expression never fires again.
    #[error("the cron expression `{0}` never fires again; change it first")]
    NeverFires(String),
    /// Its cron expression or zone cannot be read.
    #[error("the job's schedule is not valid: {0}")]
    Invalid(String),
}

/// Checks the parts of a schedule that the limits of fields cannot: the cron expression with its zone.
///
/// # Errors
/// The fault, with its field.
pub fn check_schedule(job: &JobInfo) -> Result<(), ValidationErrors> {
    let Some(cron) = job.cron.as_deref().filter(|_| job.job_type == JobType::Period) else {
        return Ok(());
    };
    match CronSchedule::parse(cron, job.time_zone.as_deref()) {
        Ok(_) => Ok(()),
        Err(error) => Err(ValidationErrors::one("cron", error.to_string())),
    }
}

/// The execution with which a job starts or goes on: Once at the later of begin time and now, Persistent likewise, Period at its next
/// fire. Used for new jobs and by resume, start and enable.
///
/// # Errors
/// Where nothing is left to run.
pub fn first_execution(job: &JobInfo, now: Timestamp) -> Result<QueueEntry, ScheduleError> {
    if job.is_repeating() && job.runs_left() == Some(0) {
        return Err(ScheduleError::Exhausted(job.max_count));
    }
    let due = match job.job_type {
        JobType::Once | JobType::Persistent => job.begin_time.max(now),
        // A begin time that is a fire itself counts, hence the step back.
        JobType::Period => fire_after(job, now.max(job.begin_time - TimeDelta::microseconds(1)))?,
    };
    within_end(job, due)?;
    Ok(entry(job, due))
}

/// The execution after a settled run of a repeating job. `due_at` is when that run was due, `now` when it settled.
///
/// # Errors
/// Where nothing is left to run.
pub fn next_execution(job: &JobInfo, due_at: Timestamp, now: Timestamp) -> Result<QueueEntry, ScheduleError> {
    if job.runs_left() == Some(0) {
        return Err(ScheduleError::Exhausted(job.max_count));
    }
    let due = match job.job_type {
        JobType::Once => now.max(job.begin_time),
        JobType::Persistent => {
            let gap = TimeDelta::from_std(job.interval).unwrap_or(TimeDelta::MAX);
            now.checked_add_signed(gap)
                .ok_or_else(|| ScheduleError::Invalid("interval".to_owned()))?
                .max(job.begin_time)
        }
        JobType::Period => next_fire(job, due_at, now)?,
    };
    within_end(job, due)?;
    Ok(entry(job, due))
}

fn next_fire(job: &JobInfo, due_at: Timestamp, now: Timestamp) -> Result<Timestamp, ScheduleError> {
    let MisfirePolicy::FireAll { max } = job.misfire_policy else {
        return fire_after(job, now);
    };
    // Missed fires run one after another; of more than `max` the oldest are dropped.
    let mut missed = std::collections::VecDeque::new();
    let mut at = fire_after(job, due_at)?;
    let keep = usize::try_from(max.max(1)).unwrap_or(usize::MAX);
    let mut steps = 0_u32;
    while at <= now && steps < MAX_CATCH_UP {
        if missed.len() == keep {
            missed.pop_front();
        }
        missed.push_back(at);
        at = fire_after(job, at)?;
        steps += 1;
    }
    Ok(missed
        .front()
        .copied()
        .unwrap_or(if at > now { at } else { fire_after(job, now)? }))
}

/// Fires that catching up looks at before it gives up counting and goes on from now: a second-by-second schedule after a day away.
const MAX_CATCH_UP: u32 = 100_000;

fn fire_after(job: &JobInfo, after: Timestamp) -> Result<Timestamp, ScheduleError> {
    let expression = job.cron.as_deref().unwrap_or_default();
    CronSchedule::parse(expression, job.time_zone.as_deref())
        .map_err(|error| ScheduleError::Invalid(error.to_string()))?
        .next_after(after)
        .ok_or_else(|| ScheduleError::NeverFires(expression.to_owned()))
}

fn within_end(job: &JobInfo, due: Timestamp) -> Result<(), ScheduleError> {
    match job.end_time {
        Some(end) if due > end => Err(ScheduleError::Expired(end)),
        _ => Ok(()),
    }
}

fn entry(job: &JobInfo, due_at: Timestamp) -> QueueEntry {
    QueueEntry {
        lane: Lane::of(job),
        rank: rank_of(job.priority),
        due_at,
        kind: RunKind::Schedule,
        attempt: job.try_count.saturating_add(1),
    }
}
