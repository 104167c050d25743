//! The scheduler as a service. Services are complete before the engine exists, so jobs get this handle and find the scheduler through it.

use std::fmt;
use std::sync::{Arc, OnceLock, Weak};

use async_trait::async_trait;
use tasks_abstractions::store::StoreErrorKind;
use tasks_abstractions::{JobId, JobInfo, JobScheduler, SchedulerError, StoreError};
use tasks_core::EngineScheduler;
use tasks_multitenancy::TenantScope;

/// Finds the scheduler of the host. Weak: the engine holds the services, so a strong handle among them would keep it for ever.
#[derive(Default)]
pub(crate) struct SchedulerHandle(OnceLock<Weak<EngineScheduler>>);

impl SchedulerHandle {
    pub(crate) fn set(&self, scheduler: &Arc<EngineScheduler>) {
        // Set once, by the builder that made this handle.
        let _ = self.0.set(Arc::downgrade(scheduler));
    }

    fn get(&self) -> Result<Arc<EngineScheduler>, SchedulerError> {
        let found = self.0.get().and_then(Weak::upgrade);
        found.ok_or_else(|| {
            let text =
                "the host of this scheduler is not complete yet or has ended; use it between start and stop";
            SchedulerError::Store(StoreError::new(StoreErrorKind::Invalid, text))
        })
    }
}

#[async_trait]
impl JobScheduler for SchedulerHandle {
    async fn queue(&self, job: JobInfo) -> Result<bool, SchedulerError> {
        self.get()?.queue(job).await
    }

    async fn queue_many(&self, jobs: Vec<JobInfo>) -> Result<usize, SchedulerError> {
        self.get()?.queue_many(jobs).await
    }

    async fn exists(&self, scope: TenantScope, id: JobId) -> Result<bool, SchedulerError> {
        self.get()?.exists(scope, id).await
    }

    async fn trigger(&self, scope: TenantScope, id: JobId) -> Result<bool, SchedulerError> {
        self.get()?.trigger(scope, id).await
    }

    async fn pause(&self, scope: TenantScope, id: JobId) -> Result<bool, SchedulerError> {
        self.get()?.pause(scope, id).await
    }

    async fn resume(&self, scope: TenantScope, id: JobId) -> Result<bool, SchedulerError> {
        self.get()?.resume(scope, id).await
    }

    async fn remove(&self, scope: TenantScope, id: JobId) -> Result<bool, SchedulerError> {
        self.get()?.remove(scope, id).await
    }

    async fn start(&self) -> Result<bool, SchedulerError> {
        self.get()?.start().await
    }

    async fn stop(&self) -> Result<bool, SchedulerError> {
        self.get()?.stop().await
    }

    async fn shutdown(&self) -> Result<bool, SchedulerError> {
        self.get()?.shutdown().await
    }
}

impl fmt::Debug for SchedulerHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SchedulerHandle").finish_non_exhaustive()
    }
}
