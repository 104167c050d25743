//! Removing what is old.
//!
//! Old rows are looked for with a reading connection, so that a long search holds up no writer, and are judged again when they are removed.

use sea_orm::Value;
use tasks_abstractions::job::InstanceId;
use tasks_abstractions::store::{Cleanup, CleanupTarget, JobEnd, StoreErrorKind, TypeFilter};
use tasks_abstractions::{JobId, JobState, RunOutcome, StoreError};

use crate::row::{Hex, json_rows, micros, not_json, uuid_at};
use crate::statement::column;
use crate::store::{SeaOrmStore, lock_jobs};

/// Most jobs that are removed in one transaction.
const JOBS_AT_ONCE: usize = 1_000;

impl SeaOrmStore {
    pub(crate) async fn clean(&self, what: &Cleanup) -> Result<u64, StoreError> {
        match what.target {
            CleanupTarget::Jobs(end) => self.clean_jobs(end, what).await,
            CleanupTarget::Logs(outcome) => self.clean_logs(outcome, what).await,
            CleanupTarget::Nodes => self.clean_nodes(what).await,
        }
    }

    async fn clean_jobs(&self, end: JobEnd, what: &Cleanup) -> Result<u64, StoreError> {
        let doing = "remove old jobs";
        let (state, is_abandoned) = match end {
            JobEnd::Completed => (JobState::Completed, None),
            JobEnd::Stopped => (JobState::Stopped, Some(false)),
            JobEnd::Abandoned => (JobState::Stopped, Some(true)),
        };
        let (mode, names) = types(&what.types)?;
        let judged = || -> Vec<Value> {
            vec![
                micros(what.before).into(),
                state.code().into(),
                Value::BigInt(is_abandoned.map(i64::from)),
                mode.into(),
                names.as_str().into(),
            ]
        };
        let on = self.reading();
        let mut values = judged();
        values.push(bound(what.limit));
        let rows = on.rows(on.dialect.sql().old_jobs, values, doing).await?;
        let mut ids = Vec::with_capacity(rows.len());
        for row in &rows {
            ids.push(JobId::new(uuid_at(row, 0, "the id of an old job")?));
        }
        let mut removed = 0;
        for ids in ids.chunks(JOBS_AT_ONCE) {
            let tx = self.begin(doing).await?;
            let on = self.on(&tx);
            // A command may arm one of them meanwhile: they are judged again when it has ended.
            lock_jobs(on, ids.iter().copied(), doing).await?;
            let json = serde_json::to_string(&ids.iter().map(|it| Hex(it.as_uuid())).collect::<Vec<_>>())
                .map_err(not_json)?;
            let mut values = judged();
            values.push(json.into());
            removed += on
                .execute(on.dialect.sql().delete_old_jobs, values, doing)
                .await?;
            self.commit(tx, doing).await?;
        }
        Ok(removed)
    }

    async fn clean_logs(&self, outcome: Option<RunOutcome>, what: &Cleanup) -> Result<u64, StoreError> {
        let doing = "remove old log rows";
        let on = self.reading();
        let (mode, names) = types(&what.types)?;
        let values = vec![
            micros(what.before).into(),
            Value::BigInt(outcome.map(|it| i64::from(it.code()))),
            mode.into(),
            names.into(),
            bound(what.limit),
        ];
        let rows = on.rows(on.dialect.sql().old_logs, values, doing).await?;
        let mut ids = Vec::with_capacity(rows.len());
        for row in &rows {
            let place = |at, what| uuid_at(row, at, what).map(Hex);
            let started_at: i64 = column(row, 1, doing)?;
            ids.push((
                place(0, "the job of an old log row")?,
                started_at,
                place(2, "the run of an old log row")?,
            ));
        }
        let mut removed = 0;
        for (json, _) in json_rows(ids)? {
            let tx = self.begin(doing).await?;
            let on = self.on(&tx);
            removed += on
                .execute(on.dialect.sql().delete_logs, vec![json.into()], doing)
                .await?;
            self.commit(tx, doing).await?;
        }
        Ok(removed)
    }

    async fn clean_nodes(&self, what: &Cleanup) -> Result<u64, StoreError> {
        let doing = "remove old nodes";
        let tx = self.begin(doing).await?;
        let on = self.on(&tx);
        let values = vec![micros(what.before).into(), bound(what.limit)];
        let rows = on.rows(on.dialect.sql().delete_old_nodes, values, doing).await?;
        let mut removed = Vec::with_capacity(rows.len());
        for row in &rows {
            removed.push(InstanceId::new(uuid_at(row, 0, "the instance of an old node")?));
        }
        if let Some(then) = on.dialect.sql().without_returning {
            let ids = json_rows(removed.iter().map(|it| Hex(it.as_uuid())))?;
            on.execute_batches(then.delete_nodes, ids, doing).await?;
        }
        self.commit(tx, doing).await?;
        for instance in &removed {
            self.handles().lock_files.remove(*instance);
        }
        Ok(removed.len() as u64)
    }
}

/// A filter of types as two parameters: 0 all, 1 only, 2 except; and the names as JSON.
fn types(filter: &TypeFilter) -> Result<(i64, String), StoreError> {
    let (mode, names): (i64, &[String]) = match filter {
        TypeFilter::All => (0, &[]),
        TypeFilter::Only(names) => (1, names),
        TypeFilter::Except(names) => (2, names),
    };
    let json = serde_json::to_string(names).map_err(|it| {
        StoreError::new(
            StoreErrorKind::Invalid,
            "names of types cannot be written as JSON",
        )
        .caused_by(it)
    })?;
    Ok((mode, json))
}

fn bound(limit: usize) -> Value {
    i64::try_from(limit).unwrap_or(i64::MAX).into()
}
