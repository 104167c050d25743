//! Log rows are found by their job: one index less to write for each run.

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
        "m20261129_000003_history"
    }
}

macro_rules! columns {
    () => {
        "run_id, job_id, tenant_id, job_name, job_group, type_name, outcome, message, error, started_at, duration_ms, node_name, instance, attempt"
    };
}
macro_rules! table {
    ($key:literal) => {
        concat!(
            "CREATE TABLE tk_new_logs (
        run_id BLOB NOT NULL, job_id BLOB NOT NULL, tenant_id BLOB NOT NULL, job_name TEXT NOT NULL, job_group TEXT NOT NULL,
        type_name TEXT NOT NULL, outcome INTEGER NOT NULL, message TEXT, error TEXT, started_at INTEGER NOT NULL, duration_ms INTEGER NOT NULL,
        node_name TEXT NOT NULL, instance BLOB NOT NULL, attempt INTEGER NOT NULL, PRIMARY KEY (",
            $key,
            "))"
        )
    };
}
const COPY: &str = concat!(
    "INSERT INTO tk_new_logs (",
    columns!(),
    ") SELECT ",
    columns!(),
    " FROM tk_background_job_logs ORDER BY started_at"
);
const DROP: &str = "DROP TABLE tk_background_job_logs";
const RENAME: &str = "ALTER TABLE tk_new_logs RENAME TO tk_background_job_logs";
const INDEX_TENANT: &str =
    "CREATE INDEX tk_background_job_logs_tenant ON tk_background_job_logs (tenant_id, started_at)";

/// SQLite cannot change the key of a table. Programs of the versions before go on beside this one: they name the same columns.
const UP: &[&str] = &[
    table!("job_id, started_at, run_id"),
    COPY,
    DROP,
    RENAME,
    INDEX_TENANT,
    "UPDATE tk_schema SET version = 3, oldest_program = 1 WHERE id = 1",
];

const DOWN: &[&str] = &[
    "UPDATE tk_schema SET version = 2, oldest_program = 1 WHERE id = 1",
    table!("run_id"),
    COPY,
    DROP,
    RENAME,
    "CREATE INDEX tk_background_job_logs_job ON tk_background_job_logs (job_id, started_at)",
    INDEX_TENANT,
];

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let texts = Texts {
            sqlite: UP,
            postgres: postgres::HISTORY_UP,
            mysql: mysql::HISTORY_UP,
        };
        run(manager, texts).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let texts = Texts {
            sqlite: DOWN,
            postgres: postgres::HISTORY_DOWN,
            mysql: mysql::HISTORY_DOWN,
        };
        run(manager, texts).await
    }
}
