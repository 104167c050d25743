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
    Url { url: String, schema: Option<String> },
}

impl Database {
    /// What the command line says, else the options, else the default file.
    ///
    /// # Errors
    /// Where a schema is asked for and the database has none.
    pub(crate) fn of(args: &DatabaseArgs, options: &HostOptions) -> Result<Self, Failure> {
        let text = args.database.as_deref().or(options.database.as_deref());
        let text = text.unwrap_or(DEFAULT);
        let schema = args.schema.clone().or_else(|| options.schema.clone());
        if text.split_once(':').is_some_and(|(scheme, _)| is_scheme(scheme)) {
            return Ok(Self::Url {
                url: text.to_owned(),
                schema,
            });
        }
        if let Some(schema) = schema {
            return Err(Failure::Usage(format!(
                "the schema `{schema}` is asked for, but only PostgreSQL has schemas, and the database is {text}"
            )));
        }
        Ok(if text == "memory" {
            Self::Memory
        } else {
            Self::File(PathBuf::from(text))
        })
    }

    /// As [`of`](Self::of), with the options from the file that the arguments name and from the environment.
    ///
    /// # Errors
    /// As [`of`](Self::of), and where the options are wrong.
    pub(crate) fn configured(args: &DatabaseArgs) -> Result<Self, Failure> {
        let options = HostOptions::load(args.config.clone())?;
        Self::of(args, &options)
    }

    /// The file of a SQLite database, where it is one.
    pub(crate) fn file(&self) -> Option<PathBuf> {
        match self {
            Self::Memory => None,
            Self::File(path) => Some(path.clone()),
            Self::Url { url, .. } => {
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

    /// The store as a module. It makes and renews tables.
    ///
    /// # Errors
    /// Where this build has no such store.
    pub(crate) fn module(&self) -> Result<Box<dyn Module>, Failure> {
        self.module_with(true)
    }

    /// As [`module`](Self::module), for commands that only look or steer: on a server, which others may use for other things, they make no tables.
    ///
    /// # Errors
    /// Where this build has no such store.
    pub(crate) fn module_of_existing(&self) -> Result<Box<dyn Module>, Failure> {
        let is_server = matches!(self, Self::Url { url, .. } if !url.starts_with("sqlite:"));
        self.module_with(!is_server)
    }

    #[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
    fn module_with(&self, migrates: bool) -> Result<Box<dyn Module>, Failure> {
        if *self == Self::Memory {
            return Ok(Box::new(MemoryStoreModule));
        }
        let mut options = self.options()?;
        options.migrate_on_start = migrates;
        Ok(Box::new(tasks_host::SeaOrmStoreModule::with(options)))
    }

    #[cfg(not(any(feature = "sqlite", feature = "postgres", feature = "mysql")))]
    fn module_with(&self, _: bool) -> Result<Box<dyn Module>, Failure> {
        match self {
            Self::Memory => Ok(Box::new(MemoryStoreModule)),
            Self::File(_) | Self::Url { .. } => Err(no_database()),
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
            Self::Url { url, schema } => {
                let mut options = SeaOrmStoreOptions::new(url.clone());
                options.schema.clone_from(schema);
                Ok(options)
            }
        }
    }

    /// For people.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Memory => "memory (ends with this process)".to_owned(),
            Self::File(path) => path.display().to_string(),
            Self::Url { url, schema } => match schema {
                Some(schema) => format!("{}, schema {schema}", shown_url(url)),
                None => shown_url(url),
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
        let database =
            Database::of(&self.args, &options).map_err(|failure| ModuleError::new(failure.to_string()))?;
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

/// A URL without what must not be shown: it may hold a password.
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
fn shown_url(url: &str) -> String {
    tasks_store_seaorm::SeaOrmStoreOptions::new(url).shown_url()
}

#[cfg(not(any(feature = "sqlite", feature = "postgres", feature = "mysql")))]
fn shown_url(url: &str) -> String {
    format!("{}:…", url.split(':').next().unwrap_or_default())
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
