//! The store: open handles, clock, ids, locks of instances.

use std::collections::HashSet;
use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

#[cfg(feature = "postgres")]
use sea_orm::DbErr;
use sea_orm::{ConnectionTrait, DatabaseConnection, DatabaseTransaction, TransactionTrait};
use tasks_abstractions::job::Lane;
use tasks_abstractions::{
    Clock, GuidGenerator, JobId, JobNotifier, RunId, SequentialGuidGenerator, StoreError, Timestamp,
};

#[cfg(feature = "postgres")]
use crate::claim::Unreadable;
#[cfg(feature = "postgres")]
use crate::connect::Seats;
use crate::connect::{self, Handles};
use crate::error::{Class, class_of, failed, is_conflict};
use crate::lock_file::LockFiles;
use crate::migration;
use crate::options::{Location, SeaOrmStoreOptions};
use crate::row::{Hex, json_rows, timestamp, unreadable};
use crate::statement::{On, answered, column};
use crate::submit::Together;
#[cfg(feature = "postgres")]
use crate::sweep::Sweep;

/// How often a transaction is tried when others are in its way each time.
const TRIES: usize = 8;

/// Jobs, executions, logs, nodes and locks in a database. Cheap to clone; the clones share their connections.
///
/// On SQLite one connection writes, each time in a transaction that holds the write lock from its start, and several read. Other programs may use
/// the same file at the same time. On a server several connections write; a transaction locks the rows of the jobs that it is about.
#[derive(Clone)]
pub struct SeaOrmStore {
    shared: Arc<Shared>,
}

impl fmt::Debug for SeaOrmStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeaOrmStore")
            .field("location", &self.shared.location)
            .finish_non_exhaustive()
    }
}

/// What the clones of a store share.
pub(crate) struct Shared {
    pub(crate) open: Handles,
    pub(crate) location: Location,
    pub(crate) schema: Option<String>,
    pub(crate) busy_timeout: Duration,
    acquire_timeout: Duration,
    pub(crate) clock: Arc<dyn Clock>,
    guids: SequentialGuidGenerator,
    pub(crate) lock_files: LockFiles,
    notifier: Option<Arc<dyn JobNotifier>>,
    /// After how many jobs the tables of a server are cleaned up that needs it.
    #[cfg(feature = "postgres")]
    pub(crate) vacuum_after: Option<u32>,
    #[cfg(feature = "postgres")]
    pub(crate) sweep: Sweep,
    #[cfg(feature = "postgres")]
    pub(crate) unreadable: Unreadable,
    pub(crate) together: Together,
    /// Lanes that are known to be committed. Lanes are never removed.
    lanes: Mutex<HashSet<Lane>>,
}

impl Shared {
    /// Longest time that one of the store's own takes, with the wait for a connection.
    pub(crate) fn longest_transaction(&self) -> Duration {
        self.acquire_timeout + self.open.answer_limit.unwrap_or(self.busy_timeout)
    }
}

impl SeaOrmStore {
    /// Opens the database, creating a missing file, and brings its tables to this program's version where the options say so.
    ///
    /// # Errors
    /// Kind `Invalid` where options are wrong (all faults at once), the build lacks the database's feature, or the tables have another version;
    /// kind `Unavailable` where the database cannot be opened.
    pub async fn connect(options: SeaOrmStoreOptions, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let migrates = options.migrate_on_start;
        let store = Self::connect_unchecked(options, clock).await?;
        if migrates {
            migration::up_on(&store.shared).await?;
        }
        migration::check(&store.shared).await?;
        Ok(store)
    }

    /// As [`connect`](Self::connect), with default options, for the SQLite file at `path`.
    ///
    /// # Errors
    /// As [`connect`](Self::connect), and kind `Invalid` where the path is no UTF-8.
    pub async fn connect_path(path: impl AsRef<Path>, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        Self::connect(SeaOrmStoreOptions::path(path)?, clock).await
    }

