//! The finish: each table is written by one statement, jobs first. Whatever is not as expected is left to the general form, which looks at each row.
//!
//! The jobs are updated in the order of their ids, for a seat joins in no other way than row by row, so they are locked in the one order. Each is updated only in the
//! version that its outcome was computed from, and what comes after sees the runs as they are once the locks are there.
//!
//! One statement a table, and not one for all: what is handed from one part of a statement to the next is copied, and that costs more than to send it again.

use tasks_abstractions::StoreError;
use tasks_abstractions::run::JobLog;
use tasks_abstractions::store::{FinishRun, JobUpdate};

use super::arrays::Arrays as _;
use super::bound::Bound;
use crate::connect::Seat;
use crate::finish::DOING;
use crate::row::{micros, millis};
use crate::statement::On;

/// (jobs, runs). A join with the pairs could begin at the runs, where statistics say that there are none, and go through all pairs for each; this cannot.
const END_RUNS: &str = "WITH k AS (DELETE FROM tk_locks WHERE run_id = ANY($2::uuid[]) AND (SELECT EXISTS (SELECT 1 FROM tk_locks))) \
    DELETE FROM tk_job_runs r WHERE r.job_id = ANY($1::uuid[]) AND ((r.job_id, r.run_id) IN (SELECT unnest($1::uuid[]), unnest($2::uuid[]))) IS TRUE";

/// (jobs by ascending id, versions, states, last runs, trigger counts) of successes that have no result and nothing to forget
const SETTLE_PLAIN: &str = "UPDATE tk_background_jobs j SET state = v.state, last_run_time = coalesce(v.last_run, j.last_run_time), trigger_count = v.triggers, \
     try_count = 0, interruptions = 0, suspect_interruptions = 0, is_abandoned = 0, attention = NULL \
     FROM (SELECT unnest($1::uuid[]) AS job, unnest($2::bigint[]) AS version, unnest($3::smallint[]) AS state, unnest($4::bigint[]) AS last_run, \
         unnest($5::bigint[]) AS triggers) AS v \
     WHERE j.id = v.job AND j.version = v.version";

/// As [`SETTLE_PLAIN`], then (results, try counts, interruptions, suspect interruptions, abandoned)
const SETTLE: &str = "UPDATE tk_background_jobs j SET state = v.state, result = coalesce(v.result, j.result), last_run_time = coalesce(v.last_run, \
     j.last_run_time), trigger_count = v.triggers, try_count = v.tries, interruptions = v.interruptions, suspect_interruptions = v.suspects, \
     is_abandoned = v.abandoned, attention = nullif(v.abandoned, 0) \
     FROM (SELECT unnest($1::uuid[]) AS job, unnest($2::bigint[]) AS version, unnest($3::smallint[]) AS state, unnest($4::bigint[]) AS last_run, \
         unnest($5::bigint[]) AS triggers, unnest($6::text[]) AS result, unnest($7::bigint[]) AS tries, unnest($8::bigint[]) AS interruptions, \
         unnest($9::bigint[]) AS suspects, unnest($10::smallint[]) AS abandoned) AS v \
     WHERE j.id = v.job AND j.version = v.version";

/// (jobs by ascending id, versions)
const REMOVE: &str = "DELETE FROM tk_background_jobs j USING (SELECT unnest($1::uuid[]) AS job, unnest($2::bigint[]) AS version) AS v \
     WHERE j.id = v.job AND j.version = v.version";

/// (node, instance, runs, jobs, tenants, names, groups, types, outcomes, messages, errors, starts, durations, attempts)
const LOG: &str = "INSERT INTO tk_background_job_logs (run_id, job_id, tenant_id, job_name, job_group, type_name, outcome, message, error, started_at, \
     duration_ms, node_name, instance, attempt) SELECT unnest($3::uuid[]), unnest($4::uuid[]), unnest($5::uuid[]), unnest($6::text[]), unnest($7::text[]), \
     unnest($8::text[]), unnest($9::smallint[]), unnest($10::text[]), unnest($11::text[]), unnest($12::bigint[]), unnest($13::bigint[]), $1, $2, \
     unnest($14::bigint[])";

