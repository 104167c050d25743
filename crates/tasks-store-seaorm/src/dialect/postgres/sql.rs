//! The statements.

use super::columns::{
    head, ids, is_old_job, job_columns, job_tables, log_columns, now, queue_columns, rows, run_array,
    run_columns, shown_status,
};
use crate::dialect::{Batched, RowLocks, Schemas, Sql, TableLock};

pub(crate) static SQL: Sql = Sql {
    // Looked for first: each conflict would use up a number.
    ensure_lanes: "INSERT INTO tk_lanes (name) SELECT e FROM jsonb_array_elements_text($1::jsonb) e \
         WHERE NOT EXISTS (SELECT 1 FROM tk_lanes WHERE name = e) ORDER BY e ON CONFLICT DO NOTHING",
    insert_jobs: concat!(
        "INSERT INTO tk_background_jobs (id, tenant_id, name, job_group, type_name, args, description, result, source, state, is_enabled, job_type, \
         cron, time_zone, misfire_policy, misfire_max, creation_time, begin_time, end_time, last_run_time, trigger_count, try_count, max_try_count, \
         max_count, is_abandoned, interruptions, suspect_interruptions, max_interruptions, interval_ms, retry_policy, priority, timeout_ms, \
         lock_timeout_ms, node_name, failover, version, name_key, attention, selector, definition_hash, definition_version, overrides) \
         SELECT (x ->> 0)::uuid, (x ->> 1)::uuid, x ->> 2, x ->> 3, x ->> 4, x ->> 5, x ->> 6, x ->> 7, (x ->> 8)::smallint, \
         (x ->> 9)::smallint, (x ->> 10)::smallint, (x ->> 11)::smallint, x ->> 12, x ->> 13, (x ->> 14)::smallint, (x ->> 15)::bigint, \
         (x ->> 16)::bigint, (x ->> 17)::bigint, (x ->> 18)::bigint, (x ->> 19)::bigint, (x ->> 20)::bigint, (x ->> 21)::bigint, (x ->> 22)::bigint, \
         (x ->> 23)::bigint, (x ->> 24)::smallint, (x ->> 25)::bigint, (x ->> 26)::bigint, (x ->> 27)::bigint, (x ->> 28)::bigint, x ->> 29, \
         (x ->> 30)::smallint, (x ->> 31)::bigint, (x ->> 32)::bigint, x ->> 33, (x ->> 34)::smallint, (x ->> 35)::bigint, (x ->> 36)::uuid, \
         nullif((x ->> 24)::smallint, 0), x ->> 37, (x ->> 38)::uuid, x ->> 39, x ->> 40 FROM ",
        rows!(),
        " ORDER BY 1 ON CONFLICT DO NOTHING RETURNING id"
    ),
    insert_plain_jobs: None,
    insert_new_jobs: None,
    existing_jobs: concat!(
        "SELECT v.key - 1, a.id IS NOT NULL, b.id FROM ",
        rows!(),
        " LEFT JOIN tk_background_jobs a ON a.id = (v.x ->> 0)::uuid LEFT JOIN tk_background_jobs b ON b.name_key = (v.x ->> 1)::uuid"
    ),
    put_queue: Batched::Json(concat!(
        "INSERT INTO tk_job_queue (job_id, lane_id, rank, due_at, kind, attempt) \
         SELECT (x ->> 0)::uuid, (SELECT id FROM tk_lanes WHERE name = x ->> 1), (x ->> 2)::smallint, (x ->> 3)::bigint, (x ->> 4)::smallint, \
         (x ->> 5)::bigint FROM ",
        rows!(),
        " ORDER BY 1 ON CONFLICT (job_id) DO UPDATE SET lane_id = excluded.lane_id, rank = excluded.rank, due_at = excluded.due_at, \
         kind = excluded.kind, attempt = excluded.attempt"
    )),
    delete_queue: Batched::Json(concat!(
        "DELETE FROM tk_job_queue WHERE job_id = ANY(",
        ids!("$1"),
        ")"
    )),
    heads: concat!(
        "WITH RECURSIVE ",
        head!(),
        "SELECT lane_id, rank::bigint, (SELECT min(due_at) FROM tk_job_queue WHERE lane_id = h.lane_id AND rank = h.rank), rank::bigint, ",
        now!(),
        " FROM head h WHERE rank IS NOT NULL"
    ),
    insert_runs: Batched::Json(concat!(
        "INSERT INTO tk_job_runs (job_id, run_id, instance, claim_id, lane_id, rank, due_at, kind, attempt, suspect, job_version, after, claimed_at) \
         SELECT (x ->> 0)::uuid, (x ->> 1)::uuid, $2, $3, (SELECT id FROM tk_lanes WHERE name = x ->> 2), (x ->> 3)::smallint, (x ->> 4)::bigint, \
         (x ->> 5)::smallint, (x ->> 6)::bigint, (x ->> 7)::smallint, (x ->> 8)::bigint, 0, $4 FROM ",
        rows!(),
        " ORDER BY 1 ON CONFLICT DO NOTHING"
    )),
    runs_of_claim: "SELECT run_id FROM tk_job_runs WHERE claim_id = $1",
    waiting_lanes: "SELECT name FROM tk_lanes l WHERE (SELECT min(rank) FROM tk_job_queue WHERE lane_id = l.id) IS NOT NULL ORDER BY name",
    waiting_in: "SELECT job_id FROM tk_job_queue WHERE lane_id = (SELECT id FROM tk_lanes WHERE name = $1) AND ($2 IS NULL OR job_id > $2) \
         ORDER BY job_id LIMIT $3",
    finish_exceptions: Batched::Json(concat!(
        "SELECT v.key - 1, r.job_id IS NOT NULL FROM ",
        rows!(),
        " LEFT JOIN tk_job_runs r ON r.job_id = (v.x ->> 0)::uuid AND r.run_id = (v.x ->> 1)::uuid \
         LEFT JOIN tk_background_jobs j ON j.id = r.job_id WHERE r.job_id IS NULL OR j.version IS DISTINCT FROM (v.x ->> 2)::bigint"
    )),
    delete_runs: Batched::Json(concat!(
        "DELETE FROM tk_job_runs WHERE job_id = ANY(",
        ids!("$1"),
        ")"
    )),
    delete_locks: concat!("DELETE FROM tk_locks WHERE run_id = ANY(", ids!("$1"), ")"),
    insert_logs: Batched::Json(concat!(
        "INSERT INTO tk_background_job_logs (run_id, job_id, tenant_id, job_name, job_group, type_name, outcome, message, error, started_at, \
         duration_ms, node_name, instance, attempt) \
         SELECT (x ->> 0)::uuid, (x ->> 1)::uuid, (x ->> 2)::uuid, x ->> 3, x ->> 4, x ->> 5, (x ->> 6)::smallint, x ->> 7, x ->> 8, \
         (x ->> 9)::bigint, (x ->> 10)::bigint, x ->> 11, (x ->> 12)::uuid, (x ->> 13)::bigint FROM ",
        rows!(),
        " ORDER BY 1 ON CONFLICT DO NOTHING"
    )),
    settle_jobs: Batched::Json(concat!(
        "UPDATE tk_background_jobs j SET state = (x ->> 1)::smallint, result = coalesce(x ->> 2, result), \
         last_run_time = coalesce((x ->> 3)::bigint, last_run_time), trigger_count = (x ->> 4)::bigint, try_count = (x ->> 5)::bigint, \
         interruptions = (x ->> 6)::bigint, suspect_interruptions = (x ->> 7)::bigint, is_abandoned = (x ->> 8)::smallint, \
         attention = nullif((x ->> 8)::smallint, 0) FROM ",
        rows!(),
        " WHERE j.id = (x ->> 0)::uuid"
    )),
    snapshots: concat!(
        "SELECT ",
        job_columns!(),
        ", ",
        queue_columns!(),
        ", ",
        run_columns!(),
        " FROM jsonb_array_elements_text($1::jsonb) WITH ORDINALITY v(id, key) JOIN tk_background_jobs j ON j.id = v.id::uuid \
         LEFT JOIN tk_job_queue q ON q.job_id = j.id LEFT JOIN tk_job_runs r ON r.job_id = j.id WHERE $2 IS NULL OR j.tenant_id = $2 ORDER BY v.key"
    ),
    update_jobs: concat!(
        "UPDATE tk_background_jobs j SET name = x ->> 2, job_group = x ->> 3, type_name = x ->> 4, args = x ->> 5, description = x ->> 6, \
         result = x ->> 7, source = (x ->> 8)::smallint, state = (x ->> 9)::smallint, is_enabled = (x ->> 10)::smallint, \
         job_type = (x ->> 11)::smallint, cron = x ->> 12, time_zone = x ->> 13, misfire_policy = (x ->> 14)::smallint, \
         misfire_max = (x ->> 15)::bigint, begin_time = (x ->> 17)::bigint, end_time = (x ->> 18)::bigint, last_run_time = (x ->> 19)::bigint, \
         trigger_count = (x ->> 20)::bigint, try_count = (x ->> 21)::bigint, max_try_count = (x ->> 22)::bigint, max_count = (x ->> 23)::bigint, \
         is_abandoned = (x ->> 24)::smallint, interruptions = (x ->> 25)::bigint, suspect_interruptions = (x ->> 26)::bigint, \
         max_interruptions = (x ->> 27)::bigint, interval_ms = (x ->> 28)::bigint, retry_policy = x ->> 29, priority = (x ->> 30)::smallint, \
         timeout_ms = (x ->> 31)::bigint, lock_timeout_ms = (x ->> 32)::bigint, node_name = x ->> 33, failover = (x ->> 34)::smallint, \
         version = (x ->> 35)::bigint, name_key = (x ->> 36)::uuid, attention = nullif((x ->> 24)::smallint, 0), \
         selector = x ->> 37, definition_hash = (x ->> 38)::uuid, definition_version = x ->> 39, overrides = x ->> 40 FROM ",
        rows!(),
        " WHERE j.id = (x ->> 0)::uuid"
    ),
    update_run: "UPDATE tk_job_runs SET after = coalesce($2, after), cancel = coalesce($3, cancel) WHERE job_id = $1",
    delete_jobs: Batched::Json(concat!(
        "DELETE FROM tk_background_jobs WHERE id = ANY(",
        ids!("$1"),
        ")"
    )),
    put_node: "INSERT INTO tk_nodes (instance, name, state, started_at, heartbeat_at, capacity, running, lanes, version, process) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
         ON CONFLICT (instance) DO UPDATE SET name = excluded.name, state = excluded.state, started_at = excluded.started_at, \
         heartbeat_at = excluded.heartbeat_at, capacity = excluded.capacity, running = excluded.running, lanes = excluded.lanes, \
         version = excluded.version, process = excluded.process",
    node_state: concat!(
        "SELECT state::bigint, ",
        now!(),
        " FROM tk_nodes WHERE instance = $1"
    ),
    renew_node: "UPDATE tk_nodes SET heartbeat_at = $2, running = $3, lanes = coalesce($4, lanes) WHERE instance = $1 AND state = 0",
    clear_suspects: concat!(
        "UPDATE tk_job_runs SET suspect = 0 WHERE instance = $1 AND run_id = ANY(",
        ids!("$2"),
        ")"
    ),
    cancel_requests: "SELECT job_id, run_id, cancel::bigint FROM tk_job_runs WHERE instance = $1 AND cancel IS NOT NULL ORDER BY job_id",
    runs_of: concat!(
        "SELECT ",
        run_array!(),
        " FROM tk_job_runs r WHERE r.instance = $1 ORDER BY r.job_id"
    ),
    nodes: "SELECT json_build_array(instance, name, state, started_at, heartbeat_at, capacity, running, lanes, version)::text FROM tk_nodes \
         ORDER BY started_at, instance",
    declare_dead: "UPDATE tk_nodes SET state = 2 WHERE instance = $1 AND heartbeat_at = $2 AND state = 0",
    declare_gone: concat!(
        "UPDATE tk_nodes SET state = 2 WHERE state = 0 AND instance = ANY(",
        ids!("$1"),
        ") RETURNING instance"
    ),
    other_living_nodes: "SELECT instance, process FROM tk_nodes WHERE state = 0 AND instance <> $1 ORDER BY started_at, instance",
    stop_node: "UPDATE tk_nodes SET state = 1 WHERE instance = $1 AND state = 0",
    orphaned_runs: concat!(
        "SELECT ",
        job_columns!(),
        ", ",
        run_array!(),
        ", n.name FROM tk_job_runs r JOIN tk_background_jobs j ON j.id = r.job_id LEFT JOIN tk_nodes n ON n.instance = r.instance \
         WHERE r.job_id = ANY(",
        ids!("$1"),
        ") AND (n.state IS NULL OR n.state <> 0) ORDER BY r.job_id"
    ),
    take_runs: concat!(
        "UPDATE tk_job_runs r SET run_id = (x ->> 2)::uuid, instance = $2, claim_id = $3, claimed_at = $4, job_version = (x ->> 3)::bigint FROM ",
        rows!(),
        " WHERE r.job_id = (x ->> 0)::uuid AND r.run_id = (x ->> 1)::uuid"
    ),
    acquire_lock: "INSERT INTO tk_locks (tenant_id, lock_key, job_id, run_id, acquired_at) SELECT $1, $2, $3, $4, $5 \
         WHERE EXISTS (SELECT 1 FROM tk_job_runs WHERE job_id = $3 AND run_id = $4) \
         ON CONFLICT (tenant_id, lock_key) DO UPDATE SET job_id = excluded.job_id, run_id = excluded.run_id, acquired_at = excluded.acquired_at \
         WHERE tk_locks.run_id = excluded.run_id \
         OR NOT EXISTS (SELECT 1 FROM tk_job_runs r WHERE r.job_id = tk_locks.job_id AND r.run_id = tk_locks.run_id)",
    release_lock: "DELETE FROM tk_locks WHERE tenant_id = $1 AND lock_key = $2 AND run_id = $3",
    running_list: concat!(
        "SELECT ",
        job_columns!(),
        ", ",
        queue_columns!(),
        ", ",
        run_columns!(),
        " FROM tk_job_runs r JOIN tk_background_jobs j ON j.id = r.job_id LEFT JOIN tk_job_queue q ON q.job_id = j.id \
         WHERE $1 IS NULL OR j.tenant_id = $1 ORDER BY r.claimed_at, r.job_id LIMIT $2"
    ),
    waiting_list: concat!(
        "SELECT ",
        job_columns!(),
        ", ",
        queue_columns!(),
        ", ",
        run_columns!(),
        " FROM (SELECT w.* FROM tk_job_queue w WHERE w.due_at <= $3 AND ($1 IS NULL OR \
         (SELECT tenant_id FROM tk_background_jobs WHERE id = w.job_id) = $1) ORDER BY w.rank, w.due_at, w.job_id LIMIT $2) q \
         JOIN tk_background_jobs j ON j.id = q.job_id LEFT JOIN tk_job_runs r ON r.job_id = j.id ORDER BY q.rank, q.due_at, q.job_id"
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
        " WHERE j.job_type IN (1, 2) AND j.state = 5 AND ($1 IS NULL OR j.tenant_id = $1) AND ($2 IS NULL OR j.id > $2) ORDER BY j.id LIMIT $3"
    ),
    find_log: concat!(
        "SELECT ",
        log_columns!(),
        " FROM tk_background_job_logs l WHERE l.job_id = $1 AND l.run_id = $2 ORDER BY l.started_at DESC LIMIT 1"
    ),
    counts: concat!(
        "SELECT (",
        shown_status!(),
        ")::bigint AS shown, count(*), sum(j.is_abandoned) FROM ",
        job_tables!(),
        " WHERE $1 IS NULL OR j.tenant_id = $1 GROUP BY shown"
    ),
    old_jobs: concat!(
        "SELECT id FROM tk_background_jobs j WHERE ",
        is_old_job!(),
        " LIMIT $6"
    ),
    delete_old_jobs: concat!(
        "DELETE FROM tk_background_jobs j WHERE id = ANY(",
        ids!("$6"),
        ") AND ",
        is_old_job!()
    ),
    old_logs: "WITH RECURSIVE t(tenant_id) AS ((SELECT tenant_id FROM tk_background_job_logs ORDER BY tenant_id LIMIT 1) \
           UNION SELECT (SELECT l.tenant_id FROM tk_background_job_logs l WHERE l.tenant_id > t.tenant_id ORDER BY l.tenant_id LIMIT 1) \
           FROM t WHERE t.tenant_id IS NOT NULL) \
         SELECT l.job_id, l.started_at, l.run_id FROM t JOIN tk_background_job_logs l ON l.tenant_id = t.tenant_id AND l.started_at < $1 \
         WHERE ($2 IS NULL OR l.outcome = $2) AND ($3 = 0 OR (l.type_name IN (SELECT jsonb_array_elements_text($4::jsonb))) = ($3 = 1)) LIMIT $5",
    delete_logs: concat!(
        // The inner limit keeps each row to its own look into the index.
        "DELETE FROM tk_background_job_logs WHERE ctid = ANY(ARRAY(SELECT l.place FROM ",
        rows!(),
        " CROSS JOIN LATERAL (SELECT ctid AS place FROM tk_background_job_logs WHERE job_id = (x ->> 0)::uuid AND started_at = (x ->> 1)::bigint \
         AND run_id = (x ->> 2)::uuid LIMIT 1) l))"
    ),
    delete_old_nodes: "DELETE FROM tk_nodes WHERE instance IN (SELECT n.instance FROM tk_nodes n WHERE n.state <> 0 AND n.heartbeat_at < $1 \
         AND NOT EXISTS (SELECT 1 FROM tk_job_runs r WHERE r.instance = n.instance) LIMIT $2) RETURNING instance",
    find_unarmed: "SELECT j.id, (j.state = 5 AND j.is_enabled <> 0 AND q.job_id IS NULL AND r.job_id IS NULL)::int::bigint \
         FROM (SELECT id, state, is_enabled FROM tk_background_jobs WHERE $1 IS NULL OR id > $1 ORDER BY id LIMIT $2) j \
         LEFT JOIN tk_job_queue q ON q.job_id = j.id LEFT JOIN tk_job_runs r ON r.job_id = j.id ORDER BY j.id",
    read_cursor: "SELECT value FROM tk_cursors WHERE name = $1",
    put_cursor: "INSERT INTO tk_cursors (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    delete_cursor: "DELETE FROM tk_cursors WHERE name = $1",
    run_statistics: "SELECT type_name, outcome::bigint, count(*), sum(duration_ms)::bigint, max(duration_ms) FROM tk_background_job_logs \
         WHERE ($1 IS NULL OR tenant_id = $1) AND started_at >= $2 GROUP BY type_name, outcome ORDER BY type_name, outcome",
    store_progress: concat!(
        "UPDATE tk_job_runs r SET progress_done = (x ->> 2)::bigint, progress_total = (x ->> 3)::bigint, progress_message = x ->> 4, progress_at = $2 FROM ",
        rows!(),
        " WHERE r.job_id = (x ->> 0)::uuid AND r.run_id = (x ->> 1)::uuid"
    ),
    job_columns: job_columns!(),
    queue_columns: queue_columns!(),
    run_columns: run_columns!(),
    log_columns: log_columns!(),
    job_tables: job_tables!(),
    shown_status: shown_status!(),
    schema: "SELECT version::bigint, oldest_program::bigint FROM tk_schema WHERE id = 1",
    has_tables: "SELECT 1 WHERE to_regclass('tk_schema') IS NOT NULL",
    clock: Some(concat!("SELECT ", now!())),
    rows: Some(RowLocks {
        jobs: concat!(
            "SELECT id FROM tk_background_jobs WHERE id = ANY(",
            ids!("$1"),
            ") ORDER BY id FOR NO KEY UPDATE"
        ),
        queue: concat!(
            "SELECT job_id FROM tk_job_queue WHERE job_id = ANY(",
            ids!("$1"),
            ") ORDER BY job_id FOR UPDATE"
        ),
        key: "SELECT pg_advisory_xact_lock(hashtextextended($2, hashtextextended($1::text, 0)))",
        claimed: concat!(
            "SELECT ",
            job_columns!(),
            ", ",
            queue_columns!(),
            " FROM tk_job_queue q JOIN tk_background_jobs j ON j.id = q.job_id WHERE q.job_id = ANY(",
            ids!("$1"),
            ") ORDER BY q.due_at, q.job_id"
        ),
        orphans: "SELECT r.job_id FROM tk_job_runs r LEFT JOIN tk_nodes n ON n.instance = r.instance \
             WHERE n.state IS NULL OR n.state <> 0 ORDER BY r.job_id LIMIT $1",
    }),
    tables: Some(TableLock {
        patience: "SELECT set_config('statement_timeout', '0', true), set_config('lock_timeout', '60s', true)",
        take: "SELECT pg_advisory_xact_lock(1952542579, hashtext(coalesce($1, current_schema(), '')))",
        free: None,
    }),
    schemas: Some(Schemas {
        state: "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_namespace WHERE nspname = $1), \
                has_database_privilege(current_database(), 'CREATE'), current_user::text",
        search_path: "SELECT current_setting('search_path')",
        set_search_path: "SELECT set_config('search_path', $1, true)",
    }),
    without_returning: None,
};
