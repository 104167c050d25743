//! Where the jobs are: a file, a URL, or memory.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use async_trait::async_trait;
use tasks_abstractions::services::{Module, ModuleError, ServiceRegistry, Services};
use tasks_host::{HostOptions, MemoryStoreModule};
use tracing::info;

use crate::args::DatabaseArgs;
use crate::failure::Failure;

/// The file where nothing else is said.
const DEFAULT: &str = "tasks-demo.db";

/// Where the jobs are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Database {
    Memory,
    File(PathBuf),
    Url(String),
}

impl Database {
    /// What the command line says, else `configured`, else the default file.
    pub(crate) fn of(args: &DatabaseArgs, configured: Option<&str>) -> Self {
        let text = args.database.as_deref().or(configured).unwrap_or(DEFAULT);
        if text == "memory" {
            Self::Memory
        } else if text.split_once(':').is_some_and(|(scheme, _)| is_scheme(scheme)) {
            Self::Url(text.to_owned())
        } else {
            Self::File(PathBuf::from(text))
        }
    }

    /// As [`of`](Self::of), with the environment as what is configured.
    ///
    /// # Errors
    /// Where the environment is wrong.
    pub(crate) fn from_environment(args: &DatabaseArgs) -> Result<Self, Failure> {
        let options = HostOptions::load(None)?;
        Ok(Self::of(args, options.database.as_deref()))
    }

    /// The file of a SQLite database, where it is one.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        match self {
            Self::Memory => None,
            Self::File(path) => Some(path.clone()),
            Self::Url(url) => {
                let rest = url.strip_prefix("sqlite:")?;
                let rest = rest.strip_prefix("//").unwrap_or(rest);
                let path = rest.split('?').next().unwrap_or(rest);
                Some(PathBuf::from(path)).filter(|_| !path.is_empty() && path != ":memory:")
            }
        }
    }

    /// Refuses a file that is not there: for commands that only look, and would else create an empty one.
    ///
    /// # Errors
    /// Where it is missing.
    pub(crate) fn must_exist(&self) -> Result<(), Failure> {
        if *self == Self::Memory {
            return Err(Failure::Usage(
                "jobs in memory belong to the process that made them; name a file or URL".to_owned(),
            ));
        }
        match self.file() {
            Some(file) if !file.exists() => Err(Failure::new(format!(
                "there is no database {}; name another one with --database, or create it with `tasks migrate up`",
                file.display()
            ))),
            _ => Ok(()),
        }
    }

    /// The store as a module.
    ///
    /// # Errors
    /// Where this build has no such store.
    pub(crate) fn module(&self) -> Result<Box<dyn Module>, Failure> {
        match self {
            Self::Memory => Ok(Box::new(MemoryStoreModule)),
            #[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
            Self::File(_) | Self::Url(_) => {
                Ok(Box::new(tasks_host::SeaOrmStoreModule::with(self.options()?)))
            }
            #[cfg(not(any(feature = "sqlite", feature = "postgres", feature = "mysql")))]
            Self::File(_) | Self::Url(_) => Err(no_database()),
        }
    }

    /// Options of the store of this database.
    ///
    /// # Errors
    /// Where the path cannot be used.
    #[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
    pub(crate) fn options(&self) -> Result<tasks_store_seaorm::SeaOrmStoreOptions, Failure> {
        use tasks_store_seaorm::SeaOrmStoreOptions;
        match self {
            Self::Memory => Err(Failure::Usage(
                "this command needs a database; `memory` is for the demo".to_owned(),
            )),
            Self::File(path) => SeaOrmStoreOptions::path(path)
                .map_err(|error| Failure::because("the database cannot be used", error)),
            Self::Url(url) => Ok(SeaOrmStoreOptions::new(url.clone())),
        }
    }

    /// For people.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Memory => "memory (ends with this process)".to_owned(),
            Self::File(path) => path.display().to_string(),
            // The user part of a URL may hold a password.
            Self::Url(url) => match (url.split_once("://"), url.rsplit_once('@')) {
                (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://{rest}"),
                _ => url.clone(),
            },
        }
    }

    /// Whether `path` (absolute, links resolved) is the database or a file beside it that belongs to it.
    pub(crate) fn owns(&self, path: &Path) -> bool {
        let Some(file) = self.file() else { return false };
        let folder = match file.parent() {
            Some(it) if !it.as_os_str().is_empty() => it.to_owned(),
            _ => PathBuf::from("."),
        };
        let (Ok(folder), Some(name)) = (folder.canonicalize(), file.file_name()) else {
            return false;
        };
        let Ok(inside) = path.strip_prefix(&folder) else {
            return false;
        };
        let Some(first) = inside.components().next() else {
            return false;
        };
        let (first, name) = (first.as_os_str().to_string_lossy(), name.to_string_lossy());
        ["", "-wal", "-shm", "-journal", "-nodes"]
            .iter()
            .any(|suffix| first == format!("{name}{suffix}"))
    }
}

/// The store that the command line or the options name: for programs that read a configuration file, whose faults are then reported together with those of
/// the store.
pub(crate) struct StoreModule {
    args: DatabaseArgs,
    inner: OnceLock<Box<dyn Module>>,
}

impl StoreModule {
    pub(crate) const fn new(args: DatabaseArgs) -> Self {
        Self {
            args,
            inner: OnceLock::new(),
        }
    }
}

#[async_trait]
impl Module for StoreModule {
    async fn configure(&self, registry: &mut ServiceRegistry) -> Result<(), ModuleError> {
        let options = registry.get::<HostOptions>()?;
        let database = Database::of(&self.args, options.database.as_deref());
        info!(database = %database.shown(), "the jobs are there");
        let module = database
            .module()
            .map_err(|failure| ModuleError::new(failure.to_string()))?;
        self.inner.get_or_init(|| module).configure(registry).await
    }

    async fn start(&self, services: &Services) -> Result<(), ModuleError> {
        match self.inner.get() {
            Some(inner) => inner.start(services).await,
            None => Ok(()),
        }
    }

    async fn stop(&self, services: &Services) -> Result<(), ModuleError> {
        match self.inner.get() {
            Some(inner) => inner.stop(services).await,
            None => Ok(()),
        }
    }
}

fn is_scheme(text: &str) -> bool {
    text.len() > 1 && text.chars().all(|it| it.is_ascii_alphanumeric() || it == '+')
}

/// Says that the build lacks every database.
#[cfg(not(any(feature = "sqlite", feature = "postgres", feature = "mysql")))]
pub(crate) fn no_database() -> Failure {
    Failure::Usage(
        "this build contains no database; enable the cargo feature `sqlite`, `postgres` or `mysql`, or use `--database memory`"
            .to_owned(),
    )
}

#[cfg(test)]
mod tests;