/// Writes what becomes of runs. False where one of the runs is not there, or its job was changed: then nothing of this transaction may stay.
pub(crate) async fn write(on: On<'_, Seat>, runs: &[FinishRun]) -> Result<bool, StoreError> {
    let mut runs: Vec<&FinishRun> = runs.iter().collect();
    runs.sort_unstable_by_key(|it| it.job_id);
    let all = runs.len() as u64;
    let (removed, kept): (Vec<&FinishRun>, Vec<&FinishRun>) =
        runs.iter().partition(|it| it.settlement.is_removed);
    if settle(on, &kept).await? + remove(on, &removed).await? != all {
        return Ok(false);
    }
    let ended = job_ids(&runs).uuids(runs.iter().map(|it| it.run_id.as_uuid()));
    if ended.execute(on, end_runs(), DOING).await? != all {
        return Ok(false);
    }
    let mut logs: Vec<&JobLog> = runs.iter().filter_map(|it| it.settlement.log.as_ref()).collect();
    // All are of one process, unless it was taken for dead meanwhile.
    logs.sort_by_key(|it| it.instance);
    for of_one in
        logs.chunk_by(|one, next| (one.instance, &one.node_name) == (next.instance, &next.node_name))
    {
        log(on, of_one).await?;
    }
    Ok(true)
}

/// Jobs by ascending id.
fn job_ids(runs: &[&FinishRun]) -> Bound {
    Bound::default().uuids(runs.iter().map(|it| it.job_id.as_uuid()))
}

/// Writes the jobs that are kept; answers how many were there in their version.
async fn settle(on: On<'_, Seat>, runs: &[&FinishRun]) -> Result<u64, StoreError> {
    if runs.is_empty() {
        return Ok(0);
    }
    let updates = || runs.iter().map(|it| &it.settlement.update);
    let plain = job_ids(runs)
        .bigints(runs.iter().map(|it| it.job_version))
        .smallints(updates().map(|it| it.state.code()))
        .optional_bigints(updates().map(|it| it.last_run_time.map(micros)))
        .bigints(updates().map(|it| i64::from(it.trigger_count)));
    if updates().all(is_plain) {
        return plain.execute(on, versioned(SETTLE_PLAIN), DOING).await;
    }
    plain
        .optional_texts(updates().map(|it| it.result.as_deref()))
        .bigints(updates().map(|it| i64::from(it.try_count)))
        .bigints(updates().map(|it| i64::from(it.interruptions)))
        .bigints(updates().map(|it| i64::from(it.suspect_interruptions)))
        .smallints(updates().map(|it| i16::from(it.is_abandoned)))
        .execute(on, versioned(SETTLE), DOING)
        .await
}

/// Removes the jobs of which nothing is kept; answers how many were there in their version.
async fn remove(on: On<'_, Seat>, runs: &[&FinishRun]) -> Result<u64, StoreError> {
    if runs.is_empty() {
        return Ok(0);
    }
    job_ids(runs)
        .bigints(runs.iter().map(|it| it.job_version))
        .execute(on, versioned(REMOVE), DOING)
        .await
}

fn is_plain(update: &JobUpdate) -> bool {
    update.result.is_none()
        && update.try_count == 0
        && update.interruptions == 0
        && update.suspect_interruptions == 0
        && !update.is_abandoned
}

/// Log rows of one process.
async fn log(on: On<'_, Seat>, logs: &[&JobLog]) -> Result<(), StoreError> {
    let Some(first) = logs.first() else {
        return Ok(());
    };
    let logs = || logs.iter().copied();
    Bound::default()
        .with(first.node_name.as_str())
        .with(first.instance.as_uuid())
        .uuids(logs().map(|it| it.run_id.as_uuid()))
        .uuids(logs().map(|it| it.job_id.as_uuid()))
        .uuids(logs().map(|it| it.tenant_id.as_uuid()))
        .texts(logs().map(|it| it.job_name.as_str()))
        .texts(logs().map(|it| it.job_group.as_str()))
        .texts(logs().map(|it| it.type_name.as_str()))
        .smallints(logs().map(|it| it.outcome.code()))
        .optional_texts(logs().map(|it| it.message.as_deref()))
        .optional_texts(logs().map(|it| it.error.as_deref()))
        .bigints(logs().map(|it| micros(it.started_at)))
        .bigints(logs().map(|it| i64::try_from(millis(it.duration)).unwrap_or(i64::MAX)))
        .bigints(logs().map(|it| i64::from(it.attempt)))
        .execute(on, LOG, DOING)
        .await
        .map(drop)
}

#[cfg(not(feature = "chaos-mutants"))]
const fn end_runs() -> &'static str {
    END_RUNS
}

#[cfg(not(feature = "chaos-mutants"))]
const fn versioned(sql: &'static str) -> &'static str {
    sql
}

#[cfg(feature = "chaos-mutants")]
fn versioned(sql: &'static str) -> &'static str {
    if crate::mutants::is("version-ignored") {
        return sql.trim_end_matches(" AND j.version = v.version");
    }
    sql
}

#[cfg(feature = "chaos-mutants")]
fn end_runs() -> &'static str {
    if crate::mutants::is("finish-without-run-id") {
        return END_RUNS.split(" AND ((").next().unwrap_or(END_RUNS);
    }
    END_RUNS
}
