//! The yardstick on SQLite: one connection that writes, batches as one JSON parameter.

use anyhow::{Result, ensure};
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqliteSynchronous};
use sea_orm::sqlx::{ConnectOptions as _, Connection as _, Row as _, query, query_scalar};
use serde::Deserialize;
use tasks_store_seaorm::Durability;
use uuid::Uuid;

use super::BATCH;
use super::batch::{self, Claimed, NewJob, hex};
use super::drive::Statements;
use crate::drain::Keep;
use crate::frame::place::Place;

const BEGIN: &str = "BEGIN IMMEDIATE";

const INSERT_JOBS: &str = "WITH v(x) AS MATERIALIZED (SELECT jsonb(value) FROM json_each(?1)) \
     INSERT INTO tk_background_jobs (id, tenant_id, name, job_group, type_name, args, source, state, is_enabled, job_type, misfire_policy, misfire_max, \
     creation_time, begin_time, trigger_count, try_count, max_try_count, max_count, is_abandoned, interruptions, suspect_interruptions, \
     max_interruptions, interval_ms, priority, failover, version) \
     SELECT unhex(x ->> 0), ?2, x ->> 1, ?3, ?4, x ->> 2, ?5, ?6, 1, 0, 0, 0, x ->> 3, x ->> 3, 0, 0, 50, 0, 0, 0, 0, 3, 300000, ?7, 0, 0 FROM v";

const INSERT_QUEUE: &str = "WITH v(x) AS MATERIALIZED (SELECT jsonb(value) FROM json_each(?1)) \
     INSERT INTO tk_job_queue (job_id, lane_id, rank, due_at, kind, attempt) SELECT unhex(x ->> 0), ?2, ?3, x ->> 3, 0, 1 FROM v";

/// As one row: the driver hands each row over to another thread, which costs more than to read the JSON.
const READ: &str = "SELECT json_group_array(json_array(hex(job_id), due_at, kind, attempt, version, args, hex(tenant_id), name, job_group, type_name)) \
     FROM (SELECT q.job_id, q.due_at, q.kind, q.attempt, j.version, j.args, j.tenant_id, j.name, j.job_group, j.type_name \
     FROM tk_job_queue q INDEXED BY tk_job_queue_claim CROSS JOIN tk_background_jobs j ON j.id = q.job_id \
     WHERE q.lane_id = ?1 AND q.rank = ?2 AND q.due_at >= ?3 AND q.due_at <= ?4 ORDER BY q.due_at, q.job_id LIMIT ?5)";

/// What [`READ`] answers of an execution.
#[derive(Deserialize)]
struct Row(Uuid, i64, i16, i64, i64, String, Uuid, String, String, String);

const MOVE_TO_RUNS: &str = "WITH v(x) AS MATERIALIZED (SELECT jsonb(value) FROM json_each(?1)) \
     INSERT INTO tk_job_runs (job_id, run_id, instance, claim_id, lane_id, rank, due_at, kind, attempt, suspect, job_version, after, claimed_at) \
     SELECT unhex(x ->> 0), unhex(x ->> 1), ?2, ?3, ?4, ?5, x ->> 2, x ->> 3, x ->> 4, 0, x ->> 5, 0, ?6 FROM v";

const TAKE_FROM_QUEUE: &str =
    "DELETE FROM tk_job_queue WHERE job_id IN (SELECT unhex(value ->> 0) FROM json_each(?1))";

/// The write lock of the file is the lock of every row, so versions are compared there.
const UNCHANGED: &str = "WITH v(x) AS MATERIALIZED (SELECT jsonb(value) FROM json_each(?1)) \
     SELECT count(*) FROM v CROSS JOIN tk_background_jobs j ON j.id = unhex(v.x ->> 0) WHERE j.version = v.x ->> 8";

const ARM: &str = "INSERT INTO tk_job_queue (job_id, lane_id, rank, due_at, kind, attempt) \
     SELECT unhex(value ->> 0), ?2, ?3, value ->> 1, 0, 1 FROM json_each(?1)";

