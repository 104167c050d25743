//! The yardstick on PostgreSQL: two connections, one of which claims while the other one finishes.

use anyhow::{Context, Result, ensure};
use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection, PgRow};
use sea_orm::sqlx::{ConnectOptions as _, Connection as _, Row as _, query};
use uuid::Uuid;

use super::BATCH;
use super::batch::{self, Claimed, NewJob};
use super::drive::Statements;
use crate::drain::Keep;
use crate::frame::place::Place;

const INSERT: &str = "WITH new AS (INSERT INTO tk_background_jobs (id, tenant_id, name, job_group, type_name, args, source, state, is_enabled, job_type, \
     misfire_policy, misfire_max, creation_time, begin_time, trigger_count, try_count, max_try_count, max_count, is_abandoned, interruptions, \
     suspect_interruptions, max_interruptions, interval_ms, priority, failover, version) \
     SELECT id, $4, id::text, $5, $6, args, $7, $8, 1, 0, 0, 0, created, created, 0, 0, 50, 0, 0, 0, 0, 3, 300000, $9, 0, 0 \
     FROM unnest($1::uuid[], $2::text[], $3::bigint[]) v(id, args, created)) \
     INSERT INTO tk_job_queue (job_id, lane_id, rank, due_at, kind, attempt) \
     SELECT id, $10, $11, created, 0, 1 FROM unnest($1::uuid[], $3::bigint[]) v(id, created)";

/// From the due time on at which the last full batch ended: what was removed before it need not be passed over.
const LOCK_QUEUE: &str = "SELECT job_id, due_at, kind, attempt FROM tk_job_queue \
     WHERE lane_id = $1 AND rank = $2 AND due_at >= $3 AND due_at <= $4 ORDER BY due_at, job_id LIMIT $5 FOR UPDATE SKIP LOCKED";

const READ_JOBS: &str = "SELECT id, version, args, tenant_id, name, job_group, type_name FROM tk_background_jobs WHERE id = ANY($1)";

const MOVE_TO_RUNS: &str = "WITH taken AS (DELETE FROM tk_job_queue WHERE job_id = ANY($1)) \
     INSERT INTO tk_job_runs (job_id, run_id, instance, claim_id, lane_id, rank, due_at, kind, attempt, suspect, job_version, after, claimed_at) \
     SELECT job, run, $7, $8, $9, $10, due, kind, attempt, 0, version, 0, $11 \
     FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::smallint[], $5::bigint[], $6::bigint[]) v(job, run, due, kind, attempt, version)";

const LOCK_JOBS: &str =
    "SELECT id, version FROM tk_background_jobs WHERE id = ANY($1) ORDER BY id FOR NO KEY UPDATE";

const ARM: &str = "INSERT INTO tk_job_queue (job_id, lane_id, rank, due_at, kind, attempt) \
     SELECT job, $3, $4, due, 0, 1 FROM unnest($1::uuid[], $2::bigint[]) v(job, due)";

const END_RUNS: &str = "DELETE FROM tk_job_runs WHERE job_id = ANY($1) AND run_id = ANY($2)";

const SETTLE: &str = "UPDATE tk_background_jobs j SET state = v.state, last_run_time = v.ended, trigger_count = v.triggers, try_count = 0, \
     interruptions = 0, suspect_interruptions = 0, is_abandoned = 0, attention = NULL \
     FROM unnest($1::uuid[], $2::smallint[], $3::bigint[], $4::bigint[]) v(job, state, ended, triggers) WHERE j.id = v.job";

const REMOVE: &str = "DELETE FROM tk_background_jobs WHERE id = ANY($1)";

const LOG: &str = "INSERT INTO tk_background_job_logs (run_id, job_id, tenant_id, job_name, job_group, type_name, outcome, started_at, duration_ms, \
     node_name, instance, attempt) SELECT run, job, tenant, name, job_group, type, outcome, started, took, $10, $11, attempt \
     FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::smallint[], $8::bigint[], $9::bigint[], $12::bigint[]) \
     v(run, job, tenant, name, job_group, type, outcome, started, took, attempt)";

/// A connection.
pub(super) struct Postgres(PgConnection);

