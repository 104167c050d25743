//! SQLite. Ids are 16-byte blobs, instants whole microseconds, durations whole milliseconds; in JSON, ids are hexadecimal digits.

use super::{Batched, Sql};

macro_rules! job_columns {
    () => {
        $crate::dialect::json_job::json_job!("json_array(", ")")
    };
}
macro_rules! queue_columns {
    () => {
        "CASE WHEN q.job_id IS NOT NULL THEN json_array((SELECT name FROM tk_lanes WHERE id = q.lane_id), q.rank, q.due_at, q.kind, q.attempt) END"
    };
}
macro_rules! run_array {
    () => {
        "json_array(hex(r.run_id), hex(r.job_id), hex(r.instance), hex(r.claim_id), (SELECT name FROM tk_lanes WHERE id = r.lane_id), r.rank, r.due_at, \
         r.kind, r.attempt, r.suspect, r.job_version, r.after, r.claimed_at, r.cancel, r.progress_done, r.progress_total, r.progress_message, r.progress_at)"
    };
}
macro_rules! run_columns {
    () => {
        concat!("CASE WHEN r.job_id IS NOT NULL THEN ", run_array!(), " END")
    };
}
macro_rules! log_columns {
    () => {
        "json_array(hex(l.run_id), hex(l.job_id), hex(l.tenant_id), l.job_name, l.job_group, l.type_name, l.outcome, l.message, l.error, l.started_at, \
         l.duration_ms, l.node_name, hex(l.instance), l.attempt)"
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
        "j.job_type = 0 AND j.state = ?2 AND (?3 IS NULL OR j.is_abandoned = ?3) AND coalesce(j.last_run_time, j.creation_time) < ?1 \
         AND (?4 = 0 OR (j.type_name IN (SELECT value FROM json_each(?5))) = (?4 = 1)) \
         AND NOT EXISTS (SELECT 1 FROM tk_job_queue WHERE job_id = j.id) AND NOT EXISTS (SELECT 1 FROM tk_job_runs WHERE job_id = j.id)"
    };
}
/// The rows of the JSON parameter, each turned into its binary form once. `json_each` alone would write each row as text anew for every column that is read
/// from it, which was the largest single cost of a batch.
macro_rules! rows {
    ($($then:tt)+) => {
        concat!(
            "WITH v(key, x) AS MATERIALIZED (SELECT key, jsonb(value) FROM json_each(?1)) ",
            $($then)+
        )
    };
}

/// Jobs with the columns that plain ones have, and how the insertion ends.
macro_rules! plain_jobs {
    ($end:literal) => {
        Batched::ByValue {
            head: "INSERT INTO tk_background_jobs (id, tenant_id, name, job_group, type_name, args, source, state, is_enabled, job_type, creation_time, \
                 begin_time, max_try_count, max_count, max_interruptions, interval_ms, priority, version, misfire_policy, misfire_max, trigger_count, \
                 try_count, is_abandoned, interruptions, suspect_interruptions, failover) \
                 SELECT column1, column2, column3, column4, column5, column6, column7, column8, column9, column10, column11, column12, column13, column14, \
                 column15, column16, column17, column18, 0, 0, 0, 0, 0, 0, 0, 0 FROM (VALUES ",
            row: "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            tail: concat!(") WHERE column1 IS NOT NULL", $end),
        }
    };
}

/// Removes rows by their job.
macro_rules! delete_by {
    ($table:literal, $column:literal) => {
        Batched::ByValue {
            head: concat!("DELETE FROM ", $table, " WHERE ", $column, " IN ("),
            row: "?",
            tail: ")",
        }
    };
}

