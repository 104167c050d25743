//! What of the jobs that are done is to be kept, and whether the store has kept it.

use anyhow::{Result, ensure};
use clap::ValueEnum;
use sea_orm::DbBackend;
use serde::{Deserialize, Serialize};
use tasks_abstractions::JobStatus;
use tasks_core::{CleaningOptions, Retention};
use tasks_multitenancy::TenantScope;

use crate::frame::backend::Backend;
use crate::frame::node::Node;
use crate::frame::place::{Place, count};

/// What is left of a job that is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub(crate) enum Keep {
    /// Its row, and a log row of the run.
    History,
    /// Nothing: its row is removed, and there is no log row.
    Nothing,
}

impl Keep {
    pub(crate) const fn in_words(self) -> &'static str {
        match self {
            Self::History => "row and log row kept",
            Self::Nothing => "row removed, no log row",
        }
    }

    /// The options of a node that keeps so much.
    pub(crate) fn retention(self) -> CleaningOptions {
        let mut options = CleaningOptions::default();
        if self == Self::Nothing {
            (options.completed, options.logs) = (Retention::None, Retention::None);
        }
        options
    }
}

/// What of the finished jobs of the benches a store has kept.
#[derive(Debug)]
pub(crate) struct Kept {
    /// Jobs whose code has run, by their log rows.
    jobs: u64,
    /// Log rows.
    logs: u64,
    /// Of those jobs, the ones that are stored as done.
    done: u64,
    /// Runs in flight.
    runs: u64,
    /// All jobs that are stored.
    stored: u64,
}

/// Log rows of what ran here, and not of what stands there as history.
const RAN: &str = "tk_background_job_logs l WHERE l.node_name = 'bench'";

const DONE: &str = "SELECT COUNT(*) FROM tk_background_jobs j JOIN tk_background_job_logs l ON l.job_id = j.id \
     WHERE l.node_name = 'bench' AND j.state = 0";

impl Kept {
    /// As another client of the database sees it. A store in memory is asked through the node: it says how many jobs are done, and has no log that could be missing.
    pub(crate) async fn of(place: &Place, node: &Node) -> Result<Self> {
        if place.backend == Backend::Memory {
            let counts = node.jobs_stored().counts(TenantScope::All).await?;
            let done = counts.of(JobStatus::Completed);
            return Ok(Self {
                jobs: done,
                logs: done,
                done,
                runs: counts.of(JobStatus::Running),
                stored: JobStatus::ALL.iter().map(|it| counts.of(*it)).sum(),
            });
        }
        let client = place.client().await?;
        let kept = Self {
            jobs: count(&client, &format!("SELECT COUNT(DISTINCT l.job_id) FROM {RAN}")).await?,
            logs: count(&client, &format!("SELECT COUNT(*) FROM {RAN}")).await?,
            done: count(&client, DONE).await?,
            runs: count(&client, "SELECT COUNT(*) FROM tk_job_runs").await?,
            stored: count(&client, "SELECT COUNT(*) FROM tk_background_jobs").await?,
        };
        client.close().await?;
        Ok(kept)
    }

    /// Checks that of so many jobs more than before that is kept which was to be kept, and that none of them is in flight.
    pub(crate) fn has_more(&self, before: &Self, jobs: usize, keep: Keep) -> Result<()> {
        let more = (
            self.jobs - before.jobs,
            self.logs - before.logs,
            self.done - before.done,
            self.runs,
            self.stored - before.stored,
        );
        let jobs = match keep {
            Keep::History => jobs as u64,
            Keep::Nothing => 0,
        };
        ensure!(
            more == (jobs, jobs, jobs, 0, jobs),
            "{jobs} jobs were to be kept: {} have run, with {} log rows; {} are stored as done and {} are in flight; {} are stored at all",
            more.0,
            more.1,
            more.2,
            more.3,
            more.4
        );
        Ok(())
    }
}

/// Bytes of the queue and the runs, on a server.
pub(crate) async fn moving(place: &Place) -> Result<Option<u64>> {
    if place.backend == Backend::Memory {
        return Ok(None);
    }
    let client = place.client().await?;
    let size = match client.get_database_backend() {
        DbBackend::Postgres => Some(
            "SELECT (pg_total_relation_size('tk_job_queue') + pg_total_relation_size('tk_job_runs'))::bigint",
        ),
        DbBackend::MySql => Some(
            "SELECT CAST(SUM(data_length + index_length) AS SIGNED) FROM information_schema.tables \
             WHERE table_schema = DATABASE() AND table_name IN ('tk_job_queue', 'tk_job_runs')",
        ),
        _ => None,
    };
    let size = match size {
        Some(sql) => Some(count(&client, sql).await?),
        None => None,
    };
    client.close().await?;
    Ok(size)
}
