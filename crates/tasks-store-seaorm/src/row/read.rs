//! From answers of statements to the values of the contracts.

use sea_orm::QueryResult;
use serde::de::DeserializeOwned;
use tasks_abstractions::job::JobStatus;
use tasks_abstractions::run::{JobLog, JobSnapshot, QueueEntry, RunInfo, RunKind};
use tasks_abstractions::{JobInfo, StoreError};

use super::job::JobColumns;
use super::log::LogColumns;
use super::run::{QueueColumns, RunColumns};
use super::scalar::unreadable;

const JOB: &str = "a row of tk_background_jobs";

/// A job in its stored state, with its waiting execution: columns job, queue row.
fn read_parts(row: &QueryResult) -> Result<(JobInfo, Option<QueueEntry>), StoreError> {
    let job = stored_job(row)?;
    let failed = |why: &str| unreadable(&format!("the queue row of job {}", job.id), why);
    let waiting = match columns::<QueueColumns>(row, 1, "a row of tk_job_queue", QueueColumns::NAMES)? {
        Some(columns) => Some(columns.into_entry().map_err(|why| failed(&why))?),
        None => None,
    };
    Ok((job, waiting))
}

/// A job that waits, in its stored state: columns job, queue row.
pub(crate) fn read_due(row: &QueryResult) -> Result<(JobInfo, QueueEntry), StoreError> {
    match read_parts(row)? {
        (job, Some(waiting)) => Ok((job, waiting)),
        (job, None) => Err(unreadable(
            &format!("the queue row of job {}", job.id),
            "it is NULL",
        )),
    }
}

/// As [`read_due`], of many, from lines that are job and queue row in turn.
pub(crate) fn read_lines(lines: &str) -> impl Iterator<Item = Result<(JobInfo, QueueEntry), StoreError>> {
    let mut lines = lines.lines();
    std::iter::from_fn(move || {
        let (job, waiting) = (lines.next()?, lines.next()?);
        Some(job_of(job).and_then(|job| {
            let waiting = parse::<QueueColumns>(waiting, "a row of tk_job_queue", QueueColumns::NAMES)?;
            let waiting = waiting
                .into_entry()
                .map_err(|why| unreadable(&format!("the queue row of job {}", job.id), &why))?;
            Ok((job, waiting))
        }))
    })
}

/// A job with its executions: columns job, queue row, run row. The shown status is derived from them.
pub(crate) fn read_snapshot(row: &QueryResult) -> Result<JobSnapshot, StoreError> {
    let (mut job, waiting) = read_parts(row)?;
    let run = run_at(row, 2, &format!("the run row of job {}", job.id))?;
    job.is_running = run.is_some();
    job.next_run_time = waiting.as_ref().map(|it| it.due_at);
    // Of an Active job, which reads as Queuing, the execution is shown; any other state stands for itself.
    job.status = match (job.status, &run, &waiting) {
        (JobStatus::Queuing, Some(_), _) => JobStatus::Running,
        (JobStatus::Queuing, None, Some(it)) if it.kind == RunKind::Retry => JobStatus::FailedRetry,
        (stored, _, _) => stored,
    };
    Ok(JobSnapshot { job, waiting, run })
}

/// A job with its derived status; the same columns as [`read_snapshot`].
pub(crate) fn read_job(row: &QueryResult) -> Result<JobInfo, StoreError> {
    read_snapshot(row).map(|it| it.job)
}

/// The run in a column.
pub(crate) fn read_run(row: &QueryResult, column: usize) -> Result<RunInfo, StoreError> {
    let what = "a row of tk_job_runs";
    run_at(row, column, what)?.ok_or_else(|| unreadable(what, "it is NULL"))
}

/// The log row in the first column.
pub(crate) fn read_log(row: &QueryResult) -> Result<JobLog, StoreError> {
    let what = "a row of tk_background_job_logs";
    columns::<LogColumns>(row, 0, what, LogColumns::NAMES)?
        .ok_or_else(|| unreadable(what, "it is NULL"))?
        .into_log()
        .map_err(|why| unreadable(what, &why))
}

fn run_at(row: &QueryResult, column: usize, what: &str) -> Result<Option<RunInfo>, StoreError> {
    columns::<RunColumns>(row, column, what, RunColumns::NAMES)?
        .map(RunColumns::into_run)
        .transpose()
        .map_err(|why| unreadable(what, &why))
}

/// The job in the first column, in its stored state.
pub(crate) fn stored_job(row: &QueryResult) -> Result<JobInfo, StoreError> {
    let columns = columns::<JobColumns>(row, 0, JOB, JobColumns::NAMES)?;
    job_from(columns.ok_or_else(|| unreadable(JOB, "it is NULL"))?)
}

fn job_of(text: &str) -> Result<JobInfo, StoreError> {
    parse::<JobColumns>(text, JOB, JobColumns::NAMES).and_then(job_from)
}

fn job_from(columns: JobColumns) -> Result<JobInfo, StoreError> {
    let id = columns.id();
    columns
        .into_job()
        .map_err(|why| unreadable(&format!("job {id}"), &why))
}

/// A row that came as one JSON array; `None` where it is NULL.
pub(super) fn columns<T: DeserializeOwned>(
    row: &QueryResult,
    column: usize,
    what: &str,
    names: &[&str],
) -> Result<Option<T>, StoreError> {
    let text: Option<String> = row
        .try_get_by_index(column)
        .map_err(|it| unreadable(what, &it.to_string()))?;
    text.map(|text| parse(&text, what, names)).transpose()
}

/// Reads a row; where it does not fit, says which row and which column.
pub(super) fn parse<T: DeserializeOwned>(text: &str, what: &str, names: &[&str]) -> Result<T, StoreError> {
    serde_json::from_str(text).map_err(|cause| {
        let id = serde_json::from_str::<Vec<serde_json::Value>>(text)
            .ok()
            .and_then(|values| values.first().map(ToString::to_string));
        let what = id.map_or_else(|| what.to_owned(), |id| format!("{what} ({} = {id})", names[0]));
        let column = column_at(text, cause.column(), names);
        unreadable(
            &what,
            &column.map_or_else(|| cause.to_string(), |it| format!("`{it}`: {cause}")),
        )
    })
}

/// The column in which the JSON text has its `position`th byte: commas of the outer array, counted outside texts.
fn column_at<'n>(text: &str, position: usize, names: &[&'n str]) -> Option<&'n str> {
    let (mut column, mut depth, mut in_text, mut escaped) = (0, 0, false, false);
    for byte in text.bytes().take(position.saturating_sub(1)) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_text => escaped = true,
            b'"' => in_text = !in_text,
            _ if in_text => {}
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth -= 1,
            b',' if depth == 1 => column += 1,
            _ => {}
        }
    }
    names.get(column).copied()
}
