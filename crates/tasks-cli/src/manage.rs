//! The management of the jobs in a database, without a node.

use std::sync::Arc;

use tasks_abstractions::run::error_chain;
use tasks_abstractions::{BackgroundJobManager, Clock, JobLimits, JobManagement, SystemClock, Timestamp};
use tasks_core::JobRegistry;
use tasks_host::Host;
use tasks_multitenancy::{TenantId, TenantScope, TenantStore};

use crate::args::{DatabaseArgs, ManageArgs, Output, TenantName};
use crate::database::Database;
use crate::failure::Failure;

/// An open database, whose jobs are managed and not run.
pub(crate) struct Manage {
    host: Host,
    /// The rules.
    pub(crate) jobs: Arc<dyn JobManagement>,
    /// Whose rows the command may see.
    pub(crate) scope: TenantScope,
    /// How answers are written.
    pub(crate) output: Output,
}

impl Manage {
    /// Opens the database that the command line or the options name.
    ///
    /// # Errors
    /// Where there is none, it cannot be used, or the tenant is unknown.
    pub(crate) async fn of(args: &ManageArgs) -> Result<Self, Failure> {
        Self::open(&args.database, args.tenant.tenant.as_ref(), args.output.output).await
    }

    /// As [`of`](Self::of); without a tenant for the jobs of all.
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub(crate) async fn open(
        database: &DatabaseArgs,
        tenant: Option<&TenantName>,
        output: Output,
    ) -> Result<Self, Failure> {
        let config = database.config.clone();
        let database = Database::configured(database)?;
        database.must_exist()?;
        // Built and never started: it manages and runs nothing.
        let mut host = Host::builder()
            .boxed_module(database.module_of_existing()?)
            .registry(JobRegistry::new())
            .options(|it| it.engine.is_execution_enabled = false);
        if let Some(file) = config {
            host = host.config_file(file);
        }
        let host = host.build().await?;
        let scope = match tenant {
            None => TenantScope::All,
            Some(TenantName::Id(id)) => TenantScope::One(*id),
            Some(TenantName::Named(name)) => TenantScope::One(named(&host, name).await?),
        };
        Ok(Self {
            jobs: host.management(),
            scope,
            output,
            host,
        })
    }

    /// Lets the nodes hear of what was done, before the program ends.
    pub(crate) async fn flush(&self) {
        self.host.flush().await;
    }

    /// Whose jobs it makes.
    pub(crate) const fn owner(&self) -> TenantId {
        match self.scope {
            TenantScope::One(tenant) => tenant,
            _ => TenantId::HOST,
        }
    }

    /// Enqueues.
    pub(crate) fn enqueuer(&self) -> Arc<dyn BackgroundJobManager> {
        self.host.jobs()
    }

    /// Limits of a job's fields.
    pub(crate) fn limits(&self) -> &JobLimits {
        &self.host.options().engine.limits
    }

    /// The present instant.
    pub(crate) fn now(&self) -> Timestamp {
        SystemClock.now()
    }
}

/// The tenant that the options call so, active or not.
async fn named(host: &Host, name: &str) -> Result<TenantId, Failure> {
    let failed = |error: &(dyn std::error::Error + 'static)| {
        Failure::new(format!("--tenant {name}: {}", error_chain(error)))
    };
    let tenants = host
        .services()
        .get::<dyn TenantStore>()
        .map_err(|error| failed(&error))?;
    let found = tenants.find_by_name(name).await.map_err(|error| failed(&error))?;
    found.map(|it| it.id).ok_or_else(|| {
        Failure::Usage(format!(
            "--tenant {name}: no tenant of this name is in the options; give its id, or the file with its name by --config"
        ))
    })
}
