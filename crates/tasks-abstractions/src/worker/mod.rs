//! Workers: work that repeats, and code that lives as long as the application.

mod adapter;
mod context;
mod dynamic;
mod schedule;

use async_trait::async_trait;

pub use adapter::{BackgroundWorkerAdapter, BackgroundWorkerRunnable, WorkerDefinition};
pub use context::WorkerContext;
pub use dynamic::DynamicWorker;
pub use schedule::{WorkerSchedule, WorkerTrigger};

use crate::{JobError, JobResult};

/// A worker that lives as long as the application: started after the modules, stopped before them, on every node.
///
/// For work that repeats use [`AsyncPeriodicWorker`] or [`PeriodicWorker`]; they have the same hooks.
#[async_trait]
pub trait BackgroundWorker: Send + Sync + 'static {
    /// Stable name, unique in the program.
    const NAME: &'static str;

    /// Called once when the application starts. An error ends the start.
    async fn start(&self) -> Result<(), JobError>;

    /// Called once when the application stops, also where [`start`](Self::start) of another worker failed.
    async fn stop(&self) -> Result<(), JobError>;
}

/// Work that repeats, on the asynchronous runtime.
///
/// One run at a time in the whole cluster; the period counts from the end of a run. A failing run is logged and the worker
/// goes on with the next one.
#[async_trait]
pub trait AsyncPeriodicWorker: Send + Sync + 'static {
    /// Stable name, unique in the program: its job keeps the same id for ever.
    const NAME: &'static str;

    /// When it runs. Read once at start.
    fn schedule(&self) -> WorkerSchedule;

    /// One run, in a fresh service scope.
    async fn do_work(&self, ctx: &WorkerContext) -> JobResult;

    /// Called once when the application starts, on every node. Defaults to nothing.
    async fn start(&self) -> Result<(), JobError> {
        Ok(())
    }

    /// Called once when the application stops. Defaults to nothing.
    async fn stop(&self) -> Result<(), JobError> {
        Ok(())
    }
}

/// Work that repeats and blocks its thread: it runs on the blocking pool. Otherwise as [`AsyncPeriodicWorker`].
pub trait PeriodicWorker: Send + Sync + 'static {
    /// Stable name, unique in the program: its job keeps the same id for ever.
    const NAME: &'static str;

    /// When it runs. Read once at start.
    fn schedule(&self) -> WorkerSchedule;

    /// One run, in a fresh service scope, on a thread that may block.
    fn do_work(&self, ctx: &WorkerContext) -> JobResult;

    /// Called once when the application starts, on every node. Must not block for long. Defaults to nothing.
    fn start(&self) -> Result<(), JobError> {
        Ok(())
    }

    /// Called once when the application stops. Defaults to nothing.
    fn stop(&self) -> Result<(), JobError> {
        Ok(())
    }
}