const END_RUNS: &str = "DELETE FROM tk_job_runs WHERE (job_id, run_id) IN (SELECT unhex(value ->> 0), unhex(value ->> 1) FROM json_each(?1))";

const SETTLE: &str = "WITH v(x) AS MATERIALIZED (SELECT jsonb(value) FROM json_each(?1)) \
     UPDATE tk_background_jobs SET state = v.x ->> 3, last_run_time = ?2, trigger_count = 1, try_count = 0, interruptions = 0, \
     suspect_interruptions = 0, is_abandoned = 0, attention = NULL FROM v WHERE tk_background_jobs.id = unhex(v.x ->> 0)";

const REMOVE: &str =
    "DELETE FROM tk_background_jobs WHERE id IN (SELECT unhex(value ->> 0) FROM json_each(?1))";

const LOG: &str = "WITH v(x) AS MATERIALIZED (SELECT jsonb(value) FROM json_each(?1)) \
     INSERT INTO tk_background_job_logs (run_id, job_id, tenant_id, job_name, job_group, type_name, outcome, started_at, duration_ms, node_name, instance, \
     attempt) SELECT unhex(x ->> 1), unhex(x ->> 0), unhex(x ->> 4), x ->> 5, x ->> 6, x ->> 7, 0, ?2, 0, ?3, ?4, x ->> 2 FROM v";

/// A connection.
pub(super) struct Sqlite(SqliteConnection);

impl Statements for Sqlite {
    const CLAIMS_APART: bool = false;

    async fn connect(place: &Place) -> Result<Self> {
        Ok(Self(connect(place).await?))
    }

    async fn insert(&mut self, jobs: &[NewJob]) -> Result<()> {
        insert(&mut self.0, jobs).await
    }

