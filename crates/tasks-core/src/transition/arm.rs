//! The next execution of a job's schedule.

use std::collections::VecDeque;

use chrono::TimeDelta;
use tasks_abstractions::job::{Lane, rank_of};
use tasks_abstractions::run::{QueueEntry, RunInfo, RunKind};
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

/// Checks the parts of a schedule that the limits of fields cannot: the cron expression with its zone, and that there is a date on which it fires.
///
/// # Errors
/// The fault, with its field.
pub fn check_schedule(job: &JobInfo) -> Result<(), ValidationErrors> {
    let Some(cron) = job.cron.as_deref().filter(|_| job.job_type == JobType::Period) else {
        return Ok(());
    };
    match CronSchedule::parse(cron, job.time_zone.as_deref()) {
        Ok(schedule) if schedule.next_after(Timestamp::UNIX_EPOCH).is_none() => Err(ValidationErrors::one(
            "cron",
            format!("`{cron}` never fires; its day, month and year never come together"),
        )),
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
        JobType::Period => fire_after(job, &cron_of(job)?, now.max(before_begin(job)))?,
    };
    within_end(job, due)?;
    Ok(entry(job, due))
}

/// The execution after `run` of a repeating job, which settled at `now`.
///
/// # Errors
/// Where nothing is left to run.
pub fn next_execution(job: &JobInfo, run: &RunInfo, now: Timestamp) -> Result<QueueEntry, ScheduleError> {
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
        JobType::Period => next_fire(job, run, now)?,
    };
    within_end(job, due)?;
    Ok(entry(job, due))
}

fn next_fire(job: &JobInfo, run: &RunInfo, now: Timestamp) -> Result<Timestamp, ScheduleError> {
    let cron = cron_of(job)?;
    // Neither before the begin time (a trigger may run earlier) nor the settled fire again (this clock may be behind the one it was due by).
    let from = run.entry.due_at.max(before_begin(job));
    #[cfg(feature = "chaos-mutants")]
    if crate::mutants::is("cron-armed-twice") && now.timestamp_subsec_micros().is_multiple_of(4) {
        return Ok(from);
    }
    if let MisfirePolicy::FireAll { max } = job.misfire_policy {
        // A fire that was claimed with later ones due already is itself one of those that are caught up with.
        let is_one_of_them = run.entry.kind == RunKind::Schedule
            && cron.next_after(from).is_some_and(|it| it <= run.claimed_at);
        let keep = max.clamp(1, MAX_CATCH_UP) - u32::from(is_one_of_them);
        if let Some(missed) = oldest_missed(&cron, from, now, usize::try_from(keep).unwrap_or(usize::MAX)) {
            return Ok(missed);
        }
    }
    fire_after(job, &cron, now.max(from))
}

/// Most fires that are caught up with, whatever `max` says: each settled run counts them again.
const MAX_CATCH_UP: u32 = 10_000;

/// The oldest of the last `keep` fires after `from` and up to `now`.
///
/// After a year away a second-by-second schedule has missed 31 million fires. They are not enumerated: the start is moved by halves until
/// what follows it is at least `keep` and not many more.
fn oldest_missed(cron: &CronSchedule, from: Timestamp, now: Timestamp, keep: usize) -> Option<Timestamp> {
    if keep == 0 {
        return None;
    }
    let (mut start, mut too_early, mut too_late) = (from, from, now);
    loop {
        match last_fires(cron, start, now, keep) {
            Some(fires) if fires.len() == keep || start == from => return fires.front().copied(),
            Some(_) => too_late = start,
            None => too_early = start,
        }
        // Two fires or more lie between both, a second or more apart, so this ends.
        start = too_early + (too_late - too_early) / 2;
    }
}

/// The last `keep` fires after `start` and up to `now`; `None` where there are many more.
fn last_fires(
    cron: &CronSchedule,
    start: Timestamp,
    now: Timestamp,
    keep: usize,
) -> Option<VecDeque<Timestamp>> {
    let mut fires = VecDeque::new();
    let mut at = start;
    for _ in 0..=keep.saturating_mul(2) {
        let Some(fire) = cron.next_after(at).filter(|it| *it <= now) else {
            return Some(fires);
        };
        if fires.len() == keep {
            fires.pop_front();
        }
        fires.push_back(fire);
        at = fire;
    }
    None
}

/// The instant after which fires count: a begin time that is a fire itself is one of them, hence the step back.
fn before_begin(job: &JobInfo) -> Timestamp {
    job.begin_time - TimeDelta::microseconds(1)
}

fn cron_of(job: &JobInfo) -> Result<CronSchedule, ScheduleError> {
    CronSchedule::parse(job.cron.as_deref().unwrap_or_default(), job.time_zone.as_deref())
        .map_err(|error| ScheduleError::Invalid(error.to_string()))
}

fn fire_after(job: &JobInfo, cron: &CronSchedule, after: Timestamp) -> Result<Timestamp, ScheduleError> {
    cron.next_after(after)
        .ok_or_else(|| ScheduleError::NeverFires(job.cron.clone().unwrap_or_default()))
}

fn within_end(job: &JobInfo, due: Timestamp) -> Result<(), ScheduleError> {
    match job.end_time {
        Some(end) if due > end => Err(ScheduleError::Expired(end)),
        _ => Ok(()),
    }
}

pub(super) fn entry(job: &JobInfo, due_at: Timestamp) -> QueueEntry {
    QueueEntry {
        lane: Lane::of(job),
        rank: rank_of(job.priority),
        due_at,
        kind: RunKind::Schedule,
        attempt: job.try_count.saturating_add(1),
    }
}
