//! The statements.
//!
//! A batch is a table made of its JSON parameter, read first (`STRAIGHT_JOIN`), and each of its rows looks up one row by key: at every size, so that
//! no writer locks rows that it does not mean.

use super::columns::{
    ids_first, is_old_job, job_columns, job_rows, job_tables, log_columns, names, now, queue_columns,
    run_array, run_columns, shown_status,
};
use crate::dialect::{Batched, RowLocks, Sql, TableLock, WithoutReturning};

/// What plain jobs have, and NULL or 0 for all else.
macro_rules! plain_columns {
    () => {
        "id, tenant_id, name, job_group, type_name, args, source, state, is_enabled, job_type, creation_time, begin_time, max_try_count, max_count, \
         max_interruptions, interval_ms, priority, version, misfire_policy, misfire_max, trigger_count, try_count, is_abandoned, interruptions, \
         suspect_interruptions, failover"
    };
}
macro_rules! plain_values {
    () => {
        "UNHEX(v.c0), UNHEX(v.c1), v.c2, v.c3, v.c4, v.c5, v.c6, v.c7, v.c8, v.c9, v.c10, v.c11, v.c12, v.c13, v.c14, v.c15, v.c16, v.c17, \
         0, 0, 0, 0, 0, 0, 0, 0"
    };
}
macro_rules! plain_rows {
    () => {
        "JSON_TABLE(?1, '$[*]' COLUMNS (c0 CHAR(32) PATH '$[0]', c1 CHAR(32) PATH '$[1]', c2 LONGTEXT CHARACTER SET utf8mb4 PATH '$[2]', c3 LONGTEXT CHARACTER SET \
         utf8mb4 PATH '$[3]', c4 LONGTEXT CHARACTER SET utf8mb4 PATH '$[4]', c5 LONGTEXT CHARACTER SET utf8mb4 PATH '$[5]', c6 BIGINT PATH '$[6]' ERROR ON ERROR, \
         c7 BIGINT PATH '$[7]' ERROR ON ERROR, c8 BIGINT PATH '$[8]' ERROR ON ERROR, c9 BIGINT PATH '$[9]' ERROR ON ERROR, c10 BIGINT PATH '$[10]' ERROR ON \
         ERROR, c11 BIGINT PATH '$[11]' ERROR ON ERROR, c12 BIGINT PATH '$[12]' ERROR ON ERROR, c13 BIGINT PATH '$[13]' ERROR ON ERROR, c14 BIGINT PATH '$[14]' \
         ERROR ON ERROR, c15 BIGINT PATH '$[15]' ERROR ON ERROR, c16 BIGINT PATH '$[16]' ERROR ON ERROR, c17 BIGINT PATH '$[17]' ERROR ON ERROR)) v"
    };
}

