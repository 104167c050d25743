//! From failures of the database to failures of a store: what it means to the caller, and what to do next.

use sea_orm::DbErr;
#[cfg(feature = "sqlite")]
use sea_orm::{RuntimeErr, sqlx};
use tasks_abstractions::StoreError;
use tasks_abstractions::store::StoreErrorKind;

/// What kind of failure it is, whatever the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Somebody else holds the lock.
    Busy,
    /// A transaction that read first cannot be made a writing one.
    CannotUpgrade,
    /// No space is left.
    Full,
    /// Reading or writing the file, or the connection, failed.
    Connection,
    /// All connections of the pool are in use.
    PoolTimeout,
    /// The data do not fit the tables.
    Constraint,
    /// The value is longer than the database takes.
    TooLong,
    /// The file is no database of this kind, or is damaged.
    Damaged,
    /// The file or its folder may not be written.
    ReadOnly,
    /// The file cannot be opened.
    CannotOpen,
    /// Anything else: a statement or an answer that is wrong.
    Other,
}

/// The class of a failure.
pub(crate) fn class_of(error: &DbErr) -> Class {
    match error {
        DbErr::ConnectionAcquire(sea_orm::error::ConnAcquireErr::Timeout) => Class::PoolTimeout,
        DbErr::ConnectionAcquire(_) => Class::Connection,
        #[cfg(feature = "sqlite")]
        DbErr::Conn(RuntimeErr::SqlxError(it))
        | DbErr::Exec(RuntimeErr::SqlxError(it))
        | DbErr::Query(RuntimeErr::SqlxError(it)) => class_of_sqlx(it),
        _ => Class::Other,
    }
}

#[cfg(feature = "sqlite")]
fn class_of_sqlx(error: &sqlx::Error) -> Class {
    match error {
        sqlx::Error::Database(it) => it
            .code()
            .and_then(|code| code.parse().ok())
            .map_or(Class::Other, class_of_sqlite),
        sqlx::Error::PoolTimedOut => Class::PoolTimeout,
        sqlx::Error::Io(_) | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => Class::Connection,
        _ => Class::Other,
    }
}

/// The class of SQLite's extended result codes; the low byte is the primary code.
#[cfg_attr(
    not(feature = "sqlite"),
    expect(dead_code, reason = "only SQLite has these codes")
)]
pub(crate) fn class_of_sqlite(code: i32) -> Class {
    const BUSY_SNAPSHOT: i32 = 517;
    match (code, code & 0xff) {
        (BUSY_SNAPSHOT, _) => Class::CannotUpgrade,
        (_, 5 | 6) => Class::Busy,
        (_, 13) => Class::Full,
        (_, 7 | 9 | 10) => Class::Connection,
        (_, 8 | 3) => Class::ReadOnly,
        (_, 14) => Class::CannotOpen,
        (_, 11 | 26) => Class::Damaged,
        (_, 18) => Class::TooLong,
        (_, 19 | 20) => Class::Constraint,
        _ => Class::Other,
    }
}

/// A failure of the store's own work; `doing` completes "cannot …".
pub(crate) fn failed(error: DbErr, doing: &str) -> StoreError {
    use StoreErrorKind as Kind;
    let (kind, next) = match class_of(&error) {
        Class::Busy | Class::CannotUpgrade => (
            Kind::Unavailable,
            "another program holds the write lock of the database for longer than `busy_timeout`; try again, and look for a program that keeps a \
             transaction open",
        ),
        Class::Full => (
            Kind::Unavailable,
            "the disk or the database is full; make space, nothing else is needed",
        ),
        Class::Connection => (
            Kind::Unavailable,
            "the database cannot be read or written; check that its disk or server is there, then try again",
        ),
        Class::PoolTimeout => (
            Kind::Unavailable,
            "no connection became free within `acquire_timeout`; try again, and look for transactions that are kept open",
        ),
        Class::ReadOnly => (
            Kind::Unavailable,
            "the database may not be written; give this program write permission on the file and its folder",
        ),
        Class::CannotOpen => (
            Kind::Unavailable,
            "the file cannot be opened; check that its folder exists and may be written",
        ),
        Class::Constraint => (Kind::Rejected, "the data do not fit the tables; correct them"),
        Class::TooLong => (
            Kind::Rejected,
            "a value is longer than the database takes; keep large data elsewhere and store its key",
        ),
        Class::Damaged => (
            Kind::Invalid,
            "the file is no SQLite database or is damaged; restore it from a backup or name another file",
        ),
        Class::Other => (
            Kind::Invalid,
            "the database refused the statement; check that its tables were migrated to this program's version",
        ),
    };
    StoreError::new(kind, format!("cannot {doing}: {next}")).caused_by(error)
}

/// A failure inside a transaction of the caller's own.
///
/// A busy database means something else there: SQLite does not let a transaction that has read become a writing one once
/// another writer was faster, and repeating the statement can never help.
pub(crate) fn failed_in_callers(error: DbErr, doing: &str) -> StoreError {
    match class_of(&error) {
        Class::Busy | Class::CannotUpgrade => StoreError::new(
            StoreErrorKind::Transaction,
            format!(
                "cannot {doing}: your transaction read before it wrote, and another writer was faster, so SQLite cannot make it a writing one; roll it \
                 back and run it anew, begun with BEGIN IMMEDIATE: \
                 `db.begin_with_options(TransactionOptions {{ sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate), ..Default::default() }})`, \
                 or use `SeaOrmStore::transaction`, which does that"
            ),
        )
        .caused_by(error),
        _ => failed(error, doing),
    }
}

/// Refuses texts that not every database can keep.
pub(crate) fn refuse_nul<'a>(
    what: &dyn std::fmt::Display,
    texts: impl IntoIterator<Item = (&'a str, Option<&'a str>)>,
) -> Result<(), StoreError> {
    for (field, text) in texts {
        if text.is_some_and(|it| it.contains('\0')) {
            return Err(StoreError::new(
                StoreErrorKind::Rejected,
                format!(
                    "`{field}` of {what} contains a NUL character, which databases cannot keep; replace it and try again"
                ),
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
