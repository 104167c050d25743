//! What a backend gives the suite: handles on one database, and what it can do.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tasks_abstractions::{JobLockProvider, JobQueue, JobStore};

/// A whole store: jobs, queue and locks over the same rows.
pub trait FullStore: JobStore + JobQueue + JobLockProvider {}

impl<T: JobStore + JobQueue + JobLockProvider> FullStore for T {}

/// A fresh, empty database for one case, and handles on it.
///
/// A case gets the fixture and not a store, so that it can act as several nodes.
pub trait StoreFixture: Send + Sync {
    /// A handle.
    fn store(&self) -> Arc<dyn FullStore>;

    /// A handle of another node: the same database over connections of its own, so that races are real. The same one at every call.
    fn other_node(&self) -> Arc<dyn FullStore>;

    /// A store opened anew, as by a program that was started again: over the same database where that survives its programs, else empty.
    fn reopened(&self) -> BoxFuture<'_, Arc<dyn FullStore>>;

    /// What the backend can do.
    fn capabilities(&self) -> Capabilities;
}

/// Where backends differ. Cases assert either side of each difference; none is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// Name of the backend, for messages.
    pub name: &'static str,
    /// Whether writers lock rows rather than the whole database. A claim then passes over rows that a command holds, instead of waiting.
    pub row_locks: bool,
    /// Whether what was stored is there for a store opened anew.
    pub survives_reopen: bool,
    /// Whether the store can prove that a former program on this machine is gone, also where that was a part of this process, by its store being closed.
    pub proves_gone_processes: bool,
    /// The finest unit of time that it keeps.
    pub time_precision: Duration,
}
