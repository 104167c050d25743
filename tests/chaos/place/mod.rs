//! Where the database of a run is, and which faults can be done to it.

mod proxy;
mod server;
mod sqlite;

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::ValueEnum;
use sea_orm::DbBackend;
use tasks_store_seaorm::SeaOrmStoreOptions;

use crate::fault::Kind;
use server::Server;
use sqlite::SqliteFile;

/// Kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Backend {
    /// A file of the run's own.
    Sqlite,
    /// A schema of the run's own on a PostgreSQL server.
    Postgres,
    /// A database of the run's own on a MariaDB or MySQL server.
    Mysql,
}

/// Starts this program again where the database needs a view of the file systems of its own. The seed goes with it.
pub(crate) fn enter_own_mounts(backend: Backend, seed: u64) -> Result<()> {
    match backend {
        Backend::Sqlite => sqlite::enter_own_mounts(seed),
        Backend::Postgres | Backend::Mysql => Ok(()),
    }
}

/// The database of a run.
#[derive(Debug)]
pub(crate) enum Place {
    Sqlite(SqliteFile),
    Server(Server),
}

/// Where to find it.
#[derive(Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) backend: Backend,
    pub(crate) folder: &'a Path,
    /// Size of the file system of a SQLite file.
    pub(crate) megabytes: u64,
    pub(crate) url: Option<&'a str>,
    pub(crate) control: Option<PathBuf>,
}

impl Place {
    pub(crate) async fn new(wanted: Wanted<'_>) -> Result<Self> {
        let backend = match wanted.backend {
            Backend::Sqlite => return Ok(Self::Sqlite(SqliteFile::new(wanted.folder, wanted.megabytes)?)),
            Backend::Postgres => DbBackend::Postgres,
            Backend::Mysql => DbBackend::MySql,
        };
        let url = wanted.url.context("a server needs `--url`")?;
        Ok(Self::Server(Server::new(backend, url, wanted.control).await?))
    }

    /// The driver's own connection.
    pub(crate) fn options(&self) -> SeaOrmStoreOptions {
        match self {
            Self::Sqlite(it) => SeaOrmStoreOptions::new(it.url()),
            Self::Server(it) => {
                let mut options = SeaOrmStoreOptions::new(it.url());
                options.schema = it.schema().map(ToOwned::to_owned);
                options
            }
        }
    }

    /// What nodes are told of it.
    pub(crate) fn arguments(&self) -> Vec<String> {
        match self {
            Self::Sqlite(it) => vec!["--url".to_owned(), it.url().to_owned()],
            Self::Server(it) => {
                let mut arguments = vec!["--url".to_owned(), it.node_url().to_owned()];
                if let Some(schema) = it.schema() {
                    arguments.extend(["--schema".to_owned(), schema.to_owned()]);
                }
                arguments
            }
        }
    }

    /// The faults that can be done here, to the database and to the nodes.
    pub(crate) fn kinds(&self) -> Vec<Kind> {
        let mut kinds = vec![
            Kind::Kill,
            Kind::Term,
            Kind::Stop,
            Kind::Clock,
            Kind::Deploy,
            Kind::Cut,
        ];
        match self {
            Self::Sqlite(it) => kinds.extend(it.kinds()),
            Self::Server(it) => kinds.extend(it.kinds()),
        }
        kinds
    }

    /// What cannot be done here and why; shown with the conditions.
    pub(crate) fn left_out(&self) -> Option<&str> {
        match self {
            Self::Sqlite(it) => it.left_out(),
            Self::Server(it) => it.left_out(),
        }
    }

    /// Begins what goes on for the whole run.
    pub(crate) async fn open(&mut self) -> Result<()> {
        match self {
            // A transaction that is never closed would keep the log of a SQLite file growing until its file system is full.
            Self::Sqlite(_) => Ok(()),
            Self::Server(it) => it.hold_open().await,
        }
    }

    pub(crate) async fn begin(&mut self, kind: Kind) -> Result<()> {
        match self {
            Self::Sqlite(it) => it.begin(kind).await,
            Self::Server(it) => it.begin(kind).await,
        }
    }

    pub(crate) async fn end(&mut self, kind: Kind) -> Result<()> {
        match self {
            Self::Sqlite(it) => it.end(kind).await,
            Self::Server(it) => it.end(kind).await,
        }
    }

    /// Keeps the database for whoever looks at it after the run; answers where it is.
    pub(crate) fn keep(&mut self, folder: &Path) -> Result<String> {
        match self {
            Self::Sqlite(it) => {
                it.keep(folder)?;
                it.close()?;
                Ok("the same folder".to_owned())
            }
            Self::Server(it) => Ok(it.remains()),
        }
    }

    /// Leaves nothing behind.
    pub(crate) async fn close(&mut self) -> Result<()> {
        match self {
            Self::Sqlite(it) => it.close(),
            Self::Server(it) => it.close().await,
        }
    }
}
