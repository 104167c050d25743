//! What applications and people call: enqueueing, workers, the schedule, and management.

mod bulk;
mod definitions;
mod import;
mod jobs;
mod management;
mod scheduler;
mod workers;

pub use definitions::DefinitionManager;
pub use jobs::StoreBackgroundJobManager;
pub use management::EngineManagement;
pub use scheduler::EngineScheduler;
pub use workers::{StoreBackgroundWorkerManager, WorkerManagerParts};