pub(super) static SQL: Sql = Sql {
    ensure_lanes: "INSERT INTO tk_lanes (name) SELECT value FROM json_each(?1) WHERE true ON CONFLICT DO NOTHING",
    insert_jobs: rows!(
        "INSERT INTO tk_background_jobs (id, tenant_id, name, job_group, type_name, args, description, result, source, state, is_enabled, job_type, \
         cron, time_zone, misfire_policy, misfire_max, creation_time, begin_time, end_time, last_run_time, trigger_count, try_count, max_try_count, \
         max_count, is_abandoned, interruptions, suspect_interruptions, max_interruptions, interval_ms, retry_policy, priority, timeout_ms, \
         lock_timeout_ms, node_name, failover, version, name_key, attention, selector, definition_hash, definition_version, overrides) \
         SELECT unhex(x ->> 0), unhex(x ->> 1), x ->> 2, x ->> 3, x ->> 4, x ->> 5, x ->> 6, x ->> 7, x ->> 8, \
         x ->> 9, x ->> 10, x ->> 11, x ->> 12, x ->> 13, x ->> 14, x ->> 15, x ->> 16, x ->> 17, x ->> 18, \
         x ->> 19, x ->> 20, x ->> 21, x ->> 22, x ->> 23, x ->> 24, x ->> 25, x ->> 26, x ->> 27, x ->> 28, \
         x ->> 29, x ->> 30, x ->> 31, x ->> 32, x ->> 33, x ->> 34, x ->> 35, unhex(x ->> 36), nullif(x ->> 24, 0), x ->> 37, \
         unhex(x ->> 38), x ->> 39, x ->> 40 \
         FROM v WHERE true ON CONFLICT DO NOTHING RETURNING id"
    ),
    insert_plain_jobs: Some(plain_jobs!(" ON CONFLICT DO NOTHING RETURNING id")),
    insert_new_jobs: Some(plain_jobs!("")),
    existing_jobs: rows!(
        "SELECT v.key, a.id IS NOT NULL, b.id FROM v \
         LEFT JOIN tk_background_jobs a ON a.id = unhex(v.x ->> 0) \
         LEFT JOIN tk_background_jobs b ON b.name_key = unhex(v.x ->> 1)"
    ),
    put_queue: Batched::ByValue {
        head: "INSERT INTO tk_job_queue (job_id, lane_id, rank, due_at, kind, attempt) \
             SELECT column1, (SELECT id FROM tk_lanes WHERE name = column2), column3, column4, column5, column6 FROM (VALUES ",
        row: "(?, ?, ?, ?, ?, ?)",
        tail: ") WHERE column1 IS NOT NULL ON CONFLICT (job_id) DO UPDATE SET lane_id = excluded.lane_id, rank = excluded.rank, due_at = excluded.due_at, \
             kind = excluded.kind, attempt = excluded.attempt",
    },
    delete_queue: delete_by!("tk_job_queue", "job_id"),
    // From one rank to the next by seeking, however many rows wait.
    heads: "WITH RECURSIVE head(lane_id, rank) AS (\
           SELECT l.id, (SELECT min(rank) FROM tk_job_queue WHERE lane_id = l.id) FROM json_each(?1) v JOIN tk_lanes l ON l.name = v.value \
           UNION \
           SELECT h.lane_id, (SELECT min(rank) FROM tk_job_queue WHERE lane_id = h.lane_id AND rank > h.rank) FROM head h WHERE h.rank IS NOT NULL) \
         SELECT lane_id, rank, (SELECT min(due_at) FROM tk_job_queue WHERE lane_id = h.lane_id AND rank = h.rank), rank, NULL FROM head h \
         WHERE rank IS NOT NULL",
    insert_runs: Batched::ByValue {
        head: "WITH c(instance, claim, now) AS MATERIALIZED (SELECT ?, ?, ?) \
             INSERT INTO tk_job_runs (job_id, run_id, instance, claim_id, lane_id, rank, due_at, kind, attempt, suspect, job_version, after, claimed_at) \
             SELECT v.column1, v.column2, c.instance, c.claim, (SELECT id FROM tk_lanes WHERE name = v.column3), v.column4, v.column5, v.column6, \
             v.column7, v.column8, v.column9, 0, c.now FROM c CROSS JOIN (VALUES ",
        row: "(?, ?, ?, ?, ?, ?, ?, ?, ?)",
        tail: ") v WHERE v.column1 IS NOT NULL ON CONFLICT DO NOTHING",
    },
    runs_of_claim: "SELECT run_id FROM tk_job_runs WHERE claim_id = ?1",
    waiting_lanes: "SELECT name FROM tk_lanes l WHERE EXISTS (SELECT 1 FROM tk_job_queue WHERE lane_id = l.id) ORDER BY name",
    waiting_in: "SELECT job_id FROM tk_job_queue WHERE lane_id = (SELECT id FROM tk_lanes WHERE name = ?1) AND job_id > coalesce(?2, x'') \
         ORDER BY job_id LIMIT ?3",
    finish_exceptions: Batched::ByValue {
        head: "WITH v(job, run, version, place) AS MATERIALIZED (VALUES ",
        row: "(?, ?, ?, ?)",
        tail: ") SELECT v.place, r.job_id IS NOT NULL FROM v LEFT JOIN tk_job_runs r ON r.job_id = v.job AND r.run_id = v.run \
             LEFT JOIN tk_background_jobs j ON j.id = r.job_id WHERE v.job IS NOT NULL AND (r.job_id IS NULL OR j.version IS NOT v.version)",
    },
    delete_runs: delete_by!("tk_job_runs", "job_id"),
    delete_locks: "DELETE FROM tk_locks WHERE EXISTS (SELECT 1 FROM tk_locks) AND run_id IN (SELECT unhex(value) FROM json_each(?1))",
    insert_logs: Batched::ByValue {
        head: "INSERT INTO tk_background_job_logs (run_id, job_id, tenant_id, job_name, job_group, type_name, outcome, message, error, started_at, \
             duration_ms, node_name, instance, attempt) \
             SELECT column1, column2, column3, column4, column5, column6, column7, column8, column9, column10, column11, column12, column13, column14 FROM (VALUES ",
        row: "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        tail: ") WHERE column1 IS NOT NULL ON CONFLICT DO NOTHING",
    },
    settle_jobs: Batched::ByValue {
        head: "UPDATE tk_background_jobs SET state = v.column2, result = coalesce(v.column3, result), \
             last_run_time = coalesce(v.column4, last_run_time), trigger_count = v.column5, try_count = v.column6, interruptions = v.column7, \
             suspect_interruptions = v.column8, is_abandoned = v.column9, attention = nullif(v.column9, 0) FROM (VALUES ",
        row: "(?, ?, ?, ?, ?, ?, ?, ?, ?)",
        tail: ") v WHERE tk_background_jobs.id = v.column1",
    },
    snapshots: concat!(
        "SELECT ",
        job_columns!(),
        ", ",
        queue_columns!(),
        ", ",
        run_columns!(),
        " FROM json_each(?1) v CROSS JOIN tk_background_jobs j ON j.id = unhex(v.value) LEFT JOIN tk_job_queue q ON q.job_id = j.id \
         LEFT JOIN tk_job_runs r ON r.job_id = j.id WHERE ?2 IS NULL OR j.tenant_id = ?2 ORDER BY v.key"
    ),
    update_jobs: rows!(
        "UPDATE tk_background_jobs SET name = v.x ->> 2, job_group = v.x ->> 3, type_name = v.x ->> 4, args = v.x ->> 5, \
         description = v.x ->> 6, result = v.x ->> 7, source = v.x ->> 8, state = v.x ->> 9, is_enabled = v.x ->> 10, \
         job_type = v.x ->> 11, cron = v.x ->> 12, time_zone = v.x ->> 13, misfire_policy = v.x ->> 14, misfire_max = v.x ->> 15, \
         begin_time = v.x ->> 17, end_time = v.x ->> 18, last_run_time = v.x ->> 19, trigger_count = v.x ->> 20, \
         try_count = v.x ->> 21, max_try_count = v.x ->> 22, max_count = v.x ->> 23, is_abandoned = v.x ->> 24, \
         interruptions = v.x ->> 25, suspect_interruptions = v.x ->> 26, max_interruptions = v.x ->> 27, interval_ms = v.x ->> 28, \
         retry_policy = v.x ->> 29, priority = v.x ->> 30, timeout_ms = v.x ->> 31, lock_timeout_ms = v.x ->> 32, \
         node_name = v.x ->> 33, failover = v.x ->> 34, version = v.x ->> 35, name_key = unhex(v.x ->> 36), \
         attention = nullif(v.x ->> 24, 0), selector = v.x ->> 37, definition_hash = unhex(v.x ->> 38), definition_version = v.x ->> 39, \
         overrides = v.x ->> 40 \
         FROM v WHERE tk_background_jobs.id = unhex(v.x ->> 0)"
    ),
    update_run: "UPDATE tk_job_runs SET after = coalesce(?2, after), cancel = coalesce(?3, cancel) WHERE job_id = ?1",
    delete_jobs: delete_by!("tk_background_jobs", "id"),
    put_node: "INSERT INTO tk_nodes (instance, name, state, started_at, heartbeat_at, capacity, running, lanes, version) \
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
         ON CONFLICT (instance) DO UPDATE SET name = excluded.name, state = excluded.state, started_at = excluded.started_at, \
         heartbeat_at = excluded.heartbeat_at, capacity = excluded.capacity, running = excluded.running, lanes = excluded.lanes, \
         version = excluded.version",
    node_state: "SELECT state, NULL FROM tk_nodes WHERE instance = ?1",
    renew_node: "UPDATE tk_nodes SET heartbeat_at = ?2, running = ?3, lanes = coalesce(?4, lanes) WHERE instance = ?1 AND state = 0",
    clear_suspects: "UPDATE tk_job_runs SET suspect = 0 WHERE instance = ?1 AND run_id IN (SELECT unhex(value) FROM json_each(?2))",
    cancel_requests: "SELECT job_id, run_id, cancel FROM tk_job_runs WHERE instance = ?1 AND cancel IS NOT NULL ORDER BY job_id",
    runs_of: concat!(
        "SELECT ",
        run_array!(),
        " FROM tk_job_runs r WHERE r.instance = ?1 ORDER BY r.job_id"
    ),
    nodes: "SELECT json_array(hex(instance), name, state, started_at, heartbeat_at, capacity, running, lanes, version) FROM tk_nodes \
         ORDER BY started_at, instance",
    declare_dead: "UPDATE tk_nodes SET state = 2 WHERE instance = ?1 AND heartbeat_at = ?2 AND state = 0",
    declare_gone: "UPDATE tk_nodes SET state = 2 WHERE state = 0 AND instance IN (SELECT unhex(value) FROM json_each(?1)) RETURNING instance",
    other_living_nodes: "SELECT instance, '' FROM tk_nodes WHERE state = 0 AND instance <> ?1 ORDER BY started_at, instance",
    stop_node: "UPDATE tk_nodes SET state = 1 WHERE instance = ?1 AND state = 0",
    orphaned_runs: concat!(
        "SELECT ",
        job_columns!(),
        ", ",
        run_array!(),
        ", n.name FROM tk_job_runs r CROSS JOIN tk_background_jobs j ON j.id = r.job_id LEFT JOIN tk_nodes n ON n.instance = r.instance \
         WHERE n.state IS NULL OR n.state <> 0 ORDER BY r.job_id LIMIT ?1"
    ),
    take_runs: rows!(
        "UPDATE tk_job_runs SET run_id = unhex(v.x ->> 2), instance = ?2, claim_id = ?3, claimed_at = ?4, job_version = v.x ->> 3 FROM v \
         WHERE job_id = unhex(v.x ->> 0) AND run_id = unhex(v.x ->> 1)"
    ),
    acquire_lock: "INSERT INTO tk_locks (tenant_id, lock_key, job_id, run_id, acquired_at) SELECT ?1, ?2, ?3, ?4, ?5 \
         WHERE EXISTS (SELECT 1 FROM tk_job_runs WHERE job_id = ?3 AND run_id = ?4) \
         ON CONFLICT (tenant_id, lock_key) DO UPDATE SET job_id = excluded.job_id, run_id = excluded.run_id, acquired_at = excluded.acquired_at \
         WHERE tk_locks.run_id = excluded.run_id \
         OR NOT EXISTS (SELECT 1 FROM tk_job_runs r WHERE r.job_id = tk_locks.job_id AND r.run_id = tk_locks.run_id)",
    release_lock: "DELETE FROM tk_locks WHERE tenant_id = ?1 AND lock_key = ?2 AND run_id = ?3",
    running_list: concat!(
        "SELECT ",
        job_columns!(),
        ", ",
        queue_columns!(),
        ", ",
        run_columns!(),
        " FROM tk_job_runs r CROSS JOIN tk_background_jobs j ON j.id = r.job_id LEFT JOIN tk_job_queue q ON q.job_id = j.id \
         WHERE ?1 IS NULL OR j.tenant_id = ?1 ORDER BY r.claimed_at, r.job_id LIMIT ?2"
    ),
    waiting_list: concat!(
        "SELECT ",
        job_columns!(),
        ", ",
        queue_columns!(),
        ", ",
        run_columns!(),
        " FROM (SELECT w.* FROM tk_job_queue w WHERE w.due_at <= ?3 AND (?1 IS NULL OR \
         (SELECT tenant_id FROM tk_background_jobs WHERE id = w.job_id) = ?1) ORDER BY w.rank, w.due_at, w.job_id LIMIT ?2) q \
         CROSS JOIN tk_background_jobs j ON j.id = q.job_id LEFT JOIN tk_job_runs r ON r.job_id = j.id ORDER BY q.rank, q.due_at, q.job_id"
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
        " AS shown, count(*), sum(j.is_abandoned) FROM ",
        job_tables!(),
        " WHERE ?1 IS NULL OR j.tenant_id = ?1 GROUP BY shown"
    ),
    old_jobs: concat!(
        "SELECT id FROM tk_background_jobs j WHERE ",
        is_old_job!(),
        " LIMIT ?6"
    ),
    delete_old_jobs: concat!(
        "DELETE FROM tk_background_jobs AS j WHERE id IN (SELECT unhex(value) FROM json_each(?6)) AND ",
        is_old_job!()
    ),
    old_logs: "WITH RECURSIVE t(tenant_id) AS (SELECT min(tenant_id) FROM tk_background_job_logs \
           UNION SELECT (SELECT min(tenant_id) FROM tk_background_job_logs WHERE tenant_id > t.tenant_id) FROM t WHERE t.tenant_id IS NOT NULL) \
         SELECT l.job_id, l.started_at, l.run_id FROM t CROSS JOIN tk_background_job_logs l ON l.tenant_id = t.tenant_id AND l.started_at < ?1 \
         WHERE (?2 IS NULL OR l.outcome = ?2) AND (?3 = 0 OR (l.type_name IN (SELECT value FROM json_each(?4))) = (?3 = 1)) LIMIT ?5",
    delete_logs: "DELETE FROM tk_background_job_logs WHERE (job_id, started_at, run_id) IN \
         (SELECT unhex(value ->> 0), value ->> 1, unhex(value ->> 2) FROM json_each(?1))",
    delete_old_nodes: "DELETE FROM tk_nodes WHERE instance IN (SELECT n.instance FROM tk_nodes n WHERE n.state <> 0 AND n.heartbeat_at < ?1 \
         AND NOT EXISTS (SELECT 1 FROM tk_job_runs r WHERE r.instance = n.instance) LIMIT ?2) RETURNING instance",
    find_unarmed: "SELECT j.id, j.state = 5 AND j.is_enabled AND q.job_id IS NULL AND r.job_id IS NULL \
         FROM (SELECT id, state, is_enabled FROM tk_background_jobs WHERE id > coalesce(?1, x'') ORDER BY id LIMIT ?2) j \
         LEFT JOIN tk_job_queue q ON q.job_id = j.id LEFT JOIN tk_job_runs r ON r.job_id = j.id ORDER BY j.id",
    read_cursor: "SELECT value FROM tk_cursors WHERE name = ?1",
    put_cursor: "INSERT INTO tk_cursors (name, value) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    delete_cursor: "DELETE FROM tk_cursors WHERE name = ?1",
    run_statistics: "SELECT type_name, outcome, count(*), sum(duration_ms), max(duration_ms) FROM tk_background_job_logs \
         WHERE (?1 IS NULL OR tenant_id = ?1) AND started_at >= ?2 GROUP BY type_name, outcome ORDER BY type_name, outcome",
    store_progress: rows!(
        "UPDATE tk_job_runs SET progress_done = v.x ->> 2, progress_total = v.x ->> 3, progress_message = v.x ->> 4, progress_at = ?2 FROM v \
         WHERE job_id = unhex(v.x ->> 0) AND run_id = unhex(v.x ->> 1)"
    ),
    job_columns: job_columns!(),
    queue_columns: queue_columns!(),
    run_columns: run_columns!(),
    log_columns: log_columns!(),
    job_tables: job_tables!(),
    shown_status: shown_status!(),
    schema: "SELECT version, oldest_program FROM tk_schema WHERE id = 1",
    has_tables: "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'tk_schema'",
    clock: None,
    rows: None,
    tables: None,
    schemas: None,
    without_returning: None,
};

