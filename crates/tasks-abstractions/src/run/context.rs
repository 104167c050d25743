//! What job code is given for one run.

use std::any::Any;
use std::collections::HashMap;
use std::fmt::{self, Debug};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use serde::Serialize;
use serde::de::DeserializeOwned;
use tasks_multitenancy::TenantId;
use thiserror::Error;
use tokio_util::sync::CancellationToken;

use super::{CancelReason, RunInfo};
use crate::job::{ArgsError, JobInfo, RunId};
use crate::services::{Scope, ServiceError};
use crate::{JobLock, JobLockProvider, LockOwner, StoreError, Timestamp};

/// How far a run has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// Units done; more than [`MAX_COUNT`](Self::MAX_COUNT) is kept as that.
    pub done: u64,
    /// Units in all; 0 = not known. More than [`MAX_COUNT`](Self::MAX_COUNT) is kept as that.
    pub total: u64,
    /// For people.
    pub message: String,
}

impl Progress {
    /// The largest count that stores keep, that of a signed integer of 64 bits: databases have no larger ones.
    pub const MAX_COUNT: u64 = i64::MAX.unsigned_abs();
}

/// Takes the progress that runs report.
pub trait ProgressSink: Send + Sync + Debug {
    /// Notes the latest progress of a run. Must not wait; only the latest report of a run counts.
    fn report(&self, job: &JobInfo, run: RunId, progress: Progress);
}

/// Why a value could not be used in a run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RunContextError {
    /// The result has no JSON form.
    #[error("the result cannot be written as JSON")]
    Result(#[source] serde_json::Error),
}

/// One run: the job, its arguments and tenant, its services, and the ways to talk back.
///
/// Cheap to clone; a clone speaks of the same run.
#[derive(Clone)]
pub struct JobRunnableContext {
    inner: Arc<Inner>,
}

/// What an executor provides for one run.
#[derive(Debug)]
pub struct JobRunnableContextParts {
    /// The job as it was claimed.
    pub job: Arc<JobInfo>,
    /// The run.
    pub run: RunInfo,
    /// Cancelled when the run should end.
    pub cancellation: CancellationToken,
    /// Set before `cancellation` is cancelled.
    pub cancel_reason: Arc<OnceLock<CancelReason>>,
    /// When the timeout will cancel the run.
    pub deadline: Option<Timestamp>,
    /// The run's services.
    pub scope: Scope,
    /// Takes progress.
    pub progress: Arc<dyn ProgressSink>,
    /// Gives locks.
    pub locks: Arc<dyn JobLockProvider>,
}

struct Inner {
    parts: JobRunnableContextParts,
    result: Mutex<Option<String>>,
    cache: Mutex<HashMap<String, Arc<dyn Any + Send + Sync>>>,
}

fn lock<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic between lock and unlock cannot leave these values half written.
    it.lock().unwrap_or_else(PoisonError::into_inner)
}

impl JobRunnableContext {
    /// The context of one run. Called by executors and by tests of job code.
    #[must_use]
    pub fn new(parts: JobRunnableContextParts) -> Self {
        Self {
            inner: Arc::new(Inner {
                parts,
                result: Mutex::new(None),
                cache: Mutex::default(),
            }),
        }
    }

    /// The job as it was claimed.
    #[must_use]
    pub fn job(&self) -> &JobInfo {
        &self.inner.parts.job
    }

    /// Identifies this execution: another execution of the same job has another one.
    #[must_use]
    pub fn run_id(&self) -> RunId {
        self.inner.parts.run.run_id
    }

    /// Which try this is: 1 = the first, 2 = the first retry.
    #[must_use]
    pub fn attempt(&self) -> u32 {
        self.inner.parts.run.entry.attempt
    }

    /// How often a process died under this job since its last settled run. Over 0, the code may have run in part before.
    #[must_use]
    pub fn interruptions(&self) -> u32 {
        self.job().interruptions
    }

    /// The tenant that the run acts for. It is also the ambient `CurrentTenant`.
    #[must_use]
    pub fn tenant(&self) -> TenantId {
        self.job().tenant_id
    }

    /// The run's services.
    #[must_use]
    pub fn scope(&self) -> &Scope {
        &self.inner.parts.scope
    }

