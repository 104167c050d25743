//! Log rows, cleaning, and the seam of managers: which file does what.

use async_trait::async_trait;
use sea_orm::Value;
use tasks_abstractions::job::InstanceId;
use tasks_abstractions::run::{JobLog, JobSnapshot};
use tasks_abstractions::store::{Cleanup, JobCounts, JobLogQuery, JobLogSort, JobQuery, Page};
use tasks_abstractions::{JobId, JobInfo, JobStore, RunId, StoreError, Timestamp};
use tasks_multitenancy::TenantScope;

use crate::finish::refuse_log_nul;
use crate::list::{Filter, List};
use crate::row::{Hex, LogRow, json_rows, micros, not_json, read_log, uuid_at};
use crate::store::{SeaOrmStore, commit, lock_jobs};

/// Most jobs that are removed in one transaction.
const JOBS_AT_ONCE: usize = 1_000;

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
        let rows = json_rows([LogRow(&log)])?;
        let tx = self.begin(doing).await?;
        let on = self.on(&tx);
        on.execute_batches(on.dialect.sql().insert_logs, rows, doing)
            .await?;
        commit(tx, doing).await
    }

    async fn remove(&self, scope: TenantScope, id: JobId) -> Result<bool, StoreError> {
        self.again(|| self.remove_job(scope, id)).await
    }

    async fn cleanup(&self, what: &Cleanup) -> Result<u64, StoreError> {
        let mut removed = 0;
        if let Some(before) = what.jobs_before {
            removed += self.again(|| self.clean_jobs(before, what)).await?;
        }
        if let Some(before) = what.logs_before {
            removed += self.again(|| self.clean_logs(before, what.limit)).await?;
        }
        if let Some(before) = what.nodes_before {
            removed += self.again(|| self.clean_nodes(before, what.limit)).await?;
        }
        Ok(removed)
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

    async fn find_log(&self, run: RunId) -> Result<Option<JobLog>, StoreError> {
        let on = self.reading();
        let values = vec![on.dialect.uuid(run.as_uuid())];
        let row = on
            .row(on.dialect.sql().find_log, values, "read a log row")
            .await?;
        row.as_ref().map(read_log).transpose()
    }

    async fn counts(&self, scope: TenantScope) -> Result<JobCounts, StoreError> {
        self.count_jobs(scope).await
    }
}

fn bound(limit: usize) -> Value {
    i64::try_from(limit).unwrap_or(i64::MAX).into()
}

/// Old rows are looked for with a reading connection, so that a long search holds up no writer, and are judged again when they are removed.
impl SeaOrmStore {
    async fn clean_jobs(&self, before: Timestamp, what: &Cleanup) -> Result<u64, StoreError> {
        let doing = "remove old jobs";
        let on = self.reading();
        let values = vec![micros(before).into(), what.stopped.into(), bound(what.limit)];
        let rows = on.rows(on.dialect.sql().old_jobs, values, doing).await?;
        let mut ids = Vec::with_capacity(rows.len());
        for row in &rows {
            ids.push(JobId::new(uuid_at(row, 0, "the id of an old job")?));
        }
        let mut removed = 0;
        for ids in ids.chunks(JOBS_AT_ONCE) {
            let json = serde_json::to_string(&ids.iter().map(|it| Hex(it.as_uuid())).collect::<Vec<_>>())
                .map_err(not_json)?;
            let tx = self.begin(doing).await?;
            let on = self.on(&tx);
            // A command may arm one of them meanwhile: they are judged again when it has ended.
            lock_jobs(on, ids.iter().copied(), doing).await?;
            let values = vec![json.into(), micros(before).into(), what.stopped.into()];
            removed += on
                .execute(on.dialect.sql().delete_old_jobs, values, doing)
                .await?;
            commit(tx, doing).await?;
        }
        Ok(removed)
    }

    async fn clean_logs(&self, before: Timestamp, limit: usize) -> Result<u64, StoreError> {
        let doing = "remove old log rows";
        let on = self.reading();
        let rows = on
            .rows(
                on.dialect.sql().old_logs,
                vec![micros(before).into(), bound(limit)],
                doing,
            )
            .await?;
        let mut ids = Vec::with_capacity(rows.len());
        for row in &rows {
            ids.push(Hex(uuid_at(row, 0, "the run of an old log row")?));
        }
        let mut removed = 0;
        for (json, _) in json_rows(ids)? {
            let tx = self.begin(doing).await?;
            let on = self.on(&tx);
            removed += on
                .execute(on.dialect.sql().delete_logs, vec![json.into()], doing)
                .await?;
            commit(tx, doing).await?;
        }
        Ok(removed)
    }

    async fn clean_nodes(&self, before: Timestamp, limit: usize) -> Result<u64, StoreError> {
        let doing = "remove old nodes";
        let tx = self.begin(doing).await?;
        let on = self.on(&tx);
        let values = vec![micros(before).into(), bound(limit)];
        let rows = on.rows(on.dialect.sql().delete_old_nodes, values, doing).await?;
        commit(tx, doing).await?;
        for row in &rows {
            let instance = InstanceId::new(uuid_at(row, 0, "the instance of an old node")?);
            self.handles().lock_files.remove(instance);
        }
        Ok(rows.len() as u64)
    }
}