/// One branch a lane, each of which stops at the limit: a scan over all lanes of a rank would sort everything that waits.
/// Due rows `q` of the queue with their jobs `j`, in the order of a claim.
fn due_jobs(lanes: usize) -> String {
    let branch = |at: usize| {
        format!(
            "SELECT * FROM (SELECT job_id, lane_id, rank, due_at, kind, attempt FROM tk_job_queue \
             WHERE lane_id = ?{} AND rank = ?3 AND due_at <= ?1 ORDER BY due_at, job_id LIMIT ?2)",
            at + 4
        )
    };
    let branches = (0..lanes).map(branch).collect::<Vec<_>>().join(" UNION ALL ");
    let order = if lanes == 1 {
        ""
    } else {
        " ORDER BY due_at, job_id LIMIT ?2"
    };
    format!(" FROM ({branches}{order}) q CROSS JOIN tk_background_jobs j ON j.id = q.job_id")
}

pub(super) fn claim_rows(lanes: usize) -> String {
    format!("SELECT q.job_id{}", due_jobs(lanes))
}

pub(super) fn claim_lines(lanes: usize) -> String {
    // JSON has no line breaks in its texts.
    let columns = concat!(
        "SELECT group_concat(",
        job_columns!(),
        " || char(10) || ",
        queue_columns!(),
        ", char(10))"
    );
    format!("{columns}{}", due_jobs(lanes))
}
