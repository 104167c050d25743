//! The yardstick on MariaDB: two connections, batches as tables made of one JSON parameter, each of whose rows looks up one row by key.

use anyhow::{Result, ensure};
use sea_orm::sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sea_orm::sqlx::{ConnectOptions as _, Connection as _, Executor as _, Row as _, query};
use uuid::Uuid;

use super::BATCH;
use super::batch::{self, Claimed, NewJob, hex};
use super::drive::Statements;
use crate::drain::Keep;
use crate::frame::place::Place;

const INSERT_JOBS: &str = "INSERT INTO tk_background_jobs (id, tenant_id, name, job_group, type_name, args, source, state, is_enabled, job_type, \
     misfire_policy, misfire_max, creation_time, begin_time, trigger_count, try_count, max_try_count, max_count, is_abandoned, interruptions, \
     suspect_interruptions, max_interruptions, interval_ms, priority, failover, version) \
     SELECT UNHEX(v.id), ?, v.name, ?, ?, v.args, ?, ?, 1, 0, 0, 0, v.created, v.created, 0, 0, 50, 0, 0, 0, 0, 3, 300000, ?, 0, 0 \
     FROM JSON_TABLE(?, '$[*]' COLUMNS (id CHAR(32) PATH '$[0]', name CHAR(36) PATH '$[1]', args VARCHAR(100) PATH '$[2]', created BIGINT PATH '$[3]')) v";

const INSERT_QUEUE: &str = "INSERT INTO tk_job_queue (job_id, lane_id, `rank`, due_at, kind, attempt) SELECT UNHEX(v.id), ?, ?, v.created, 0, 1 \
     FROM JSON_TABLE(?, '$[*]' COLUMNS (id CHAR(32) PATH '$[0]', created BIGINT PATH '$[3]')) v";

/// From the due time on at which the last full batch ended: what was removed before it need not be passed over.
const LOCK_QUEUE: &str = "SELECT job_id, due_at, kind, attempt FROM tk_job_queue FORCE INDEX (tk_job_queue_claim) \
     WHERE lane_id = ? AND `rank` = ? AND due_at >= ? AND due_at <= ? ORDER BY due_at, job_id LIMIT ? FOR UPDATE SKIP LOCKED";

const READ_JOBS: &str = "SELECT j.id, j.version, j.args, j.tenant_id, j.name, j.job_group, j.type_name \
     FROM JSON_TABLE(?, '$[*]' COLUMNS (id CHAR(32) PATH '$')) v STRAIGHT_JOIN tk_background_jobs j FORCE INDEX (PRIMARY) ON j.id = UNHEX(v.id)";

const MOVE_TO_RUNS: &str = "INSERT INTO tk_job_runs (job_id, run_id, instance, claim_id, lane_id, `rank`, due_at, kind, attempt, suspect, job_version, after, \
     claimed_at) SELECT UNHEX(v.job), UNHEX(v.run), ?, ?, ?, ?, v.due, v.kind, v.attempt, 0, v.version, 0, ? \
     FROM JSON_TABLE(?, '$[*]' COLUMNS (job CHAR(32) PATH '$[0]', run CHAR(32) PATH '$[1]', due BIGINT PATH '$[2]', kind SMALLINT PATH '$[3]', \
     attempt BIGINT PATH '$[4]', version BIGINT PATH '$[5]')) v";

const TAKE_FROM_QUEUE: &str = "DELETE q FROM JSON_TABLE(?, '$[*]' COLUMNS (id CHAR(32) PATH '$[0]')) v \
     STRAIGHT_JOIN tk_job_queue q FORCE INDEX (PRIMARY) ON q.job_id = UNHEX(v.id)";

const LOCK_JOBS: &str = "SELECT j.id, j.version FROM JSON_TABLE(?, '$[*]' COLUMNS (id CHAR(32) PATH '$[0]')) v \
     STRAIGHT_JOIN tk_background_jobs j FORCE INDEX (PRIMARY) ON j.id = UNHEX(v.id) FOR UPDATE";

