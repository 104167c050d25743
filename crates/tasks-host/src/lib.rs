//! Host of the tasks engine: puts modules, jobs and workers together, checks the whole before it starts, runs it until a signal, and drains.
//!
//! ```no_run
//! use tasks_host::{Host, HostError, MemoryStoreModule};
//!
//! #[tokio::main]
//! async fn main() -> Result<(), HostError> {
//!     Host::builder()
//!         .module(MemoryStoreModule)
//!         .options(|o| o.engine.max_concurrency = 8)
//!         .build().await?
//!         .run().await // until Ctrl-C or SIGTERM, then drains
//! }
//! ```
//!
//! - [`HostBuilder`]: what a program is made of; [`HostBuilder::build`] reports every fault at once.
//! - [`HostOptions`]: options from code, environment and file.
//! - [`HostExit`]: the exit codes.
//!
//! # Services
//! These are registered before any module is configured: [`HostOptions`], `dyn Clock`, `dyn GuidGenerator`, `dyn JobPublisher`, `dyn JobDispatcher`,
//! `dyn JobDefinitionManager`, `dyn JobScheduler`, [`AdministratorChannels`](tasks_core::AdministratorChannels). A module that provides the store
//! registers `dyn JobStore`, `dyn JobQueue` and `dyn JobLockProvider`; as soon as they are there, `dyn BackgroundJobManager`,
//! `dyn BackgroundWorkerManager` and `dyn JobManagement` are registered too, for the modules after it, for jobs and for workers. `dyn TenantStore` is
//! registered last, from the options, where no module has provided one.
//!
//! # Cargo features
//! - `sqlite` (default): SQLite files; gives `SeaOrmStoreModule`.
//! - `postgres`: PostgreSQL servers; gives it, too.
//! - `mysql`: MariaDB and MySQL servers; gives it, too.

mod builder;
mod engine_thread;
mod error;
mod exit;
mod host;
mod memory;
mod options;
mod registrations;
mod scheduler;
mod signals;
mod stop;
mod wiring;

pub use builder::HostBuilder;
pub use error::{HostError, Problems};
pub use exit::HostExit;
pub use host::Host;
pub use memory::MemoryStoreModule;
pub use options::{HostOptions, OptionName, node_name_of_machine, parse_duration};
pub use registrations::registered;
#[cfg(any(feature = "sqlite", feature = "postgres", feature = "mysql"))]
pub use tasks_store_seaorm::SeaOrmStoreModule;
