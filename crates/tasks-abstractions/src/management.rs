//! Steering jobs: the commands, and the management of jobs by people and programs.

use std::fmt;
use std::fmt::Debug;

use async_trait::async_trait;
use tasks_multitenancy::TenantScope;
use thiserror::Error;

use crate::run::{JobLog, JobSnapshot};
use crate::store::{JobCounts, JobLogQuery, JobQuery, NodeInfo, Page, RunStatistics};
use crate::{JobArgs, JobId, JobInfo, StoreError, Timestamp, ValidationErrors};

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

/// What a command did to many jobs, or would do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct BulkAnswer {
    /// Jobs that the filter let pass.
    pub matched: u64,
    /// Of them, changed.
    pub changed: u64,
    /// Of them, as wanted already, or in a state in which the command has no meaning.
    pub unchanged: u64,
    /// Of them, refused or gone meanwhile.
    pub refused: u64,
    /// The first refusals with their reasons, at most [`MAX_REASONS`](Self::MAX_REASONS).
    pub reasons: Vec<(JobId, String)>,
}

impl BulkAnswer {
    /// Most reasons that are kept.
    pub const MAX_REASONS: usize = 100;

    /// Counts the answer for one job.
    pub fn count(&mut self, job: JobId, answer: &CommandAnswer) {
        self.matched += 1;
        let reason = match answer {
            CommandAnswer::Changed => {
                self.changed += 1;
                return;
            }
            CommandAnswer::Unchanged => {
                self.unchanged += 1;
                return;
            }
            CommandAnswer::Refused(reason) => reason.clone(),
            CommandAnswer::NotFound => "the job is gone".to_owned(),
        };
        self.refused += 1;
        if self.reasons.len() < Self::MAX_REASONS {
            self.reasons.push((job, reason));
        }
    }
}

/// Whether a command on many jobs is carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BulkMode {
    /// It is carried out.
    Apply,
    /// Only what it would do is answered; nothing changes.
    DryRun,
}

/// What a copy of a job differs in. Everything else is as in the original; counters, state and times of runs begin anew.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct CopyRequest {
    /// Its name. `None` = generated.
    pub name: Option<String>,
    /// Its arguments. `None` = those of the original.
    pub args: Option<JobArgs>,
    /// No run before this instant. `None` = now.
    pub begin_time: Option<Timestamp>,
}

/// What a check of stored jobs found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CheckReport {
    /// Jobs that were looked at.
    pub looked_at: u64,
    /// Jobs that should have been armed and were not; they are now. Each is an error of the system, never of the job.
    pub rearmed: Vec<JobId>,
    /// Jobs that should have been armed and have nothing left to run; they are Completed now.
    pub completed: Vec<JobId>,
    /// Where the next step goes on; `None` where the walk came to the end.
    pub next: Option<JobId>,
}

/// Everything that people and programs may do to stored jobs. The rules are here once; transports only translate.
///
/// A job of another tenant is answered like one that does not exist. Conformance: `management_does_not_reach_other_tenants`.
#[async_trait]
pub trait JobManagement: Send + Sync + Debug {
    /// One job.
    async fn get(&self, scope: TenantScope, id: JobId) -> Result<JobInfo, ManagementError>;

    /// Jobs by filter, sorted and paged.
    async fn list(&self, scope: TenantScope, query: &JobQuery) -> Result<Page<JobInfo>, ManagementError>;

    /// Finished executions by filter, sorted and paged.
    async fn logs(&self, scope: TenantScope, query: &JobLogQuery) -> Result<Page<JobLog>, ManagementError>;

    /// How many jobs are in which status.
    async fn counts(&self, scope: TenantScope) -> Result<JobCounts, ManagementError>;

    /// Runs in flight with their jobs and progress, longest running first, at most `limit`.
    ///
    /// Conformance: `progress_is_stored_once_a_second_at_most`, `progress_is_hidden_from_other_tenants`.
    async fn runs(&self, scope: TenantScope, limit: usize) -> Result<Vec<JobSnapshot>, ManagementError>;

    /// Members and former members of the cluster, by start.
    async fn nodes(&self) -> Result<Vec<NodeInfo>, ManagementError>;

    /// How runs that started at or after `since` ended, by type and outcome.
    async fn statistics(
        &self,
        scope: TenantScope,
        since: Timestamp,
    ) -> Result<Vec<RunStatistics>, ManagementError>;

    /// Stores a new job and arms it if it is enabled.
    ///
    /// Conformance: `a_job_is_made_or_refused_as_a_whole`.
    ///
    /// # Errors
    /// [`Invalid`](ManagementError::Invalid) with all faults; [`NameTaken`](ManagementError::NameTaken);
    /// [`Refused`](ManagementError::Refused) where its id exists or nothing is left to run.
    async fn create(&self, job: JobInfo) -> Result<JobInfo, ManagementError>;

