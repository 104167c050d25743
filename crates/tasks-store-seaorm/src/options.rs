//! Where the database is and how it is used.

use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tasks_abstractions::store::StoreErrorKind;
use tasks_abstractions::{FieldFault, StoreError, ValidationErrors};

/// What a commit promises when the machine loses power, or the server crashes. A killed process of the application loses nothing under either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Durability {
    /// What was committed is on the disk (SQLite: `synchronous = FULL`; a server: as it is set up, which is so by default). The default.
    #[default]
    Full,
    /// The last commits before a failure may be gone: an accepted job may be lost, and a job that ran may run again. The database stays intact.
    ///
    /// - SQLite (`synchronous = NORMAL`): where the machine loses power or its operating system crashes. Worth up to a fifth in large batches, and about twice as
    ///   many single enqueues a second.
    /// - PostgreSQL (`synchronous_commit = off`): also where only the server's processes crash, or are killed or stopped at once: what it has not written yet, up to
    ///   about three times its `wal_writer_delay` (200 ms), is in their memory alone.
    /// - MariaDB and MySQL: changes nothing. There only the server decides, for all sessions (`innodb_flush_log_at_trx_commit`, `sync_binlog`).
    MayLoseLastCommits,
}

/// Options of a [`SeaOrmStore`](crate::SeaOrmStore). All faults are reported at once when it connects.
///
/// Its `Debug` shows the URL as [`shown_url`](Self::shown_url) does.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SeaOrmStoreOptions {
    /// Where the database is: `sqlite://FILE`, `sqlite:FILE` or `sqlite::memory:`; `postgres://USER:PASSWORD@HOST:PORT/DATABASE`;
    /// `mysql://…` or `mariadb://…` likewise. A missing file is created, a missing
    /// folder or database is not. Parameters of a server's URL set up TLS: `?sslmode=verify-full&sslrootcert=FILE`,
    /// on MySQL `?ssl-mode=VERIFY_IDENTITY&ssl-ca=FILE`. One that is not known is refused.
    pub url: String,
    /// The schema of the tables on PostgreSQL; created where it is missing and may be. Defaults to `None`: the first one of the user's `search_path`.
    pub schema: Option<String>,
    /// What a commit promises; without effect on MariaDB and MySQL. Defaults to [`Durability::Full`].
    pub durability: Durability,
    /// Connections for reading, 1 to 64. Defaults to 4.
    pub readers: u32,
    /// Connections for writing to a server, 1 to 64. Defaults to 4. On PostgreSQL they are for claims, outcomes and new jobs, and at most as many more, opened when they are needed, for everything else. One more renews the lease, so
    /// that no work can hold that up. SQLite has one that writes.
    pub writers: u32,
    /// Longest wait for the write lock of the database while other programs write, and for locked tables while they are migrated; at most an hour. Defaults to
    /// 5 s.
    pub busy_timeout: Duration,
    /// Longest wait for a connection while others of this process use them all, or while a server is away; at most an hour. Defaults to 30 s.
    pub acquire_timeout: Duration,
    /// Longest time that a statement of the store's runs on a server, and that a transaction of the store's is left without a statement, as by a process that was
    /// suspended; at most an hour. A statement that has no answer after twice that time has lost its server, as by a broken network. Defaults to 30 s.
    pub statement_timeout: Duration,
    /// Whether processes tell each other of work and commands by LISTEN and NOTIFY; PostgreSQL only. Two connections more for a process that runs jobs,
    /// one for a process that only enqueues. Without it they find out by polling. Switch it off behind a pooler in transaction mode. Defaults to true.
    pub notify: bool,
    /// After how many jobs that this process has done the tables through which they go are vacuumed, 1,000 to 10,000,000; `None`: by the server alone. PostgreSQL
    /// only, where rows that were removed stay until then, and the server looks once a minute. It has an effect where the user owns the tables. Defaults to 50,000.
    pub vacuum_after: Option<u32>,
    /// Whether connecting brings the tables to this program's version. Where false, a database of another version is refused. Defaults to true.
    pub migrate_on_start: bool,
}

impl SeaOrmStoreOptions {
    /// Options with defaults for the database at `url`.
    #[must_use]
    pub fn new(url: impl Into<String>) -> Self {
        Self {
            url: url.into(),
            schema: None,
            durability: Durability::default(),
            readers: 4,
            writers: 4,
            busy_timeout: Duration::from_secs(5),
            acquire_timeout: Duration::from_secs(30),
            statement_timeout: Duration::from_secs(30),
            notify: true,
            vacuum_after: Some(50_000),
            migrate_on_start: true,
        }
    }

