//! Where the database of a run is, and which faults can be done to it.

mod sqlite;

use std::path::Path;

use anyhow::Result;
use clap::ValueEnum;

use crate::fault::Kind;
use sqlite::SqliteFile;

/// Kind of database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Backend {
    /// A file of the run's own.
    Sqlite,
}

/// Starts this program again where the database needs a view of the file systems of its own. The seed goes with it.
pub(crate) fn enter_own_mounts(backend: Backend, seed: u64) -> Result<()> {
    match backend {
        Backend::Sqlite => sqlite::enter_own_mounts(seed),
    }
}

/// The database of a run.
#[derive(Debug)]
pub(crate) enum Place {
    Sqlite(SqliteFile),
}

impl Place {
    pub(crate) fn new(backend: Backend, folder: &Path, megabytes: u64) -> Result<Self> {
        match backend {
            Backend::Sqlite => Ok(Self::Sqlite(SqliteFile::new(folder, megabytes)?)),
        }
    }

    /// For the driver.
    pub(crate) fn url(&self) -> &str {
        match self {
            Self::Sqlite(it) => it.url(),
        }
    }

    /// For the nodes.
    pub(crate) fn node_url(&self) -> &str {
        match self {
            Self::Sqlite(it) => it.url(),
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
        }
        kinds
    }

    /// What cannot be done here and why; shown with the conditions.
    pub(crate) fn left_out(&self) -> Option<&str> {
        match self {
            Self::Sqlite(it) => it.left_out(),
        }
    }

    pub(crate) async fn begin(&mut self, kind: Kind) -> Result<()> {
        match self {
            Self::Sqlite(it) => it.begin(kind).await,
        }
    }

    pub(crate) async fn end(&mut self, kind: Kind) -> Result<()> {
        match self {
            Self::Sqlite(it) => it.end(kind).await,
        }
    }

    /// Copies the database to where it can be looked at after the run.
    pub(crate) fn keep(&self, folder: &Path) -> Result<()> {
        match self {
            Self::Sqlite(it) => it.keep(folder),
        }
    }

    /// Leaves nothing behind.
    pub(crate) fn close(&mut self) -> Result<()> {
        match self {
            Self::Sqlite(it) => it.close(),
        }
    }
}
