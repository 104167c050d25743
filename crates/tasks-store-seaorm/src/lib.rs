//! Durable store of tasks through sea-orm: jobs, waiting and running executions, logs, nodes and locks in SQL tables.
//!
//! [`SeaOrmStore`] implements the contracts of a store ([`JobStore`](tasks_abstractions::JobStore), [`JobQueue`](tasks_abstractions::JobQueue),
//! [`JobLockProvider`](tasks_abstractions::JobLockProvider)). [`SeaOrmStoreModule`] puts it into an application. [`enqueue_in`] and
//! [`SeaOrmStore::transaction`] store jobs together with the application's own rows: they commit or vanish together.
//!
//! ```no_run
//! # async fn f(job: tasks_abstractions::store::PreparedJob) -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use tasks_abstractions::{EnqueueError, SystemClock};
//! use tasks_store_seaorm::{SeaOrmStore, SeaOrmStoreOptions};
//!
//! let store = SeaOrmStore::connect(SeaOrmStoreOptions::new("sqlite://shop.db"), Arc::new(SystemClock)).await?;
//! store.transaction(|tx| async move {
//!     // The application's own statements go through `tx.connection()`.
//!     tx.enqueue(job).await?;
//!     Ok::<_, EnqueueError>(())
//! }).await?;
//! # Ok(()) }
//! ```
//!
//! # Cargo features
//! - `sqlite` (default): SQLite files.
//! - `postgres`: PostgreSQL servers, with TLS by rustls.
//! - `mysql`: MariaDB and MySQL servers, with TLS by rustls.

mod change;
mod claim;
mod cleanup;
mod connect;
mod dialect;
mod error;
mod finish;
mod heads;
mod list;
mod lock_file;
mod locks;
mod logs;
pub mod migrate;
mod migration;
mod module;
#[cfg(feature = "chaos-mutants")]
mod mutants;
mod nodes;
#[cfg(feature = "postgres")]
mod notify;
mod options;
mod process;
mod queue;
mod row;
mod statement;
mod store;
mod submit;
#[cfg(feature = "postgres")]
mod sweep;
mod take_over;
mod transaction;
mod walk;
#[cfg(feature = "sqlite")]
mod writer_thread;

pub use module::SeaOrmStoreModule;
pub use options::{Durability, SeaOrmStoreOptions};
pub use store::SeaOrmStore;
pub use submit::{Enqueued, enqueue_in};
pub use transaction::StoreTransaction;