    /// Options with defaults for the SQLite file at `path`.
    ///
    /// # Errors
    /// Kind `Invalid` where the path is no UTF-8.
    pub fn path(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let path = path.as_ref();
        let Some(text) = path.to_str() else {
            return Err(StoreError::new(
                StoreErrorKind::Invalid,
                format!("the path {path:?} is not UTF-8; name another file"),
            ));
        };
        // What has a meaning in URLs is written as a percent code.
        let encoded = text.replace('%', "%25").replace('?', "%3F").replace('#', "%23");
        Ok(Self::new(format!("sqlite://{encoded}")))
    }

    /// The URL for logs and messages: without its user, password and parameters.
    #[must_use]
    pub fn shown_url(&self) -> String {
        let (scheme, rest) = self.url.split_once(':').unwrap_or(("", &self.url));
        let rest = rest.strip_prefix("//").unwrap_or(rest);
        let rest = match rest.rsplit_once('@') {
            // Cut off with a password in which characters stand as they are that should have been percent codes.
            Some((_, rest)) if scheme != "sqlite" => rest,
            _ => rest,
        };
        format!("{scheme}://{}", rest.split('?').next().unwrap_or(rest))
    }

    /// Finds the database and checks every field.
    pub(crate) fn check(&self) -> Result<Location, StoreError> {
        const HOUR: Duration = Duration::from_secs(3_600);
        let mut faults = Vec::new();
        let location = location_of(&self.url).map_err(|it| faults.push(it)).ok();
        for (field, value) in [("readers", self.readers), ("writers", self.writers)] {
            if !(1..=64).contains(&value) {
                faults.push(FieldFault::new(field, format!("is {value}; expected 1 to 64")));
            }
        }
        if let Some(jobs) = self.vacuum_after
            && !(1_000..=10_000_000).contains(&jobs)
        {
            faults.push(FieldFault::new(
                "vacuum_after",
                format!("is {jobs}; expected 1000 to 10000000, or None"),
            ));
        }
        if let (Some(schema), Some(location)) = (&self.schema, &location) {
            faults.extend(schema_fault(schema, location));
        }
        for (field, value) in [
            ("busy_timeout", self.busy_timeout),
            ("acquire_timeout", self.acquire_timeout),
            ("statement_timeout", self.statement_timeout),
        ] {
            if value.is_zero() || value > HOUR {
                faults.push(FieldFault::new(
                    field,
                    format!("is {value:?}; expected 1 ms to 1 h"),
                ));
            }
        }
        let invalid = |faults| {
            StoreError::new(
                StoreErrorKind::Invalid,
                format!("the options of the store are not valid: {faults}"),
            )
        };
        ValidationErrors::from_faults(faults).map_err(invalid)?;
        location.ok_or_else(|| invalid(ValidationErrors::one("url", "names no database")))
    }
}

impl fmt::Debug for SeaOrmStoreOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SeaOrmStoreOptions")
            .field("url", &self.shown_url())
            .field("schema", &self.schema)
            .field("durability", &self.durability)
            .field("readers", &self.readers)
            .field("writers", &self.writers)
            .field("busy_timeout", &self.busy_timeout)
            .field("acquire_timeout", &self.acquire_timeout)
            .field("statement_timeout", &self.statement_timeout)
            .field("notify", &self.notify)
            .field("vacuum_after", &self.vacuum_after)
            .field("migrate_on_start", &self.migrate_on_start)
            .finish()
    }
}

/// Where a database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    /// A SQLite file.
    #[cfg_attr(
        all(not(feature = "sqlite"), not(test)),
        expect(dead_code, reason = "a build without SQLite finds none")
    )]
    SqliteFile(PathBuf),
    /// A SQLite database that lives and dies with its one connection.
    #[cfg_attr(
        all(not(feature = "sqlite"), not(test)),
        expect(dead_code, reason = "a build without SQLite finds none")
    )]
    SqliteMemory,
    /// A PostgreSQL server.
    #[cfg_attr(
        not(feature = "postgres"),
        expect(dead_code, reason = "a build without PostgreSQL finds none")
    )]
    Postgres,
    /// A MariaDB or MySQL server.
    #[cfg_attr(
        not(feature = "mysql"),
        expect(dead_code, reason = "a build without MySQL finds none")
    )]
    Mysql,
}

