//! New jobs and their first executions, one array a column.
//!
//! What most jobs do not have travels together, as JSON in one column that is empty for them: forty arrays of NULLs would cost as much as the data.

use std::collections::BTreeMap;

use sea_orm::{ConnectionTrait, Value};
use serde::Serialize;
use tasks_abstractions::run::QueueEntry;
use tasks_abstractions::{JobId, MisfirePolicy, StoreError};
use uuid::Uuid;

use super::arrays::Arrays;
use crate::row::{Hex, JobRow, Place, micros, millis, name_key, not_json, uuid_at};
use crate::statement::On;
use crate::submit::DOING;

/// Most rows of one statement.
pub(super) const AT_ONCE: usize = 1_000;
/// Bytes of arguments from which a statement takes no further row.
pub(super) const BYTES_AT_ONCE: usize = 8 * 1024 * 1024;
/// Lanes of one batch from which they are no longer written lane by lane.
const FEW_LANES: usize = 4;

/// A field of the JSON column, NULL where that is empty.
macro_rules! rare {
    ($at:literal) => {
        concat!("x.r ->> ", $at)
    };
    ($at:literal as $type:literal) => {
        concat!("(x.r ->> ", $at, ")::", $type)
    };
    ($at:literal as $type:literal or 0) => {
        concat!("coalesce((x.r ->> ", $at, ")::", $type, ", 0)")
    };
}

/// (ids, tenants, names, groups, types, arguments, sources, states, enabled, job types, creation times, begin times, tries at most, runs at most,
/// interruptions at most, intervals, priorities, versions, rare columns); answers ids of those that were inserted.
macro_rules! insert {
    () => {
        concat!(
            "INSERT INTO tk_background_jobs (id, tenant_id, name, job_group, type_name, args, source, state, is_enabled, job_type, creation_time, begin_time, \
             max_try_count, max_count, max_interruptions, interval_ms, priority, version, description, result, cron, time_zone, misfire_policy, misfire_max, \
             end_time, last_run_time, trigger_count, try_count, is_abandoned, attention, interruptions, suspect_interruptions, retry_policy, timeout_ms, \
             lock_timeout_ms, node_name, failover, name_key, selector, definition_hash, definition_version, overrides) \
             SELECT id, tenant, name, job_group, type, args, source, state, enabled, job_type, created, begins, max_tries, max_runs, max_interruptions, \
             interval, priority, version, ",
            rare!(0), ", ", rare!(1), ", ", rare!(2), ", ", rare!(3), ", ", rare!(4 as "smallint" or 0), ", ", rare!(5 as "bigint" or 0), ", ",
            rare!(6 as "bigint"), ", ", rare!(7 as "bigint"), ", ", rare!(8 as "bigint" or 0), ", ", rare!(9 as "bigint" or 0), ", ",
            rare!(10 as "smallint" or 0), ", nullif(", rare!(10 as "smallint"), ", 0), ", rare!(11 as "bigint" or 0), ", ",
            rare!(12 as "bigint" or 0), ", ", rare!(13), ", ", rare!(14 as "bigint"), ", ", rare!(15 as "bigint"), ", ", rare!(16), ", ",
            rare!(17 as "smallint" or 0), ", ", rare!(18 as "uuid"), ", ", rare!(19), ", ", rare!(20 as "uuid"), ", ", rare!(21), ", ", rare!(22),
            " FROM (SELECT unnest($1::uuid[]) AS id, unnest($2::uuid[]) AS tenant, unnest($3::text[]) AS name, unnest($4::text[]) AS job_group, \
         unnest($5::text[]) AS type, unnest($6::text[]) AS args, unnest($7::smallint[]) AS source, unnest($8::smallint[]) AS state, \
         unnest($9::smallint[]) AS enabled, unnest($10::smallint[]) AS job_type, unnest($11::bigint[]) AS created, unnest($12::bigint[]) AS begins, \
         unnest($13::bigint[]) AS max_tries, unnest($14::bigint[]) AS max_runs, unnest($15::bigint[]) AS max_interruptions, \
         unnest($16::bigint[]) AS interval, unnest($17::smallint[]) AS priority, unnest($18::bigint[]) AS version, unnest($19::text[]) AS rare) AS v \
             CROSS JOIN LATERAL (SELECT CASE WHEN v.rare <> '' THEN v.rare::jsonb END AS r) x ORDER BY id ON CONFLICT DO NOTHING RETURNING id"
        )
    };
}
const INSERT: &str = insert!();

