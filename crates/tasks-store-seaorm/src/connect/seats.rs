//! Connections for what runs all the time: claims, outcomes, new jobs.
//!
//! The driver's pool asks each connection that comes back whether its server is there, for it cannot know how the work with it ended: two round trips after every
//! transaction, of which a job that is stored by itself would notice each. Here it is known. A connection whose last statement was answered is used again, one that is in a
//! transaction still is rolled back first, and any other is dropped; a fresh one is opened when it is needed.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use sea_orm::error::ConnAcquireErr;
use sea_orm::sqlx::postgres::{PgArguments, PgConnection, PgRow};
use sea_orm::sqlx::{self, AssertSqlSafe, Connection as _, Executor as _, Postgres};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, ExecResult, QueryResult, RuntimeErr, Statement};
use sea_query_sqlx::SqlxValues;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::silence::{Open, Watch};

/// Longest wait for the server to take note that a connection or transaction ends, where nobody waits for it.
const FAREWELL: Duration = Duration::from_secs(5);

/// The places. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Seats(Arc<Inner>);

struct Inner {
    open: Open<PgConnection>,
    watch: Watch,
    /// Longest wait for a place and for a connection to be opened.
    patience: Duration,
    places: Arc<Semaphore>,
    free: Mutex<Vec<Free>>,
}

/// A connection that nobody uses.
struct Free {
    connection: PgConnection,
    opened: Instant,
    since: Instant,
}

/// A place with its connection.
pub(crate) struct Seat {
    /// `None` once it has left its place.
    connection: tokio::sync::Mutex<Option<PgConnection>>,
    opened: Instant,
    /// Whether a statement is on its way, or ended in a way after which the connection cannot be used.
    is_busy: AtomicBool,
    is_in_transaction: AtomicBool,
    home: Arc<Inner>,
    place: Option<OwnedSemaphorePermit>,
}

impl fmt::Debug for Seats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seats").finish_non_exhaustive()
    }
}

impl fmt::Debug for Seat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seat").finish_non_exhaustive()
    }
}

impl Seats {
    /// So many places, each of which gets its connection when it is first needed.
    pub(super) fn new(count: u32, patience: Duration, open: Open<PgConnection>, watch: Watch) -> Self {
        Self(Arc::new(Inner {
            open,
            watch,
            patience,
            places: Arc::new(Semaphore::new(usize::try_from(count).unwrap_or(usize::MAX))),
            free: Mutex::default(),
        }))
    }

    /// A place, with a connection whose server has answered within the last second, or now.
    pub(crate) async fn take(&self) -> Result<Seat, DbErr> {
        let inner = &self.0;
        let place = timeout(inner.patience, Arc::clone(&inner.places).acquire_owned())
            .await
            .map_err(|_| DbErr::ConnectionAcquire(ConnAcquireErr::Timeout))?
            .map_err(|_| DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed))?;
        let free = inner.free().pop();
        let (connection, opened) = match free {
            Some(free) => inner.checked(free).await?,
            None => (inner.open().await?, Instant::now()),
        };
        Ok(Seat {
            connection: tokio::sync::Mutex::new(Some(connection)),
            opened,
            is_busy: AtomicBool::new(false),
            is_in_transaction: AtomicBool::new(false),
            home: Arc::clone(inner),
            place: Some(place),
        })
    }

    /// A place on which a transaction has begun.
    pub(crate) async fn begin(&self) -> Result<Seat, DbErr> {
        let seat = self.take().await?;
        seat.say("BEGIN").await?;
        seat.is_in_transaction.store(true, Ordering::Release);
        Ok(seat)
    }

    /// Closes the connections that nobody uses, and those in use when they come back. There are no places any more.
    pub(crate) async fn close(&self) {
        self.0.places.close();
        let free = std::mem::take(&mut *self.0.free());
        for it in free {
            // Whether the server takes note changes nothing.
            let _ = it.connection.close().await;
        }
    }
}

impl Inner {
    fn free(&self) -> std::sync::MutexGuard<'_, Vec<Free>> {
        self.free.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn open(&self) -> Result<PgConnection, DbErr> {
        match timeout(self.patience, (self.open)()).await {
            Ok(opened) => opened.map_err(failed),
            Err(_) => Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)),
        }
    }

    /// A connection that was idle, or another one in its place.
    async fn checked(&self, free: Free) -> Result<(PgConnection, Instant), DbErr> {
        let Free {
            mut connection,
            opened,
            since,
        } = free;
        let checked = self
            .watch
            .before_use(&mut connection, opened.elapsed(), since.elapsed(), &self.open);
        match timeout(self.patience, checked).await {
            Ok(Ok(true)) => Ok((connection, opened)),
            // Its server has ended it.
            Ok(_) => Ok((self.open().await?, Instant::now())),
            Err(_) => Err(DbErr::ConnectionAcquire(ConnAcquireErr::Timeout)),
        }
    }

    fn put_back(&self, connection: PgConnection, opened: Instant) {
        if !self.places.is_closed() {
            self.free().push(Free {
                connection,
                opened,
                since: Instant::now(),
            });
        }
    }
}