/// What is wrong with the name of a schema. It is quoted nowhere, so that it means the same to every tool.
fn schema_fault(schema: &str, location: &Location) -> Option<FieldFault> {
    let is_name = schema.len() <= 63
        && schema.starts_with(|it: char| it.is_ascii_lowercase() || it == '_')
        && schema
            .chars()
            .all(|it| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_');
    if !is_name {
        return Some(FieldFault::new(
            "schema",
            format!("is `{schema}`; expected up to 63 small letters, digits and `_`, and no digit first"),
        ));
    }
    match location {
        Location::Postgres => None,
        Location::SqliteFile(_) | Location::SqliteMemory | Location::Mysql => Some(FieldFault::new(
            "schema",
            "is set, but only PostgreSQL has schemas; name the database in the URL",
        )),
    }
}

fn location_of(url: &str) -> Result<Location, FieldFault> {
    let fault = |problem: String| Err(FieldFault::new("url", problem));
    let Some((scheme, rest)) = url.split_once(':') else {
        return fault(format!(
            "is `{url}`, without a scheme; expected sqlite://FILE, or pass a path to `SeaOrmStore::connect_path`"
        ));
    };
    let feature = match scheme {
        "sqlite" if cfg!(feature = "sqlite") => return sqlite_location(url, rest),
        "sqlite" => "sqlite",
        #[cfg(feature = "postgres")]
        "postgres" | "postgresql" => return postgres_location(url),
        #[cfg(not(feature = "postgres"))]
        "postgres" | "postgresql" => "postgres",
        #[cfg(feature = "mysql")]
        "mysql" | "mariadb" => return mysql_location(url),
        #[cfg(not(feature = "mysql"))]
        "mysql" | "mariadb" => "mysql",
        other => {
            return fault(format!(
                "has the scheme `{other}`; expected sqlite://FILE, postgres://HOST/DATABASE or mysql://HOST/DATABASE"
            ));
        }
    };
    fault(format!(
        "asks for `{scheme}`, which this build does not contain; enable the cargo feature `{feature}` of tasks-store-seaorm, if its version has it"
    ))
}

#[cfg(feature = "sqlite")]
fn sqlite_location(url: &str, rest: &str) -> Result<Location, FieldFault> {
    let text = rest.strip_prefix("//").unwrap_or(rest);
    let bare = text.split('?').next().unwrap_or(text);
    if bare.is_empty() {
        return Err(FieldFault::new(
            "url",
            format!("is `{url}`, without a file; expected sqlite://FILE"),
        ));
    }
    if bare == ":memory:" || text.contains("mode=memory") {
        return Ok(Location::SqliteMemory);
    }
    url.parse::<sea_orm::sqlx::sqlite::SqliteConnectOptions>()
        .map(|it| Location::SqliteFile(it.get_filename().to_path_buf()))
        .map_err(|it| FieldFault::new("url", format!("is `{url}`, which cannot be read: {it}")))
}

#[cfg(feature = "postgres")]
fn postgres_location(url: &str) -> Result<Location, FieldFault> {
    parameters::check(url, parameters::POSTGRES)?;
    // The URL may hold a password, so it is not repeated.
    match url.parse::<sea_orm::sqlx::postgres::PgConnectOptions>() {
        Ok(_) => Ok(Location::Postgres),
        Err(it) => Err(FieldFault::new("url", format!("cannot be read: {it}"))),
    }
}

#[cfg(feature = "mysql")]
fn mysql_location(url: &str) -> Result<Location, FieldFault> {
    parameters::check(url, parameters::MYSQL)?;
    let fault = |problem: String| FieldFault::new("url", problem);
    let options = driver_url(url)
        .parse::<sea_orm::sqlx::mysql::MySqlConnectOptions>()
        .map_err(|it| fault(format!("cannot be read: {it}")))?;
    match options.get_database() {
        Some(name) if !name.is_empty() => Ok(Location::Mysql),
        _ => Err(fault(
            "names no database; expected mysql://HOST/DATABASE".to_owned(),
        )),
    }
}

/// The URL of a server with the scheme that the driver knows.
#[cfg(any(feature = "postgres", feature = "mysql"))]
pub(crate) fn driver_url(url: &str) -> String {
    for (scheme, known) in [("postgresql:", "postgres:"), ("mariadb:", "mysql:")] {
        if let Some(rest) = url.strip_prefix(scheme) {
            return format!("{known}{rest}");
        }
    }
    url.to_owned()
}

#[cfg(not(feature = "sqlite"))]
fn sqlite_location(url: &str, _: &str) -> Result<Location, FieldFault> {
    Err(FieldFault::new(
        "url",
        format!("is `{url}`; this build has no SQLite"),
    ))
}

#[cfg(any(feature = "postgres", feature = "mysql"))]
mod parameters;
#[cfg(test)]
mod tests;
