//! Who gave a job its settings, how far a run has come, where walks over all jobs were.

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
        "m20261127_000002_steering"
    }
}

/// Every new column may be NULL, so that a program of the first version goes on beside newer ones.
const UP: &[&str] = &[
    "ALTER TABLE tk_background_jobs ADD COLUMN selector TEXT",
    "ALTER TABLE tk_background_jobs ADD COLUMN definition_hash BLOB",
    "ALTER TABLE tk_background_jobs ADD COLUMN definition_version TEXT",
    "ALTER TABLE tk_background_jobs ADD COLUMN overrides TEXT",
    "ALTER TABLE tk_job_runs ADD COLUMN progress_done INTEGER",
    "ALTER TABLE tk_job_runs ADD COLUMN progress_total INTEGER",
    "ALTER TABLE tk_job_runs ADD COLUMN progress_message TEXT",
    "ALTER TABLE tk_job_runs ADD COLUMN progress_at INTEGER",
    "CREATE TABLE tk_cursors (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    "UPDATE tk_schema SET version = 2, oldest_program = 1 WHERE id = 1",
];

const DOWN: &[&str] = &[
    "UPDATE tk_schema SET version = 1, oldest_program = 1 WHERE id = 1",
    "DROP TABLE tk_cursors",
    "ALTER TABLE tk_job_runs DROP COLUMN progress_at",
    "ALTER TABLE tk_job_runs DROP COLUMN progress_message",
    "ALTER TABLE tk_job_runs DROP COLUMN progress_total",
    "ALTER TABLE tk_job_runs DROP COLUMN progress_done",
    "ALTER TABLE tk_background_jobs DROP COLUMN overrides",
    "ALTER TABLE tk_background_jobs DROP COLUMN definition_version",
    "ALTER TABLE tk_background_jobs DROP COLUMN definition_hash",
    "ALTER TABLE tk_background_jobs DROP COLUMN selector",
];

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        let texts = Texts {
            sqlite: UP,
            postgres: postgres::STEERING_UP,
            mysql: mysql::STEERING_UP,
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