    /// Replaces the definition and settings of a job whose version still is `job.version`. State and counters stay; the waiting
    /// execution is armed anew only where the schedule changed. On a job that a program defines, the fields that this changes win over the
    /// program's definition from now on ([`JobInfo::overrides`]).
    ///
    /// Conformance: `an_edit_of_an_old_copy_is_a_conflict`, `an_edit_survives_redefinition_until_it_is_taken_back`.
    ///
    /// # Errors
    /// [`Conflict`](ManagementError::Conflict) where somebody changed it since; else as [`create`](Self::create).
    async fn update(&self, scope: TenantScope, job: JobInfo) -> Result<JobInfo, ManagementError>;

    /// Stores a job that was written down elsewhere as it was there, with its id, tenant, state, counters, version and times. What waited, waits until the
    /// same time; what ran, runs again; what was held, done or disabled, stays so. Answers whether it is new: a job whose id exists is left alone, so that
    /// importing twice is harmless. A dry run answers the same and stores nothing; that a name is taken shows only when it is stored.
    ///
    /// Conformance: `an_imported_job_goes_on_where_it_was`, `importing_again_changes_nothing`.
    ///
    /// # Errors
    /// [`Invalid`](ManagementError::Invalid) with all faults; [`NameTaken`](ManagementError::NameTaken); [`Refused`](ManagementError::Refused) where it ran
    /// and nothing is left to run.
    async fn import(&self, job: JobInfo, mode: BulkMode) -> Result<bool, ManagementError>;

    /// Lets the program's definition count again for every field that people changed: forgets [`JobInfo::overrides`]. The definition is written with the
    /// next start of a program that has it and is not older than the one that wrote it last; a begin time in the future is over at once.
    ///
    /// Conformance: `an_edit_survives_redefinition_until_it_is_taken_back`.
    async fn reset_overrides(&self, scope: TenantScope, id: JobId) -> Result<JobInfo, ManagementError>;

    /// Carries out a command on one job.
    ///
    /// Conformance: `every_command_on_every_state_does_what_the_table_says`.
    async fn command(
        &self,
        scope: TenantScope,
        id: JobId,
        command: JobCommand,
    ) -> Result<CommandAnswer, ManagementError>;

    /// Carries out a command on many jobs, each by itself; one answer each, in order. No ids: no answers.
    ///
    /// Conformance: `many_ids_are_answered_one_by_one`, `every_command_on_every_state_does_what_the_table_says`.
    ///
    /// # Errors
    /// Where the store failed. Some of the jobs may have been changed; repeating the command is harmless.
    async fn command_many(
        &self,
        scope: TenantScope,
        ids: &[JobId],
        command: JobCommand,
        mode: BulkMode,
    ) -> Result<Vec<CommandAnswer>, ManagementError>;

    /// Carries out a command on every job that the filter lets pass; order and page of the query mean nothing. Jobs that are made while it runs are left
    /// out.
    ///
    /// Conformance: `a_filter_reaches_all_although_the_command_changes_what_it_looks_at`, `a_dry_run_foretells_what_happens`, `a_command_by_filter_ends_although_jobs_keep_coming`.
    ///
    /// # Errors
    /// As [`command_many`](Self::command_many).
    async fn command_where(
        &self,
        scope: TenantScope,
        query: &JobQuery,
        command: JobCommand,
        mode: BulkMode,
    ) -> Result<BulkAnswer, ManagementError>;

    /// Starts every job of exactly this type that was given up, or of every type. Disabled ones stay as they are.
    ///
    /// Conformance: `given_up_jobs_of_a_type_are_started_again`.
    ///
    /// # Errors
    /// As [`command_many`](Self::command_many).
    async fn retry_abandoned(
        &self,
        scope: TenantScope,
        type_name: Option<&str>,
        mode: BulkMode,
    ) -> Result<BulkAnswer, ManagementError>;

    /// Makes a new job like this one, from source User.
    ///
    /// Conformance: `a_copy_begins_anew`.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    async fn copy(
        &self,
        scope: TenantScope,
        id: JobId,
        copy: CopyRequest,
    ) -> Result<JobInfo, ManagementError>;

    /// Runs a job anew, now, with these arguments (`None` = its own): tries, interruptions and abandonment are cleared. What waits is brought
    /// forward.
    ///
    /// Conformance: `a_given_up_job_runs_anew_with_other_arguments`, `a_running_or_disabled_job_is_not_queued_anew`.
    ///
    /// # Errors
    /// [`Invalid`](ManagementError::Invalid) where the arguments are too large; [`Refused`](ManagementError::Refused) while a run is in flight, where
    /// the job is disabled, or where nothing is left to run.
    async fn requeue(
        &self,
        scope: TenantScope,
        id: JobId,
        args: Option<JobArgs>,
    ) -> Result<JobInfo, ManagementError>;

    /// Looks at the next `limit` jobs of all tenants after `after` and repairs those that should be armed and are not.
    ///
    /// Conformance: `a_check_repairs_broken_jobs_and_no_others`.
    async fn check(&self, after: Option<JobId>, limit: usize) -> Result<CheckReport, ManagementError>;
}
