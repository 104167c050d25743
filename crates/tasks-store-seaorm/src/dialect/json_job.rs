//! A job as one JSON array, for the databases that read it so; `row/job.rs` reads the same order.

/// The array, between what makes one of its values: what every job has, and where there is anything, what few have.
macro_rules! json_job {
    ($open:literal, $close:literal) => {
        concat!(
            "CASE WHEN j.description IS NULL AND j.result IS NULL AND j.cron IS NULL AND j.time_zone IS NULL AND j.end_time IS NULL AND \
             j.last_run_time IS NULL AND j.retry_policy IS NULL AND j.timeout_ms IS NULL AND j.lock_timeout_ms IS NULL AND j.node_name IS NULL AND \
             j.selector IS NULL AND j.definition_hash IS NULL AND j.definition_version IS NULL AND j.overrides IS NULL AND j.misfire_policy = 0 AND \
             j.misfire_max = 0 AND j.is_abandoned = 0 AND j.failover = 0 THEN ",
            $open,
            $crate::dialect::json_job::common_columns!(),
            $close,
            " ELSE ",
            $open,
            $crate::dialect::json_job::common_columns!(),
            ", j.description, j.result, j.cron, j.time_zone, j.misfire_policy, j.misfire_max, j.end_time, j.last_run_time, j.is_abandoned, \
             j.retry_policy, j.timeout_ms, j.lock_timeout_ms, j.node_name, j.failover, j.selector, nullif(hex(j.definition_hash), ''), \
             j.definition_version, j.overrides",
            $close,
            " END"
        )
    };
}
macro_rules! common_columns {
    () => {
        "hex(j.id), hex(j.tenant_id), j.name, j.job_group, j.type_name, j.args, j.source, j.state, j.is_enabled, j.job_type, j.creation_time, j.begin_time, \
         j.trigger_count, j.try_count, j.max_try_count, j.max_count, j.interruptions, j.suspect_interruptions, j.max_interruptions, j.interval_ms, j.priority, \
         j.version"
    };
}

pub(crate) use {common_columns, json_job};