/// (lane name, jobs, ranks, due, kinds, attempts)
macro_rules! place_first {
    () => {
        "INSERT INTO tk_job_queue (job_id, lane_id, rank, due_at, kind, attempt) \
         SELECT job, (SELECT id FROM tk_lanes WHERE name = $1), rank, due, kind, attempt \
         FROM (SELECT unnest($2::uuid[]) AS job, unnest($3::smallint[]) AS rank, unnest($4::bigint[]) AS due, unnest($5::smallint[]) AS kind, \
         unnest($6::bigint[]) AS attempt) AS v"
    };
}
const INSERT_FIRST: &str = concat!(
    place_first!(),
    " ORDER BY job ON CONFLICT (job_id) DO UPDATE SET lane_id = excluded.lane_id, rank = excluded.rank, due_at = excluded.due_at, \
     kind = excluded.kind, attempt = excluded.attempt"
);

/// What most jobs do not have, in the order of [`INSERT`].
#[derive(Serialize)]
struct Rare<'a>(
    Option<&'a str>,
    Option<&'a str>,
    Option<&'a str>,
    Option<&'a str>,
    i16,
    u32,
    Option<i64>,
    Option<i64>,
    u32,
    u32,
    u8,
    u32,
    u32,
    Option<String>,
    Option<u64>,
    Option<u64>,
    Option<&'a str>,
    u8,
    Option<Hex>,
    Option<&'a str>,
    Option<Hex>,
    Option<&'a str>,
    Option<String>,
);

fn rare_columns(row: &JobRow<'_>) -> Result<String, StoreError> {
    if row.is_plain() {
        return Ok(String::new());
    }
    let job = row.job;
    let (misfire, misfire_max) = match job.misfire_policy {
        MisfirePolicy::FireOnce => (0, 0),
        MisfirePolicy::Skip => (1, 0),
        MisfirePolicy::FireAll { max } => (2, max),
    };
    let retry = job.retry_policy.as_ref().map(serde_json::to_string);
    let overrides = (!job.overrides.is_empty()).then(|| serde_json::to_string(&job.overrides));
    let definition = job.definition.as_ref();
    let rare = Rare(
        job.description.as_deref(),
        job.result.as_deref(),
        job.cron.as_deref(),
        job.time_zone.as_deref(),
        misfire,
        misfire_max,
        job.end_time.map(micros),
        job.last_run_time.map(micros),
        job.trigger_count,
        job.try_count,
        u8::from(job.is_abandoned),
        job.interruptions,
        job.suspect_interruptions,
        retry.transpose().map_err(not_json)?,
        job.timeout.map(millis),
        job.lock_timeout.map(millis),
        job.node_name.as_deref(),
        u8::from(job.failover),
        name_key(job).map(Hex),
        job.selector.as_deref(),
        definition.map(|it| Hex(it.hash)),
        definition.map(|it| it.version.as_str()),
        overrides.transpose().map_err(not_json)?,
    );
    serde_json::to_string(&rare).map_err(not_json)
}

