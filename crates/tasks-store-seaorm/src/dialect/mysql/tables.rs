//! The tables as migrations make them.
//!
//! Each statement can be carried out again after a try that was ended half-way: here a change of tables commits by itself. Texts compare by code point and, as the
//! collation that both servers have is made so, without trailing spaces; names of lanes, keys of locks and names of cursors are bytes, so that theirs count.

/// The first migration. `submission` tells the rows of one insertion, as the servers do not say which of many were new.
pub(crate) const FOUNDATION_UP: &[&str] = &[
    "CREATE TABLE IF NOT EXISTS tk_background_jobs (
        id BINARY(16) NOT NULL PRIMARY KEY, tenant_id BINARY(16) NOT NULL, name LONGTEXT NOT NULL, job_group LONGTEXT NOT NULL,
        type_name LONGTEXT NOT NULL, args LONGTEXT NOT NULL, description LONGTEXT, result LONGTEXT, source SMALLINT NOT NULL,
        state SMALLINT NOT NULL, is_enabled SMALLINT NOT NULL, job_type SMALLINT NOT NULL, cron LONGTEXT, time_zone LONGTEXT,
        misfire_policy SMALLINT NOT NULL, misfire_max BIGINT NOT NULL, creation_time BIGINT NOT NULL, begin_time BIGINT NOT NULL,
        end_time BIGINT, last_run_time BIGINT, trigger_count BIGINT NOT NULL, try_count BIGINT NOT NULL, max_try_count BIGINT NOT NULL,
        max_count BIGINT NOT NULL, is_abandoned SMALLINT NOT NULL, interruptions BIGINT NOT NULL, suspect_interruptions BIGINT NOT NULL,
        max_interruptions BIGINT NOT NULL, interval_ms BIGINT NOT NULL, retry_policy LONGTEXT, priority SMALLINT NOT NULL, timeout_ms BIGINT,
        lock_timeout_ms BIGINT, node_name LONGTEXT, failover SMALLINT NOT NULL, version BIGINT NOT NULL, name_key BINARY(16),
        attention SMALLINT, submission BINARY(16),
        UNIQUE KEY tk_background_jobs_name_key (name_key), KEY tk_background_jobs_tenant (tenant_id, creation_time, id),
        KEY tk_background_jobs_attention (attention))
        ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    "CREATE TABLE IF NOT EXISTS tk_lanes (id BIGINT NOT NULL AUTO_INCREMENT PRIMARY KEY, name VARBINARY(1000) NOT NULL, UNIQUE KEY tk_lanes_name (name))
        ENGINE = InnoDB ROW_FORMAT = DYNAMIC",
    "INSERT INTO tk_lanes (name) VALUES ('default') ON DUPLICATE KEY UPDATE name = name",
    "CREATE TABLE IF NOT EXISTS tk_job_queue (
        job_id BINARY(16) NOT NULL PRIMARY KEY, lane_id BIGINT NOT NULL, `rank` SMALLINT NOT NULL, due_at BIGINT NOT NULL,
        kind SMALLINT NOT NULL, attempt BIGINT NOT NULL, KEY tk_job_queue_claim (lane_id, `rank`, due_at, job_id))
        ENGINE = InnoDB ROW_FORMAT = DYNAMIC",
    "CREATE TABLE IF NOT EXISTS tk_job_runs (
        job_id BINARY(16) NOT NULL PRIMARY KEY, run_id BINARY(16) NOT NULL, instance BINARY(16) NOT NULL, claim_id BINARY(16) NOT NULL,
        lane_id BIGINT NOT NULL, `rank` SMALLINT NOT NULL, due_at BIGINT NOT NULL, kind SMALLINT NOT NULL, attempt BIGINT NOT NULL,
        suspect SMALLINT NOT NULL, job_version BIGINT NOT NULL, after SMALLINT NOT NULL, claimed_at BIGINT NOT NULL, cancel SMALLINT,
        KEY tk_job_runs_run (run_id))
        ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    "CREATE TABLE IF NOT EXISTS tk_background_job_logs (
        run_id BINARY(16) NOT NULL PRIMARY KEY, job_id BINARY(16) NOT NULL, tenant_id BINARY(16) NOT NULL, job_name LONGTEXT NOT NULL,
        job_group LONGTEXT NOT NULL, type_name LONGTEXT NOT NULL, outcome SMALLINT NOT NULL, message LONGTEXT, error LONGTEXT,
        started_at BIGINT NOT NULL, duration_ms BIGINT NOT NULL, node_name LONGTEXT NOT NULL, instance BINARY(16) NOT NULL,
        attempt BIGINT NOT NULL, KEY tk_background_job_logs_job (job_id, started_at),
        KEY tk_background_job_logs_tenant (tenant_id, started_at))
        ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    "CREATE TABLE IF NOT EXISTS tk_nodes (
        instance BINARY(16) NOT NULL PRIMARY KEY, name LONGTEXT NOT NULL, state SMALLINT NOT NULL, started_at BIGINT NOT NULL,
        heartbeat_at BIGINT NOT NULL, capacity BIGINT NOT NULL, running BIGINT NOT NULL, lanes LONGTEXT NOT NULL,
        version LONGTEXT NOT NULL, process LONGTEXT NOT NULL)
        ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    "CREATE TABLE IF NOT EXISTS tk_locks (
        tenant_id BINARY(16) NOT NULL, lock_key VARBINARY(1000) NOT NULL, job_id BINARY(16) NOT NULL, run_id BINARY(16) NOT NULL,
        acquired_at BIGINT NOT NULL, PRIMARY KEY (tenant_id, lock_key), KEY tk_locks_run (run_id))
        ENGINE = InnoDB ROW_FORMAT = DYNAMIC",
    "CREATE TABLE IF NOT EXISTS tk_schema (id SMALLINT NOT NULL PRIMARY KEY, version BIGINT NOT NULL, oldest_program BIGINT NOT NULL)
        ENGINE = InnoDB ROW_FORMAT = DYNAMIC",
    "INSERT INTO tk_schema (id, version, oldest_program) VALUES (1, 1, 1) ON DUPLICATE KEY UPDATE id = id",
];

