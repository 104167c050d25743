//! Whether a transaction that somebody else holds open slows the drain: the rows that it could still see pile up under the queue.

use anyhow::Result;
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, IsolationLevel, TransactionTrait};

use crate::drain::Around;
use crate::frame::backend::Backend;
use crate::frame::place::Place;
use crate::frame::settings::Settings;
use crate::ratio::{Compared, ratio_of_drains};

/// A store in memory has no transactions of others.
const BACKENDS: &[Backend] = &[
    Backend::Postgres,
    Backend::Mysql,
    Backend::SqliteFull,
    Backend::SqliteNormal,
];

/// Jobs of a pass: enough for what piles up to be felt.
const JOBS: usize = 1_000_000;

/// A transaction of another client.
pub(crate) struct Held {
    client: DatabaseConnection,
    transaction: DatabaseTransaction,
}

impl Held {
    /// Opens a transaction that goes on seeing the database as it is now.
    pub(crate) async fn open(place: &Place) -> Result<Self> {
        let client = place.client().await?;
        let isolation = match place.backend {
            Backend::Postgres | Backend::Mysql => Some(IsolationLevel::RepeatableRead),
            _ => None,
        };
        let transaction = client.begin_with_config(isolation, None).await?;
        // Only what has read something holds anything.
        transaction
            .execute_unprepared("SELECT COUNT(*) FROM tk_job_queue")
            .await?;
        Ok(Self { client, transaction })
    }

    pub(crate) async fn end(self) -> Result<()> {
        self.transaction.rollback().await?;
        Ok(self.client.close().await?)
    }
}

/// Drains with and without, in turn.
pub(crate) fn run(settings: &Settings) -> Result<()> {
    ratio_of_drains(
        settings,
        &settings.backend_or(Backend::Postgres, BACKENDS)?,
        JOBS,
        &Compared {
            mode: "held",
            around: Around::HeldTransaction,
            what: "while another client holds a transaction open".to_owned(),
        },
    )
}
