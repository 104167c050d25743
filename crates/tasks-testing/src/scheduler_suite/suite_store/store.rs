//! The stored jobs and the locks.

use async_trait::async_trait;
use tasks_abstractions::run::{JobLog, JobSnapshot};
use tasks_abstractions::store::{
    Cleanup, JobCounts, JobLogQuery, JobQuery, Page, RunStatistics, UnarmedPage,
};
use tasks_abstractions::{
    Clock, JobId, JobInfo, JobLockProvider, JobStore, LockOwner, RunId, StoreError, Timestamp,
};
use tasks_multitenancy::TenantScope;

use super::SuiteStore;

#[async_trait]
impl JobStore for SuiteStore {
    async fn get_running_list(
        &self,
        scope: TenantScope,
        limit: usize,
    ) -> Result<Vec<JobSnapshot>, StoreError> {
        self.call(self.inner.get_running_list(scope, limit)).await
    }

    async fn get_waiting_list(
        &self,
        scope: TenantScope,
        limit: usize,
        now: Option<Timestamp>,
    ) -> Result<Vec<JobSnapshot>, StoreError> {
        // Where nobody says when, a database would ask its own clock.
        let now = now.or_else(|| self.clock.authoritative_now());
        self.call(self.inner.get_waiting_list(scope, limit, now)).await
    }

    async fn get_all_period_tasks(
        &self,
        scope: TenantScope,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<JobInfo>, StoreError> {
        self.call(self.inner.get_all_period_tasks(scope, after, limit))
            .await
    }

    async fn find(&self, scope: TenantScope, id: JobId) -> Result<Option<JobInfo>, StoreError> {
        self.call(self.inner.find(scope, id)).await
    }

    async fn snapshots(&self, scope: TenantScope, ids: &[JobId]) -> Result<Vec<JobSnapshot>, StoreError> {
        self.call(self.inner.snapshots(scope, ids)).await
    }

    async fn store(&self, job: JobInfo) -> Result<Option<JobInfo>, StoreError> {
        self.call(self.inner.store(job)).await
    }

    async fn store_log(&self, log: JobLog) -> Result<(), StoreError> {
        self.call(self.inner.store_log(log)).await
    }

    async fn remove(&self, scope: TenantScope, id: JobId) -> Result<bool, StoreError> {
        self.call(self.inner.remove(scope, id)).await
    }

    async fn cleanup(&self, what: &Cleanup) -> Result<u64, StoreError> {
        self.call(self.inner.cleanup(what)).await
    }

    async fn list(&self, scope: TenantScope, query: &JobQuery) -> Result<Page<JobInfo>, StoreError> {
        self.call(self.inner.list(scope, query)).await
    }

    async fn list_logs(&self, scope: TenantScope, query: &JobLogQuery) -> Result<Page<JobLog>, StoreError> {
        self.call(self.inner.list_logs(scope, query)).await
    }

    async fn find_log(&self, job: JobId, run: RunId) -> Result<Option<JobLog>, StoreError> {
        self.call(self.inner.find_log(job, run)).await
    }

    async fn list_ids(
        &self,
        scope: TenantScope,
        query: &JobQuery,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<JobId>, StoreError> {
        self.call(self.inner.list_ids(scope, query, after, limit)).await
    }

    async fn find_unarmed(&self, after: Option<JobId>, limit: usize) -> Result<UnarmedPage, StoreError> {
        self.call(self.inner.find_unarmed(after, limit)).await
    }

    async fn cursor(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.call(self.inner.cursor(name)).await
    }

    async fn set_cursor(&self, name: &str, value: Option<&str>) -> Result<(), StoreError> {
        self.call(self.inner.set_cursor(name, value)).await
    }

    async fn run_statistics(
        &self,
        scope: TenantScope,
        since: Timestamp,
    ) -> Result<Vec<RunStatistics>, StoreError> {
        self.call(self.inner.run_statistics(scope, since)).await
    }

    async fn counts(&self, scope: TenantScope) -> Result<JobCounts, StoreError> {
        self.call(self.inner.counts(scope)).await
    }
}

#[async_trait]
impl JobLockProvider for SuiteStore {
    async fn try_acquire(&self, key: &str, owner: LockOwner) -> Result<bool, StoreError> {
        self.call(self.inner.try_acquire(key, owner)).await
    }

    async fn release(&self, key: &str, owner: LockOwner) -> Result<bool, StoreError> {
        self.call(self.inner.release(key, owner)).await
    }
}
