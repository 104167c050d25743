//! The management of the jobs in a database, without a node.

use std::sync::Arc;

use tasks_abstractions::{BackgroundJobManager, Clock, JobLimits, JobManagement, SystemClock, Timestamp};
use tasks_core::JobRegistry;
use tasks_host::Host;
use tasks_multitenancy::TenantScope;

use crate::args::{DatabaseArgs, ManageArgs, Output};
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
    /// Opens the database that the command line or the environment names.
    ///
    /// # Errors
    /// Where there is none, or it cannot be used.
    pub(crate) async fn of(args: &ManageArgs) -> Result<Self, Failure> {
        Self::open(&args.database, args.tenant.scope(), args.output.output).await
    }

    /// As [`of`](Self::of).
    ///
    /// # Errors
    /// As [`of`](Self::of).
    pub(crate) async fn open(
        database: &DatabaseArgs,
        scope: TenantScope,
        output: Output,
    ) -> Result<Self, Failure> {
        let database = Database::from_environment(database)?;
        database.must_exist()?;
        // Built and never started: it manages and runs nothing.
        let host = Host::builder()
            .boxed_module(database.module()?)
            .registry(JobRegistry::new())
            .options(|it| it.engine.is_execution_enabled = false)
            .build()
            .await?;
        Ok(Self {
            jobs: host.management(),
            scope,
            output,
            host,
        })
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
