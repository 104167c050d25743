//! The store as managers and people see it. Each method is one transaction over the rows.

use async_trait::async_trait;
use tasks_abstractions::run::{JobLog, JobSnapshot};
use tasks_abstractions::store::{
    Cleanup, JobCounts, JobLogQuery, JobQuery, Page, RunStatistics, UnarmedPage,
};
use tasks_abstractions::{
    JobId, JobInfo, JobLockProvider, JobStore, LockOwner, RunId, StoreError, Timestamp,
};
use tasks_multitenancy::TenantScope;

use super::MemoryStore;
use super::texts::{refuse_bad_log, refuse_nul};

#[async_trait]
impl JobStore for MemoryStore {
    async fn get_running_list(
        &self,
        scope: TenantScope,
        limit: usize,
    ) -> Result<Vec<JobSnapshot>, StoreError> {
        self.transaction(|rows| Ok(rows.running(scope, limit)))
    }

    async fn get_waiting_list(
        &self,
        scope: TenantScope,
        limit: usize,
        now: Option<Timestamp>,
    ) -> Result<Vec<JobSnapshot>, StoreError> {
        let now = self.instant(now);
        self.transaction(|rows| Ok(rows.waiting(scope, limit, now)))
    }

    async fn get_all_period_tasks(
        &self,
        scope: TenantScope,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<JobInfo>, StoreError> {
        self.transaction(|rows| Ok(rows.period_tasks(scope, after, limit)))
    }

    async fn find(&self, scope: TenantScope, id: JobId) -> Result<Option<JobInfo>, StoreError> {
        self.transaction(|rows| Ok(rows.visible(scope, id).map(|it| it.shown())))
    }

    async fn snapshots(&self, scope: TenantScope, ids: &[JobId]) -> Result<Vec<JobSnapshot>, StoreError> {
        self.transaction(|rows| Ok(rows.snapshots(scope, ids)))
    }

    async fn store(&self, job: JobInfo) -> Result<Option<JobInfo>, StoreError> {
        self.transaction(|rows| rows.store(job))
    }

    async fn store_log(&self, log: JobLog) -> Result<(), StoreError> {
        self.transaction(|rows| {
            refuse_bad_log(&log)?;
            rows.logs.append(log);
            Ok(())
        })
    }

    async fn remove(&self, scope: TenantScope, id: JobId) -> Result<bool, StoreError> {
        self.transaction(|rows| {
            let exists = rows.visible(scope, id).is_some();
            if exists {
                rows.remove(id);
            }
            Ok(exists)
        })
    }

    async fn cleanup(&self, what: &Cleanup) -> Result<u64, StoreError> {
        self.transaction(|rows| Ok(rows.cleanup(what)))
    }

    async fn list(&self, scope: TenantScope, query: &JobQuery) -> Result<Page<JobInfo>, StoreError> {
        self.transaction(|rows| rows.list(scope, query))
    }

    async fn list_logs(&self, scope: TenantScope, query: &JobLogQuery) -> Result<Page<JobLog>, StoreError> {
        self.transaction(|rows| rows.list_logs(scope, query))
    }

    async fn find_log(&self, job: JobId, run: RunId) -> Result<Option<JobLog>, StoreError> {
        self.transaction(|rows| Ok(rows.logs.find(job, run).cloned()))
    }

    async fn list_ids(
        &self,
        scope: TenantScope,
        query: &JobQuery,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<JobId>, StoreError> {
        self.transaction(|rows| Ok(rows.list_ids(scope, query, after, limit)))
    }

    async fn find_unarmed(&self, after: Option<JobId>, limit: usize) -> Result<UnarmedPage, StoreError> {
        self.transaction(|rows| Ok(rows.find_unarmed(after, limit)))
    }

    async fn cursor(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.transaction(|rows| Ok(rows.cursors.get(name).cloned()))
    }

    async fn set_cursor(&self, name: &str, value: Option<&str>) -> Result<(), StoreError> {
        self.transaction(|rows| {
            refuse_nul("a cursor", [("name", Some(name)), ("value", value)])?;
            match value {
                Some(value) => rows.cursors.insert(name.to_owned(), value.to_owned()),
                None => rows.cursors.remove(name),
            };
            Ok(())
        })
    }

    async fn run_statistics(
        &self,
        scope: TenantScope,
        since: Timestamp,
    ) -> Result<Vec<RunStatistics>, StoreError> {
        self.transaction(|rows| Ok(rows.run_statistics(scope, since)))
    }

    async fn counts(&self, scope: TenantScope) -> Result<JobCounts, StoreError> {
        self.transaction(|rows| Ok(rows.counts(scope)))
    }
}

#[async_trait]
impl JobLockProvider for MemoryStore {
    async fn try_acquire(&self, key: &str, owner: LockOwner) -> Result<bool, StoreError> {
        self.transaction(|rows| {
            refuse_nul("a lock", [("key", Some(key))])?;
            Ok(rows.try_acquire(key, owner))
        })
    }

    async fn release(&self, key: &str, owner: LockOwner) -> Result<bool, StoreError> {
        self.transaction(|rows| Ok(rows.release(key, owner)))
    }
}
