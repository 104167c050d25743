//! Whether the store has kept what was done.

use anyhow::{Result, ensure};
use sea_orm::DbBackend;
use tasks_abstractions::JobStatus;
use tasks_multitenancy::TenantScope;

use crate::frame::backend::Backend;
use crate::frame::node::Node;
use crate::frame::place::{Place, count};

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
            });
        }
        let client = place.client().await?;
        let kept = Self {
            jobs: count(&client, &format!("SELECT COUNT(DISTINCT l.job_id) FROM {RAN}")).await?,
            logs: count(&client, &format!("SELECT COUNT(*) FROM {RAN}")).await?,
            done: count(&client, DONE).await?,
            runs: count(&client, "SELECT COUNT(*) FROM tk_job_runs").await?,
        };
        client.close().await?;
        Ok(kept)
    }

    /// Checks that so many jobs more are kept as done than before, each with one log row, and that none of them is in flight.
    pub(crate) fn has_more(&self, before: &Self, jobs: usize) -> Result<()> {
        let more = (
            self.jobs - before.jobs,
            self.logs - before.logs,
            self.done - before.done,
            self.runs,
        );
        let jobs = jobs as u64;
        ensure!(
            more == (jobs, jobs, jobs, 0),
            "of {jobs} jobs {} have run, with {} log rows; {} are stored as done and {} are in flight",
            more.0,
            more.1,
            more.2,
            more.3
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