    /// One service. Prefer fields declared by [`inject!`](crate::inject): they are checked before start.
    ///
    /// # Errors
    /// Where no module provides it.
    pub fn service<T: ?Sized + Send + Sync + 'static>(&self) -> Result<Arc<T>, ServiceError> {
        self.scope().get::<T>()
    }

    /// All arguments as one type.
    ///
    /// # Errors
    /// Where they do not fit.
    pub fn args<T: DeserializeOwned>(&self) -> Result<T, ArgsError> {
        self.job().args.to_typed()
    }

    /// One argument as text.
    ///
    /// # Errors
    /// Where it is missing.
    pub fn get_string(&self, key: &str) -> Result<String, ArgsError> {
        self.job().args.get_string(key)
    }

    /// One argument as text, `None` where it is missing.
    #[must_use]
    pub fn try_get_string(&self, key: &str) -> Option<String> {
        self.job().args.try_get_string(key)
    }

    /// One argument as text, `default` where it is missing.
    #[must_use]
    pub fn get_or_default_string(&self, key: &str, default: &str) -> String {
        self.job().args.get_or_default_string(key, default)
    }

    /// One argument as a type.
    ///
    /// # Errors
    /// Where it is missing or does not fit.
    pub fn get_job_data<T: DeserializeOwned>(&self, key: &str) -> Result<T, ArgsError> {
        self.job().args.get_job_data(key)
    }

    /// One argument as a type, the type's default where it is missing.
    ///
    /// # Errors
    /// Where it is there and does not fit.
    pub fn get_or_default_job_data<T: DeserializeOwned + Default>(&self, key: &str) -> Result<T, ArgsError> {
        self.job().args.get_or_default_job_data(key)
    }

    /// One argument as a type, `None` where it is missing or does not fit.
    #[must_use]
    pub fn try_get_job_data<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        self.job().args.try_get_job_data(key)
    }

    /// The tenant, `None` for the host (the original's name for it).
    #[must_use]
    pub fn try_get_multi_tenant_id(&self) -> Option<TenantId> {
        Some(self.tenant()).filter(|it| !it.is_host())
    }

    /// Sets the result that is stored with the run. The last one counts; over-long ones are cut.
    pub fn set_result(&self, result: impl Into<String>) {
        *lock(&self.inner.result) = Some(result.into());
    }

    /// Sets the result as JSON.
    ///
    /// # Errors
    /// Where the value has no JSON form.
    pub fn set_json_result<T: Serialize + ?Sized>(&self, result: &T) -> Result<(), RunContextError> {
        self.set_result(serde_json::to_string(result).map_err(RunContextError::Result)?);
        Ok(())
    }

    /// The result set so far, which is taken away.
    #[must_use]
    pub fn take_result(&self) -> Option<String> {
        lock(&self.inner.result).take()
    }

    /// Keeps a value for the rest of this run. An earlier value of the key is replaced.
    pub fn set_cache<T: Any + Send + Sync>(&self, key: impl Into<String>, value: T) {
        lock(&self.inner.cache).insert(key.into(), Arc::new(value));
    }

    /// A value kept in this run, `None` where there is none of this key and type.
    #[must_use]
    pub fn get_cache<T: Any + Send + Sync>(&self, key: &str) -> Option<Arc<T>> {
        lock(&self.inner.cache).get(key)?.clone().downcast().ok()
    }

    /// Cancelled when the run should end. Job code that waits should wait for this as well.
    #[must_use]
    pub fn cancellation(&self) -> &CancellationToken {
        &self.inner.parts.cancellation
    }

    /// Why the run should end; `None` while it should not.
    #[must_use]
    pub fn cancel_reason(&self) -> Option<CancelReason> {
        self.inner.parts.cancel_reason.get().copied()
    }

    /// When the job's timeout cancels this run. `None` = never.
    #[must_use]
    pub fn deadline(&self) -> Option<Timestamp> {
        self.inner.parts.deadline
    }

    /// Reports how far the run has come. Counts beyond [`Progress::MAX_COUNT`] are kept as that.
    pub fn progress(&self, done: u64, total: u64, message: impl Into<String>) {
        let progress = Progress {
            done,
            total,
            message: message.into(),
        };
        self.inner
            .parts
            .progress
            .report(self.job(), self.run_id(), progress);
    }

    /// Tries to take the lock `key` of this job's tenant for this run: `None` where another run holds it.
    ///
    /// It is held until it is released or the run ends, whichever is first.
    ///
    /// # Errors
    /// Where the lock provider cannot be reached.
    pub async fn lock(&self, key: &str) -> Result<Option<JobLock>, StoreError> {
        let owner = LockOwner {
            job_id: self.job().id,
            run_id: self.run_id(),
            tenant_id: self.tenant(),
        };
        JobLock::acquire(Arc::clone(&self.inner.parts.locks), key, owner).await
    }
}

impl Debug for JobRunnableContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobRunnableContext")
            .field("job", &self.job().id)
            .field("type", &self.job().type_name)
            .field("run", &self.run_id())
            .field("attempt", &self.attempt())
            .finish_non_exhaustive()
    }
}
