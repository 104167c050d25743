//! The tables as migrations make them.
//!
//! Texts that are compared or sorted have the collation `C`: by bytes, as on every other database, whatever the locale of the server.

/// The first migration.
///
/// `fillfactor` 50 keeps room for new versions of a job row beside the old one, and no column that a run changes is indexed: a run then writes no index. Queue and
/// runs are small and rewritten all the time, so they are vacuumed by a number of dead rows and not by a share.
pub(crate) const FOUNDATION_UP: &[&str] = &[
    r#"CREATE TABLE tk_background_jobs (
        id uuid NOT NULL PRIMARY KEY, tenant_id uuid NOT NULL, name text COLLATE "C" NOT NULL, job_group text COLLATE "C" NOT NULL,
        type_name text COLLATE "C" NOT NULL, args text COLLATE "C" NOT NULL, description text COLLATE "C", result text COLLATE "C",
        source smallint NOT NULL, state smallint NOT NULL, is_enabled smallint NOT NULL, job_type smallint NOT NULL, cron text COLLATE "C",
        time_zone text COLLATE "C", misfire_policy smallint NOT NULL, misfire_max bigint NOT NULL, creation_time bigint NOT NULL,
        begin_time bigint NOT NULL, end_time bigint, last_run_time bigint, trigger_count bigint NOT NULL, try_count bigint NOT NULL,
        max_try_count bigint NOT NULL, max_count bigint NOT NULL, is_abandoned smallint NOT NULL, interruptions bigint NOT NULL,
        suspect_interruptions bigint NOT NULL, max_interruptions bigint NOT NULL, interval_ms bigint NOT NULL, retry_policy text COLLATE "C",
        priority smallint NOT NULL, timeout_ms bigint, lock_timeout_ms bigint, node_name text COLLATE "C", failover smallint NOT NULL,
        version bigint NOT NULL, name_key uuid, attention smallint)
        WITH (fillfactor = 50, autovacuum_vacuum_scale_factor = 0.05)"#,
    "CREATE UNIQUE INDEX tk_background_jobs_name_key ON tk_background_jobs (name_key) WHERE name_key IS NOT NULL",
    "CREATE INDEX tk_background_jobs_tenant ON tk_background_jobs (tenant_id, creation_time, id)",
    "CREATE INDEX tk_background_jobs_attention ON tk_background_jobs (attention) WHERE attention IS NOT NULL",
    r#"CREATE TABLE tk_lanes (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text COLLATE "C" NOT NULL UNIQUE)"#,
    "INSERT INTO tk_lanes (name) VALUES ('default')",
    "CREATE TABLE tk_job_queue (
        job_id uuid NOT NULL PRIMARY KEY, lane_id bigint NOT NULL, rank smallint NOT NULL, due_at bigint NOT NULL, kind smallint NOT NULL,
        attempt bigint NOT NULL)
        WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_analyze_scale_factor = 0,
        autovacuum_analyze_threshold = 20000)",
    "CREATE INDEX tk_job_queue_claim ON tk_job_queue (lane_id, rank, due_at, job_id)",
    "CREATE TABLE tk_job_runs (
        job_id uuid NOT NULL PRIMARY KEY, run_id uuid NOT NULL, instance uuid NOT NULL, claim_id uuid NOT NULL, lane_id bigint NOT NULL,
        rank smallint NOT NULL, due_at bigint NOT NULL, kind smallint NOT NULL, attempt bigint NOT NULL, suspect smallint NOT NULL,
        job_version bigint NOT NULL, after smallint NOT NULL, claimed_at bigint NOT NULL, cancel smallint)
        WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_analyze_scale_factor = 0,
        autovacuum_analyze_threshold = 20000)",
    r#"CREATE TABLE tk_background_job_logs (
        run_id uuid NOT NULL PRIMARY KEY, job_id uuid NOT NULL, tenant_id uuid NOT NULL, job_name text COLLATE "C" NOT NULL,
        job_group text COLLATE "C" NOT NULL, type_name text COLLATE "C" NOT NULL, outcome smallint NOT NULL, message text COLLATE "C",
        error text COLLATE "C", started_at bigint NOT NULL, duration_ms bigint NOT NULL, node_name text COLLATE "C" NOT NULL,
        instance uuid NOT NULL, attempt bigint NOT NULL)"#,
    "CREATE INDEX tk_background_job_logs_job ON tk_background_job_logs (job_id, started_at)",
    "CREATE INDEX tk_background_job_logs_tenant ON tk_background_job_logs (tenant_id, started_at)",
    r#"CREATE TABLE tk_nodes (
        instance uuid NOT NULL PRIMARY KEY, name text COLLATE "C" NOT NULL, state smallint NOT NULL, started_at bigint NOT NULL,
        heartbeat_at bigint NOT NULL, capacity bigint NOT NULL, running bigint NOT NULL, lanes text COLLATE "C" NOT NULL,
        version text COLLATE "C" NOT NULL, process text COLLATE "C" NOT NULL)
        WITH (fillfactor = 50)"#,
    r#"CREATE TABLE tk_locks (
        tenant_id uuid NOT NULL, lock_key text COLLATE "C" NOT NULL, job_id uuid NOT NULL, run_id uuid NOT NULL, acquired_at bigint NOT NULL,
        PRIMARY KEY (tenant_id, lock_key))"#,
    "CREATE INDEX tk_locks_run ON tk_locks (run_id)",
    "CREATE TABLE tk_schema (id smallint PRIMARY KEY CHECK (id = 1), version bigint NOT NULL, oldest_program bigint NOT NULL)",
    "INSERT INTO tk_schema (id, version, oldest_program) VALUES (1, 1, 1)",
];

/// The second migration: who gave a job its settings, how far a run has come, where walks were.
pub(crate) const STEERING_UP: &[&str] = &[
    r#"ALTER TABLE tk_background_jobs ADD COLUMN selector text COLLATE "C", ADD COLUMN definition_hash uuid,
        ADD COLUMN definition_version text COLLATE "C", ADD COLUMN overrides text COLLATE "C""#,
    r#"ALTER TABLE tk_job_runs ADD COLUMN progress_done bigint, ADD COLUMN progress_total bigint,
        ADD COLUMN progress_message text COLLATE "C", ADD COLUMN progress_at bigint"#,
    r#"CREATE TABLE tk_cursors (name text COLLATE "C" NOT NULL PRIMARY KEY, value text COLLATE "C" NOT NULL)"#,
    "UPDATE tk_schema SET version = 2, oldest_program = 1 WHERE id = 1",
];

/// The third migration: log rows are found by their job, with one index less to write for each run.
pub(crate) const HISTORY_UP: &[&str] = &[
    "ALTER TABLE tk_background_job_logs DROP CONSTRAINT tk_background_job_logs_pkey",
    "ALTER TABLE tk_background_job_logs ADD PRIMARY KEY (job_id, started_at, run_id)",
    "DROP INDEX tk_background_job_logs_job",
    "UPDATE tk_schema SET version = 3, oldest_program = 1 WHERE id = 1",
];

/// Back to the second.
pub(crate) const HISTORY_DOWN: &[&str] = &[
    "UPDATE tk_schema SET version = 2, oldest_program = 1 WHERE id = 1",
    "CREATE INDEX tk_background_job_logs_job ON tk_background_job_logs (job_id, started_at)",
    "ALTER TABLE tk_background_job_logs DROP CONSTRAINT tk_background_job_logs_pkey",
    "ALTER TABLE tk_background_job_logs ADD PRIMARY KEY (run_id)",
];
