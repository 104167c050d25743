//! Steering jobs: the commands, and the management of jobs by people and programs.

use std::fmt;
use std::fmt::Debug;

use async_trait::async_trait;
use tasks_multitenancy::TenantScope;
use thiserror::Error;

use crate::run::JobLog;
use crate::store::{JobCounts, JobLogQuery, JobQuery, Page};
use crate::{JobId, JobInfo, StoreError, ValidationErrors};

/// A command on one job. What each does in each state is the table "State × command" of `ARCHITECTURE.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum JobCommand {
    /// Hold it and cancel its run.
    Pause,
    /// Go on; also enables it.
    Resume,
    /// End it and cancel its run.
    Stop,
    /// Begin anew: tries, interruptions and abandonment are cleared.
    Start,
    /// Run it now.
    Trigger,
    /// Cancel the run in flight.
    Cancel,
    /// Let it be armed.
    Enable,
    /// Never arm it, and cancel its run.
    Disable,
    /// Remove it, fencing its run.
    Delete,
}

impl JobCommand {
    /// Every command.
    pub const ALL: [Self; 9] = [
        Self::Pause,
        Self::Resume,
        Self::Stop,
        Self::Start,
        Self::Trigger,
        Self::Cancel,
        Self::Enable,
        Self::Disable,
        Self::Delete,
    ];

    /// The command's name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pause => "pause",
            Self::Resume => "resume",
            Self::Stop => "stop",
            Self::Start => "start",
            Self::Trigger => "trigger",
            Self::Cancel => "cancel",
            Self::Enable => "enable",
            Self::Disable => "disable",
            Self::Delete => "delete",
        }
    }
}

impl fmt::Display for JobCommand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a command did to one job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommandAnswer {
    /// The job changed.
    Changed,
    /// The job was as wanted already, or the command has no meaning in its state. Its version is unchanged.
    Unchanged,
    /// The command is not allowed now; the reason says why. Nothing changed.
    Refused(String),
    /// No such job for the asking tenant.
    NotFound,
}

/// Why a job could not be managed. Nothing was changed.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ManagementError {
    /// No such job for the asking tenant.
    #[error("job {0} was not found")]
    NotFound(JobId),
    /// The command is not allowed now.
    #[error("job {job} cannot be changed: {reason}")]
    Refused {
        /// The job.
        job: JobId,
        /// Why.
        reason: String,
    },
    /// The new values are not valid.
    #[error("the job is not valid: {0}")]
    Invalid(#[from] ValidationErrors),
    /// Somebody changed the job since it was read.
    #[error(
        "job {job} was changed meanwhile (version {found}, expected {expected}); read it again and repeat the change"
    )]
    Conflict {
        /// The job.
        job: JobId,
        /// The version that the editor had read.
        expected: i64,
        /// The version in the store.
        found: i64,
    },
    /// The name is taken.
    #[error("the name `{name}` is taken in group `{group}` by job {by}; choose another name")]
    NameTaken {
        /// The name.
        name: String,
        /// The group.
        group: String,
        /// The job that has it.
        by: JobId,
    },
    /// The store failed.
    #[error("the store failed")]
    Store(#[from] StoreError),
}

/// Everything that people and programs may do to stored jobs. The rules are here once; transports only translate.
#[async_trait]
pub trait JobManagement: Send + Sync + Debug {
    /// One job. A job of another tenant is not found.
    async fn get(&self, scope: TenantScope, id: JobId) -> Result<JobInfo, ManagementError>;

    /// Jobs by filter, sorted and paged.
    async fn list(&self, scope: TenantScope, query: &JobQuery) -> Result<Page<JobInfo>, ManagementError>;

    /// Finished executions by filter, sorted and paged.
    async fn logs(&self, scope: TenantScope, query: &JobLogQuery) -> Result<Page<JobLog>, ManagementError>;

    /// How many jobs are in which status.
    async fn counts(&self, scope: TenantScope) -> Result<JobCounts, ManagementError>;

    /// Stores a new job and arms it if it is enabled and due to run ever.
    async fn create(&self, job: JobInfo) -> Result<JobInfo, ManagementError>;

    /// Replaces the definition and settings of a job whose version still is `job.version`. State and counters stay; the waiting
    /// execution is armed anew only where the schedule changed.
    async fn update(&self, scope: TenantScope, job: JobInfo) -> Result<JobInfo, ManagementError>;

    /// Carries out a command on one job.
    async fn command(
        &self,
        scope: TenantScope,
        id: JobId,
        command: JobCommand,
    ) -> Result<CommandAnswer, ManagementError>;
}