    /// Opens the database and leaves its tables as they are, whatever the options say: for [`migrate`](crate::migrate). Nothing else may be used
    /// before the tables have this program's version.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn connect_unchecked(
        options: SeaOrmStoreOptions,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        let location = options.check()?;
        let open = connect::open(&options, &location).await?;
        let lock_files = LockFiles::beside(&location)?;
        let guids = SequentialGuidGenerator::new(clock.clone());
        let notifier = connect::notifier(&options, &location, guids.create())?;
        Ok(Self {
            shared: Arc::new(Shared {
                open,
                location,
                schema: options.schema,
                busy_timeout: options.busy_timeout,
                acquire_timeout: options.acquire_timeout,
                guids,
                clock,
                lock_files,
                notifier,
                #[cfg(feature = "postgres")]
                vacuum_after: options.vacuum_after,
                #[cfg(feature = "postgres")]
                sweep: Sweep::default(),
                #[cfg(feature = "postgres")]
                unreadable: Unreadable::default(),
                together: Together::default(),
                lanes: Mutex::new(HashSet::from([Lane::any_node()])),
            }),
        })
    }

    /// A connection to the same database for the application's own statements, with the same durability. It is a pool of its own: what runs on it never holds up
    /// the engine's connections, though on SQLite every open transaction that writes holds up all writers, and on a server the rows that it has locked. (`sqlite::memory:` has but one connection.)
    #[must_use]
    pub fn connection(&self) -> &DatabaseConnection {
        &self.shared.open.application
    }

    /// What tells other processes on this database of work and commands: on PostgreSQL, by LISTEN and NOTIFY on connections of its own, unless
    /// [`SeaOrmStoreOptions::notify`] is false. Elsewhere `None`.
    #[must_use]
    pub fn notifier(&self) -> Option<&Arc<dyn JobNotifier>> {
        self.shared.notifier.as_ref()
    }

    /// Sends what other processes are to be told (for at most 2 s), closes all connections and frees the locks of this process's instances. Calls of this store and its clones fail afterwards.
    ///
    /// # Errors
    /// Where the database could not be closed in order.
    pub async fn close(&self) -> Result<(), StoreError> {
        if let Some(notifier) = &self.shared.notifier {
            notifier.flush().await;
        }
        self.shared.open.close().await?;
        self.shared.lock_files.release_all();
        Ok(())
    }

    pub(crate) fn handles(&self) -> &Shared {
        &self.shared
    }

    /// The reading handle.
    pub(crate) fn reading(&self) -> On<'_, DatabaseConnection> {
        On::own(&self.shared.open.reader, &self.shared.open)
    }

    /// Begins a transaction that is going to write. On SQLite it holds the write lock.
    pub(crate) async fn begin(&self, doing: &str) -> Result<DatabaseTransaction, StoreError> {
        begin(&self.shared, self.shared.busy_timeout, doing).await
    }

    /// The connections for what runs all the time.
    #[cfg(feature = "postgres")]
    pub(crate) fn seats(&self) -> Option<&Seats> {
        self.shared.open.seats.as_ref()
    }

    /// Waits for an answer about a seat, at most as long as for a connection and an answer of its server.
    #[cfg(feature = "postgres")]
    pub(crate) async fn on_seat<T>(
        &self,
        doing: &str,
        work: impl Future<Output = Result<T, DbErr>>,
    ) -> Result<T, StoreError> {
        let limit = self
            .shared
            .open
            .answer_limit
            .map(|it| it + self.shared.acquire_timeout);
        answered(limit, doing, work)
            .await?
            .map_err(|it| failed(it, doing))
    }

    /// As [`begin`](Self::begin), over the connection that renews the lease.
    pub(crate) async fn begin_lease(&self, doing: &str) -> Result<DatabaseTransaction, StoreError> {
        let shared = &self.shared;
        begin_over(&shared.open.lease, shared, shared.busy_timeout, doing).await
    }

    /// Commits; see [`commit`].
    pub(crate) async fn commit(&self, tx: DatabaseTransaction, doing: &str) -> Result<(), StoreError> {
        commit(tx, &self.shared.open, doing).await
    }

    /// Rolls back; see [`rollback`].
    pub(crate) async fn rollback(&self, tx: DatabaseTransaction, doing: &str) -> Result<(), StoreError> {
        rollback(tx, &self.shared.open, doing).await
    }

    /// Statements on a transaction of the store's own.
    pub(crate) fn on<'t, C: ConnectionTrait>(&self, tx: &'t C) -> On<'t, C> {
        On::own(tx, &self.shared.open)
    }

    /// `now` as the caller gave it, else the database's clock. SQLite has none: there it is this machine's.
    pub(crate) async fn now_on<C: ConnectionTrait>(
        &self,
        on: On<'_, C>,
        now: Option<Timestamp>,
    ) -> Result<Timestamp, StoreError> {
        let doing = "read the clock of the database";
        match (now, on.dialect.sql().clock) {
            (Some(now), _) => Ok(now),
            (None, None) => Ok(self.shared.clock.now()),
            (None, Some(clock)) => {
                let row = on.row(clock, Vec::new(), doing).await?;
                let micros = row.map(|it| column::<i64>(&it, 0, doing)).transpose()?;
                self.now_from(None, micros)
            }
        }
    }

    /// `now` as the caller gave it, else as the database's clock answered together with something else.
    pub(crate) fn now_from(
        &self,
        now: Option<Timestamp>,
        database: Option<i64>,
    ) -> Result<Timestamp, StoreError> {
        match (now, database) {
            (Some(now), _) => Ok(now),
            (None, Some(micros)) => {
                timestamp(micros, "now").map_err(|it| unreadable("the clock of the database", &it))
            }
            (None, None) => Ok(self.shared.clock.now()),
        }
    }

    /// Carries out a transaction, and once more as long as another one was in its way, a few times.
    pub(crate) async fn again<T, F>(&self, once: impl Fn() -> F) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        for _ in 1..TRIES {
            match once().await {
                Err(it) if is_conflict(&it) => tracing::debug!(error = %it, "a transaction begins anew"),
                other => return other,
            }
        }
        once().await
    }

    pub(crate) fn new_run(&self) -> RunId {
        RunId::new(self.shared.guids.create())
    }

    /// Lanes of these that may not be in the database yet.
    pub(crate) fn unknown_lanes<'l>(&self, lanes: impl Iterator<Item = &'l Lane>) -> HashSet<&'l Lane> {
        let known = self.shared.lanes.lock().unwrap_or_else(PoisonError::into_inner);
        lanes.filter(|it| !known.contains(*it)).collect()
    }

    /// Remembers lanes whose transaction was committed.
    pub(crate) fn lanes_are_known(&self, lanes: HashSet<&Lane>) {
        if !lanes.is_empty() {
            let mut known = self.shared.lanes.lock().unwrap_or_else(PoisonError::into_inner);
            known.extend(lanes.into_iter().cloned());
        }
    }
}

