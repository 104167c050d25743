//! Jobs, their waiting and running executions, logs, nodes, lanes, locks, version of the tables.

#![expect(
    elided_lifetimes_in_paths,
    reason = "the signature of the migration trait is fixed"
)]

use async_trait::async_trait;
use sea_orm::DbErr;
use sea_orm_migration::prelude::{MigrationName, MigrationTrait, SchemaManager};

use super::{Texts, run};
use crate::dialect::{mysql_tables as mysql, postgres_tables as postgres};

#[derive(Debug)]
pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m20261122_000001_foundation"
    }
}

/// No column that a run changes is indexed, so that a run rewrites one row and no index. `attention` marks rare states only.
const UP: &[&str] = &[
    "CREATE TABLE tk_background_jobs (
        id BLOB NOT NULL PRIMARY KEY, tenant_id BLOB NOT NULL, name TEXT NOT NULL, job_group TEXT NOT NULL, type_name TEXT NOT NULL,
        args TEXT NOT NULL, description TEXT, result TEXT, source INTEGER NOT NULL, state INTEGER NOT NULL, is_enabled INTEGER NOT NULL,
        job_type INTEGER NOT NULL, cron TEXT, time_zone TEXT, misfire_policy INTEGER NOT NULL, misfire_max INTEGER NOT NULL,
        creation_time INTEGER NOT NULL, begin_time INTEGER NOT NULL, end_time INTEGER, last_run_time INTEGER,
        trigger_count INTEGER NOT NULL, try_count INTEGER NOT NULL, max_try_count INTEGER NOT NULL, max_count INTEGER NOT NULL,
        is_abandoned INTEGER NOT NULL, interruptions INTEGER NOT NULL, suspect_interruptions INTEGER NOT NULL,
        max_interruptions INTEGER NOT NULL, interval_ms INTEGER NOT NULL, retry_policy TEXT, priority INTEGER NOT NULL,
        timeout_ms INTEGER, lock_timeout_ms INTEGER, node_name TEXT, failover INTEGER NOT NULL, version INTEGER NOT NULL,
        name_key BLOB, attention INTEGER)",
    "CREATE UNIQUE INDEX tk_background_jobs_name_key ON tk_background_jobs (name_key) WHERE name_key IS NOT NULL",
    "CREATE INDEX tk_background_jobs_tenant ON tk_background_jobs (tenant_id, creation_time, id)",
    "CREATE INDEX tk_background_jobs_attention ON tk_background_jobs (attention) WHERE attention IS NOT NULL",
    "CREATE TABLE tk_lanes (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE)",
    "INSERT INTO tk_lanes (name) VALUES ('default')",
    "CREATE TABLE tk_job_queue (
        job_id BLOB NOT NULL PRIMARY KEY, lane_id INTEGER NOT NULL, rank INTEGER NOT NULL, due_at INTEGER NOT NULL, kind INTEGER NOT NULL,
        attempt INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE INDEX tk_job_queue_claim ON tk_job_queue (lane_id, rank, due_at, job_id)",
    "CREATE TABLE tk_job_runs (
        job_id BLOB NOT NULL PRIMARY KEY, run_id BLOB NOT NULL, instance BLOB NOT NULL, claim_id BLOB NOT NULL, lane_id INTEGER NOT NULL,
        rank INTEGER NOT NULL, due_at INTEGER NOT NULL, kind INTEGER NOT NULL, attempt INTEGER NOT NULL, suspect INTEGER NOT NULL,
        job_version INTEGER NOT NULL, after INTEGER NOT NULL, claimed_at INTEGER NOT NULL, cancel INTEGER) WITHOUT ROWID",
    "CREATE TABLE tk_background_job_logs (
        run_id BLOB NOT NULL PRIMARY KEY, job_id BLOB NOT NULL, tenant_id BLOB NOT NULL, job_name TEXT NOT NULL, job_group TEXT NOT NULL,
        type_name TEXT NOT NULL, outcome INTEGER NOT NULL, message TEXT, error TEXT, started_at INTEGER NOT NULL, duration_ms INTEGER NOT NULL,
        node_name TEXT NOT NULL, instance BLOB NOT NULL, attempt INTEGER NOT NULL)",
    "CREATE INDEX tk_background_job_logs_job ON tk_background_job_logs (job_id, started_at)",
    "CREATE INDEX tk_background_job_logs_tenant ON tk_background_job_logs (tenant_id, started_at)",
    "CREATE TABLE tk_nodes (
        instance BLOB NOT NULL PRIMARY KEY, name TEXT NOT NULL, state INTEGER NOT NULL, started_at INTEGER NOT NULL,
        heartbeat_at INTEGER NOT NULL, capacity INTEGER NOT NULL, running INTEGER NOT NULL, lanes TEXT NOT NULL, version TEXT NOT NULL) WITHOUT ROWID",
    "CREATE TABLE tk_locks (
        tenant_id BLOB NOT NULL, lock_key TEXT NOT NULL, job_id BLOB NOT NULL, run_id BLOB NOT NULL, acquired_at INTEGER NOT NULL,
        PRIMARY KEY (tenant_id, lock_key)) WITHOUT ROWID",
    "CREATE INDEX tk_locks_run ON tk_locks (run_id)",
    "CREATE TABLE tk_schema (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL, oldest_program INTEGER NOT NULL)",
    "INSERT INTO tk_schema (id, version, oldest_program) VALUES (1, 1, 1)",
];

const DOWN: &[&str] = &[
    "DROP TABLE tk_schema",
    "DROP TABLE tk_locks",
    "DROP TABLE tk_nodes",
    "DROP TABLE tk_background_job_logs",
    "DROP TABLE tk_job_runs",
    "DROP TABLE tk_job_queue",
    "DROP TABLE tk_lanes",
    "DROP TABLE tk_background_jobs",
];

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let texts = Texts {
            sqlite: UP,
            postgres: postgres::FOUNDATION_UP,
            mysql: mysql::FOUNDATION_UP,
        };
        run(manager, texts).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let texts = Texts {
            sqlite: DOWN,
            postgres: DOWN,
            mysql: DOWN,
        };
        run(manager, texts).await
    }
}