    async fn clear(&mut self) -> Result<()> {
        query("DELETE FROM tk_background_jobs")
            .execute(&mut self.0)
            .await?;
        query("DELETE FROM tk_job_queue").execute(&mut self.0).await?;
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

async fn connect(place: &Place) -> Result<SqliteConnection> {
    let options = place.options()?;
    let synchronous = match options.durability {
        Durability::Full => SqliteSynchronous::Full,
        Durability::MayLoseLastCommits => SqliteSynchronous::Normal,
    };
    let file: SqliteConnectOptions = options.url.parse()?;
    let file = file
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(synchronous)
        .pragma("cache_size", "-65536")
        .pragma("wal_autocheckpoint", "10000")
        .disable_statement_logging();
    Ok(file.connect().await?)
}

async fn insert(connection: &mut SqliteConnection, jobs: &[NewJob]) -> Result<()> {
    let rows: Vec<_> = jobs
        .iter()
        .map(|it| (hex(it.id), it.id.to_string(), &it.args, it.created))
        .collect();
    let rows = serde_json::to_string(&rows)?;
    let mut tx = connection.begin_with(BEGIN).await?;
    query(INSERT_JOBS)
        .bind(&rows)
        .bind(Uuid::nil().as_bytes().to_vec())
        .bind(batch::GROUP)
        .bind(batch::TYPE)
        .bind(batch::SOURCE)
        .bind(batch::ACTIVE)
        .bind(batch::PRIORITY)
        .execute(&mut *tx)
        .await?;
    query(INSERT_QUEUE)
        .bind(&rows)
        .bind(batch::LANE)
        .bind(batch::RANK)
        .execute(&mut *tx)
        .await?;
    Ok(tx.commit().await?)
}

/// Takes a batch; answers it by ascending id.
async fn claim(connection: &mut SqliteConnection, instance: Uuid, floor: i64) -> Result<Vec<Claimed>> {
    let now = batch::now();
    let mut tx = connection.begin_with(BEGIN).await?;
    let rows: String = query_scalar(READ)
        .bind(batch::LANE)
        .bind(batch::RANK)
        .bind(floor)
        .bind(now)
        .bind(i64::try_from(BATCH)?)
        .fetch_one(&mut *tx)
        .await?;
    let mut claimed: Vec<Claimed> = serde_json::from_str::<Vec<Row>>(&rows)?
        .into_iter()
        .map(
            |Row(job, due, kind, attempt, version, args, tenant, name, group, type_name)| Claimed {
                job,
                run: Uuid::now_v7(),
                due,
                kind,
                attempt,
                version,
                args,
                tenant,
                name,
                group,
                type_name,
                again: None,
            },
        )
        .collect();
    if claimed.is_empty() {
        tx.rollback().await?;
        return Ok(claimed);
    }
    claimed.sort_unstable_by_key(|it| it.job);
    let moved: Vec<_> = claimed
        .iter()
        .map(|it| (hex(it.job), hex(it.run), it.due, it.kind, it.attempt, it.version))
        .collect();
    let moved = serde_json::to_string(&moved)?;
    query(MOVE_TO_RUNS)
        .bind(&moved)
        .bind(instance.as_bytes().to_vec())
        .bind(Uuid::now_v7().as_bytes().to_vec())
        .bind(batch::LANE)
        .bind(batch::RANK)
        .bind(now)
        .execute(&mut *tx)
        .await?;
    let taken = query(TAKE_FROM_QUEUE).bind(&moved).execute(&mut *tx).await?;
    ensure!(
        taken.rows_affected() == claimed.len() as u64,
        "a queue row was gone"
    );
    tx.commit().await?;
    Ok(claimed)
}

async fn finish(
    connection: &mut SqliteConnection,
    instance: Uuid,
    keep: Keep,
    claimed: &[Claimed],
) -> Result<()> {
    let rows: Vec<_> = claimed
        .iter()
        .map(|it| {
            let state = it.again.map_or(batch::COMPLETED, |_| batch::ACTIVE);
            let (job, run, tenant) = (hex(it.job), hex(it.run), hex(it.tenant));
            (
                job,
                run,
                it.attempt,
                state,
                tenant,
                &it.name,
                &it.group,
                &it.type_name,
                it.version,
            )
        })
        .collect();
    let rows = serde_json::to_string(&rows)?;
    let now = batch::now();
    let mut tx = connection.begin_with(BEGIN).await?;
    let unchanged: i64 = query_scalar(UNCHANGED).bind(&rows).fetch_one(&mut *tx).await?;
    ensure!(
        usize::try_from(unchanged)? == claimed.len(),
        "a job was changed while it ran"
    );
    let again: Vec<_> = claimed
        .iter()
        .filter_map(|it| Some((hex(it.job), it.again?)))
        .collect();
    if !again.is_empty() {
        query(ARM)
            .bind(serde_json::to_string(&again)?)
            .bind(batch::LANE)
            .bind(batch::RANK)
            .execute(&mut *tx)
            .await?;
    }
    let ended = query(END_RUNS).bind(&rows).execute(&mut *tx).await?;
    ensure!(
        ended.rows_affected() == claimed.len() as u64,
        "a run was taken over"
    );
    match keep {
        Keep::Nothing => {
            query(REMOVE).bind(&rows).execute(&mut *tx).await?;
        }
        Keep::History => {
            query(SETTLE).bind(&rows).bind(now).execute(&mut *tx).await?;
            query(LOG)
                .bind(&rows)
                .bind(now)
                .bind(batch::NODE)
                .bind(instance.as_bytes().to_vec())
                .execute(&mut *tx)
                .await?;
        }
    }
    Ok(tx.commit().await?)
}

async fn kept(connection: &mut SqliteConnection) -> Result<(i64, i64, i64)> {
    let row = query(
        "SELECT (SELECT count(*) FROM tk_background_jobs WHERE state = 0), (SELECT count(DISTINCT job_id) FROM tk_background_job_logs), \
         (SELECT count(*) FROM tk_job_queue) + (SELECT count(*) FROM tk_job_runs)",
    )
    .fetch_one(connection)
    .await?;
    Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))
}
