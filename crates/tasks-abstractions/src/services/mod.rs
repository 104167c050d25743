//! Services: what jobs, workers and modules get from the application.
//!
//! [`Module`]s fill a [`ServiceRegistry`] at start; [`check_graph`] then finds everything that is missing at once,
//! before any job runs. The finished [`Services`] never change. Each run of a job has a [`Scope`] of its own, from
//! which the job is built by what [`inject!`](crate::inject) declares.
//!
//! ```
//! use std::sync::Arc;
//! use tasks_abstractions::inject;
//! use tasks_abstractions::services::{Consumer, ServiceError, ServiceRegistry, check_graph};
//!
//! trait Mailer: Send + Sync {
//!     fn from(&self) -> String;
//! }
//!
//! struct Smtp;
//! impl Mailer for Smtp {
//!     fn from(&self) -> String {
//!         "shop@example.com".to_owned()
//!     }
//! }
//!
//! inject! { struct SendInvoice { mailer: Arc<dyn Mailer> } }
//!
//! # fn main() -> Result<(), ServiceError> {
//! let mut registry = ServiceRegistry::new();
//! let job = Consumer::of::<SendInvoice>("job", "send-invoice", concat!(file!(), ":", line!()));
//! let faults = check_graph(&registry, std::slice::from_ref(&job)).expect_err("nothing provides the mailer");
//! assert!(faults[0].to_string().ends_with("Mailer`, which no module provides"));
//!
//! registry.singleton::<dyn Mailer>(Arc::new(Smtp))?;
//! assert!(check_graph(&registry, &[job]).is_ok());
//!
//! let scope = registry.finish().scope();
//! assert_eq!(scope.build::<SendInvoice>()?.mailer.from(), "shop@example.com");
//! # Ok(())
//! # }
//! ```

mod error;
mod graph;
mod inject;
mod module;
mod registry;
mod scope;

pub use error::ServiceError;
pub use graph::{Consumer, GraphFault, Step, check_graph};
pub use module::{Module, ModuleError, ModuleFault, check_modules};
pub use registry::{Need, Place, ServiceRegistry, Services};
pub use scope::{FromScope, Resolver, Scope};
