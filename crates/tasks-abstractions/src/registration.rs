//! Jobs as users write them, and how the host learns of them.

use std::sync::Arc;

use async_trait::async_trait;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::services::{FromScope, Need, Resolver, ServiceError};
use crate::worker::{
    AsyncPeriodicWorker, BackgroundWorker, BackgroundWorkerAdapter, BackgroundWorkerRunnable, PeriodicWorker,
};
use crate::{JobResult, JobRunnableContext, RustType};

/// What the engine runs: a name and an execution. The untyped trait under jobs and workers.
#[async_trait]
pub trait JobRunnable: Send + Sync {
    /// The registered name, which jobs carry as their type.
    fn name(&self) -> &str;

    /// Runs it once. A panic is caught by the executor and is a failure.
    async fn execute(&self, ctx: &JobRunnableContext) -> JobResult;

    /// Whether [`execute`](Self::execute) blocks its thread: the executor then runs it on the blocking pool. Defaults to false.
    fn is_blocking(&self) -> bool {
        false
    }
}

/// Work that is done once, now or later, with typed arguments.
///
/// Delivery is at-least-once: after the death of a process the same job runs again, and
/// [`JobRunnableContext::interruptions`] says so.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no background job",
    note = "implement `BackgroundJob` (NAME, Args, execute) and declare its services with `inject!`"
)]
#[async_trait]
pub trait BackgroundJob: Send + Sync + 'static {
    /// Stable name, unique in the program and kept in the store: renaming it orphans waiting jobs.
    const NAME: &'static str;

    /// The arguments. Stored as JSON.
    type Args: Serialize + DeserializeOwned + Send + 'static;

    /// Does the work.
    async fn execute(&self, args: Self::Args, ctx: &JobRunnableContext) -> JobResult;
}

/// Runs a typed job: reads the arguments and calls it.
#[derive(Debug)]
pub struct BackgroundJobAdapter<J>(J);

impl<J: BackgroundJob> BackgroundJobAdapter<J> {
    /// An adapter of this job.
    #[must_use]
    pub fn new(job: J) -> Self {
        Self(job)
    }
}

#[async_trait]
impl<J: BackgroundJob> JobRunnable for BackgroundJobAdapter<J> {
    fn name(&self) -> &str {
        J::NAME
    }

    async fn execute(&self, ctx: &JobRunnableContext) -> JobResult {
        // Arguments that do not fit will not fit the next time either: a person must correct them.
        let args = ctx
            .args::<J::Args>()
            .map_err(|error| crate::JobError::from(error).permanent())?;
        self.0.execute(args, ctx).await
    }
}

/// What the engine leaves out for a type of job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JobFlags {
    /// The job row keeps no result and no time of the last run. State and counters are kept, the engine needs them.
    pub disable_job_status: bool,
    /// Runs write no log row.
    pub disable_auditing: bool,
    /// Nothing follows a run but what the engine itself must do.
    pub disable_job_action: bool,
}

impl JobFlags {
    /// Nothing is left out.
    pub const NONE: Self = Self {
        disable_job_status: false,
        disable_auditing: false,
        disable_job_action: false,
    };
    /// No result and no time of the last run on the job row.
    #[expect(non_upper_case_globals, reason = "the names that registrations use")]
    pub const DisableJobStatus: Self = Self {
        disable_job_status: true,
        ..Self::NONE
    };
    /// No log rows.
    #[expect(non_upper_case_globals, reason = "the names that registrations use")]
    pub const DisableAuditing: Self = Self {
        disable_auditing: true,
        ..Self::NONE
    };
    /// No actions.
    #[expect(non_upper_case_globals, reason = "the names that registrations use")]
    pub const DisableJobAction: Self = Self {
        disable_job_action: true,
        ..Self::NONE
    };

    /// What either leaves out.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            disable_job_status: self.disable_job_status || other.disable_job_status,
            disable_auditing: self.disable_auditing || other.disable_auditing,
            disable_job_action: self.disable_job_action || other.disable_job_action,
        }
    }
}

