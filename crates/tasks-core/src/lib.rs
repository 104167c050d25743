//! The behaviour of tasks: the engine, the rules of what comes next, managers, and the in-memory store.
//!
//! - [`engine`]: claims, runs and settles jobs on one node.
//! - [`transition`]: every rule about states, as pure functions.
//! - [`maintenance`]: the system jobs, cleaning and checking.
//! - [`managers`]: enqueueing, workers, schedule and management over a store.
//! - [`memory`]: a store in memory, which is also the readable specification of the store contracts.
//! - [`cron`]: when cron expressions fire.
//!
//! Knows no SQL, no HTTP and no signals of the operating system.

pub mod abandonment;
pub mod cron;
pub mod engine;
pub mod maintenance;
pub mod managers;
pub mod memory;
#[cfg(feature = "chaos-mutants")]
mod mutants;
pub mod registry;
pub mod transition;

pub use abandonment::{AdministratorChannels, LogChannel, NotifyAdministrator};
pub use engine::{
    ClaimStep, DurableFinish, Engine, EngineJobDispatcher, EngineJobPublisher, EngineOptions, EngineParts,
    NextDue, Signals, StoreClock,
};
pub use maintenance::{CheckingOptions, CleaningOptions, Kept, MaintenanceOptions, Retention, TypeRetention};
pub use managers::{
    DefinitionManager, EngineManagement, EngineScheduler, StoreBackgroundJobManager,
    StoreBackgroundWorkerManager, WorkerManagerParts,
};
pub use memory::MemoryStore;
pub use registry::{DuplicateName, JobRegistry, RegisteredType};