/// Locks the rows of jobs, in the one order, where the database has row locks. What comes after it sees what it waited for.
pub(crate) async fn lock_jobs<C: ConnectionTrait>(
    on: On<'_, C>,
    ids: impl IntoIterator<Item = JobId>,
    doing: &str,
) -> Result<(), StoreError> {
    match on.dialect.sql().rows {
        Some(locks) => lock(on, locks.jobs, ids, doing).await,
        None => Ok(()),
    }
}

/// As [`lock_jobs`], and then their waiting executions: no claim takes them until the end of the transaction.
pub(crate) async fn lock_jobs_and_queue<C: ConnectionTrait>(
    on: On<'_, C>,
    ids: &[JobId],
    doing: &str,
) -> Result<(), StoreError> {
    let Some(locks) = on.dialect.sql().rows else {
        return Ok(());
    };
    lock(on, locks.jobs, ids.iter().copied(), doing).await?;
    lock(on, locks.queue, ids.iter().copied(), doing).await
}

async fn lock<C: ConnectionTrait>(
    on: On<'_, C>,
    sql: &'static str,
    ids: impl IntoIterator<Item = JobId>,
    doing: &str,
) -> Result<(), StoreError> {
    let mut ids: Vec<_> = ids.into_iter().map(|it| it.as_uuid()).collect();
    ids.sort_unstable();
    on.execute_batches(sql, json_rows(ids.into_iter().map(Hex))?, doing)
        .await
        .map(drop)
}

/// Begins a transaction that is going to write, trying for `patience` where all writers share one lock. SQLite's own waiting is short here; see `connect`.
pub(crate) async fn begin(
    shared: &Shared,
    patience: Duration,
    doing: &str,
) -> Result<DatabaseTransaction, StoreError> {
    begin_over(&shared.open.writer, shared, patience, doing).await
}

async fn begin_over(
    connections: &DatabaseConnection,
    shared: &Shared,
    patience: Duration,
    doing: &str,
) -> Result<DatabaseTransaction, StoreError> {
    let since = Instant::now();
    let limit = shared.open.answer_limit.map(|it| it + shared.acquire_timeout);
    loop {
        let begun = connections.begin_with_options(shared.open.dialect.writing());
        match answered(limit, doing, begun).await? {
            Err(it) if class_of(&it) == Class::Busy && since.elapsed() < patience => {}
            other => return other.map_err(|it| failed(it, doing)),
        }
    }
}

/// Ends a transaction that is not to change anything. One that is only dropped gives its locks back some time later, and
/// whoever comes next, and does not wait, passes the rows over.
pub(crate) async fn rollback(tx: DatabaseTransaction, open: &Handles, doing: &str) -> Result<(), StoreError> {
    let ended = answered(open.answer_limit, doing, tx.rollback()).await?;
    ended.map_err(|it| failed(it, doing))
}

/// Commits. After an error it is open whether the transaction took effect.
pub(crate) async fn commit(tx: DatabaseTransaction, open: &Handles, doing: &str) -> Result<(), StoreError> {
    let ended = answered(open.answer_limit, doing, tx.commit()).await?;
    ended.map_err(|it| failed(it, doing))
}
