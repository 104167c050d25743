//! An empty database for one measurement.

use std::sync::Arc;

use anyhow::{Context, Result, anyhow, bail};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, Statement};
use tasks_abstractions::services::Module;
use tasks_abstractions::{Clock, SystemClock};
use tasks_host::{MemoryStoreModule, SeaOrmStoreModule};
use tasks_store_seaorm::{Durability, SeaOrmStore, SeaOrmStoreOptions};
use tempfile::TempDir;

use super::backend::{Backend, MYSQL, POSTGRES};

/// Schema on PostgreSQL and database on MariaDB that most measurements use.
const NAME: &str = "tasks_bench";

/// Where the jobs of one measurement are.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) backend: Backend,
    options: Option<SeaOrmStoreOptions>,
    folder: Option<TempDir>,
}

impl Place {
    /// An empty database; what an earlier measurement left behind is removed.
    pub(crate) async fn empty(backend: Backend) -> Result<Self> {
        let (options, folder) = match backend {
            Backend::Memory => (None, None),
            Backend::Postgres | Backend::Mysql => return Self::empty_named(backend, NAME).await,
            Backend::SqliteFull => sqlite(Durability::Full)?,
            Backend::SqliteNormal => sqlite(Durability::MayLoseLastCommits)?,
        };
        Ok(Self {
            backend,
            options,
            folder,
        })
    }

    /// An empty database of this name on a server.
    pub(crate) async fn empty_named(backend: Backend, name: &str) -> Result<Self> {
        let place = Self::kept(backend, name)?;
        place.remove(name).await?;
        if backend == Backend::Mysql {
            run(&url(MYSQL)?, &format!("CREATE DATABASE {name}")).await?;
        }
        Ok(place)
    }

    /// The database of this name on a server, with what is in it.
    pub(crate) fn kept(backend: Backend, name: &str) -> Result<Self> {
        let options = match backend {
            Backend::Postgres => {
                let mut options = SeaOrmStoreOptions::new(url(POSTGRES)?);
                options.schema = Some(name.to_owned());
                options
            }
            Backend::Mysql => {
                let url = url(MYSQL)?;
                let (address, database) = url
                    .rsplit_once('/')
                    .ok_or_else(|| anyhow!("{MYSQL} names no database"))?;
                // With or without TLS, as the URL says.
                let parameters = database.split_once('?').map_or("", |it| it.1);
                SeaOrmStoreOptions::new(format!("{address}/{name}?{parameters}"))
            }
            other => bail!("{} is no server", other.name()),
        };
        Ok(Self {
            backend,
            options: Some(options),
            folder: None,
        })
    }

    /// Removes the database of this name from the server.
    pub(crate) async fn remove(&self, name: &str) -> Result<()> {
        match self.backend {
            Backend::Postgres => run(&url(POSTGRES)?, &format!("DROP SCHEMA IF EXISTS {name} CASCADE")).await,
            Backend::Mysql => run(&url(MYSQL)?, &format!("DROP DATABASE IF EXISTS {name}")).await,
            Backend::Memory | Backend::SqliteFull | Backend::SqliteNormal => Ok(()),
        }
    }

    /// Changes how the store uses the database.
    pub(crate) fn with(mut self, change: impl FnOnce(&mut SeaOrmStoreOptions)) -> Self {
        if let Some(options) = &mut self.options {
            change(options);
        }
        self
    }

    /// The store as a module of a host.
    pub(crate) fn module(&self) -> Box<dyn Module> {
        match &self.options {
            Some(options) => Box::new(SeaOrmStoreModule::with(options.clone())),
            None => Box::new(MemoryStoreModule),
        }
    }

    /// How the store opens the database.
    pub(crate) fn options(&self) -> Result<&SeaOrmStoreOptions> {
        self.options
            .as_ref()
            .context("the store in memory has no database")
    }

    /// Makes the tables, as the first start of a program does.
    pub(crate) async fn make_tables(&self) -> Result<()> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let store = SeaOrmStore::connect(self.options()?.clone(), clock).await?;
        Ok(store.close().await?)
    }

    /// The database as another program sees it.
    pub(crate) async fn client(&self) -> Result<DatabaseConnection> {
        let options = self.options()?;
        let mut pool = ConnectOptions::new(options.url.clone());
        pool.max_connections(1).sqlx_logging(false);
        if let Some(schema) = &options.schema {
            pool.set_schema_search_path(schema.clone());
        }
        Ok(Database::connect(pool).await?)
    }

    /// Removes the files. A server's tables stay until the next measurement: they may be worth a look.
    pub(crate) fn close(self) -> Result<()> {
        match self.folder {
            Some(folder) => folder
                .close()
                .context("the folder of the bench could not be removed"),
            None => Ok(()),
        }
    }
}

fn sqlite(durability: Durability) -> Result<(Option<SeaOrmStoreOptions>, Option<TempDir>)> {
    let folder = tempfile::tempdir()?;
    let mut options = SeaOrmStoreOptions::path(folder.path().join("bench.db"))?;
    options.durability = durability;
    Ok((Some(options), Some(folder)))
}

fn url(variable: &str) -> Result<String> {
    std::env::var(variable).with_context(|| format!("{variable} is not set"))
}

async fn run(url: &str, statement: &str) -> Result<()> {
    let server = Database::connect(url).await?;
    server.execute_unprepared(statement).await?;
    Ok(server.close().await?)
}

/// The one number that a query answers.
pub(crate) async fn count(client: &DatabaseConnection, sql: &str) -> Result<u64> {
    let row = client
        .query_one_raw(Statement::from_string(client.get_database_backend(), sql))
        .await?
        .with_context(|| format!("no row came from {sql}"))?;
    let number: i64 = row.try_get_by_index(0)?;
    u64::try_from(number).with_context(|| format!("{sql} answered {number}"))
}
