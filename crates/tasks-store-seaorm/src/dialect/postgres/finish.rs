//! The finish: each table is written by one statement, jobs first. Whatever is not as expected is left to the general form, which looks at each row.
//!
//! The jobs are updated in the order of their ids, for a seat joins in no other way than row by row, so they are locked in the one order. Each is updated only in the
//! version that its outcome was computed from, and what comes after sees the runs as they are once the locks are there.
//!
//! One statement a table, and not one for all: what is handed from one part of a statement to the next is copied, and that costs more than to send it again.

use sea_orm::{ConnectionTrait, Value};
use tasks_abstractions::StoreError;
use tasks_abstractions::run::JobLog;
use tasks_abstractions::store::FinishRun;

use super::arrays::{bigints, owned_texts, smallints, texts, uuids};
use crate::finish::DOING;
use crate::row::{micros, millis};
use crate::statement::On;

/// A column of `optional_texts` as a text or NULL.
macro_rules! optional {
    ($column:literal) => {
        concat!("CASE WHEN ", $column, " <> '' THEN substr(", $column, ", 2) END")
    };
}
/// A column of `optional_bigints` as a number or NULL.
macro_rules! optional_number {
    ($column:literal) => {
        concat!("nullif(", $column, ", '-9223372036854775808'::bigint)")
    };
}

/// (jobs, runs); a run belongs to one job only, so what is in both lists belongs together
const END_RUNS: &str = "WITH k AS (DELETE FROM tk_locks WHERE run_id = ANY($2::uuid[]) AND (SELECT EXISTS (SELECT 1 FROM tk_locks))) \
    DELETE FROM tk_job_runs WHERE job_id = ANY($1::uuid[]) AND run_id = ANY($2::uuid[])";

/// (jobs by ascending id, states, results, last runs, trigger counts, try counts, interruptions, suspect interruptions, abandoned, versions)
const SETTLE: &str = concat!(
    "UPDATE tk_background_jobs j SET state = v.state, result = coalesce(",
    optional!("v.result"),
    ", j.result), last_run_time = coalesce(",
    optional_number!("v.last_run"),
    ", j.last_run_time), trigger_count = v.triggers, try_count = v.tries, interruptions = v.interruptions, \
     suspect_interruptions = v.suspects, is_abandoned = v.abandoned, attention = nullif(v.abandoned, 0) \
     FROM unnest($1::uuid[], $2::smallint[], $3::text[], $4::bigint[], $5::bigint[], $6::bigint[], $7::bigint[], $8::bigint[], $9::smallint[], \
     $10::bigint[]) AS v(job, state, result, last_run, triggers, tries, interruptions, suspects, abandoned, version) \
     WHERE j.id = v.job AND j.version = v.version"
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

/// Writes what becomes of runs. False where one of the runs is not there, or its job was changed: then nothing of this transaction may stay.
pub(crate) async fn write<C: ConnectionTrait>(on: On<'_, C>, runs: &[FinishRun]) -> Result<bool, StoreError> {
    let mut runs: Vec<&FinishRun> = runs.iter().collect();
    runs.sort_unstable_by_key(|it| it.job_id);
    let all = runs.len() as u64;
    let jobs = || uuids(runs.iter().map(|it| it.job_id.as_uuid()));
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
        bigints(runs.iter().map(|it| it.job_version)),
    ];
    if on.execute(settle(), values, DOING).await? != all {
        return Ok(false);
    }
    let ids = uuids(runs.iter().map(|it| it.run_id.as_uuid()));
    if on.execute(end_runs(), vec![jobs(), ids], DOING).await? != all {
        return Ok(false);
    }
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

#[cfg(not(feature = "chaos-mutants"))]
const fn settle() -> &'static str {
    SETTLE
}

#[cfg(feature = "chaos-mutants")]
fn settle() -> String {
    if crate::mutants::is("version-ignored") {
        return SETTLE.trim_end_matches(" AND j.version = v.version").to_owned();
    }
    SETTLE.to_owned()
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

fn log_values(logs: &[&JobLog]) -> Vec<Value> {
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

/// Texts that may be missing: read in a statement with `optional!`.
fn optional_texts<'t>(values: impl Iterator<Item = Option<&'t str>>) -> Value {
    owned_texts(values.map(|it| it.map_or_else(String::new, |it| format!("={it}"))))
}

/// Numbers that may be missing, none of which is ever that small: read in a statement with `optional_number!`.
fn optional_bigints(values: impl Iterator<Item = Option<i64>>) -> Value {
    bigints(values.map(|it| it.unwrap_or(i64::MIN)))
}
