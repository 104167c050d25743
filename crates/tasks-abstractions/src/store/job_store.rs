//! The stored jobs, as managers and people see them.

use std::fmt::Debug;

use async_trait::async_trait;
use tasks_multitenancy::TenantScope;

use super::{Cleanup, JobCounts, JobLogQuery, JobQuery, Page, RunStatistics, StoreError, UnarmedPage};
use crate::run::{JobLog, JobSnapshot};
use crate::{JobId, JobInfo, RunId, Timestamp};

/// Holds jobs and logs. No method reads the ambient tenant: each takes the scope that its caller may see.
///
/// Ids outside the scope answer like ids that do not exist. Conformance: `a_tenant_sees_only_its_own`.
#[async_trait]
pub trait JobStore: Send + Sync + Debug {
    /// Jobs with a run in flight, longest running first, at most `limit`. Conformance: `running_list_holds_runs_in_flight`.
    async fn get_running_list(
        &self,
        scope: TenantScope,
        limit: usize,
    ) -> Result<Vec<JobSnapshot>, StoreError>;

    /// Jobs whose execution is due at `now` (`None` = the store's clock), in the order in which they are claimed, at most `limit`.
    /// Conformance: `waiting_list_holds_due_executions_in_claim_order`.
    async fn get_waiting_list(
        &self,
        scope: TenantScope,
        limit: usize,
        now: Option<Timestamp>,
    ) -> Result<Vec<JobSnapshot>, StoreError>;

    /// Repeating jobs (Period and Persistent) in state Active, by id, starting after `after`, at most `limit`.
    /// Conformance: `period_tasks_are_listed_by_id`.
    async fn get_all_period_tasks(
        &self,
        scope: TenantScope,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<JobInfo>, StoreError>;

    /// One job, with derived status. Conformance: `find_derives_the_status`.
    async fn find(&self, scope: TenantScope, id: JobId) -> Result<Option<JobInfo>, StoreError>;

    /// Jobs with their executions, read in one piece, in the order of `ids`; missing ones are left out.
    async fn snapshots(&self, scope: TenantScope, ids: &[JobId]) -> Result<Vec<JobSnapshot>, StoreError>;

    /// Writes one job: inserts it unarmed in its stored state, or, where its id exists, replaces its definition and settings if the
    /// version is still `job.version` (the store then counts it up). State, counters and executions of an existing job stay. Answers the job as
    /// stored, or `None` at a version conflict. Atomic. Conformance: `store_inserts_or_replaces_by_version`.
    ///
    /// # Errors
    /// Kind `Rejected` where the name is taken.
    async fn store(&self, job: JobInfo) -> Result<Option<JobInfo>, StoreError>;

    /// Appends a finished execution. A run of the job that is there already is left alone. Conformance: `a_run_is_logged_once`.
    async fn store_log(&self, log: JobLog) -> Result<(), StoreError>;

    /// Removes a job with its executions, and the locks of its run; log rows stay until their retention. False where there is none. The holder of a
    /// run in flight is fenced by it. Atomic. Conformance: `remove_takes_every_row_of_a_job`.
    async fn remove(&self, scope: TenantScope, id: JobId) -> Result<bool, StoreError>;

    /// Removes old rows, at most [`Cleanup::limit`]; answers how many. Only Once jobs without executions are removed.
    /// Conformance: `cleanup_removes_old_rows_only`, `cleanup_keeps_to_ends_and_types`.
    async fn cleanup(&self, what: &Cleanup) -> Result<u64, StoreError>;

    /// Jobs by filter. The order is applied before the page is cut. Conformance: `list_filters_sorts_then_pages`.
    async fn list(&self, scope: TenantScope, query: &JobQuery) -> Result<Page<JobInfo>, StoreError>;

    /// Finished executions by filter. Conformance: `logs_filter_by_every_field`.
    async fn list_logs(&self, scope: TenantScope, query: &JobLogQuery) -> Result<Page<JobLog>, StoreError>;

    /// The finished execution of one run of a job. Conformance: `a_run_is_logged_once`.
    async fn find_log(&self, job: JobId, run: RunId) -> Result<Option<JobLog>, StoreError>;

    /// Ids of jobs by filter, ascending, starting after `after`, at most `limit`. Order and page of the query mean nothing here: a command on many jobs
    /// walks over them while it changes what the filter looks at. Conformance: `ids_are_walked_by_filter`.
    async fn list_ids(
        &self,
        scope: TenantScope,
        query: &JobQuery,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<JobId>, StoreError>;

    /// Looks at the next `limit` jobs of all tenants by id, starting after `after`, for those that should be armed and are not.
    /// Conformance: `unarmed_jobs_are_found_in_steps`.
    async fn find_unarmed(&self, after: Option<JobId>, limit: usize) -> Result<UnarmedPage, StoreError>;

    /// The value kept under this name, `None` where there is none. For walks that go on where they were.
    /// Conformance: `a_cursor_keeps_its_last_value`.
    async fn cursor(&self, name: &str) -> Result<Option<String>, StoreError>;

    /// Keeps a value under this name (at most 100 characters), or none. Conformance: `a_cursor_keeps_its_last_value`.
    async fn set_cursor(&self, name: &str, value: Option<&str>) -> Result<(), StoreError>;

    /// How runs that started at or after `since` ended, by type and outcome, in that order. Conformance: `run_statistics_agree_with_the_logs`.
    async fn run_statistics(
        &self,
        scope: TenantScope,
        since: Timestamp,
    ) -> Result<Vec<RunStatistics>, StoreError>;

    /// How many jobs are in which status. Conformance: `counts_agree_with_the_list`.
    async fn counts(&self, scope: TenantScope) -> Result<JobCounts, StoreError>;
}
