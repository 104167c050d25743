//! New jobs in the store's own transactions: many, of which none is there yet, or one, which may be born claimed.

use sea_orm::Value;
use tasks_abstractions::run::QueueEntry;
use tasks_abstractions::store::{ClaimRequest, ClaimedRun, SubmitAnswer};
use tasks_abstractions::{JobId, RunId, StoreError};

use super::bound::Bound;
use super::columns::now;
use super::submit::{
    AT_ONCE, BYTES_AT_ONCE, by_lane, common_values, first_values, insert, place_first, rare, values,
};
use crate::claim::{claimed_run, in_flight};
use crate::connect::Seat;
use crate::row::{JobRow, micros, millis, timestamp, unreadable};
use crate::statement::{On, column};
use crate::submit::{DOING, stored_as};

/// What a job without any rare column has; the last eight are 0.
macro_rules! plain_columns {
    () => {
        "tk_background_jobs (id, tenant_id, name, job_group, type_name, args, source, state, is_enabled, job_type, creation_time, begin_time, max_try_count, \
         max_count, max_interruptions, interval_ms, priority, version, misfire_policy, misfire_max, trigger_count, try_count, is_abandoned, interruptions, \
         suspect_interruptions, failover)"
    };
}

/// As `insert!`, for jobs without any rare column whose ids are most likely new: without the cost of conflicts, each of which would be an error.
const INSERT_NEW: &str = concat!(
    "INSERT INTO ",
    plain_columns!(),
    " SELECT id, tenant, name, job_group, type, args, source, state, enabled, job_type, created, begins, max_tries, max_runs, max_interruptions, \
    interval, priority, version, 0, 0, 0, 0, 0, 0, 0, 0 \
    FROM (SELECT unnest($1::uuid[]) AS id, unnest($2::uuid[]) AS tenant, unnest($3::text[]) AS name, unnest($4::text[]) AS job_group, \
         unnest($5::text[]) AS type, unnest($6::text[]) AS args, unnest($7::smallint[]) AS source, unnest($8::smallint[]) AS state, \
         unnest($9::smallint[]) AS enabled, unnest($10::smallint[]) AS job_type, unnest($11::bigint[]) AS created, unnest($12::bigint[]) AS begins, \
         unnest($13::bigint[]) AS max_tries, unnest($14::bigint[]) AS max_runs, unnest($15::bigint[]) AS max_interruptions, \
         unnest($16::bigint[]) AS interval, unnest($17::smallint[]) AS priority, unnest($18::bigint[]) AS version) AS v WHERE NOT EXISTS (SELECT 1 FROM tk_background_jobs j WHERE j.id = v.id)"
);

/// (what a plain job has, lane, rank, due, kind, attempt): one plain job that waits. Writes no row where its id is taken.
const INSERT_WAITING: &str = concat!(
    "WITH j AS (INSERT INTO ",
    plain_columns!(),
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, 0, 0, 0, 0, 0, 0, \
       0, 0) ON CONFLICT DO NOTHING RETURNING id) \
     INSERT INTO tk_job_queue (job_id, lane_id, rank, due_at, kind, attempt) \
     SELECT j.id, (SELECT id FROM tk_lanes WHERE name = $19), $20, $21, $22, $23 FROM j"
);

/// As `insert!` of one job, then (lane, rank, due, kind, attempt, suspect, whether it may be claimed, instance, claim, run, now or null): its execution is in
/// flight where that is so and the node alive, else it waits. Answers (whether it was inserted, since when it is in flight).
const INSERT_ONE: &str = concat!(
    "WITH me AS MATERIALIZED (SELECT coalesce($30::bigint, ",
    now!(),
    ") AS now FROM tk_nodes WHERE instance = $27 AND state = 0 AND $26), \
     j AS (",
    insert!(),
    ", version), r AS (INSERT INTO tk_job_runs (job_id, run_id, instance, claim_id, lane_id, rank, due_at, kind, attempt, suspect, job_version, after, claimed_at) \
       SELECT j.id, $29, $27, $28, (SELECT id FROM tk_lanes WHERE name = $20), $21, $22, $23, $24, $25, j.version, 0, me.now FROM j, me WHERE me.now >= $22 \
       RETURNING claimed_at), \
     q AS (INSERT INTO tk_job_queue (job_id, lane_id, rank, due_at, kind, attempt) \
       SELECT j.id, (SELECT id FROM tk_lanes WHERE name = $20), $21, $22, $23, $24 FROM j WHERE NOT EXISTS (SELECT 1 FROM r)) \
     SELECT EXISTS (SELECT 1 FROM j), (SELECT claimed_at FROM r)"
);