impl Statements for Postgres {
    const CLAIMS_APART: bool = true;

    async fn connect(place: &Place) -> Result<Self> {
        Ok(Self(connect(place).await?))
    }

    async fn insert(&mut self, jobs: &[NewJob]) -> Result<()> {
        insert(&mut self.0, jobs).await
    }

    async fn clear(&mut self) -> Result<()> {
        query("TRUNCATE tk_background_jobs").execute(&mut self.0).await?;
        query("TRUNCATE tk_job_queue").execute(&mut self.0).await?;
        Ok(())
    }

    async fn claim(&mut self, instance: Uuid, floor: i64) -> Result<Vec<Claimed>> {
        claim(&mut self.0, instance, floor).await
    }

    async fn finish(&mut self, instance: Uuid, keep: Keep, claimed: &[Claimed]) -> Result<()> {
        finish(&mut self.0, instance, keep, claimed).await
    }

    async fn kept(&mut self) -> Result<(i64, i64, i64)> {
        kept(&mut self.0).await
    }

    async fn close(self) -> Result<()> {
        Ok(self.0.close().await?)
    }
}

async fn connect(place: &Place) -> Result<PgConnection> {
    let options = place.options()?;
    let schema = options.schema.as_deref().context("the bench has a schema")?;
    let server: PgConnectOptions = options.url.parse()?;
    // The statements are few and each has one good plan, which the estimates of tables that were empty a moment ago do not always find.
    let server = server.disable_statement_logging().options([
        ("search_path", schema),
        ("plan_cache_mode", "force_generic_plan"),
        ("enable_seqscan", "off"),
        ("jit", "off"),
    ]);
    Ok(server.connect().await?)
}

async fn insert(connection: &mut PgConnection, jobs: &[NewJob]) -> Result<()> {
    let ids: Vec<Uuid> = jobs.iter().map(|it| it.id).collect();
    let args: Vec<&str> = jobs.iter().map(|it| it.args.as_str()).collect();
    let created: Vec<i64> = jobs.iter().map(|it| it.created).collect();
    query(INSERT)
        .bind(ids)
        .bind(args)
        .bind(created)
        .bind(Uuid::nil())
        .bind(batch::GROUP)
        .bind(batch::TYPE)
        .bind(batch::SOURCE)
        .bind(batch::ACTIVE)
        .bind(batch::PRIORITY)
        .bind(batch::LANE)
        .bind(batch::RANK)
        .execute(connection)
        .await?;
    Ok(())
}

/// Takes a batch; answers it by ascending id.
async fn claim(connection: &mut PgConnection, instance: Uuid, floor: i64) -> Result<Vec<Claimed>> {
    let now = batch::now();
    let mut tx = connection.begin().await?;
    let mut locked = query(LOCK_QUEUE)
        .bind(batch::LANE)
        .bind(batch::RANK)
        .bind(floor)
        .bind(now)
        .bind(i64::try_from(BATCH)?)
        .fetch_all(&mut *tx)
        .await?
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?)))
        .collect::<Result<Vec<(Uuid, i64, i16, i64)>>>()?;
    if locked.is_empty() {
        tx.rollback().await?;
        return Ok(Vec::new());
    }
    locked.sort_unstable_by_key(|it| it.0);
    let ids: Vec<Uuid> = locked.iter().map(|it| it.0).collect();
    let mut jobs = query(READ_JOBS).bind(&ids).fetch_all(&mut *tx).await?;
    jobs.sort_by_cached_key(|row: &PgRow| row.try_get::<Uuid, _>(0).unwrap_or_default());
    ensure!(jobs.len() == locked.len(), "a queue row has no job");
    let mut claimed = Vec::with_capacity(locked.len());
    for ((job, due, kind, attempt), row) in locked.into_iter().zip(&jobs) {
        ensure!(row.try_get::<Uuid, _>(0)? == job, "a queue row has no job");
        claimed.push(Claimed {
            job,
            run: Uuid::now_v7(),
            due,
            kind,
            attempt,
            version: row.try_get(1)?,
            args: row.try_get(2)?,
            tenant: row.try_get(3)?,
            name: row.try_get(4)?,
            group: row.try_get(5)?,
            type_name: row.try_get(6)?,
            again: None,
        });
    }
    let all = |of: fn(&Claimed) -> i64| claimed.iter().map(of).collect::<Vec<_>>();
    let moved = query(MOVE_TO_RUNS)
        .bind(&ids)
        .bind(claimed.iter().map(|it| it.run).collect::<Vec<_>>())
        .bind(all(|it| it.due))
        .bind(claimed.iter().map(|it| it.kind).collect::<Vec<_>>())
        .bind(all(|it| it.attempt))
        .bind(all(|it| it.version))
        .bind(instance)
        .bind(Uuid::now_v7())
        .bind(batch::LANE)
        .bind(batch::RANK)
        .bind(now)
        .execute(&mut *tx)
        .await?;
    ensure!(
        moved.rows_affected() == ids.len() as u64,
        "a run was there already"
    );
    tx.commit().await?;
    Ok(claimed)
}