const ARM: &str = "INSERT INTO tk_job_queue (job_id, lane_id, `rank`, due_at, kind, attempt) SELECT UNHEX(v.id), ?, ?, v.due, 0, 1 \
     FROM JSON_TABLE(?, '$[*]' COLUMNS (id CHAR(32) PATH '$[0]', due BIGINT PATH '$[1]')) v";

const END_RUNS: &str = "DELETE r FROM JSON_TABLE(?, '$[*]' COLUMNS (id CHAR(32) PATH '$[0]', run CHAR(32) PATH '$[1]')) v \
     STRAIGHT_JOIN tk_job_runs r FORCE INDEX (PRIMARY) ON r.job_id = UNHEX(v.id) AND r.run_id = UNHEX(v.run)";

const SETTLE: &str = "UPDATE JSON_TABLE(?, '$[*]' COLUMNS (id CHAR(32) PATH '$[0]', state SMALLINT PATH '$[3]')) v \
     STRAIGHT_JOIN tk_background_jobs j FORCE INDEX (PRIMARY) ON j.id = UNHEX(v.id) \
     SET j.state = v.state, j.last_run_time = ?, j.trigger_count = 1, j.try_count = 0, j.interruptions = 0, j.suspect_interruptions = 0, \
     j.is_abandoned = 0, j.attention = NULL";

const REMOVE: &str = "DELETE j FROM JSON_TABLE(?, '$[*]' COLUMNS (id CHAR(32) PATH '$[0]')) v \
     STRAIGHT_JOIN tk_background_jobs j FORCE INDEX (PRIMARY) ON j.id = UNHEX(v.id)";

const LOG: &str = "INSERT INTO tk_background_job_logs (run_id, job_id, tenant_id, job_name, job_group, type_name, outcome, started_at, duration_ms, \
     node_name, instance, attempt) SELECT UNHEX(v.run), UNHEX(v.id), UNHEX(v.tenant), v.name, v.job_group, v.type_name, 0, ?, 0, ?, ?, v.attempt \
     FROM JSON_TABLE(?, '$[*]' COLUMNS (id CHAR(32) PATH '$[0]', run CHAR(32) PATH '$[1]', attempt BIGINT PATH '$[2]', tenant CHAR(32) PATH '$[4]', \
     name VARCHAR(200) CHARACTER SET utf8mb4 PATH '$[5]', job_group VARCHAR(200) CHARACTER SET utf8mb4 PATH '$[6]', \
     type_name VARCHAR(200) CHARACTER SET utf8mb4 PATH '$[7]')) v";

/// A connection.
pub(super) struct Mysql(MySqlConnection);

