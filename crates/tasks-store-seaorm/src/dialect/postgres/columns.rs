//! Columns in their one order, as one JSON array a row; `row/` reads and writes the same.

/// The ids of a JSON parameter, as an array.
macro_rules! ids {
    ($json:literal) => {
        concat!(
            "ARRAY(SELECT e::uuid FROM jsonb_array_elements_text(",
            $json,
            "::jsonb) e)"
        )
    };
}
/// The rows of the JSON parameter `$1`, numbered from 1.
macro_rules! rows {
    () => {
        "jsonb_array_elements($1::jsonb) WITH ORDINALITY v(x, key)"
    };
}
macro_rules! common_columns {
    () => {
        "j.id, j.tenant_id, j.name, j.job_group, j.type_name, j.args, j.source, j.state, j.is_enabled, j.job_type, j.creation_time, j.begin_time, \
         j.trigger_count, j.try_count, j.max_try_count, j.max_count, j.interruptions, j.suspect_interruptions, j.max_interruptions, j.interval_ms, j.priority, \
         j.version"
    };
}
/// What few jobs have.
macro_rules! rare_columns {
    () => {
        "j.description, j.result, j.cron, j.time_zone, j.misfire_policy, j.misfire_max, j.end_time, j.last_run_time, j.is_abandoned, j.retry_policy, \
         j.timeout_ms, j.lock_timeout_ms, j.node_name, j.failover, j.selector, j.definition_hash, j.definition_version, j.overrides"
    };
}
macro_rules! job_columns {
    () => {
        concat!(
            "json_build_array(",
            $crate::dialect::postgres::columns::common_columns!(),
            ", ",
            $crate::dialect::postgres::columns::rare_columns!(),
            ")::text"
        )
    };
}
/// As `job_columns`, but what all jobs have each with its own type, four codes of 16 bits as one number, and what few have (also what a job has only once it has run) as an array
/// of JSON, or NULL: a column costs the server a call, and the node a look, whatever is in it.
#[cfg(feature = "postgres")]
macro_rules! native_job_columns {
    () => {
        concat!(
            "j.id, j.tenant_id, j.name, j.job_group, j.type_name, j.args, \
             (j.source::bigint << 48) | ((j.state::bigint & 65535) << 32) | ((j.job_type::bigint & 65535) << 16) | (j.priority::bigint & 65535), \
             j.creation_time, j.begin_time, j.max_try_count, j.max_interruptions, j.interval_ms, j.version, \
             CASE WHEN j.is_enabled = 1 AND j.trigger_count = 0 AND j.try_count = 0 AND j.max_count = 0 AND j.interruptions = 0 AND \
             j.suspect_interruptions = 0 AND j.description IS NULL AND j.result IS NULL AND j.cron IS NULL AND j.time_zone IS NULL AND \
             j.end_time IS NULL AND j.last_run_time IS NULL AND j.retry_policy IS NULL AND j.timeout_ms IS NULL AND j.lock_timeout_ms IS NULL AND \
             j.node_name IS NULL AND j.selector IS NULL AND j.definition_hash IS NULL AND j.definition_version IS NULL AND j.overrides IS NULL AND \
             j.misfire_policy = 0 AND j.misfire_max = 0 AND j.is_abandoned = 0 AND j.failover = 0 THEN NULL ELSE json_build_array(\
             j.is_enabled, j.trigger_count, j.try_count, j.max_count, j.interruptions, j.suspect_interruptions, ",
            $crate::dialect::postgres::columns::rare_columns!(),
            ")::text END"
        )
    };
}
macro_rules! queue_columns {
    () => {
        "CASE WHEN q.job_id IS NOT NULL THEN \
         json_build_array((SELECT name FROM tk_lanes WHERE id = q.lane_id), q.rank, q.due_at, q.kind, q.attempt)::text END"
    };
}
macro_rules! run_array {
    () => {
        "json_build_array(r.run_id, r.job_id, r.instance, r.claim_id, (SELECT name FROM tk_lanes WHERE id = r.lane_id), r.rank, r.due_at, \
         r.kind, r.attempt, r.suspect, r.job_version, r.after, r.claimed_at, r.cancel, r.progress_done, r.progress_total, r.progress_message, \
         r.progress_at)::text"
    };
}
macro_rules! run_columns {
    () => {
        concat!(
            "CASE WHEN r.job_id IS NOT NULL THEN ",
            $crate::dialect::postgres::columns::run_array!(),
            " END"
        )
    };
}
macro_rules! log_columns {
    () => {
        "json_build_array(l.run_id, l.job_id, l.tenant_id, l.job_name, l.job_group, l.type_name, l.outcome, l.message, l.error, l.started_at, \
         l.duration_ms, l.node_name, l.instance, l.attempt)::text"
    };
}
macro_rules! job_tables {
    () => {
        "tk_background_jobs j LEFT JOIN tk_job_queue q ON q.job_id = j.id LEFT JOIN tk_job_runs r ON r.job_id = j.id"
    };
}
/// Only an Active job (5) shows its execution: 10 Running, 15 FailedRetry (queue kind 1).
macro_rules! shown_status {
    () => {
        "CASE WHEN j.state <> 5 THEN j.state WHEN r.job_id IS NOT NULL THEN 10 WHEN q.kind = 1 THEN 15 ELSE 5 END"
    };
}
/// Whether a job `j` is over and old: (before, state, abandoned or null, mode of types, types).
macro_rules! is_old_job {
    () => {
        "j.job_type = 0 AND j.state = $2 AND ($3 IS NULL OR j.is_abandoned = $3) AND coalesce(j.last_run_time, j.creation_time) < $1 \
         AND ($4 = 0 OR (j.type_name IN (SELECT jsonb_array_elements_text($5::jsonb))) = ($4 = 1)) \
         AND NOT EXISTS (SELECT 1 FROM tk_job_queue WHERE job_id = j.id) AND NOT EXISTS (SELECT 1 FROM tk_job_runs WHERE job_id = j.id)"
    };
}
/// The present instant.
macro_rules! now {
    () => {
        "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint"
    };
}
/// `me`: state of the node `$3`, and the instant of the claim, which is `$2` or the present one.
#[cfg(feature = "postgres")]
macro_rules! me {
    () => {
        concat!(
            "me AS MATERIALIZED (SELECT state::bigint AS state, coalesce($2::bigint, ",
            $crate::dialect::postgres::columns::now!(),
            ") AS now FROM tk_nodes WHERE instance = $3)"
        )
    };
}
/// `head`: ranks in use of each lane of the JSON parameter `$1`, found by seeking from one to the next, however many rows wait.
macro_rules! head {
    () => {
        "head(lane_id, rank) AS (\
           SELECT l.id, (SELECT min(rank) FROM tk_job_queue WHERE lane_id = l.id) \
           FROM jsonb_array_elements_text($1::jsonb) e JOIN tk_lanes l ON l.name = e \
           UNION \
           SELECT h.lane_id, (SELECT min(rank) FROM tk_job_queue WHERE lane_id = h.lane_id AND rank > h.rank) FROM head h WHERE h.rank IS NOT NULL) "
    };
}
pub(crate) use {
    common_columns, head, ids, is_old_job, job_columns, job_tables, log_columns, now, queue_columns,
    rare_columns, rows, run_array, run_columns, shown_status,
};
#[cfg(feature = "postgres")]
pub(crate) use {me, native_job_columns};