impl Seat {
    /// Ends the transaction. After an error it is open whether it took effect.
    pub(crate) async fn commit(self) -> Result<(), DbErr> {
        self.end("COMMIT").await
    }

    /// Ends the transaction as if it had not been.
    pub(crate) async fn rollback(self) -> Result<(), DbErr> {
        self.end("ROLLBACK").await
    }

    /// Runs a statement with values that are written as they are sent; answers how many rows it changed.
    pub(crate) async fn execute(&self, sql: String, values: PgArguments) -> Result<u64, DbErr> {
        self.with(async |connection| {
            sqlx::query_with(AssertSqlSafe(sql), values)
                .execute(connection)
                .await
        })
        .await
        .map(|it| it.rows_affected())
    }

    /// As [`execute`](Self::execute); answers the rows.
    pub(crate) async fn rows(&self, sql: String, values: PgArguments) -> Result<Vec<PgRow>, DbErr> {
        self.with(async |connection| {
            sqlx::query_with(AssertSqlSafe(sql), values)
                .fetch_all(connection)
                .await
        })
        .await
    }

    async fn end(self, how: &'static str) -> Result<(), DbErr> {
        self.say(how).await?;
        self.is_in_transaction.store(false, Ordering::Release);
        Ok(())
    }

    async fn say(&self, what: &'static str) -> Result<(), DbErr> {
        self.with(async |connection| connection.execute(what).await.map(drop))
            .await
    }

    async fn with<T>(
        &self,
        work: impl AsyncFnOnce(&mut PgConnection) -> Result<T, sqlx::Error>,
    ) -> Result<T, DbErr> {
        let mut connection = self.connection.lock().await;
        let Some(connection) = connection.as_mut() else {
            return Err(DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed));
        };
        self.is_busy.store(true, Ordering::Release);
        let done = work(connection).await;
        // An answer that says no is an answer.
        let is_answered = matches!(&done, Ok(_) | Err(sqlx::Error::Database(_)));
        self.is_busy.store(!is_answered, Ordering::Release);
        done.map_err(failed)
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let Some(mut connection) = self.connection.get_mut().take() else {
            return;
        };
        if self.is_busy.load(Ordering::Acquire) {
            return;
        }
        let (home, opened, place) = (Arc::clone(&self.home), self.opened, self.place.take());
        if !self.is_in_transaction.load(Ordering::Acquire) {
            home.put_back(connection, opened);
            return;
        }
        // Given up in the middle. Without a runtime the connection is dropped, and the server gives the transaction up by itself.
        if let Ok(runtime) = Handle::try_current() {
            drop(runtime.spawn(async move {
                if let Ok(Ok(_)) = timeout(FAREWELL, connection.execute("ROLLBACK")).await {
                    home.put_back(connection, opened);
                }
                drop(place);
            }));
        }
    }
}

#[async_trait]
impl ConnectionTrait for Seat {
    fn get_database_backend(&self) -> DbBackend {
        DbBackend::Postgres
    }

    async fn execute_raw(&self, stmt: Statement) -> Result<ExecResult, DbErr> {
        self.with(async |connection| query(&stmt.sql, stmt.values).execute(connection).await)
            .await
            .map(ExecResult::from)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.with(async |connection| connection.execute(AssertSqlSafe(sql)).await)
            .await
            .map(ExecResult::from)
    }

    async fn query_one_raw(&self, stmt: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.with(async |connection| query(&stmt.sql, stmt.values).fetch_optional(connection).await)
            .await
            .map(|row| row.map(QueryResult::from))
    }

    async fn query_all_raw(&self, stmt: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.with(async |connection| query(&stmt.sql, stmt.values).fetch_all(connection).await)
            .await
            .map(|rows| rows.into_iter().map(QueryResult::from).collect())
    }
}

/// The values are moved, not copied: a batch is large.
fn query(sql: &str, values: Option<sea_orm::Values>) -> sqlx::query::Query<'_, Postgres, SqlxValues> {
    let values = values.unwrap_or(sea_orm::Values(Vec::new()));
    sqlx::query_with(AssertSqlSafe(sql), SqlxValues(values))
}

fn failed(error: sqlx::Error) -> DbErr {
    let error = RuntimeErr::SqlxError(Arc::new(error));
    match &error {
        RuntimeErr::SqlxError(it) if matches!(it.as_ref(), sqlx::Error::Database(_)) => DbErr::Query(error),
        _ => DbErr::Conn(error),
    }
}
