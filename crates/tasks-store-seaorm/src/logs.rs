//! Log rows, and the seam of managers: which file does what.

use async_trait::async_trait;
use sea_orm::ConnectionTrait;
use tasks_abstractions::run::{JobLog, JobSnapshot};
use tasks_abstractions::store::{
    Cleanup, JobCounts, JobLogQuery, JobLogSort, JobQuery, Page, RunStatistics, UnarmedPage,
};
use tasks_abstractions::{JobId, JobInfo, JobStore, RunId, StoreError, Timestamp};
use tasks_multitenancy::TenantScope;

use crate::finish::refuse_log_nul;
use crate::list::{Filter, List};
use crate::row::{LogRow, read_log};
use crate::statement::On;
use crate::store::SeaOrmStore;

#[async_trait]
impl JobStore for SeaOrmStore {
    async fn get_running_list(
        &self,
        scope: TenantScope,
        limit: usize,
    ) -> Result<Vec<JobSnapshot>, StoreError> {
        self.running(scope, limit).await
    }

    async fn get_waiting_list(
        &self,
        scope: TenantScope,
        limit: usize,
        now: Option<Timestamp>,
    ) -> Result<Vec<JobSnapshot>, StoreError> {
        self.waiting(scope, limit, now).await
    }

    async fn get_all_period_tasks(
        &self,
        scope: TenantScope,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<JobInfo>, StoreError> {
        self.period_tasks(scope, after, limit).await
    }

    async fn find(&self, scope: TenantScope, id: JobId) -> Result<Option<JobInfo>, StoreError> {
        Ok(self.snapshots_of(scope, &[id]).await?.pop().map(|it| it.job))
    }

    async fn snapshots(&self, scope: TenantScope, ids: &[JobId]) -> Result<Vec<JobSnapshot>, StoreError> {
        self.snapshots_of(scope, ids).await
    }

    async fn store(&self, job: JobInfo) -> Result<Option<JobInfo>, StoreError> {
        self.again(|| self.store_job(&job)).await
    }

    async fn store_log(&self, log: JobLog) -> Result<(), StoreError> {
        let doing = "store a log row";
        refuse_log_nul(&log)?;
        let tx = self.begin(doing).await?;
        let on = self.on(&tx);
        if find_log(on, log.job_id, log.run_id).await?.is_none() {
            let row = on.dialect.sql().insert_logs.with([LogRow(&log)])?;
            on.write(row, &[], doing).await?;
        }
        self.commit(tx, doing).await
    }

    async fn remove(&self, scope: TenantScope, id: JobId) -> Result<bool, StoreError> {
        self.again(|| self.remove_job(scope, id)).await
    }

    async fn cleanup(&self, what: &Cleanup) -> Result<u64, StoreError> {
        self.again(|| self.clean(what)).await
    }

    async fn list(&self, scope: TenantScope, query: &JobQuery) -> Result<Page<JobInfo>, StoreError> {
        self.list_jobs(scope, query).await
    }

    async fn list_logs(&self, scope: TenantScope, query: &JobLogQuery) -> Result<Page<JobLog>, StoreError> {
        let on = self.reading();
        let mut filter = Filter::of(on.dialect);
        filter.is(
            "l.tenant_id",
            scope.only().map(|it| on.dialect.uuid(it.as_uuid())),
        );
        filter.is("l.job_id", query.job_id.map(|it| on.dialect.uuid(it.as_uuid())));
        filter.contains(
            &["l.job_name", "l.job_group", "l.type_name", "l.message"],
            query.filter.as_deref(),
        );
        filter.is("l.job_name", query.name.as_deref());
        filter.is("l.job_group", query.group.as_deref());
        filter.contains(&["l.type_name"], query.type_name.as_deref());
        filter.is("l.outcome", query.outcome.map(|it| it.code()));
        match query.has_exceptions {
            Some(true) => filter.add("l.error IS NOT NULL", []),
            Some(false) => filter.add("l.error IS NULL", []),
            None => {}
        }
        filter.within("l.started_at", query.begin_run_time, query.end_run_time);
        let list = List {
            columns: on.dialect.sql().log_columns,
            tables: "tk_background_job_logs l",
            sort: match query.sort {
                JobLogSort::StartedAt => "l.started_at",
                JobLogSort::Duration => "l.duration_ms",
            },
            may_be_null: false,
            then: "l.run_id",
            order: query.order,
            paging: query.paging,
        };
        list.read(on, filter, "list log rows", read_log).await
    }

    async fn find_log(&self, job: JobId, run: RunId) -> Result<Option<JobLog>, StoreError> {
        find_log(self.reading(), job, run).await
    }

    async fn list_ids(
        &self,
        scope: TenantScope,
        query: &JobQuery,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<JobId>, StoreError> {
        self.ids_by_filter(scope, query, after, limit).await
    }

    async fn find_unarmed(&self, after: Option<JobId>, limit: usize) -> Result<UnarmedPage, StoreError> {
        self.unarmed_after(after, limit).await
    }

    async fn cursor(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.read_cursor(name).await
    }

    async fn set_cursor(&self, name: &str, value: Option<&str>) -> Result<(), StoreError> {
        self.again(|| self.write_cursor(name, value)).await
    }

    async fn run_statistics(
        &self,
        scope: TenantScope,
        since: Timestamp,
    ) -> Result<Vec<RunStatistics>, StoreError> {
        self.statistics_since(scope, since).await
    }

    async fn counts(&self, scope: TenantScope) -> Result<JobCounts, StoreError> {
        self.count_jobs(scope).await
    }
}

async fn find_log<C: ConnectionTrait>(
    on: On<'_, C>,
    job: JobId,
    run: RunId,
) -> Result<Option<JobLog>, StoreError> {
    let values = vec![on.dialect.uuid(job.as_uuid()), on.dialect.uuid(run.as_uuid())];
    let row = on
        .row(on.dialect.sql().find_log, values, "read a log row")
        .await?;
    row.as_ref().map(read_log).transpose()
}
