//! The waiting execution and the one in flight.

use serde::{Deserialize, Serialize};
use tasks_abstractions::job::{ClaimId, InstanceId, Lane};
use tasks_abstractions::run::{QueueEntry, RunInfo, RunProgress};
use tasks_abstractions::{JobId, RunId};

use super::scalar::{Hex, coded, micros, timestamp};

/// A queue row on its way into the database: job, lane name, rank, due, kind, attempt.
#[derive(Debug, Serialize)]
pub(crate) struct Place<'a>(Hex, &'a str, i16, i64, i16, u32);

impl<'a> Place<'a> {
    pub(crate) fn new(job: JobId, entry: &'a QueueEntry) -> Self {
        Self(
            Hex(job.as_uuid()),
            entry.lane.as_str(),
            entry.rank,
            micros(entry.due_at),
            entry.kind.code(),
            entry.attempt,
        )
    }
}

/// A queue row as it comes out of the database.
#[derive(Debug, Deserialize)]
pub(crate) struct QueueColumns {
    lane: String,
    rank: i16,
    due_at: i64,
    kind: i64,
    attempt: u32,
}

impl QueueColumns {
    pub(super) const NAMES: &'static [&'static str] = &["lane", "rank", "due_at", "kind", "attempt"];

    pub(super) fn into_entry(self) -> Result<QueueEntry, String> {
        Ok(QueueEntry {
            lane: Lane::from_name(&self.lane),
            rank: self.rank,
            due_at: timestamp(self.due_at, "due_at")?,
            kind: coded(self.kind, "kind")?,
            attempt: self.attempt,
        })
    }
}

/// A run row as it comes out of the database.
#[derive(Debug, Deserialize)]
pub(super) struct RunColumns {
    run_id: Hex,
    job_id: Hex,
    instance: Hex,
    claim_id: Hex,
    lane: String,
    rank: i16,
    due_at: i64,
    kind: i64,
    attempt: u32,
    suspect: i64,
    job_version: i64,
    after: i64,
    claimed_at: i64,
    cancel: Option<i64>,
    progress_done: Option<u64>,
    progress_total: Option<u64>,
    progress_message: Option<String>,
    progress_at: Option<i64>,
}

impl RunColumns {
    pub(super) const NAMES: &'static [&'static str] = &[
        "run_id",
        "job_id",
        "instance",
        "claim_id",
        "lane",
        "rank",
        "due_at",
        "kind",
        "attempt",
        "suspect",
        "job_version",
        "after",
        "claimed_at",
        "cancel",
        "progress_done",
        "progress_total",
        "progress_message",
        "progress_at",
    ];

    pub(super) fn into_run(self) -> Result<RunInfo, String> {
        let entry = QueueColumns {
            lane: self.lane,
            rank: self.rank,
            due_at: self.due_at,
            kind: self.kind,
            attempt: self.attempt,
        };
        let progress = match self.progress_at {
            None => None,
            Some(at) => Some(RunProgress {
                done: self.progress_done.unwrap_or(0),
                total: self.progress_total.unwrap_or(0),
                message: self.progress_message.unwrap_or_default(),
                at: timestamp(at, "progress_at")?,
            }),
        };
        Ok(RunInfo {
            run_id: RunId::new(self.run_id.0),
            job_id: JobId::new(self.job_id.0),
            instance: InstanceId::new(self.instance.0),
            claim_id: ClaimId::new(self.claim_id.0),
            entry: entry.into_entry()?,
            suspect: self.suspect != 0,
            job_version: self.job_version,
            after: coded(self.after, "after")?,
            claimed_at: timestamp(self.claimed_at, "claimed_at")?,
            cancel: self.cancel.map(|it| coded(it, "cancel")).transpose()?,
            progress,
        })
    }
}
