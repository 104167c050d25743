//! Columns in their one order, as one JSON array a row; `row/` reads and writes the same. Tables of JSON parameters.

/// The ids of the JSON parameter `?1`.
macro_rules! ids_first {
    () => {
        "JSON_TABLE(?1, '$[*]' COLUMNS (n FOR ORDINALITY, id CHAR(32) PATH '$')) v"
    };
}
/// The names of a JSON parameter.
macro_rules! names {
    ($json:literal) => {
        concat!(
            "JSON_TABLE(",
            $json,
            ", '$[*]' COLUMNS (name LONGTEXT CHARACTER SET utf8mb4 PATH '$')) v"
        )
    };
}
/// Jobs of the JSON parameter `?1`.
macro_rules! job_rows {
    () => {
        "JSON_TABLE(?1, '$[*]' COLUMNS (c0 CHAR(32) PATH '$[0]', c1 CHAR(32) PATH '$[1]', c2 LONGTEXT CHARACTER SET utf8mb4 PATH '$[2]', c3 LONGTEXT CHARACTER \
         SET utf8mb4 PATH '$[3]', c4 LONGTEXT CHARACTER SET utf8mb4 PATH '$[4]', c5 LONGTEXT CHARACTER SET utf8mb4 PATH '$[5]', c6 LONGTEXT CHARACTER SET \
         utf8mb4 PATH '$[6]', c7 LONGTEXT CHARACTER SET utf8mb4 PATH '$[7]', c8 BIGINT PATH '$[8]' ERROR ON ERROR, c9 BIGINT PATH '$[9]' ERROR ON ERROR, c10 \
         BIGINT PATH '$[10]' ERROR ON ERROR, c11 BIGINT PATH '$[11]' ERROR ON ERROR, c12 LONGTEXT CHARACTER SET utf8mb4 PATH '$[12]', c13 LONGTEXT CHARACTER \
         SET utf8mb4 PATH '$[13]', c14 BIGINT PATH '$[14]' ERROR ON ERROR, c15 BIGINT PATH '$[15]' ERROR ON ERROR, c16 BIGINT PATH '$[16]' ERROR ON ERROR, c17 \
         BIGINT PATH '$[17]' ERROR ON ERROR, c18 BIGINT PATH '$[18]' ERROR ON ERROR, c19 BIGINT PATH '$[19]' ERROR ON ERROR, c20 BIGINT PATH '$[20]' ERROR ON \
         ERROR, c21 BIGINT PATH '$[21]' ERROR ON ERROR, c22 BIGINT PATH '$[22]' ERROR ON ERROR, c23 BIGINT PATH '$[23]' ERROR ON ERROR, c24 BIGINT PATH '$[24]' \
         ERROR ON ERROR, c25 BIGINT PATH '$[25]' ERROR ON ERROR, c26 BIGINT PATH '$[26]' ERROR ON ERROR, c27 BIGINT PATH '$[27]' ERROR ON ERROR, c28 BIGINT \
         PATH '$[28]' ERROR ON ERROR, c29 LONGTEXT CHARACTER SET utf8mb4 PATH '$[29]', c30 BIGINT PATH '$[30]' ERROR ON ERROR, c31 BIGINT PATH '$[31]' ERROR ON \
         ERROR, c32 BIGINT PATH '$[32]' ERROR ON ERROR, c33 LONGTEXT CHARACTER SET utf8mb4 PATH '$[33]', c34 BIGINT PATH '$[34]' ERROR ON ERROR, c35 BIGINT \
         PATH '$[35]' ERROR ON ERROR, c36 CHAR(32) PATH '$[36]', c37 LONGTEXT CHARACTER SET utf8mb4 PATH '$[37]', c38 CHAR(32) PATH '$[38]', c39 LONGTEXT \
         CHARACTER SET utf8mb4 PATH '$[39]', c40 LONGTEXT CHARACTER SET utf8mb4 PATH '$[40]')) v"
    };
}
macro_rules! job_columns {
    () => {
        $crate::dialect::json_job::json_job!("CAST(JSON_ARRAY(", ") AS CHAR)")
    };
}
macro_rules! queue_columns {
    () => {
        "CASE WHEN q.job_id IS NOT NULL THEN CAST(JSON_ARRAY((SELECT CONVERT(name USING utf8mb4) FROM tk_lanes WHERE id = q.lane_id), q.`rank`, q.due_at, \
         q.kind, q.attempt) AS CHAR) END"
    };
}
macro_rules! run_array {
    () => {
        "CAST(JSON_ARRAY(HEX(r.run_id), HEX(r.job_id), HEX(r.instance), HEX(r.claim_id), (SELECT CONVERT(name USING utf8mb4) FROM tk_lanes WHERE id = \
         r.lane_id), r.`rank`, r.due_at, r.kind, r.attempt, r.suspect, r.job_version, r.after, r.claimed_at, r.cancel, r.progress_done, r.progress_total, \
         r.progress_message, r.progress_at) AS CHAR)"
    };
}
macro_rules! run_columns {
    () => {
        concat!(
            "CASE WHEN r.job_id IS NOT NULL THEN ",
            $crate::dialect::mysql::columns::run_array!(),
            " END"
        )
    };
}
macro_rules! log_columns {
    () => {
        "CAST(JSON_ARRAY(HEX(l.run_id), HEX(l.job_id), HEX(l.tenant_id), l.job_name, l.job_group, l.type_name, l.outcome, l.message, l.error, l.started_at, \
         l.duration_ms, l.node_name, HEX(l.instance), l.attempt) AS CHAR)"
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
        "j.job_type = 0 AND j.state = ?2 AND (?3 IS NULL OR j.is_abandoned = ?3) AND COALESCE(j.last_run_time, j.creation_time) < ?1 AND (?4 = 0 OR \
         (j.type_name IN (SELECT t.name COLLATE utf8mb4_bin FROM JSON_TABLE(?5, '$[*]' COLUMNS (name LONGTEXT CHARACTER SET utf8mb4 PATH '$')) t)) = (?4 = 1)) \
         AND NOT EXISTS (SELECT 1 FROM tk_job_queue WHERE job_id = j.id) AND NOT EXISTS (SELECT 1 FROM tk_job_runs WHERE job_id = j.id)"
    };
}
/// The present instant.
macro_rules! now {
    () => {
        "TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))"
    };
}

pub(crate) use {
    ids_first, is_old_job, job_columns, job_rows, job_tables, log_columns, names, now, queue_columns,
    run_array, run_columns, shown_status,
};
