//! The tenant on whose behalf the running code works.

use crate::TenantId;
use std::future::Future;
use tokio::task::JoinHandle;

tokio::task_local! {
    static CURRENT: TenantId;
}

/// The ambient tenant of the running future.
///
/// It belongs to a future, not to a thread: [`change`](Self::change) sets it for one future and everything that
/// future awaits, and whatever was current before is current again afterwards, also after a panic or when the
/// future is dropped half-way. Code that runs outside any `change` works for the host.
///
/// A task started by a bare `tokio::spawn` begins without a tenant, as does a thread; use [`spawn`](Self::spawn),
/// [`spawn_blocking`](Self::spawn_blocking) or [`carry`](Self::carry).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct CurrentTenant;

impl CurrentTenant {
    /// The tenant of the running code; [`TenantId::HOST`] when none was set.
    #[must_use]
    pub fn id() -> TenantId {
        CURRENT.try_with(|it| *it).unwrap_or(TenantId::HOST)
    }

    /// Runs `future` for `tenant`. May be nested; the inner tenant counts, also if it is the host.
    #[must_use = "nothing runs until the returned future is awaited"]
    pub fn change<F: Future>(tenant: TenantId, future: F) -> impl Future<Output = F::Output> {
        CURRENT.scope(tenant, future)
    }

    /// Runs `work` for `tenant` on this thread and gives its result.
    pub fn change_sync<R>(tenant: TenantId, work: impl FnOnce() -> R) -> R {
        CURRENT.sync_scope(tenant, work)
    }

    /// Gives `future` the tenant that is current *now*, wherever it is polled later.
    #[must_use = "nothing runs until the returned future is awaited or spawned"]
    pub fn carry<F: Future>(future: F) -> impl Future<Output = F::Output> {
        Self::change(Self::id(), future)
    }

    /// `tokio::spawn` that keeps the tenant.
    ///
    /// # Panics
    ///
    /// If called outside a tokio runtime, as `tokio::spawn` does.
    #[track_caller]
    pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
    where
        F: Future<Output: Send> + Send + 'static,
    {
        tokio::spawn(Self::carry(future))
    }

    /// `tokio::task::spawn_blocking` that keeps the tenant.
    ///
    /// # Panics
    ///
    /// If called outside a tokio runtime, as `tokio::task::spawn_blocking` does.
    #[track_caller]
    pub fn spawn_blocking<R: Send + 'static>(work: impl FnOnce() -> R + Send + 'static) -> JoinHandle<R> {
        let tenant = Self::id();
        tokio::task::spawn_blocking(move || Self::change_sync(tenant, work))
    }
}

#[cfg(test)]
mod tests;
