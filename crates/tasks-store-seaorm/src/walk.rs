//! Walks over many rows in steps, what they keep between the steps, sums over all, and progress.

use sea_orm::Value;
use tasks_abstractions::job::Lane;
use tasks_abstractions::store::{JobQuery, ProgressReport, RunStatistics, UnarmedPage};
use tasks_abstractions::{JobId, RunOutcome, StoreError, Timestamp};
use tasks_multitenancy::TenantScope;

use crate::error::refuse_nul;
use crate::list::{job_filter, tenant};
use crate::row::{Hex, json_rows, micros, unreadable, uuid_at};
use crate::statement::column;
use crate::store::SeaOrmStore;

impl SeaOrmStore {
    pub(crate) async fn ids_by_filter(
        &self,
        scope: TenantScope,
        query: &JobQuery,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<JobId>, StoreError> {
        let doing = "list the ids of jobs";
        let on = self.reading();
        let sql = on.dialect.sql();
        let mut filter = job_filter(on.dialect, scope, query)?;
        if let Some(after) = after {
            filter.add("j.id > ?", [on.dialect.uuid(after.as_uuid())]);
        }
        let (condition, mut values) = filter.into_parts();
        values.push(bound(limit));
        let text = format!(
            "SELECT j.id FROM {}{condition} ORDER BY j.id LIMIT ?",
            sql.job_tables
        );
        let rows = on.rows(on.dialect.placed(text), values, doing).await?;
        rows.iter()
            .map(|it| uuid_at(it, 0, "the id of a job").map(JobId::new))
            .collect()
    }

    pub(crate) async fn lanes_with_work(&self) -> Result<Vec<Lane>, StoreError> {
        let doing = "look in which lanes work waits";
        let on = self.reading();
        let rows = on.rows(on.dialect.sql().waiting_lanes, Vec::new(), doing).await?;
        rows.iter()
            .map(|it| column::<String>(it, 0, doing).map(|name| Lane::from_name(&name)))
            .collect()
    }

    pub(crate) async fn jobs_in_lane(
        &self,
        lane: &Lane,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<JobId>, StoreError> {
        let doing = "list what waits in a lane";
        let on = self.reading();
        let after = on.dialect.optional_uuid(after.map(|it| it.as_uuid()));
        let values = vec![lane.as_str().into(), after, bound(limit)];
        let rows = on.rows(on.dialect.sql().waiting_in, values, doing).await?;
        rows.iter()
            .map(|it| uuid_at(it, 0, "the id of a job").map(JobId::new))
            .collect()
    }

    pub(crate) async fn unarmed_after(
        &self,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<UnarmedPage, StoreError> {
        let doing = "look for jobs that are not armed";
        let on = self.reading();
        let after = on.dialect.optional_uuid(after.map(|it| it.as_uuid()));
        let rows = on
            .rows(on.dialect.sql().find_unarmed, vec![after, bound(limit)], doing)
            .await?;
        let mut page = UnarmedPage {
            looked_at: rows.len() as u64,
            ..UnarmedPage::default()
        };
        for row in &rows {
            let id = JobId::new(uuid_at(row, 0, "the id of a job")?);
            if column::<i64>(row, 1, doing)? != 0 {
                page.unarmed.push(id);
            }
            page.next = Some(id);
        }
        if rows.len() < limit {
            page.next = None;
        }
        Ok(page)
    }

    pub(crate) async fn read_cursor(&self, name: &str) -> Result<Option<String>, StoreError> {
        let doing = "read where a walk was";
        let on = self.reading();
        let row = on
            .row(on.dialect.sql().read_cursor, vec![name.into()], doing)
            .await?;
        row.map(|it| column(&it, 0, doing)).transpose()
    }

    pub(crate) async fn write_cursor(&self, name: &str, value: Option<&str>) -> Result<(), StoreError> {
        let doing = "keep where a walk is";
        refuse_nul(&"a cursor", [("name", Some(name)), ("value", value)])?;
        let tx = self.begin(doing).await?;
        let on = self.on(&tx);
        let sql = on.dialect.sql();
        match value {
            Some(value) => {
                on.execute(sql.put_cursor, vec![name.into(), value.into()], doing)
                    .await?
            }
            None => on.execute(sql.delete_cursor, vec![name.into()], doing).await?,
        };
        self.commit(tx, doing).await
    }

    pub(crate) async fn statistics_since(
        &self,
        scope: TenantScope,
        since: Timestamp,
    ) -> Result<Vec<RunStatistics>, StoreError> {
        let doing = "sum up finished runs";
        let on = self.reading();
        let values = vec![tenant(on, scope), micros(since).into()];
        let rows = on.rows(on.dialect.sql().run_statistics, values, doing).await?;
        let number = |row, at| column::<i64>(row, at, doing).map(|it| u64::try_from(it).unwrap_or(0));
        let mut sums = Vec::with_capacity(rows.len());
        for row in &rows {
            sums.push(RunStatistics {
                type_name: column(row, 0, doing)?,
                outcome: RunOutcome::try_from(column::<i64>(row, 1, doing)?)
                    .map_err(|it| unreadable("the outcome of a log row", &it.to_string()))?,
                runs: number(row, 2)?,
                total_ms: number(row, 3)?,
                longest_ms: number(row, 4)?,
            });
        }
        Ok(sums)
    }

    pub(crate) async fn write_progress(
        &self,
        reports: &[ProgressReport],
        now: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let doing = "keep the progress of runs";
        let messages = reports
            .iter()
            .map(|it| ("message", Some(it.progress.message.as_str())));
        refuse_nul(&"a progress report", messages)?;
        if reports.is_empty() {
            return Ok(());
        }
        let rows = json_rows(reports.iter().map(|it| {
            (
                Hex(it.job_id.as_uuid()),
                Hex(it.run_id.as_uuid()),
                // Databases have no larger integers than these.
                i64::try_from(it.progress.done).unwrap_or(i64::MAX),
                i64::try_from(it.progress.total).unwrap_or(i64::MAX),
                it.progress.message.as_str(),
            )
        }))?;
        let tx = self.begin(doing).await?;
        let on = self.on(&tx);
        let now = self.now_on(on, now).await?;
        for (json, _) in rows {
            let values = vec![json.into(), micros(now).into()];
            on.execute(on.dialect.sql().store_progress, values, doing).await?;
        }
        self.commit(tx, doing).await
    }
}

fn bound(limit: usize) -> Value {
    i64::try_from(limit).unwrap_or(i64::MAX).into()
}