async fn finish(
    connection: &mut PgConnection,
    instance: Uuid,
    keep: Keep,
    claimed: &[Claimed],
) -> Result<()> {
    let count = claimed.len();
    let jobs: Vec<Uuid> = claimed.iter().map(|it| it.job).collect();
    let runs: Vec<Uuid> = claimed.iter().map(|it| it.run).collect();
    let mut tx = connection.begin().await?;
    let locked = query(LOCK_JOBS)
        .bind(&jobs)
        .fetch_all(&mut *tx)
        .await?
        .iter()
        .map(|row| Ok((row.try_get(0)?, row.try_get(1)?)))
        .collect::<Result<Vec<_>>>()?;
    batch::compare_versions(claimed, locked.into_iter())?;
    let again: Vec<(Uuid, i64)> = claimed
        .iter()
        .filter_map(|it| Some((it.job, it.again?)))
        .collect();
    if !again.is_empty() {
        query(ARM)
            .bind(again.iter().map(|it| it.0).collect::<Vec<_>>())
            .bind(again.iter().map(|it| it.1).collect::<Vec<_>>())
            .bind(batch::LANE)
            .bind(batch::RANK)
            .execute(&mut *tx)
            .await?;
    }
    let ended = query(END_RUNS).bind(&jobs).bind(&runs).execute(&mut *tx).await?;
    ensure!(ended.rows_affected() == count as u64, "a run was taken over");
    match keep {
        Keep::Nothing => {
            query(REMOVE).bind(&jobs).execute(&mut *tx).await?;
        }
        Keep::History => {
            let now = batch::now();
            let state = |it: &Claimed| it.again.map_or(batch::COMPLETED, |_| batch::ACTIVE);
            query(SETTLE)
                .bind(&jobs)
                .bind(claimed.iter().map(state).collect::<Vec<_>>())
                .bind(vec![now; count])
                .bind(vec![1_i64; count])
                .execute(&mut *tx)
                .await?;
            let texts = |of: fn(&Claimed) -> &str| claimed.iter().map(of).collect::<Vec<_>>();
            query(LOG)
                .bind(&runs)
                .bind(&jobs)
                .bind(claimed.iter().map(|it| it.tenant).collect::<Vec<_>>())
                .bind(texts(|it| &it.name))
                .bind(texts(|it| &it.group))
                .bind(texts(|it| &it.type_name))
                .bind(vec![0_i16; count])
                .bind(vec![now; count])
                .bind(vec![0_i64; count])
                .bind(batch::NODE)
                .bind(instance)
                .bind(claimed.iter().map(|it| it.attempt).collect::<Vec<_>>())
                .execute(&mut *tx)
                .await?;
        }
    }
    tx.commit().await?;
    Ok(())
}

async fn kept(connection: &mut PgConnection) -> Result<(i64, i64, i64)> {
    let row = query(
        "SELECT (SELECT count(*) FROM tk_background_jobs WHERE state = 0), (SELECT count(DISTINCT job_id) FROM tk_background_job_logs), \
         (SELECT count(*) FROM tk_job_queue) + (SELECT count(*) FROM tk_job_runs)",
    )
    .fetch_one(connection)
    .await?;
    Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))
}