/// The second migration: who gave a job its settings, how far a run has come, where walks were.
pub(crate) const STEERING_UP: &[&str] = &[
    "ALTER TABLE tk_background_jobs ADD COLUMN selector LONGTEXT",
    "ALTER TABLE tk_background_jobs ADD COLUMN definition_hash BINARY(16)",
    "ALTER TABLE tk_background_jobs ADD COLUMN definition_version LONGTEXT",
    "ALTER TABLE tk_background_jobs ADD COLUMN overrides LONGTEXT",
    "ALTER TABLE tk_job_runs ADD COLUMN progress_done BIGINT",
    "ALTER TABLE tk_job_runs ADD COLUMN progress_total BIGINT",
    "ALTER TABLE tk_job_runs ADD COLUMN progress_message LONGTEXT",
    "ALTER TABLE tk_job_runs ADD COLUMN progress_at BIGINT",
    "CREATE TABLE IF NOT EXISTS tk_cursors (name VARBINARY(1000) NOT NULL PRIMARY KEY, value LONGTEXT NOT NULL)
        ENGINE = InnoDB ROW_FORMAT = DYNAMIC DEFAULT CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
    "UPDATE tk_schema SET version = 2, oldest_program = 1 WHERE id = 1",
];

/// The third migration: log rows lie by their job, with one index less to write for each run. In one statement, of which either all is there or nothing.
pub(crate) const HISTORY_UP: &[&str] = &[
    "ALTER TABLE tk_background_job_logs DROP KEY tk_background_job_logs_job, DROP PRIMARY KEY, ADD PRIMARY KEY (job_id, started_at, run_id)",
    "UPDATE tk_schema SET version = 3, oldest_program = 1 WHERE id = 1",
];

/// Back to the second.
pub(crate) const HISTORY_DOWN: &[&str] = &[
    "UPDATE tk_schema SET version = 2, oldest_program = 1 WHERE id = 1",
    "ALTER TABLE tk_background_job_logs ADD KEY tk_background_job_logs_job (job_id, started_at), DROP PRIMARY KEY, ADD PRIMARY KEY (run_id)",
];
