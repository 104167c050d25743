//! Opening the database: connections that write (one on SQLite), several that read, and a pool for the application's own queries.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::DatabaseConnection;
use tasks_abstractions::store::StoreErrorKind;
use tasks_abstractions::{JobNotifier, StoreError};
use tokio::sync::watch;
use uuid::Uuid;

use crate::dialect::Dialect;
use crate::error;
use crate::options::{Location, SeaOrmStoreOptions};
use crate::statement::answered;
#[cfg(feature = "sqlite")]
use crate::writer_thread::WriterThread;

/// Open handles of one database.
#[derive(Debug, Clone)]
pub(crate) struct Handles {
    /// The store's writing transactions, on SQLite one at a time. The pool's queue is first come, first served, so that no task of this process starves.
    pub(crate) writer: DatabaseConnection,
    /// For the lease alone, so that it is renewed however busy the others are. On SQLite it is the writer: there is but one.
    pub(crate) lease: DatabaseConnection,
    /// The store's queries.
    pub(crate) reader: DatabaseConnection,
    /// The application's own statements. Opened when first used.
    pub(crate) application: DatabaseConnection,
    /// Who carries out claims and outcomes, where all writers share one lock.
    #[cfg(feature = "sqlite")]
    pub(crate) writer_thread: Option<Arc<WriterThread>>,
    /// Connections for what runs all the time, where the database has them.
    #[cfg(feature = "postgres")]
    pub(crate) seats: Option<Seats>,
    pub(crate) dialect: Dialect,
    /// Longest wait for the answer to a statement of the store's own, where there is a network in between.
    pub(crate) answer_limit: Option<Duration>,
    /// Says to whatever still opens connections that the store is closed; so does its end.
    closing: Option<Arc<watch::Sender<bool>>>,
}

impl Handles {
    /// Closes all connections. A server that gives no answer is not waited for: what it was not told, it finds out.
    pub(crate) async fn close(&self) -> Result<(), StoreError> {
        if let Some(closing) = &self.closing {
            closing.send_replace(true);
        }
        let doing = "close the database";
        let all = async {
            let (application, reader) = (&self.application, &self.reader);
            if self.answer_limit.is_none() {
                // A SQLite file is whole when the last one lets go of it, if that one may write and is alone.
                let closed = tokio::join!(application.close_by_ref(), reader.close_by_ref());
                return closed.0.and(closed.1).and(self.writer.close_by_ref().await);
            }
            #[cfg(feature = "postgres")]
            let seats = async {
                if let Some(seats) = &self.seats {
                    seats.close().await;
                }
            };
            #[cfg(not(feature = "postgres"))]
            let seats = std::future::ready(());
            // Each is closed, whichever of them waits for a server that gives no answer.
            let closed = tokio::join!(
                seats,
                application.close_by_ref(),
                reader.close_by_ref(),
                self.lease.close_by_ref(),
                self.writer.close_by_ref(),
            );
            closed.1.and(closed.2).and(closed.3).and(closed.4)
        };
        match answered(self.answer_limit, doing, all).await {
            Ok(closed) => closed.map_err(|it| error::failed(it, doing)),
            Err(error) => {
                tracing::warn!(%error, "connections are left as they are");
                Ok(())
            }
        }
    }
}

/// Opens the database at `location`, which the options name.
pub(crate) async fn open(options: &SeaOrmStoreOptions, location: &Location) -> Result<Handles, StoreError> {
    match location {
        #[cfg(feature = "sqlite")]
        Location::SqliteFile(_) | Location::SqliteMemory => sqlite::open(options, location).await,
        #[cfg(feature = "postgres")]
        Location::Postgres => postgres::open(options).await,
        #[cfg(feature = "mysql")]
        Location::Mysql => mysql::open(options).await,
        #[cfg(not(all(feature = "sqlite", feature = "postgres", feature = "mysql")))]
        _ => Err(StoreError::new(
            StoreErrorKind::Invalid,
            format!(
                "this build of tasks-store-seaorm does not contain the database of {}; enable its cargo feature",
                options.url.split(':').next().unwrap_or_default()
            ),
        )),
    }
}

/// What processes that use the database tell each other through it, where it can carry that and the options let it.
pub(crate) fn notifier(
    options: &SeaOrmStoreOptions,
    location: &Location,
    me: Uuid,
) -> Result<Option<Arc<dyn JobNotifier>>, StoreError> {
    #[cfg(feature = "postgres")]
    if *location == Location::Postgres && options.notify {
        return Ok(Some(Arc::new(postgres::notifier(options, me)?)));
    }
    // The other databases carry no notifications.
    let _ = (options, location, me);
    Ok(None)
}

/// The options were checked with this URL before.
#[cfg(any(feature = "postgres", feature = "mysql"))]
fn unreadable_url(error: sea_orm::sqlx::Error) -> StoreError {
    let text = format!("the URL of the database cannot be read: {error}");
    StoreError::new(StoreErrorKind::Invalid, text).caused_by(error)
}

#[cfg(feature = "postgres")]
pub(crate) use seats::{Seat, Seats};

#[cfg(feature = "mysql")]
mod mysql;
#[cfg(feature = "postgres")]
mod postgres;
#[cfg(feature = "postgres")]
mod seats;
#[cfg(any(feature = "postgres", feature = "mysql"))]
mod silence;
#[cfg(feature = "sqlite")]
mod sqlite;
