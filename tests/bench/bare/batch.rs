//! What the statements are about: new jobs, claimed executions, settled runs.

use anyhow::{Context, Result, ensure};
use tasks_abstractions::{Clock, JobPriority, JobSource, JobState, SystemClock};
use uuid::Uuid;

use super::{BATCH, Pass};
use crate::drain::Keep;
use crate::frame::ledger::Ledger;

/// Lane `default`, which the first migration makes.
pub(super) const LANE: i64 = 1;
/// Rank of jobs of normal priority.
pub(super) const RANK: i16 = 25 - JobPriority::Normal.code();
/// State of a job that waits or runs.
pub(super) const ACTIVE: i16 = JobState::Active.code();
/// State of a job with nothing left to run.
pub(super) const COMPLETED: i16 = JobState::Completed.code();
pub(super) const SOURCE: i16 = JobSource::System.code();
pub(super) const PRIORITY: i16 = JobPriority::Normal.code();

/// What all jobs here have in common.
pub(super) const GROUP: &str = "BackgroundJobs";
pub(super) const TYPE: &str = "bench.no-op";
pub(super) const NODE: &str = "bench";

/// A job that is about to be stored.
#[derive(Debug)]
pub(super) struct NewJob {
    pub(super) id: Uuid,
    /// Its arguments, which are its number.
    pub(super) args: String,
    pub(super) created: i64,
}

/// New jobs with these numbers.
pub(super) fn new_jobs(numbers: std::ops::Range<usize>) -> Vec<NewJob> {
    numbers
        .map(|number| NewJob {
            id: Uuid::now_v7(),
            args: number.to_string(),
            created: now(),
        })
        .collect()
}

/// One claimed execution: its job and its run.
#[derive(Debug, Clone)]
pub(super) struct Claimed {
    pub(super) job: Uuid,
    pub(super) run: Uuid,
    pub(super) due: i64,
    pub(super) kind: i16,
    pub(super) attempt: i64,
    pub(super) version: i64,
    pub(super) args: String,
    pub(super) tenant: Uuid,
    pub(super) name: String,
    pub(super) group: String,
    pub(super) type_name: String,
    /// When it is due again, for one that repeats: here none does.
    pub(super) again: Option<i64>,
}

/// Stands for the code of the jobs.
pub(super) fn execute(claimed: &[Claimed], ledger: &Ledger) -> Result<()> {
    for it in claimed {
        let number = it
            .args
            .parse()
            .with_context(|| format!("the arguments of job {} are {}", it.job, it.args))?;
        ledger.ran(number);
    }
    Ok(())
}

/// Compares what was locked with what was claimed. A job that was changed meanwhile would have to be settled anew; here nobody changes one.
pub(super) fn compare_versions(
    claimed: &[Claimed],
    locked: impl ExactSizeIterator<Item = (Uuid, i64)>,
) -> Result<()> {
    ensure!(
        locked.len() == claimed.len(),
        "{} of {} job rows are there",
        locked.len(),
        claimed.len()
    );
    for (it, (job, version)) in claimed.iter().zip(locked) {
        ensure!(
            it.job == job && it.version == version,
            "job {job} was changed while it ran"
        );
    }
    Ok(())
}

/// Checks that what is left is what should be: jobs that are done, jobs with a log row, jobs that wait or run.
pub(super) fn check_kept(pass: &Pass, kept: (i64, i64, i64)) -> Result<()> {
    let expected = match pass.keep {
        Keep::History => i64::try_from(pass.jobs)?,
        Keep::Nothing => 0,
    };
    ensure!(
        kept == (expected, expected, 0),
        "{} jobs are done, {} have a log row, {} wait or run; expected {expected}, {expected} and none",
        kept.0,
        kept.1,
        kept.2
    );
    Ok(())
}

/// From which due time on the next claim looks: after a full batch from its last one, so that it need not pass over what was removed before.
pub(super) fn floor_after(claimed: &[Claimed], floor: i64) -> i64 {
    match claimed.len() {
        BATCH => claimed.iter().map(|it| it.due).max().unwrap_or(floor),
        _ => floor,
    }
}

/// An id in a JSON parameter.
pub(super) fn hex(id: Uuid) -> String {
    id.simple().to_string()
}

/// The instant in whole microseconds.
pub(super) fn now() -> i64 {
    SystemClock.now().timestamp_micros()
}