type BuildJob = fn(&Resolver<'_>) -> Result<Arc<dyn JobRunnable>, ServiceError>;
type BuildWorker = fn(&Resolver<'_>) -> Result<Arc<dyn BackgroundWorkerRunnable>, ServiceError>;

/// One registered job type.
#[derive(Debug, Clone, Copy)]
pub struct JobRegistration {
    /// The job's stable name.
    pub name: &'static str,
    /// Where it was registered, `file:line`.
    pub at: &'static str,
    /// What is left out for it.
    pub flags: JobFlags,
    /// The services that it needs.
    pub needs: fn(&mut Vec<Need>),
    /// The Rust type.
    pub rust_type: fn() -> RustType,
    /// Makes it for one run.
    pub build: BuildJob,
}

inventory::collect!(JobRegistration);

impl JobRegistration {
    /// The registration of `J`, made at `at`.
    #[must_use]
    pub const fn of<J: BackgroundJob + FromScope>(at: &'static str) -> Self {
        Self {
            name: J::NAME,
            at,
            flags: JobFlags::NONE,
            needs: J::needs,
            rust_type: RustType::of::<J>,
            build: build_job::<J>,
        }
    }

    /// With these parts left out.
    #[must_use]
    pub const fn with(mut self, flags: JobFlags) -> Self {
        self.flags = self.flags.and(flags);
        self
    }
}

fn build_job<J: BackgroundJob + FromScope>(it: &Resolver<'_>) -> Result<Arc<dyn JobRunnable>, ServiceError> {
    Ok(Arc::new(BackgroundJobAdapter::new(J::from_scope(it)?)))
}

/// One registered worker.
#[derive(Debug, Clone, Copy)]
pub struct WorkerRegistration {
    /// The worker's stable name.
    pub name: &'static str,
    /// Where it was registered, `file:line`.
    pub at: &'static str,
    /// What is left out for it.
    pub flags: JobFlags,
    /// The services that it needs.
    pub needs: fn(&mut Vec<Need>),
    /// The Rust type.
    pub rust_type: fn() -> RustType,
    /// Makes it: once for its schedule and hooks, and anew for each run.
    pub build: BuildWorker,
}

inventory::collect!(WorkerRegistration);

impl WorkerRegistration {
    /// The registration of an asynchronous periodic worker, made at `at`.
    #[must_use]
    pub const fn async_periodic<W: AsyncPeriodicWorker + FromScope>(at: &'static str) -> Self {
        Self {
            name: W::NAME,
            at,
            flags: JobFlags::NONE,
            needs: W::needs,
            rust_type: RustType::of::<W>,
            build: build_async::<W>,
        }
    }

    /// The registration of a synchronous periodic worker, made at `at`.
    #[must_use]
    pub const fn periodic<W: PeriodicWorker + FromScope>(at: &'static str) -> Self {
        Self {
            name: W::NAME,
            at,
            flags: JobFlags::NONE,
            needs: W::needs,
            rust_type: RustType::of::<W>,
            build: build_sync::<W>,
        }
    }

    /// The registration of a worker that has only hooks, made at `at`.
    #[must_use]
    pub const fn plain<W: BackgroundWorker + FromScope>(at: &'static str) -> Self {
        Self {
            name: W::NAME,
            at,
            flags: JobFlags::NONE,
            needs: W::needs,
            rust_type: RustType::of::<W>,
            build: build_plain::<W>,
        }
    }

    /// With these parts left out.
    #[must_use]
    pub const fn with(mut self, flags: JobFlags) -> Self {
        self.flags = self.flags.and(flags);
        self
    }
}

fn build_async<W: AsyncPeriodicWorker + FromScope>(
    it: &Resolver<'_>,
) -> Result<Arc<dyn BackgroundWorkerRunnable>, ServiceError> {
    Ok(Arc::new(BackgroundWorkerAdapter::async_periodic(W::from_scope(
        it,
    )?)))
}

fn build_sync<W: PeriodicWorker + FromScope>(
    it: &Resolver<'_>,
) -> Result<Arc<dyn BackgroundWorkerRunnable>, ServiceError> {
    Ok(Arc::new(BackgroundWorkerAdapter::periodic(W::from_scope(it)?)))
}

fn build_plain<W: BackgroundWorker + FromScope>(
    it: &Resolver<'_>,
) -> Result<Arc<dyn BackgroundWorkerRunnable>, ServiceError> {
    Ok(Arc::new(BackgroundWorkerAdapter::plain(W::from_scope(it)?)))
}

/// Registers a job type of this program: `register_job!(SendInvoice);`, or with parts left out,
/// `register_job!(Ping, DisableAuditing, DisableJobAction);`.
///
/// A crate whose jobs are registered must be named somewhere in the program (listing its module does), else it is not linked.
#[macro_export]
macro_rules! register_job {
    ($job:ty $(, $flag:ident)* $(,)?) => {
        $crate::__private::inventory::submit! {
            $crate::JobRegistration::of::<$job>(concat!(file!(), ":", line!()))
                $(.with($crate::JobFlags::$flag))*
        }
    };
}

/// Registers a worker of this program, with its kind: `register_worker!(PurgeCarts: AsyncPeriodicWorker);`. Kinds are
/// `AsyncPeriodicWorker`, `PeriodicWorker` (synchronous) and `BackgroundWorker` (hooks only); parts left out follow as for
/// [`register_job!`].
#[macro_export]
macro_rules! register_worker {
    ($worker:ty: AsyncPeriodicWorker $(, $flag:ident)* $(,)?) => {
        $crate::register_worker!(@submit async_periodic, $worker $(, $flag)*);
    };
    ($worker:ty: PeriodicWorker $(, $flag:ident)* $(,)?) => {
        $crate::register_worker!(@submit periodic, $worker $(, $flag)*);
    };
    ($worker:ty: BackgroundWorker $(, $flag:ident)* $(,)?) => {
        $crate::register_worker!(@submit plain, $worker $(, $flag)*);
    };
    (@submit $kind:ident, $worker:ty $(, $flag:ident)*) => {
        $crate::__private::inventory::submit! {
            $crate::WorkerRegistration::$kind::<$worker>(concat!(file!(), ":", line!()))
                $(.with($crate::JobFlags::$flag))*
        }
    };
}
