//! The finish: jobs are locked and their versions compared in one statement, everything else is written by the next.
//!
//! Two statements, because the second must see the run rows as they are once the locks are there.

use std::collections::HashSet;

use sea_orm::ConnectionTrait;
use tasks_abstractions::StoreError;
use tasks_abstractions::store::FinishRun;
use uuid::Uuid;

use super::arrays::{
    bigints, optional, optional_bigints, optional_number, optional_texts, smallints, texts, uuids,
};
use crate::finish::DOING;
use crate::row::{micros, millis};
use crate::statement::{On, column};

/// (jobs by ascending id, expected versions); locks the jobs, answers which of them have another version, counted from 1.
///
/// Materialized: else the comparison is made before the locks, with versions of which some are out of date then, and what is equal is not locked at all.
const LOCK: &str = "WITH locked AS MATERIALIZED (SELECT j.version, v.expected, v.place FROM unnest($1::uuid[], $2::bigint[]) \
    WITH ORDINALITY AS v(job, expected, place) JOIN tk_background_jobs j ON j.id = v.job ORDER BY j.id FOR NO KEY UPDATE OF j) \
    SELECT place FROM locked WHERE version <> expected";

/// (jobs, runs, states, results, last runs, trigger counts, try counts, interruptions, suspect interruptions, abandoned, outcomes or −1, messages, errors,
/// starts, durations, nodes, instances, attempts); answers the runs that were there, or NULL where all were.
///
/// What the log says of the job itself comes from its row, which has the version that the outcome was computed from.
const WRITE: &str = concat!(
    "WITH v AS MATERIALIZED (SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::smallint[], $4::text[], $5::bigint[], $6::bigint[], $7::bigint[], \
       $8::bigint[], $9::bigint[], $10::smallint[], $11::smallint[], $12::text[], $13::text[], $14::bigint[], $15::bigint[], $16::text[], \
       $17::uuid[], $18::bigint[]) AS v(job, run, state, result, last_run, triggers, tries, interruptions, suspects, abandoned, outcome, message, \
       error, started, duration, node, instance, attempt)), \
     d AS (DELETE FROM tk_job_runs r USING v WHERE r.job_id = v.job AND r.run_id = v.run RETURNING v.*), \
     k AS (DELETE FROM tk_locks l USING d WHERE l.run_id = d.run AND (SELECT EXISTS (SELECT 1 FROM tk_locks))), \
     u AS (UPDATE tk_background_jobs j SET state = d.state, result = coalesce(",
    optional!("d.result"),
    ", j.result), last_run_time = coalesce(",
    optional_number!("d.last_run"),
    ", j.last_run_time), trigger_count = d.triggers, try_count = d.tries, interruptions = d.interruptions, \
       suspect_interruptions = d.suspects, is_abandoned = d.abandoned, attention = nullif(d.abandoned, 0) \
       FROM d WHERE j.id = d.job \
       RETURNING j.tenant_id, j.name, j.job_group, j.type_name, d.job, d.run, d.outcome, d.message, d.error, d.started, d.duration, d.node, \
       d.instance, d.attempt), \
     l AS (INSERT INTO tk_background_job_logs (run_id, job_id, tenant_id, job_name, job_group, type_name, outcome, message, error, started_at, \
       duration_ms, node_name, instance, attempt) \
       SELECT run, job, tenant_id, name, job_group, type_name, outcome, ",
    optional!("message"),
    ", ",
    optional!("error"),
    ", started, duration, node, instance, attempt FROM u WHERE outcome >= 0) \
     SELECT CASE WHEN (SELECT count(*) FROM d) = cardinality($1::uuid[]) THEN NULL ELSE (SELECT coalesce(array_agg(run), '{}') FROM d) END"
);

/// Locks the jobs, and answers which of `runs` are of a job that was changed since they were claimed. Jobs that are gone are passed over.
pub(crate) async fn lock<C: ConnectionTrait>(
    on: On<'_, C>,
    runs: &[FinishRun],
) -> Result<Vec<usize>, StoreError> {
    let mut places: Vec<usize> = (0..runs.len()).collect();
    places.sort_unstable_by_key(|at| runs[*at].job_id);
    let values = vec![
        uuids(places.iter().map(|at| runs[*at].job_id.as_uuid())),
        bigints(places.iter().map(|at| runs[*at].job_version)),
    ];
    let mut changed = Vec::new();
    for row in on.rows(LOCK, values, DOING).await? {
        let place: i64 = column(&row, 0, DOING)?;
        changed.extend(usize::try_from(place - 1).ok().and_then(|it| places.get(it)));
    }
    Ok(changed)
}

/// Writes what becomes of runs, none of which comes twice. Answers which run rows were there, `None` where all were.
pub(crate) async fn write<C: ConnectionTrait>(
    on: On<'_, C>,
    runs: &[&FinishRun],
) -> Result<Option<HashSet<Uuid>>, StoreError> {
    let updates = || runs.iter().map(|it| &it.settlement.update);
    let logs = || runs.iter().map(|it| it.settlement.log.as_ref());
    let count = |of: u32| i64::from(of);
    let values = vec![
        uuids(runs.iter().map(|it| it.job_id.as_uuid())),
        uuids(runs.iter().map(|it| it.run_id.as_uuid())),
        smallints(updates().map(|it| it.state.code())),
        optional_texts(updates().map(|it| it.result.as_deref())),
        optional_bigints(updates().map(|it| it.last_run_time.map(micros))),
        bigints(updates().map(|it| count(it.trigger_count))),
        bigints(updates().map(|it| count(it.try_count))),
        bigints(updates().map(|it| count(it.interruptions))),
        bigints(updates().map(|it| count(it.suspect_interruptions))),
        smallints(updates().map(|it| i16::from(it.is_abandoned))),
        smallints(logs().map(|it| it.map_or(-1, |it| it.outcome.code()))),
        optional_texts(logs().map(|it| it.and_then(|it| it.message.as_deref()))),
        optional_texts(logs().map(|it| it.and_then(|it| it.error.as_deref()))),
        bigints(logs().map(|it| it.map_or(0, |it| micros(it.started_at)))),
        bigints(logs().map(|it| it.map_or(0, |it| i64::try_from(millis(it.duration)).unwrap_or(i64::MAX)))),
        texts(logs().map(|it| it.map_or("", |it| it.node_name.as_str()))),
        uuids(logs().map(|it| it.map_or(Uuid::nil(), |it| it.instance.as_uuid()))),
        bigints(logs().map(|it| it.map_or(0, |it| count(it.attempt)))),
    ];
    let row = on.row(sql(), values, DOING).await?;
    let there: Option<Option<Vec<Uuid>>> = row.map(|it| column(&it, 0, DOING)).transpose()?;
    Ok(there.flatten().map(HashSet::from_iter))
}

#[cfg(not(feature = "chaos-mutants"))]
const fn sql() -> &'static str {
    WRITE
}

#[cfg(feature = "chaos-mutants")]
fn sql() -> String {
    if crate::mutants::is("finish-without-run-id") {
        return WRITE.replace(" AND r.run_id = v.run", "");
    }
    WRITE.to_owned()
}
