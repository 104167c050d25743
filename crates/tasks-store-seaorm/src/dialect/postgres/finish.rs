//! The finish: jobs are locked and their versions compared first, then each table is written by one statement.
//!
//! One statement a table, and not one for all: what is handed from one part of a statement to the next is copied, and that costs more than to send it again.

use sea_orm::ConnectionTrait;
use tasks_abstractions::StoreError;
use tasks_abstractions::run::JobLog;
use tasks_abstractions::store::FinishRun;
use uuid::Uuid;

use super::arrays::{
    bigints, optional, optional_bigints, optional_number, optional_texts, smallints, texts, uuids,
};
use crate::finish::DOING;
use crate::row::{micros, millis};
use crate::statement::{On, column};

/// (jobs by ascending id); locks the jobs, answers them with their versions
const LOCK: &str =
    "SELECT id, version FROM tk_background_jobs WHERE id = ANY($1::uuid[]) ORDER BY id FOR NO KEY UPDATE";

/// (jobs, runs); a run belongs to one job only, so what is in both lists belongs together
const END_RUNS: &str = "WITH k AS (DELETE FROM tk_locks WHERE run_id = ANY($2::uuid[]) AND (SELECT EXISTS (SELECT 1 FROM tk_locks))) \
    DELETE FROM tk_job_runs WHERE job_id = ANY($1::uuid[]) AND run_id = ANY($2::uuid[])";

/// (jobs, states, results, last runs, trigger counts, try counts, interruptions, suspect interruptions, abandoned)
const SETTLE: &str = concat!(
    "UPDATE tk_background_jobs j SET state = v.state, result = coalesce(",
    optional!("v.result"),
    ", j.result), last_run_time = coalesce(",
    optional_number!("v.last_run"),
    ", j.last_run_time), trigger_count = v.triggers, try_count = v.tries, interruptions = v.interruptions, \
     suspect_interruptions = v.suspects, is_abandoned = v.abandoned, attention = nullif(v.abandoned, 0) \
     FROM unnest($1::uuid[], $2::smallint[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::smallint[]) \
     AS v(job, state, result, last_run, triggers, tries, interruptions, suspects, abandoned) WHERE j.id = v.job"
);

/// (runs, jobs, tenants, names, groups, types, outcomes, messages, errors, starts, durations, nodes, instances, attempts)
const LOG: &str = concat!(
    "INSERT INTO tk_background_job_logs (run_id, job_id, tenant_id, job_name, job_group, type_name, outcome, message, error, started_at, \
     duration_ms, node_name, instance, attempt) SELECT run, job, tenant, name, job_group, type, outcome, ",
    optional!("message"),
    ", ",
    optional!("error"),
    ", started, took, node, instance, attempt FROM unnest($1::uuid[], $2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::smallint[], \
     $8::text[], $9::text[], $10::bigint[], $11::bigint[], $12::text[], $13::uuid[], $14::bigint[]) \
     AS v(run, job, tenant, name, job_group, type, outcome, message, error, started, took, node, instance, attempt)"
);

/// Locks the jobs, and answers which of `runs` are of a job that was changed since they were claimed, or is gone.
pub(crate) async fn lock<C: ConnectionTrait>(
    on: On<'_, C>,
    runs: &[FinishRun],
) -> Result<Vec<usize>, StoreError> {
    let mut places: Vec<usize> = (0..runs.len()).collect();
    places.sort_unstable_by_key(|at| runs[*at].job_id);
    let mut ids: Vec<Uuid> = places.iter().map(|at| runs[*at].job_id.as_uuid()).collect();
    ids.dedup();
    let rows = on.rows(LOCK, vec![uuids(ids.into_iter())], DOING).await?;
    let mut changed = Vec::new();
    let mut places = places.into_iter().peekable();
    for row in &rows {
        let (job, version): (Uuid, i64) = (column(row, 0, DOING)?, column(row, 1, DOING)?);
        while let Some(at) = places.next_if(|at| runs[*at].job_id.as_uuid() <= job) {
            if runs[at].job_id.as_uuid() != job || runs[at].job_version != version {
                changed.push(at);
            }
        }
    }
    changed.extend(places);
    Ok(changed)
}

/// Writes what becomes of runs, none of which comes twice and whose jobs are locked. False where not all of the runs were there: then nothing of this transaction may
/// stay.
pub(crate) async fn write<C: ConnectionTrait>(
    on: On<'_, C>,
    runs: &[&FinishRun],
) -> Result<bool, StoreError> {
    let jobs = || uuids(runs.iter().map(|it| it.job_id.as_uuid()));
    let ids = uuids(runs.iter().map(|it| it.run_id.as_uuid()));
    let ended = on.execute(end_runs(), vec![jobs(), ids], DOING).await?;
    if ended != runs.len() as u64 {
        return Ok(false);
    }
    let updates = || runs.iter().map(|it| &it.settlement.update);
    let values = vec![
        jobs(),
        smallints(updates().map(|it| it.state.code())),
        optional_texts(updates().map(|it| it.result.as_deref())),
        optional_bigints(updates().map(|it| it.last_run_time.map(micros))),
        bigints(updates().map(|it| i64::from(it.trigger_count))),
        bigints(updates().map(|it| i64::from(it.try_count))),
        bigints(updates().map(|it| i64::from(it.interruptions))),
        bigints(updates().map(|it| i64::from(it.suspect_interruptions))),
        smallints(updates().map(|it| i16::from(it.is_abandoned))),
    ];
    on.execute(SETTLE, values, DOING).await?;
    let logs: Vec<&JobLog> = runs.iter().filter_map(|it| it.settlement.log.as_ref()).collect();
    if !logs.is_empty() {
        on.execute(LOG, log_values(&logs), DOING).await?;
    }
    Ok(true)
}

#[cfg(not(feature = "chaos-mutants"))]
const fn end_runs() -> &'static str {
    END_RUNS
}

#[cfg(feature = "chaos-mutants")]
fn end_runs() -> String {
    if crate::mutants::is("finish-without-run-id") {
        return END_RUNS
            .trim_end_matches(" AND run_id = ANY($2::uuid[])")
            .to_owned();
    }
    END_RUNS.to_owned()
}

fn log_values(logs: &[&JobLog]) -> Vec<sea_orm::Value> {
    let logs = || logs.iter().copied();
    vec![
        uuids(logs().map(|it| it.run_id.as_uuid())),
        uuids(logs().map(|it| it.job_id.as_uuid())),
        uuids(logs().map(|it| it.tenant_id.as_uuid())),
        texts(logs().map(|it| it.job_name.as_str())),
        texts(logs().map(|it| it.job_group.as_str())),
        texts(logs().map(|it| it.type_name.as_str())),
        smallints(logs().map(|it| it.outcome.code())),
        optional_texts(logs().map(|it| it.message.as_deref())),
        optional_texts(logs().map(|it| it.error.as_deref())),
        bigints(logs().map(|it| micros(it.started_at))),
        bigints(logs().map(|it| i64::try_from(millis(it.duration)).unwrap_or(i64::MAX))),
        texts(logs().map(|it| it.node_name.as_str())),
        uuids(logs().map(|it| it.instance.as_uuid())),
        bigints(logs().map(|it| i64::from(it.attempt))),
    ]
}
