//! From failures of the database to failures of a store: what it means to the caller, and what to do next.

use sea_orm::DbErr;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
use sea_orm::{RuntimeErr, sqlx};
use tasks_abstractions::StoreError;
use tasks_abstractions::store::StoreErrorKind;

/// What kind of failure it is, whatever the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// Somebody else holds the lock.
    Busy,
    /// Another transaction was in the way: this one was rolled back and can be begun anew at once.
    Conflict,
    /// The server gave up the statement, because it took too long.
    TookTooLong,
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
    /// The server knows no such user, password or database.
    Refused,
    /// Anything else: a statement or an answer that is wrong.
    Other,
}

/// The class of a failure.
pub(crate) fn class_of(error: &DbErr) -> Class {
    match error {
        DbErr::ConnectionAcquire(sea_orm::error::ConnAcquireErr::Timeout) => Class::PoolTimeout,
        DbErr::ConnectionAcquire(_) => Class::Connection,
        #[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
        DbErr::Conn(RuntimeErr::SqlxError(it))
        | DbErr::Exec(RuntimeErr::SqlxError(it))
        | DbErr::Query(RuntimeErr::SqlxError(it)) => class_of_sqlx(it),
        _ => Class::Other,
    }
}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
fn class_of_sqlx(error: &sqlx::Error) -> Class {
    match error {
        sqlx::Error::Database(it) => class_of_database(it.as_ref()),
        sqlx::Error::PoolTimedOut => Class::PoolTimeout,
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed => Class::Connection,
        _ => Class::Other,
    }
}

#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
fn class_of_database(error: &dyn sqlx::error::DatabaseError) -> Class {
    #[cfg(feature = "postgres")]
    if let Some(it) = error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() {
        return class_of_postgres(it.code(), it.constraint());
    }
    #[cfg(feature = "mysql")]
    if let Some(it) = error.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>() {
        return class_of_mysql(it.number(), it.message());
    }
    #[cfg(feature = "sqlite")]
    if error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
        let code = error.code().and_then(|it| it.parse().ok());
        return code.map_or(Class::Other, class_of_sqlite);
    }
    Class::Other
}

/// The class of PostgreSQL's five characters; the first two are the kind of error.
#[cfg_attr(
    all(not(feature = "postgres"), not(test)),
    expect(dead_code, reason = "only PostgreSQL has these codes")
)]
pub(crate) fn class_of_postgres(code: &str, constraint: Option<&str>) -> Class {
    match code {
        // Somebody took the name between the look and the writing: the next look finds it.
        "23505" if constraint == Some("tk_background_jobs_name_key") => Class::Conflict,
        "40001" | "40P01" => Class::Conflict,
        "55P03" => Class::Busy,
        "57014" => Class::TookTooLong,
        "25006" => Class::ReadOnly,
        "53100" => Class::Full,
        "57P01" | "57P02" | "57P03" | "25P03" => Class::Connection,
        "54000" | "22001" | "22003" => Class::TooLong,
        "22021" | "22P05" => Class::Constraint,
        "3D000" => Class::Refused,
        _ => match code.get(..2) {
            Some("08" | "53" | "58") => Class::Connection,
            Some("28") => Class::Refused,
            Some("23") => Class::Constraint,
            _ => Class::Other,
        },
    }
}

/// The class of the numbers of MariaDB and MySQL.
#[cfg_attr(
    all(not(feature = "mysql"), not(test)),
    expect(dead_code, reason = "only MariaDB and MySQL have these numbers")
)]
pub(crate) fn class_of_mysql(number: u16, message: &str) -> Class {
    match number {
        1062 if message.contains("tk_background_jobs_name_key") => Class::Conflict,
        // 1020: a row was changed since the transaction read it.
        1020 | 1205 | 1213 => Class::Conflict,
        1317 | 1969 | 3024 => Class::TookTooLong,
        1290 | 1792 | 1836 => Class::ReadOnly,
        1021 | 1114 => Class::Full,
        1040 | 1053 | 1203 | 1927 | 2006 | 2013 | 4031 => Class::Connection,
        1044 | 1045 | 1049 | 1698 => Class::Refused,
        1153 | 1264 | 1301 | 1406 => Class::TooLong,
        1048 | 1062 | 1366 | 3819 | 4025 => Class::Constraint,
        _ => Class::Other,
    }
}

/// Whether a change of a table was refused because it is done: table, column or index are there already, or gone already.
pub(crate) fn is_done_already(error: &DbErr) -> bool {
    #[cfg(feature = "mysql")]
    if let DbErr::Exec(RuntimeErr::SqlxError(it)) = error
        && let sqlx::Error::Database(it) = it.as_ref()
        && let Some(it) = it.try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>()
    {
        return matches!(it.number(), 1050 | 1051 | 1060 | 1061 | 1091);
    }
    let _ = error;
    false
}

/// Whether the failure of a store's own transaction is one after which it can be begun anew at once.
pub(crate) fn is_conflict(error: &StoreError) -> bool {
    std::error::Error::source(error)
        .and_then(|it| it.downcast_ref::<DbErr>())
        .is_some_and(|it| class_of(it) == Class::Conflict)
}

/// The class of SQLite's extended result codes; the low byte is the primary code.
#[cfg_attr(
    all(not(feature = "sqlite"), not(test)),
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
        Class::Conflict => (
            Kind::Unavailable,
            "other transactions were in the way each time; try again",
        ),
        Class::TookTooLong => (
            Kind::Unavailable,
            "the server gave up a statement that took longer than `statement_timeout`; try again, and look for transactions that are kept open",
        ),
        Class::Refused => (
            Kind::Unavailable,
            "the server refused the connection; check user, password and database in the URL",
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
        Class::Conflict => StoreError::new(
            StoreErrorKind::Transaction,
            format!("cannot {doing}: another transaction was in the way of yours; roll it back and run it anew"),
        )
        .caused_by(error),
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