/// Inserts the rows of jobs whose id and name are free, and answers which those are.
pub(crate) async fn insert_jobs<C: ConnectionTrait>(
    on: On<'_, C>,
    mut rows: &[JobRow<'_>],
) -> Result<Vec<Uuid>, StoreError> {
    let mut inserted = Vec::with_capacity(rows.len());
    while !rows.is_empty() {
        let mut args = Vec::with_capacity(rows.len().min(AT_ONCE));
        let mut bytes = 0;
        for row in rows.iter().take(AT_ONCE) {
            let text = row.job.args.to_json();
            bytes += text.len();
            args.push(text);
            if bytes >= BYTES_AT_ONCE {
                break;
            }
        }
        let (part, later) = rows.split_at(args.len());
        for row in on.rows(INSERT, values(part, &args)?, DOING).await? {
            inserted.push(uuid_at(&row, 0, "the id of a new job")?);
        }
        rows = later;
    }
    Ok(inserted)
}

pub(super) fn common_values<A: Arrays>(rows: &[JobRow<'_>], args: &[String]) -> A {
    let jobs = || rows.iter().map(|it| it.job);
    A::default()
        .uuids(jobs().map(|it| it.id.as_uuid()))
        .uuids(jobs().map(|it| it.tenant_id.as_uuid()))
        .texts(jobs().map(|it| it.name.as_str()))
        .texts(jobs().map(|it| it.group.as_str()))
        .texts(jobs().map(|it| it.type_name.as_str()))
        .texts(args.iter().map(String::as_str))
        .smallints(jobs().map(|it| it.source.code()))
        .smallints(rows.iter().map(|it| it.state.code()))
        .smallints(jobs().map(|it| i16::from(it.is_enabled)))
        .smallints(jobs().map(|it| it.job_type.code()))
        .bigints(jobs().map(|it| micros(it.creation_time)))
        .bigints(jobs().map(|it| micros(it.begin_time)))
        .bigints(jobs().map(|it| i64::from(it.max_try_count)))
        .bigints(jobs().map(|it| i64::from(it.max_count)))
        .bigints(jobs().map(|it| i64::from(it.max_interruptions)))
        .bigints(jobs().map(|it| i64::try_from(millis(it.interval)).unwrap_or(i64::MAX)))
        .smallints(jobs().map(|it| it.priority.code()))
        .bigints(jobs().map(|it| it.version))
}

pub(super) fn values(rows: &[JobRow<'_>], args: &[String]) -> Result<Vec<Value>, StoreError> {
    let rare = rows.iter().map(rare_columns).collect::<Result<Vec<_>, _>>()?;
    Ok(common_values::<Vec<Value>>(rows, args).texts(rare.iter().map(String::as_str)))
}

pub(super) type ByLane<'a> = BTreeMap<&'a str, Vec<(JobId, &'a QueueEntry)>>;

pub(super) fn by_lane<'a>(first: impl Iterator<Item = (JobId, &'a QueueEntry)>) -> ByLane<'a> {
    let mut lanes = ByLane::new();
    for (job, entry) in first {
        lanes.entry(entry.lane.as_str()).or_default().push((job, entry));
    }
    lanes
}

/// Of one lane, as `place_first!` has them after its name.
pub(super) fn first_values<A: Arrays>(to: A, part: &[(JobId, &QueueEntry)]) -> A {
    let entries = || part.iter().map(|(_, it)| *it);
    to.uuids(part.iter().map(|(job, _)| job.as_uuid()))
        .smallints(entries().map(|it| it.rank))
        .bigints(entries().map(|it| micros(it.due_at)))
        .smallints(entries().map(|it| it.kind.code()))
        .bigints(entries().map(|it| i64::from(it.attempt)))
}

/// Inserts waiting executions of jobs that are new.
pub(crate) async fn insert_first<'a, C: ConnectionTrait>(
    on: On<'_, C>,
    first: impl Iterator<Item = (JobId, &'a QueueEntry)>,
) -> Result<(), StoreError> {
    let lanes = by_lane(first);
    if lanes.len() > FEW_LANES {
        let all = lanes.into_values().flatten();
        let put_queue = on.dialect.sql().put_queue;
        let places = put_queue.with(all.map(|(job, entry)| Place::new(job, entry)))?;
        return on.write(places, &[], DOING).await.map(drop);
    }
    for (lane, entries) in lanes {
        for part in entries.chunks(AT_ONCE) {
            on.execute(INSERT_FIRST, first_values(vec![lane.into()], part), DOING)
                .await?;
        }
    }
    Ok(())
}

#[cfg(feature = "postgres")]
pub(super) use {insert, place_first, rare};
