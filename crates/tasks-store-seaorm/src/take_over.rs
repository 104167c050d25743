//! Taking runs over from nodes that are gone.

use sea_orm::{ConnectionTrait, QueryResult, Value};
use tasks_abstractions::run::RunInfo;
use tasks_abstractions::store::{ClaimedRun, TakeOver, TakenOver};
use tasks_abstractions::{JobId, StoreError, Timestamp};
use uuid::Uuid;

use crate::claim::{in_flight, must_live};
use crate::row::{Hex, json_rows, micros, read_run, stored_job, uuid_at};
use crate::statement::{On, column};
use crate::store::{SeaOrmStore, lock_jobs};

const TAKING: &str = "take over runs of dead nodes";

/// How often runs of dead nodes are looked for while others take what was found.
const LOOKS: usize = 4;

impl SeaOrmStore {
    pub(crate) async fn take_over_runs(&self, request: &TakeOver) -> Result<Vec<TakenOver>, StoreError> {
        for _ in 1..LOOKS {
            if let Some(taken) = self.take_over_once(request).await? {
                return Ok(taken);
            }
        }
        Ok(self.take_over_once(request).await?.unwrap_or_default())
    }

    /// `None` where all that was found went to another node meanwhile: there may be more.
    async fn take_over_once(&self, request: &TakeOver) -> Result<Option<Vec<TakenOver>>, StoreError> {
        let tx = self.begin(TAKING).await?;
        let on = self.on(&tx);
        let clock = must_live(on, request.instance, TAKING).await?;
        let now = self.now_from(request.now, clock)?;
        let sql = on.dialect.sql();
        let Some(rows) = orphaned_runs(on, request.limit).await? else {
            self.rollback(tx, TAKING).await?;
            return Ok(None);
        };
        let mut taken = Vec::with_capacity(rows.len());
        for row in &rows {
            match self.taken(row, request, now) {
                Ok(it) => taken.push(it),
                // One unreadable row must not keep all others from being rescued.
                Err(it) => tracing::error!(error = %it, "a run of a dead node is passed over"),
            }
        }
        if taken.is_empty() {
            self.rollback(tx, TAKING).await?;
            return Ok(Some(taken));
        }
        let uuid = |it: Uuid| on.dialect.uuid(it);
        let keys = || {
            taken.iter().map(|it| {
                let run = &it.claimed.run;
                (
                    Hex(run.job_id.as_uuid()),
                    Hex(it.former_run.as_uuid()),
                    Hex(run.run_id.as_uuid()),
                    run.job_version,
                )
            })
        };
        for (json, _) in json_rows(keys())? {
            let values: Vec<Value> = vec![
                json.into(),
                uuid(request.instance.as_uuid()),
                uuid(request.claim_id.as_uuid()),
                micros(now).into(),
            ];
            on.execute(sql.take_runs, values, TAKING).await?;
        }
        let former = json_rows(taken.iter().map(|it| Hex(it.former_run.as_uuid())))?;
        on.execute_batches(sql.delete_locks, former, TAKING).await?;
        self.commit(tx, TAKING).await?;
        Ok(Some(taken))
    }

    fn taken(&self, row: &QueryResult, request: &TakeOver, now: Timestamp) -> Result<TakenOver, StoreError> {
        let former = read_run(row, 1)?;
        let job = in_flight(stored_job(row)?);
        let run_id = self.new_run();
        #[cfg(feature = "chaos-mutants")]
        let run_id = if crate::mutants::is("take-over-keeps-run-id") {
            former.run_id
        } else {
            run_id
        };
        Ok(TakenOver {
            former_run: former.run_id,
            former_instance: former.instance,
            former_node: column(row, 2, TAKING)?,
            claimed: ClaimedRun {
                run: RunInfo {
                    run_id,
                    instance: request.instance,
                    claim_id: request.claim_id,
                    claimed_at: now,
                    job_version: job.version,
                    ..former
                },
                job,
            },
        })
    }
}

/// Runs of nodes that are gone, locked where rows have locks: answers `None` where some were found, and none is left now.
async fn orphaned_runs<C: ConnectionTrait>(
    on: On<'_, C>,
    limit: usize,
) -> Result<Option<Vec<QueryResult>>, StoreError> {
    let sql = on.dialect.sql();
    let limit: Value = i64::try_from(limit).unwrap_or(i64::MAX).into();
    let Some(locks) = sql.rows else {
        return on.rows(sql.orphaned_runs, vec![limit], TAKING).await.map(Some);
    };
    let mut jobs = Vec::new();
    for row in on.rows(locks.orphans, vec![limit], TAKING).await? {
        jobs.push(JobId::new(uuid_at(&row, 0, "the job of a run")?));
    }
    lock_jobs(on, jobs.iter().copied(), TAKING).await?;
    let mut rows = Vec::with_capacity(jobs.len());
    for (json, _) in json_rows(jobs.iter().map(|it| Hex(it.as_uuid())))? {
        rows.extend(on.rows(sql.orphaned_runs, vec![json.into()], TAKING).await?);
    }
    Ok((jobs.is_empty() || !rows.is_empty()).then_some(rows))
}