impl Statements for Mysql {
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

async fn connect(place: &Place) -> Result<MySqlConnection> {
    let server: MySqlConnectOptions = place.options()?.url.parse()?;
    let mut connection = server.disable_statement_logging().connect().await?;
    connection
        .execute("SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED")
        .await?;
    Ok(connection)
}

async fn insert(connection: &mut MySqlConnection, jobs: &[NewJob]) -> Result<()> {
    let rows: Vec<_> = jobs
        .iter()
        .map(|it| (hex(it.id), it.id.to_string(), &it.args, it.created))
        .collect();
    let rows = serde_json::to_string(&rows)?;
    let mut tx = connection.begin().await?;
    query(INSERT_JOBS)
        .bind(Uuid::nil().as_bytes().to_vec())
        .bind(batch::GROUP)
        .bind(batch::TYPE)
        .bind(batch::SOURCE)
        .bind(batch::ACTIVE)
        .bind(batch::PRIORITY)
        .bind(&rows)
        .execute(&mut *tx)
        .await?;
    query(INSERT_QUEUE)
        .bind(batch::LANE)
        .bind(batch::RANK)
        .bind(&rows)
        .execute(&mut *tx)
        .await?;
    Ok(tx.commit().await?)
}

/// Takes a batch; answers it by ascending id.
async fn claim(connection: &mut MySqlConnection, instance: Uuid, floor: i64) -> Result<Vec<Claimed>> {
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
        .map(|row| {
            let job = Uuid::from_slice(row.try_get(0)?)?;
            Ok((job, row.try_get(1)?, row.try_get(2)?, row.try_get(3)?))
        })
        .collect::<Result<Vec<(Uuid, i64, i16, i64)>>>()?;
    if locked.is_empty() {
        tx.rollback().await?;
        return Ok(Vec::new());
    }
    locked.sort_unstable_by_key(|it| it.0);
    let ids: Vec<String> = locked.iter().map(|it| hex(it.0)).collect();
    // They come in the order of the parameter.
    let jobs = query(READ_JOBS)
        .bind(serde_json::to_string(&ids)?)
        .fetch_all(&mut *tx)
        .await?;
    ensure!(jobs.len() == locked.len(), "a queue row has no job");
    let mut claimed = Vec::with_capacity(locked.len());
    for ((job, due, kind, attempt), row) in locked.into_iter().zip(&jobs) {
        ensure!(
            Uuid::from_slice(row.try_get(0)?)? == job,
            "a queue row has no job"
        );
        claimed.push(Claimed {
            job,
            run: Uuid::now_v7(),
            due,
            kind,
            attempt,
            version: row.try_get(1)?,
            args: row.try_get(2)?,
            tenant: Uuid::from_slice(row.try_get(3)?)?,
            name: row.try_get(4)?,
            group: row.try_get(5)?,
            type_name: row.try_get(6)?,
            again: None,
        });
    }
    let moved: Vec<_> = claimed
        .iter()
        .map(|it| (hex(it.job), hex(it.run), it.due, it.kind, it.attempt, it.version))
        .collect();
    let moved = serde_json::to_string(&moved)?;
    query(MOVE_TO_RUNS)
        .bind(instance.as_bytes().to_vec())
        .bind(Uuid::now_v7().as_bytes().to_vec())
        .bind(batch::LANE)
        .bind(batch::RANK)
        .bind(now)
        .bind(&moved)
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
    connection: &mut MySqlConnection,
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
            )
        })
        .collect();
    let rows = serde_json::to_string(&rows)?;
    let now = batch::now();
    let mut tx = connection.begin().await?;
    let locked = query(LOCK_JOBS)
        .bind(&rows)
        .fetch_all(&mut *tx)
        .await?
        .iter()
        .map(|row| Ok((Uuid::from_slice(row.try_get(0)?)?, row.try_get(1)?)))
        .collect::<Result<Vec<_>>>()?;
    batch::compare_versions(claimed, locked.into_iter())?;
    let again: Vec<_> = claimed
        .iter()
        .filter_map(|it| Some((hex(it.job), it.again?)))
        .collect();
    if !again.is_empty() {
        query(ARM)
            .bind(batch::LANE)
            .bind(batch::RANK)
            .bind(serde_json::to_string(&again)?)
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
                .bind(now)
                .bind(batch::NODE)
                .bind(instance.as_bytes().to_vec())
                .bind(&rows)
                .execute(&mut *tx)
                .await?;
        }
    }
    Ok(tx.commit().await?)
}

async fn kept(connection: &mut MySqlConnection) -> Result<(i64, i64, i64)> {
    let row = query(
        "SELECT (SELECT COUNT(*) FROM tk_background_jobs WHERE state = 0), (SELECT COUNT(DISTINCT job_id) FROM tk_background_job_logs), \
         (SELECT COUNT(*) FROM tk_job_queue) + (SELECT COUNT(*) FROM tk_job_runs)",
    )
    .fetch_one(connection)
    .await?;
    Ok((row.try_get(0)?, row.try_get(1)?, row.try_get(2)?))
}