pub(crate) static SQL: Sql = Sql {
    ensure_lanes: concat!(
        "INSERT INTO tk_lanes (name) SELECT CONVERT(v.name USING binary) FROM ",
        names!("?1"),
        " WHERE NOT EXISTS (SELECT 1 FROM tk_lanes x WHERE x.name = CONVERT(v.name USING binary)) ORDER BY v.name ON DUPLICATE KEY UPDATE tk_lanes.name = \
         tk_lanes.name"
    ),
    insert_jobs: concat!(
        "INSERT INTO tk_background_jobs (id, tenant_id, name, job_group, type_name, args, description, result, source, state, is_enabled, job_type, cron, \
         time_zone, misfire_policy, misfire_max, creation_time, begin_time, end_time, last_run_time, trigger_count, try_count, max_try_count, max_count, \
         is_abandoned, interruptions, suspect_interruptions, max_interruptions, interval_ms, retry_policy, priority, timeout_ms, lock_timeout_ms, node_name, \
         failover, version, name_key, selector, definition_hash, definition_version, overrides, attention, submission) SELECT UNHEX(v.c0), UNHEX(v.c1), v.c2, \
         v.c3, v.c4, v.c5, v.c6, v.c7, v.c8, v.c9, v.c10, v.c11, v.c12, v.c13, v.c14, v.c15, v.c16, v.c17, v.c18, v.c19, v.c20, v.c21, v.c22, v.c23, v.c24, \
         v.c25, v.c26, v.c27, v.c28, v.c29, v.c30, v.c31, v.c32, v.c33, v.c34, v.c35, UNHEX(v.c36), v.c37, UNHEX(v.c38), v.c39, v.c40, NULLIF(v.c24, 0), ?2 \
         FROM ",
        job_rows!(),
        " ORDER BY v.c0 ON DUPLICATE KEY UPDATE tk_background_jobs.id = tk_background_jobs.id"
    ),
    insert_plain_jobs: Some(Batched::Json(concat!(
        "INSERT INTO tk_background_jobs (",
        plain_columns!(),
        ", submission) SELECT ",
        plain_values!(),
        ", ?2 FROM ",
        plain_rows!(),
        " ORDER BY v.c0 ON DUPLICATE KEY UPDATE tk_background_jobs.id = tk_background_jobs.id"
    ))),
    insert_new_jobs: Some(Batched::Json(concat!(
        "INSERT INTO tk_background_jobs (",
        plain_columns!(),
        ") SELECT ",
        plain_values!(),
        " FROM ",
        plain_rows!()
    ))),
    existing_jobs: "SELECT v.n - 1, a.id IS NOT NULL, b.id FROM JSON_TABLE(?1, '$[*]' COLUMNS (n FOR ORDINALITY, c0 CHAR(32) PATH '$[0]', c1 CHAR(32) PATH '$[1]')) v LEFT \
         JOIN tk_background_jobs a ON a.id = UNHEX(v.c0) LEFT JOIN tk_background_jobs b ON b.name_key = UNHEX(v.c1)",
    put_queue: Batched::Json(
        "INSERT INTO tk_job_queue (job_id, lane_id, `rank`, due_at, kind, attempt) SELECT UNHEX(v.c0), (SELECT id FROM tk_lanes WHERE name = CONVERT(v.c1 USING \
         binary)), v.c2, v.c3, v.c4, v.c5 FROM JSON_TABLE(?1, '$[*]' COLUMNS (c0 CHAR(32) PATH '$[0]', c1 LONGTEXT CHARACTER SET utf8mb4 PATH '$[1]', c2 BIGINT \
         PATH '$[2]' ERROR ON ERROR, c3 BIGINT PATH '$[3]' ERROR ON ERROR, c4 BIGINT PATH '$[4]' ERROR ON ERROR, c5 BIGINT PATH '$[5]' ERROR ON ERROR)) v ORDER \
         BY v.c0 ON DUPLICATE KEY UPDATE lane_id = VALUES(lane_id), `rank` = VALUES(`rank`), due_at = VALUES(due_at), kind = VALUES(kind), attempt = \
         VALUES(attempt)",
    ),
    delete_queue: Batched::Json(concat!(
        "DELETE q FROM ",
        ids_first!(),
        " STRAIGHT_JOIN tk_job_queue q FORCE INDEX (PRIMARY) ON q.job_id = UNHEX(v.id)"
    )),
    // Each subquery reads one row, the first or the last of its lane in the index. MIN in its place would read all of them, and so would a rank that depends on the row outside.
    heads: concat!(
        "SELECT l.id, (SELECT `rank` FROM tk_job_queue FORCE INDEX (tk_job_queue_claim) WHERE lane_id = l.id ORDER BY `rank` LIMIT 1) AS first_rank, \
           (SELECT due_at FROM tk_job_queue FORCE INDEX (tk_job_queue_claim) WHERE lane_id = l.id ORDER BY `rank`, due_at LIMIT 1), \
           (SELECT `rank` FROM tk_job_queue FORCE INDEX (tk_job_queue_claim) WHERE lane_id = l.id ORDER BY `rank` DESC LIMIT 1), ",
        now!(),
        " FROM tk_lanes l WHERE l.name IN (SELECT CONVERT(v.name USING binary) FROM ",
        names!("?1"),
        ") HAVING first_rank IS NOT NULL"
    ),
    insert_runs: Batched::Json(
        "INSERT INTO tk_job_runs (job_id, run_id, instance, claim_id, lane_id, `rank`, due_at, kind, attempt, suspect, job_version, after, claimed_at) SELECT \
         UNHEX(v.c0), UNHEX(v.c1), ?2, ?3, (SELECT id FROM tk_lanes WHERE name = CONVERT(v.c2 USING binary)), v.c3, v.c4, v.c5, v.c6, v.c7, v.c8, 0, ?4 FROM \
         JSON_TABLE(?1, '$[*]' COLUMNS (c0 CHAR(32) PATH '$[0]', c1 CHAR(32) PATH '$[1]', c2 LONGTEXT CHARACTER SET utf8mb4 PATH '$[2]', c3 BIGINT PATH '$[3]' \
         ERROR ON ERROR, c4 BIGINT PATH '$[4]' ERROR ON ERROR, c5 BIGINT PATH '$[5]' ERROR ON ERROR, c6 BIGINT PATH '$[6]' ERROR ON ERROR, c7 BIGINT PATH \
         '$[7]' ERROR ON ERROR, c8 BIGINT PATH '$[8]' ERROR ON ERROR)) v LEFT JOIN tk_job_runs r ON r.job_id = UNHEX(v.c0) WHERE r.job_id IS NULL",
    ),
    runs_of_claim: "SELECT run_id FROM tk_job_runs WHERE claim_id = ?1",
    waiting_lanes: "SELECT CONVERT(name USING utf8mb4) FROM tk_lanes l WHERE \
         (SELECT 1 FROM tk_job_queue FORCE INDEX (tk_job_queue_claim) WHERE lane_id = l.id LIMIT 1) IS NOT NULL ORDER BY name",
    waiting_in: "SELECT job_id FROM tk_job_queue WHERE lane_id = (SELECT id FROM tk_lanes WHERE name = ?1) AND (?2 IS NULL OR job_id > ?2) ORDER BY job_id LIMIT ?3",
    finish_exceptions: Batched::Json(
        "SELECT v.n - 1, r.job_id IS NOT NULL FROM JSON_TABLE(?1, '$[*]' COLUMNS (n FOR ORDINALITY, c0 CHAR(32) PATH '$[0]', c1 CHAR(32) PATH '$[1]', c2 BIGINT \
         PATH '$[2]' ERROR ON ERROR)) v LEFT JOIN tk_job_runs r ON r.job_id = UNHEX(v.c0) AND r.run_id = UNHEX(v.c1) LEFT JOIN tk_background_jobs j ON j.id = \
         r.job_id WHERE r.job_id IS NULL OR NOT (j.version <=> v.c2)",
    ),
    delete_runs: Batched::Json(concat!(
        "DELETE r FROM ",
        ids_first!(),
        " STRAIGHT_JOIN tk_job_runs r FORCE INDEX (PRIMARY) ON r.job_id = UNHEX(v.id)"
    )),
    delete_locks: concat!(
        "DELETE l FROM ",
        ids_first!(),
        " STRAIGHT_JOIN tk_locks l FORCE INDEX (tk_locks_run) ON l.run_id = UNHEX(v.id)"
    ),
    insert_logs: Batched::Json(
        "INSERT INTO tk_background_job_logs (run_id, job_id, tenant_id, job_name, job_group, type_name, outcome, message, error, started_at, duration_ms, \
         node_name, instance, attempt) SELECT UNHEX(v.c0), UNHEX(v.c1), UNHEX(v.c2), v.c3, v.c4, v.c5, v.c6, v.c7, v.c8, v.c9, v.c10, v.c11, UNHEX(v.c12), \
         v.c13 FROM JSON_TABLE(?1, '$[*]' COLUMNS (c0 CHAR(32) PATH '$[0]', c1 CHAR(32) PATH '$[1]', c2 CHAR(32) PATH '$[2]', c3 LONGTEXT CHARACTER SET utf8mb4 \
         PATH '$[3]', c4 LONGTEXT CHARACTER SET utf8mb4 PATH '$[4]', c5 LONGTEXT CHARACTER SET utf8mb4 PATH '$[5]', c6 BIGINT PATH '$[6]' ERROR ON ERROR, c7 \
         LONGTEXT CHARACTER SET utf8mb4 PATH '$[7]', c8 LONGTEXT CHARACTER SET utf8mb4 PATH '$[8]', c9 BIGINT PATH '$[9]' ERROR ON ERROR, c10 BIGINT PATH \
         '$[10]' ERROR ON ERROR, c11 LONGTEXT CHARACTER SET utf8mb4 PATH '$[11]', c12 CHAR(32) PATH '$[12]', c13 BIGINT PATH '$[13]' ERROR ON ERROR)) v \
         ON DUPLICATE KEY UPDATE tk_background_job_logs.run_id = tk_background_job_logs.run_id",
    ),
    settle_jobs: Batched::Json(
        "UPDATE JSON_TABLE(?1, '$[*]' COLUMNS (c0 CHAR(32) PATH '$[0]', c1 BIGINT PATH '$[1]' ERROR ON ERROR, c2 LONGTEXT CHARACTER SET utf8mb4 PATH '$[2]', c3 \
         BIGINT PATH '$[3]' ERROR ON ERROR, c4 BIGINT PATH '$[4]' ERROR ON ERROR, c5 BIGINT PATH '$[5]' ERROR ON ERROR, c6 BIGINT PATH '$[6]' ERROR ON ERROR, \
         c7 BIGINT PATH '$[7]' ERROR ON ERROR, c8 BIGINT PATH '$[8]' ERROR ON ERROR)) v STRAIGHT_JOIN tk_background_jobs j FORCE INDEX (PRIMARY) ON j.id = \
         UNHEX(v.c0) SET j.state = v.c1, j.result = COALESCE(v.c2, j.result), j.last_run_time = COALESCE(v.c3, j.last_run_time), j.trigger_count = v.c4, \
         j.try_count = v.c5, j.interruptions = v.c6, j.suspect_interruptions = v.c7, j.is_abandoned = v.c8, j.attention = NULLIF(v.c8, 0)",
    ),
    snapshots: concat!(
        "SELECT ",
        job_columns!(),
        ", ",
        queue_columns!(),
        ", ",
        run_columns!(),
        " FROM ",
        ids_first!(),
        " STRAIGHT_JOIN tk_background_jobs j FORCE INDEX (PRIMARY) ON j.id = UNHEX(v.id) LEFT JOIN tk_job_queue q ON q.job_id = j.id LEFT JOIN tk_job_runs r ON \
         r.job_id = j.id WHERE ?2 IS NULL OR j.tenant_id = ?2 ORDER BY v.n"
    ),
    update_jobs: concat!(
        "UPDATE ",
        job_rows!(),
        " STRAIGHT_JOIN tk_background_jobs j FORCE INDEX (PRIMARY) ON j.id = UNHEX(v.c0) SET j.name = v.c2, j.job_group = v.c3, j.type_name = v.c4, j.args = \
         v.c5, j.description = v.c6, j.result = v.c7, j.source = v.c8, j.state = v.c9, j.is_enabled = v.c10, j.job_type = v.c11, j.cron = v.c12, j.time_zone = \
         v.c13, j.misfire_policy = v.c14, j.misfire_max = v.c15, j.begin_time = v.c17, j.end_time = v.c18, j.last_run_time = v.c19, j.trigger_count = v.c20, \
         j.try_count = v.c21, j.max_try_count = v.c22, j.max_count = v.c23, j.is_abandoned = v.c24, j.interruptions = v.c25, j.suspect_interruptions = v.c26, \
         j.max_interruptions = v.c27, j.interval_ms = v.c28, j.retry_policy = v.c29, j.priority = v.c30, j.timeout_ms = v.c31, j.lock_timeout_ms = v.c32, \
         j.node_name = v.c33, j.failover = v.c34, j.version = v.c35, j.name_key = UNHEX(v.c36), j.selector = v.c37, j.definition_hash = UNHEX(v.c38), \
         j.definition_version = v.c39, j.overrides = v.c40, j.attention = NULLIF(v.c24, 0)"
    ),
    update_run: "UPDATE tk_job_runs SET after = COALESCE(?2, after), cancel = COALESCE(?3, cancel) WHERE job_id = ?1",
    delete_jobs: Batched::Json(concat!(
        "DELETE j FROM ",
        ids_first!(),
        " STRAIGHT_JOIN tk_background_jobs j FORCE INDEX (PRIMARY) ON j.id = UNHEX(v.id)"
    )),
    put_node: "INSERT INTO tk_nodes (instance, name, state, started_at, heartbeat_at, capacity, running, lanes, version, process) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, \
         ?8, ?9, ?10) ON DUPLICATE KEY UPDATE name = VALUES(name), state = VALUES(state), started_at = VALUES(started_at), heartbeat_at = VALUES(heartbeat_at), \
         capacity = VALUES(capacity), running = VALUES(running), lanes = VALUES(lanes), version = VALUES(version), process = VALUES(process)",
    node_state: concat!("SELECT state, ", now!(), " FROM tk_nodes WHERE instance = ?1"),
    renew_node: "UPDATE tk_nodes SET heartbeat_at = ?2, running = ?3, lanes = COALESCE(?4, lanes) WHERE instance = ?1 AND state = 0",
    clear_suspects: "UPDATE JSON_TABLE(?2, '$[*]' COLUMNS (id CHAR(32) PATH '$')) v STRAIGHT_JOIN tk_job_runs r FORCE INDEX (tk_job_runs_run) ON r.run_id = UNHEX(v.id) SET \
         r.suspect = 0 WHERE r.instance = ?1",
    cancel_requests: "SELECT job_id, run_id, cancel FROM tk_job_runs WHERE instance = ?1 AND cancel IS NOT NULL ORDER BY job_id",
    runs_of: concat!(
        "SELECT ",
        run_array!(),
        " FROM tk_job_runs r WHERE r.instance = ?1 ORDER BY r.job_id"
    ),
    nodes: "SELECT CAST(JSON_ARRAY(HEX(instance), name, state, started_at, heartbeat_at, capacity, running, lanes, version) AS CHAR) FROM tk_nodes ORDER BY \
         started_at, instance",
    declare_dead: "UPDATE tk_nodes SET state = 2 WHERE instance = ?1 AND heartbeat_at = ?2 AND state = 0",
    declare_gone: concat!(
        "SELECT n.instance FROM ",
        ids_first!(),
        " STRAIGHT_JOIN tk_nodes n FORCE INDEX (PRIMARY) ON n.instance = UNHEX(v.id) WHERE n.state = 0 FOR UPDATE"
    ),
    other_living_nodes: "SELECT instance, process FROM tk_nodes WHERE state = 0 AND instance <> ?1 ORDER BY started_at, instance",
    stop_node: "UPDATE tk_nodes SET state = 1 WHERE instance = ?1 AND state = 0",
    orphaned_runs: concat!(
        "SELECT ",
        job_columns!(),
        ", ",
        run_array!(),
        ", d.name FROM ",
        ids_first!(),
        " STRAIGHT_JOIN tk_job_runs r FORCE INDEX (PRIMARY) ON r.job_id = UNHEX(v.id) JOIN tk_background_jobs j ON j.id = r.job_id LEFT JOIN tk_nodes d ON \
         d.instance = r.instance WHERE d.state IS NULL OR d.state <> 0 ORDER BY r.job_id"
    ),
    take_runs: "UPDATE JSON_TABLE(?1, '$[*]' COLUMNS (c0 CHAR(32) PATH '$[0]', c1 CHAR(32) PATH '$[1]', c2 CHAR(32) PATH '$[2]', c3 BIGINT PATH '$[3]' ERROR ON \
         ERROR)) v STRAIGHT_JOIN tk_job_runs r FORCE INDEX (PRIMARY) ON r.job_id = UNHEX(v.c0) SET r.run_id = UNHEX(v.c2), r.instance = ?2, r.claim_id = ?3, \
         r.claimed_at = ?4, r.job_version = v.c3 WHERE r.run_id = UNHEX(v.c1)",
    acquire_lock: "UPDATE tk_locks l SET l.job_id = ?3, l.run_id = ?4, l.acquired_at = ?5 WHERE l.tenant_id = ?1 AND l.lock_key = ?2 AND EXISTS (SELECT 1 FROM \
         tk_job_runs m WHERE m.job_id = ?3 AND m.run_id = ?4) AND (l.run_id = ?4 OR NOT EXISTS (SELECT 1 FROM tk_job_runs r WHERE r.job_id = l.job_id AND \
         r.run_id = l.run_id))",
    release_lock: "DELETE FROM tk_locks WHERE tenant_id = ?1 AND lock_key = ?2 AND run_id = ?3",
    running_list: concat!(
        "SELECT ",
        job_columns!(),
        ", ",
        queue_columns!(),
        ", ",
        run_columns!(),
        " FROM tk_job_runs r JOIN tk_background_jobs j ON j.id = r.job_id LEFT JOIN tk_job_queue q ON q.job_id = j.id WHERE ?1 IS NULL OR j.tenant_id = ?1 ORDER \
         BY r.claimed_at, r.job_id LIMIT ?2"
    ),
    waiting_list: concat!(
        "SELECT ",
        job_columns!(),
        ", ",
        queue_columns!(),
        ", ",
        run_columns!(),
        " FROM (SELECT w.* FROM tk_job_queue w WHERE w.due_at <= ?3 AND (?1 IS NULL OR (SELECT tenant_id FROM tk_background_jobs WHERE id = w.job_id) = ?1) \
         ORDER BY w.`rank`, w.due_at, w.job_id LIMIT ?2) q JOIN tk_background_jobs j ON j.id = q.job_id LEFT JOIN tk_job_runs r ON r.job_id = j.id ORDER BY \
         q.`rank`, q.due_at, q.job_id"
    ),
    period_tasks: concat!(
        "SELECT ",
        job_columns!(),
        ", ",
        queue_columns!(),
        ", ",
        run_columns!(),
        " FROM ",
        job_tables!(),
        " WHERE j.job_type IN (1, 2) AND j.state = 5 AND (?1 IS NULL OR j.tenant_id = ?1) AND (?2 IS NULL OR j.id > ?2) ORDER BY j.id LIMIT ?3"
    ),
    find_log: concat!(
        "SELECT ",
        log_columns!(),
        " FROM tk_background_job_logs l WHERE l.job_id = ?1 AND l.run_id = ?2 ORDER BY l.started_at DESC LIMIT 1"
    ),
    counts: concat!(
        "SELECT ",
        shown_status!(),
        " AS shown, COUNT(*), CAST(SUM(j.is_abandoned) AS SIGNED) FROM ",
        job_tables!(),
        " WHERE ?1 IS NULL OR j.tenant_id = ?1 GROUP BY shown"
    ),
    old_jobs: concat!(
        "SELECT j.id FROM tk_background_jobs j WHERE ",
        is_old_job!(),
        " LIMIT ?6"
    ),
    delete_old_jobs: concat!(
        "DELETE j FROM JSON_TABLE(?6, '$[*]' COLUMNS (id CHAR(32) PATH '$')) v STRAIGHT_JOIN tk_background_jobs j FORCE INDEX (PRIMARY) ON j.id = UNHEX(v.id) \
         WHERE ",
        is_old_job!()
    ),
    old_logs: "SELECT l.job_id, l.started_at, l.run_id FROM (SELECT tenant_id, MIN(started_at) AS first FROM tk_background_job_logs GROUP BY tenant_id) t \
         STRAIGHT_JOIN tk_background_job_logs l ON l.tenant_id = t.tenant_id AND l.started_at < ?1 WHERE t.first < ?1 AND (?2 IS NULL OR l.outcome = ?2) AND (?3 = 0 OR (l.type_name IN (SELECT y.name COLLATE utf8mb4_bin FROM \
         JSON_TABLE(?4, '$[*]' COLUMNS (name LONGTEXT CHARACTER SET utf8mb4 PATH '$')) y)) = (?3 = 1)) LIMIT ?5",
    delete_logs: "DELETE l FROM JSON_TABLE(?1, '$[*]' COLUMNS (c0 CHAR(32) PATH '$[0]', c1 BIGINT PATH '$[1]' ERROR ON ERROR, c2 CHAR(32) PATH '$[2]')) v \
         STRAIGHT_JOIN tk_background_job_logs l FORCE INDEX (PRIMARY) ON l.job_id = UNHEX(v.c0) AND l.started_at = v.c1 AND l.run_id = UNHEX(v.c2)",
    delete_old_nodes: "SELECT d.instance FROM tk_nodes d WHERE d.state <> 0 AND d.heartbeat_at < ?1 AND NOT EXISTS (SELECT 1 FROM tk_job_runs r WHERE r.instance = \
         d.instance) LIMIT ?2 FOR UPDATE",
    find_unarmed: "SELECT j.id, j.state = 5 AND j.is_enabled AND q.job_id IS NULL AND r.job_id IS NULL FROM (SELECT id, state, is_enabled FROM tk_background_jobs WHERE \
         ?1 IS NULL OR id > ?1 ORDER BY id LIMIT ?2) j LEFT JOIN tk_job_queue q ON q.job_id = j.id LEFT JOIN tk_job_runs r ON r.job_id = j.id ORDER BY j.id",
    read_cursor: "SELECT value FROM tk_cursors WHERE name = ?1",
    put_cursor: "INSERT INTO tk_cursors (name, value) VALUES (?1, ?2) ON DUPLICATE KEY UPDATE value = VALUES(value)",
    delete_cursor: "DELETE FROM tk_cursors WHERE name = ?1",
    run_statistics: "SELECT type_name, outcome, COUNT(*), CAST(SUM(duration_ms) AS SIGNED), MAX(duration_ms) FROM tk_background_job_logs WHERE (?1 IS NULL OR tenant_id = \
         ?1) AND started_at >= ?2 GROUP BY type_name, outcome ORDER BY type_name, outcome",
    store_progress: "UPDATE JSON_TABLE(?1, '$[*]' COLUMNS (c0 CHAR(32) PATH '$[0]', c1 CHAR(32) PATH '$[1]', c2 BIGINT PATH '$[2]' ERROR ON ERROR, c3 BIGINT PATH '$[3]' \
         ERROR ON ERROR, c4 LONGTEXT CHARACTER SET utf8mb4 PATH '$[4]')) v STRAIGHT_JOIN tk_job_runs r FORCE INDEX (PRIMARY) ON r.job_id = UNHEX(v.c0) SET \
         r.progress_done = v.c2, r.progress_total = v.c3, r.progress_message = v.c4, r.progress_at = ?2 WHERE r.run_id = UNHEX(v.c1)",
    job_columns: job_columns!(),
    queue_columns: queue_columns!(),
    run_columns: run_columns!(),
    log_columns: log_columns!(),
    job_tables: job_tables!(),
    shown_status: shown_status!(),
    schema: "SELECT version, oldest_program FROM tk_schema WHERE id = 1",
    has_tables: "SELECT 1 FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'tk_schema'",
    clock: Some(concat!("SELECT ", now!())),
    rows: Some(RowLocks {
        jobs: concat!(
            "SELECT j.id FROM ",
            ids_first!(),
            " STRAIGHT_JOIN tk_background_jobs j FORCE INDEX (PRIMARY) ON j.id = UNHEX(v.id) FOR UPDATE"
        ),
        queue: concat!(
            "SELECT q.job_id FROM ",
            ids_first!(),
            " STRAIGHT_JOIN tk_job_queue q FORCE INDEX (PRIMARY) ON q.job_id = UNHEX(v.id) FOR UPDATE"
        ),
        key: "INSERT INTO tk_locks (tenant_id, lock_key, job_id, run_id, acquired_at) VALUES (?1, ?2, UNHEX(REPEAT('0', 32)), UNHEX(REPEAT('0', 32)), 0) ON \
             DUPLICATE KEY UPDATE acquired_at = acquired_at",
        claimed: concat!(
            "SELECT ",
            job_columns!(),
            ", ",
            queue_columns!(),
            " FROM ",
            ids_first!(),
            " STRAIGHT_JOIN tk_job_queue q FORCE INDEX (PRIMARY) ON q.job_id = UNHEX(v.id) JOIN tk_background_jobs j ON j.id = q.job_id"
        ),
        orphans: "SELECT r.job_id FROM tk_job_runs r LEFT JOIN tk_nodes d ON d.instance = r.instance WHERE d.state IS NULL OR d.state <> 0 ORDER BY r.job_id LIMIT ?1",
    }),
    // What only MariaDB has stands in comments that only MariaDB reads.
    tables: Some(TableLock {
        patience: "SET /*M! @tasks_limit = @@SESSION.max_statement_time, SESSION max_statement_time = 0, */ @tasks_changes = 1",
        take: "SELECT GET_LOCK(CONCAT('tasks ', MD5(DATABASE())), 60)",
        free: Some(&[
            "SELECT RELEASE_LOCK(CONCAT('tasks ', MD5(DATABASE())))",
            "SET /*M! SESSION max_statement_time = @tasks_limit, */ @tasks_changes = NULL",
        ]),
    }),
    schemas: None,
    without_returning: Some(WithoutReturning {
        inserted: "SELECT j.id FROM JSON_TABLE(?1, '$[*]' COLUMNS (c0 CHAR(32) PATH '$[0]')) v STRAIGHT_JOIN tk_background_jobs j FORCE INDEX (PRIMARY) ON j.id = \
             UNHEX(v.c0) WHERE j.submission = ?2",
        declare_gone: concat!(
            "UPDATE ",
            ids_first!(),
            " STRAIGHT_JOIN tk_nodes n FORCE INDEX (PRIMARY) ON n.instance = UNHEX(v.id) SET n.state = 2 WHERE n.state = 0"
        ),
        delete_nodes: concat!(
            "DELETE n FROM ",
            ids_first!(),
            " STRAIGHT_JOIN tk_nodes n FORCE INDEX (PRIMARY) ON n.instance = UNHEX(v.id)"
        ),
    }),
};
