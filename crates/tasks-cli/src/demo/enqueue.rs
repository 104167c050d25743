//! Enqueueing what is not there yet.

use std::collections::HashMap;
use std::time::Duration;

use tasks_abstractions::store::{JobQuery, Paging, PreparedJob};
use tasks_abstractions::{
    BackgroundJob, BackgroundJobManager, BackgroundJobManagerExt as _, JobCommand, JobId, JobInfo,
    JobManagement, JobStatus, RetryPolicy,
};
use tasks_multitenancy::TenantScope;

use super::checksum::Checksum;
use super::extras::{Delayed, Flaky, Hopeless};
use super::files::{Files, job_id};
use crate::failure::Failure;

/// Rows of one page when many jobs are read.
pub(super) const PAGE: usize = 500;
/// Statuses of a job that is not settled.
pub(super) const OPEN: [JobStatus; 3] = [JobStatus::Queuing, JobStatus::Running, JobStatus::FailedRetry];

/// The jobs of the listed files.
#[derive(Debug)]
pub(super) struct Enqueued {
    /// In the order of the files.
    pub(super) ids: Vec<JobId>,
    /// Enqueued now.
    pub(super) new: usize,
    /// Done before.
    pub(super) already: usize,
    /// Given up or cancelled before, and started again.
    pub(super) again: usize,
}

/// Enqueues a job for each file that has none, all in one transaction, and starts those again that came to nothing before.
///
/// # Errors
/// Where the store failed. Nothing was enqueued then, or everything.
pub(super) async fn files(
    jobs: &dyn BackgroundJobManager,
    management: &dyn JobManagement,
    files: Files,
) -> Result<Enqueued, Failure> {
    let ids: Vec<JobId> = files.found.iter().map(job_id).collect();
    let mut known: HashMap<JobId, JobStatus> = HashMap::new();
    for page in ids.chunks(PAGE) {
        for job in read(management, page).await? {
            known.insert(job.id, job.status);
        }
    }
    let mut again = 0;
    for (id, _) in known.iter().filter(|(_, status)| **status == JobStatus::Stopped) {
        management
            .command(TenantScope::All, *id, JobCommand::Start)
            .await?;
        again += 1;
    }
    let already = known.values().filter(|it| **it == JobStatus::Completed).count();
    let fresh = files
        .found
        .into_iter()
        .zip(&ids)
        .filter(|(_, id)| !known.contains_key(*id));
    let prepared: Vec<PreparedJob> = fresh
        .map(|(args, id)| {
            jobs.enqueue::<Checksum>(args)
                .id(*id)
                .max_try_count(3)
                .retry_policy(RetryPolicy::fixed(Duration::from_secs(1)))
                .prepare()
        })
        .collect::<Result<_, _>>()?;
    let new = prepared.len();
    if new > 0 {
        jobs.submit(prepared).await?;
    }
    Ok(Enqueued {
        ids,
        new,
        already,
        again,
    })
}

/// The stored jobs of these ids, at most a page.
///
/// # Errors
/// Where the store failed.
pub(super) async fn read(management: &dyn JobManagement, ids: &[JobId]) -> Result<Vec<JobInfo>, Failure> {
    let query = JobQuery {
        ids: Some(ids.to_vec()),
        paging: Paging {
            skip: 0,
            take: ids.len() as u64,
        },
        ..JobQuery::default()
    };
    Ok(management.list(TenantScope::All, &query).await?.items)
}

/// Enqueues the jobs beside the files, except those that still wait from before.
///
/// # Errors
/// Where the store failed.
pub(super) async fn extras(
    jobs: &dyn BackgroundJobManager,
    management: &dyn JobManagement,
) -> Result<(), Failure> {
    let soon = |wait| RetryPolicy::fixed(Duration::from_millis(wait));
    if is_missing::<Delayed>(management).await? {
        jobs.enqueue::<Delayed>(()).delay(Duration::from_secs(3)).await?;
    }
    if is_missing::<Flaky>(management).await? {
        jobs.enqueue::<Flaky>(()).retry_policy(soon(700)).await?;
    }
    if is_missing::<Hopeless>(management).await? {
        jobs.enqueue::<Hopeless>(())
            .retry_policy(soon(400))
            .max_try_count(3)
            .await?;
    }
    Ok(())
}

async fn is_missing<J: BackgroundJob>(management: &dyn JobManagement) -> Result<bool, Failure> {
    for status in OPEN {
        let query = JobQuery {
            type_name: Some(J::NAME.to_owned()),
            status: Some(status),
            paging: Paging { skip: 0, take: 1 },
            ..JobQuery::default()
        };
        if management.list(TenantScope::All, &query).await?.total > 0 {
            return Ok(false);
        }
    }
    Ok(true)
}
