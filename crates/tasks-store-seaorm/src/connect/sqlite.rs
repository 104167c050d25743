//! SQLite: one connection that writes.

use std::future::pending;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sea_orm::sqlx::Connection as _;
use sea_orm::sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqliteSynchronous};
use sea_orm::{ConnectOptions, Database, DatabaseConnection};
use tasks_abstractions::StoreError;
use tasks_abstractions::store::StoreErrorKind;
use tokio::time::timeout;

use super::Handles;
use crate::dialect::Dialect;
use crate::error::{self, Class, class_of};
use crate::options::{Durability, Location, SeaOrmStoreOptions};
use crate::writer_thread::WriterThread;

/// How long SQLite itself waits for the write lock of a transaction of the store's. Its own waiting is not fair: the pauses grow to 100 ms, and a
/// program that writes without a pause gets in between each time (a heartbeat waited 2 s beside a drain of 3 s). So it waits for short, and
/// the store begins anew until `busy_timeout` is over.
const LOCK_TRY: Duration = Duration::from_millis(20);

/// KiB of pages that a writing connection keeps at most: what a drain of many jobs touches again and again.
const CACHE: &str = "-32768";

/// Pages of the write-ahead log, 40 MB, from which a commit brings them into the file. SQLite's own thousand would do it every few batches.
const CHECKPOINT: &str = "10000";

/// Statements that a connection keeps prepared: those of a batch in each of the sizes of its parts, and all others.
const STATEMENTS: usize = 250;

/// Rows that the driver's thread hands over before it waits for them to be taken: a claim.
const ROWS_AHEAD: usize = 1_000;

/// Size to which the write-ahead log is cut after a long reader made it grow.
const WAL_LIMIT: &str = "67108864";

pub(super) async fn open(options: &SeaOrmStoreOptions, location: &Location) -> Result<Handles, StoreError> {
    let dialect = Dialect::Sqlite;
    let Location::SqliteFile(path) = location else {
        // A second connection would open a second database.
        let only = connect(pool(options, 1).min_connections(1), "open a database in memory").await?;
        return Ok(Handles {
            writer: only.clone(),
            lease: only.clone(),
            reader: only.clone(),
            application: only,
            writer_thread: Some(writer_thread()?),
            #[cfg(feature = "postgres")]
            seats: None,
            dialect,
            answer_limit: None,
            closing: None,
        });
    };
    check_folder(path)?;
    let busy = options.busy_timeout;
    let synchronous = match options.durability {
        Durability::Full => SqliteSynchronous::Full,
        Durability::MayLoseLastCommits => SqliteSynchronous::Normal,
    };
    let writing = move |it: SqliteConnectOptions| {
        it.create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(synchronous)
            .busy_timeout(busy)
            .pragma("journal_size_limit", WAL_LIMIT)
            .pragma("wal_autocheckpoint", CHECKPOINT)
            .pragma("cache_size", CACHE)
            .statement_cache_capacity(STATEMENTS)
            .row_buffer_size(ROWS_AHEAD)
    };
    let doing = format!("open the SQLite file {}", path.display());
    let mut writer = pool(options, 1);
    writer.min_connections(1).map_sqlx_sqlite_opts(move |it| {
        // The last pragma: setting the journal mode still waits for as long as `busy_timeout` says.
        writing(it).pragma("busy_timeout", LOCK_TRY.as_millis().to_string())
    });
    // Where several programs open a new file at once, SQLite refuses all but one to change its journal mode, without waiting.
    let since = Instant::now();
    let writer = loop {
        match Database::connect(writer.clone()).await {
            Err(it) if class_of(&it) == Class::Busy && since.elapsed() < busy => {
                // Nothing to wait for but the time.
                let _ = timeout(LOCK_TRY, pending::<()>()).await;
            }
            opened => break opened.map_err(|it| error::failed(it, &doing))?,
        }
    };
    let mut reader = pool(options, options.readers);
    reader.map_sqlx_sqlite_opts(move |it| it.busy_timeout(busy).pragma("query_only", "ON"));
    let reader = connect(&mut reader, &doing).await?;
    let mut application = pool(options, options.readers);
    application.connect_lazy(true).map_sqlx_sqlite_opts(writing);
    let application = connect(&mut application, &doing).await?;
    Ok(Handles {
        lease: writer.clone(),
        writer,
        reader,
        application,
        writer_thread: Some(writer_thread()?),
        #[cfg(feature = "postgres")]
        seats: None,
        dialect,
        answer_limit: None,
        closing: None,
    })
}

fn writer_thread() -> Result<Arc<WriterThread>, StoreError> {
    let failed = |it| {
        StoreError::new(
            StoreErrorKind::Unavailable,
            "there is no thread to be had for writing to the SQLite file",
        )
        .caused_by(it)
    };
    WriterThread::start().map(Arc::new).map_err(failed)
}

fn pool(options: &SeaOrmStoreOptions, connections: u32) -> ConnectOptions {
    let mut pool = ConnectOptions::new(options.url.clone());
    pool.max_connections(connections)
        .acquire_timeout(options.acquire_timeout)
        // Each of these is on by default and costs a round trip or an event for every statement.
        .test_before_acquire(false)
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .idle_timeout(None::<Duration>)
        .max_lifetime(None::<Duration>)
        // On some errors (disk full, input/output) SQLite rolls back by itself. The driver goes on counting the transaction as open, and the next BEGIN
        // IMMEDIATE would become a savepoint without the write lock. The ping lets a rollback run that was only queued.
        .map_sqlx_sqlite_pool_opts(|it| {
            it.after_release(|connection, _| {
                Box::pin(async move {
                    connection.ping().await?;
                    Ok(!connection.is_in_transaction())
                })
            })
        });
    pool
}

async fn connect(pool: &mut ConnectOptions, doing: &str) -> Result<DatabaseConnection, StoreError> {
    Database::connect(pool.clone())
        .await
        .map_err(|it| error::failed(it, doing))
}

fn check_folder(file: &Path) -> Result<(), StoreError> {
    let folder = file.parent().filter(|it| !it.as_os_str().is_empty());
    match folder {
        Some(folder) if !folder.is_dir() => Err(StoreError::new(
            StoreErrorKind::Unavailable,
            format!(
                "cannot open the SQLite file {}: the folder {} does not exist; create it or name another file",
                file.display(),
                folder.display()
            ),
        )),
        _ => Ok(()),
    }
}
