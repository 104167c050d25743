//! Putting jobs into the schedule and taking them out.

use std::fmt::Debug;

use async_trait::async_trait;
use tasks_multitenancy::TenantScope;
use thiserror::Error;

use crate::{JobId, JobInfo, ManagementError, StoreError, ValidationErrors};

/// Why the scheduler could not do something. Nothing was changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SchedulerError {
    /// The job is not valid.
    #[error("job `{job}` is not valid: {source}")]
    Invalid {
        /// The job.
        job: JobId,
        /// All faults.
        source: ValidationErrors,
    },
    /// The command was refused.
    #[error(transparent)]
    Refused(#[from] ManagementError),
    /// The store failed.
    #[error("the schedule could not be changed")]
    Store(#[from] StoreError),
}

/// The schedule: which jobs are armed, and whether this node runs any.
#[async_trait]
pub trait JobScheduler: Send + Sync + Debug {
    /// Arms a job, storing it if it is new. False (and no change) when it is armed already, exhausted, or expired.
    async fn queue(&self, job: JobInfo) -> Result<bool, SchedulerError>;

    /// Arms many jobs; those that are armed already are replaced (definition and waiting execution). Answers how many are armed.
    async fn queue_many(&self, jobs: Vec<JobInfo>) -> Result<usize, SchedulerError>;

    /// Whether an execution of the job waits or is in flight.
    async fn exists(&self, scope: TenantScope, id: JobId) -> Result<bool, SchedulerError>;

    /// Brings the next execution forward to now; see the table of commands. False when nothing changed.
    async fn trigger(&self, scope: TenantScope, id: JobId) -> Result<bool, SchedulerError>;

    /// Holds a job and cancels its run. False when nothing changed.
    async fn pause(&self, scope: TenantScope, id: JobId) -> Result<bool, SchedulerError>;

    /// Goes on with a job. False when nothing changed.
    async fn resume(&self, scope: TenantScope, id: JobId) -> Result<bool, SchedulerError>;

    /// Takes a job out of the schedule and deletes it, fencing its run. False when it does not exist.
    async fn remove(&self, scope: TenantScope, id: JobId) -> Result<bool, SchedulerError>;

    /// Lets this node run jobs. True when it did not before.
    async fn start(&self) -> Result<bool, SchedulerError>;

    /// Lets this node claim no more jobs; those in flight go on. True when it did before.
    async fn stop(&self) -> Result<bool, SchedulerError>;

    /// Ends this node's part for good: no more claims, runs are given their grace, then cancelled and given back. True the first time.
    async fn shutdown(&self) -> Result<bool, SchedulerError>;
}