/// Inserts jobs with their first executions, of which most likely none is there. False where one is, or where they need the full form: then nothing of this
/// transaction may stay.
pub(crate) async fn insert_new(
    on: On<'_, Seat>,
    rows: &[JobRow<'_>],
    first: &[(JobId, &QueueEntry)],
) -> Result<bool, StoreError> {
    for part in rows.chunks(AT_ONCE) {
        let args: Vec<String> = part.iter().map(|it| it.job.args.to_json()).collect();
        if args.iter().map(String::len).sum::<usize>() >= BYTES_AT_ONCE {
            return Ok(false);
        }
        if !part.iter().all(JobRow::is_plain) {
            return Ok(false);
        }
        let values: Bound = common_values(part, &args);
        let inserted = values.execute(on, INSERT_NEW, DOING).await?;
        if inserted != part.len() as u64 {
            return Ok(false);
        }
    }
    for (lane, entries) in by_lane(first.iter().copied()) {
        for part in entries.chunks(AT_ONCE) {
            first_values(Bound::default().with(lane), part)
                .execute(on, place_first!(), DOING)
                .await?;
        }
    }
    Ok(true)
}

/// Inserts one plain job with its first execution, which waits. False where its id is taken.
async fn insert_waiting(on: On<'_, Seat>, row: &JobRow<'_>, first: &QueueEntry) -> Result<bool, StoreError> {
    let job = row.job;
    let inserted = Bound::default()
        .with(job.id.as_uuid())
        .with(job.tenant_id.as_uuid())
        .with(job.name.as_str())
        .with(job.group.as_str())
        .with(job.type_name.as_str())
        .with(job.args.to_json())
        .with(job.source.code())
        .with(row.state.code())
        .with(i16::from(job.is_enabled))
        .with(job.job_type.code())
        .with(micros(job.creation_time))
        .with(micros(job.begin_time))
        .with(i64::from(job.max_try_count))
        .with(i64::from(job.max_count))
        .with(i64::from(job.max_interruptions))
        .with(i64::try_from(millis(job.interval)).unwrap_or(i64::MAX))
        .with(job.priority.code())
        .with(job.version)
        .with(first.lane.as_str())
        .with(first.rank)
        .with(micros(first.due_at))
        .with(first.kind.code())
        .with(i64::from(first.attempt))
        .execute(on, INSERT_WAITING, DOING)
        .await?;
    Ok(inserted > 0)
}

/// Inserts one job with its first execution, which is in flight at once where `claim` may have it. `None` where its id or name is taken.
pub(crate) async fn insert_one(
    on: On<'_, Seat>,
    row: &JobRow<'_>,
    first: &QueueEntry,
    claim: Option<&ClaimRequest>,
    new_run: impl FnOnce() -> RunId,
) -> Result<Option<(SubmitAnswer, Option<ClaimedRun>)>, StoreError> {
    if claim.is_none() && row.is_plain() {
        let is_inserted = insert_waiting(on, row, first).await?;
        return Ok(is_inserted.then_some((SubmitAnswer::Inserted, None)));
    }
    let mut values = values(std::slice::from_ref(row), &[row.job.args.to_json()])?;
    let run_id = new_run();
    values.extend([
        first.lane.as_str().into(),
        first.rank.into(),
        micros(first.due_at).into(),
        first.kind.code().into(),
        i64::from(first.attempt).into(),
        i16::from(first.is_suspect()).into(),
        claim.is_some_and(|it| it.lanes.contains(&first.lane)).into(),
        on.dialect.optional_uuid(claim.map(|it| it.instance.as_uuid())),
        on.dialect.optional_uuid(claim.map(|it| it.claim_id.as_uuid())),
        on.dialect.uuid(run_id.as_uuid()),
        Value::BigInt(claim.and_then(|it| it.now).map(micros)),
    ]);
    let Some(answer) = on.row(INSERT_ONE, values, DOING).await? else {
        return Ok(None);
    };
    if !column::<bool>(&answer, 0, DOING)? {
        return Ok(None);
    }
    let since: Option<i64> = column(&answer, 1, DOING)?;
    let claimed = match (since, claim) {
        (Some(since), Some(request)) => {
            let now = timestamp(since, "claimed_at").map_err(|why| unreadable("a run row", &why))?;
            Some(claimed_run(
                in_flight(stored_as(row)),
                first.clone(),
                request,
                run_id,
                now,
            ))
        }
        _ => None,
    };
    Ok(Some((SubmitAnswer::Inserted, claimed)))
}
