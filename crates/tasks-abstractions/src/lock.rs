//! Locks for job code.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use tasks_multitenancy::TenantId;

use crate::{JobId, RunId, StoreError};

/// Who holds a lock. It counts only while a run with this id is in flight.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LockOwner {
    /// The job.
    pub job_id: JobId,
    /// The run.
    pub run_id: RunId,
    /// The tenant in which the key is looked at: tenants never lock each other out.
    pub tenant_id: TenantId,
}

/// Gives job code locks across runs (and, in a store, across nodes).
///
/// A lock is valid while its owner's run is in flight: whatever ends or takes over the run frees it, so a crashed process
/// holds nobody up for longer than its lease. Conformance: `a_lock_has_one_owner_and_ends_with_its_run`.
#[async_trait]
pub trait JobLockProvider: Send + Sync + Debug {
    /// Takes the lock if it is free, was held by a run that no longer is in flight, or is held by `owner` already. Atomic: of two
    /// callers at once one gets it.
    async fn try_acquire(&self, key: &str, owner: LockOwner) -> Result<bool, StoreError>;

    /// Frees the lock if `owner` holds it; answers whether it did. A late release never frees the next holder's lock.
    async fn release(&self, key: &str, owner: LockOwner) -> Result<bool, StoreError>;
}

/// A lock that is held.
#[derive(Debug)]
#[must_use = "a lock that is dropped stays held until its run ends"]
pub struct JobLock {
    provider: Arc<dyn JobLockProvider>,
    key: String,
    owner: LockOwner,
}

impl JobLock {
    /// Takes the lock `key` for `owner`, `None` where another holds it.
    ///
    /// # Errors
    /// Where the provider cannot be reached.
    pub async fn acquire(
        provider: Arc<dyn JobLockProvider>,
        key: &str,
        owner: LockOwner,
    ) -> Result<Option<Self>, StoreError> {
        let held = provider.try_acquire(key, owner).await?;
        Ok(held.then(|| Self {
            provider,
            key: key.to_owned(),
            owner,
        }))
    }

    /// Frees the lock before the run ends; answers whether it was still held.
    ///
    /// # Errors
    /// Where the provider cannot be reached; the lock then ends with its run.
    pub async fn release(self) -> Result<bool, StoreError> {
        self.provider.release(&self.key, self.owner).await
    }
}
