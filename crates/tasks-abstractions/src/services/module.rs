//! Modules: the parts an application is put together from.

use super::{ServiceError, ServiceRegistry, Services};
use async_trait::async_trait;
use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;

/// A part of an application that provides services and may have something to start and stop.
///
/// Modules are listed by hand where the program is put together; the order of the list is the order of
/// [`configure`](Self::configure) and [`start`](Self::start).
///
/// ```
/// use async_trait::async_trait;
/// use std::sync::Arc;
/// use tasks_abstractions::services::{Module, ModuleError, ServiceRegistry};
///
/// trait Mailer: Send + Sync {}
/// struct Smtp;
/// impl Mailer for Smtp {}
///
/// struct ShopModule;
///
/// #[async_trait]
/// impl Module for ShopModule {
///     async fn configure(&self, registry: &mut ServiceRegistry) -> Result<(), ModuleError> {
///         registry.singleton::<dyn Mailer>(Arc::new(Smtp))?;
///         Ok(())
///     }
/// }
/// ```
#[async_trait]
pub trait Module: Send + Sync {
    /// Name of the module, unique in a program. Defaults to the name of its type.
    fn name(&self) -> &'static str {
        std::any::type_name::<Self>()
    }

    /// Names of modules that must be added before this one; `std::any::type_name::<Other>()` for those that keep
    /// the default name. Defaults to none.
    fn needs(&self) -> Vec<&'static str> {
        Vec::new()
    }

    /// Registers the module's services.
    ///
    /// It is asynchronous for one reason: a service may have to connect to something before it exists. Connecting is
    /// the only input and output allowed here. Nothing may run in the background or take work yet; that belongs in
    /// [`start`](Self::start), which is called only if the whole program proves complete.
    async fn configure(&self, registry: &mut ServiceRegistry) -> Result<(), ModuleError>;

    /// Starts what runs; every service of every module can be had from `services`. Defaults to nothing.
    async fn start(&self, services: &Services) -> Result<(), ModuleError> {
        let _ = services;
        Ok(())
    }

    /// Stops what [`start`](Self::start) started, in the reverse order of the list. Called for every module that was
    /// started, also when another one failed to stop. Defaults to nothing.
    async fn stop(&self, services: &Services) -> Result<(), ModuleError> {
        let _ = services;
        Ok(())
    }
}

/// A module could not be configured, started or stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModuleError {
    /// A service could not be registered or found.
    #[error(transparent)]
    Service(#[from] ServiceError),
    /// The module failed for a reason of its own.
    #[error("{what}")]
    Failed {
        /// What the module could not do, and what to do next.
        what: String,
        /// What went wrong underneath, if anything did.
        #[source]
        source: Option<Box<dyn Error + Send + Sync>>,
    },
}

impl ModuleError {
    /// The module could not do `what`.
    #[must_use]
    pub fn new(what: impl Into<String>) -> Self {
        Self::Failed {
            what: what.into(),
            source: None,
        }
    }

    /// The module could not do `what`, because of `source`.
    #[must_use]
    pub fn because(what: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::Failed {
            what: what.into(),
            source: Some(source.into()),
        }
    }
}

/// A fault in the list of modules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ModuleFault {
    /// A module that another one needs is not in the list.
    #[error(
        "module `{module}` needs module `{needed}`, which was not added; add `.module({needed})` before it"
    )]
    NotAdded {
        /// The module that needs the other.
        module: &'static str,
        /// The module that is not there.
        needed: &'static str,
    },
    /// A module that another one needs comes after it.
    #[error(
        "module `{module}` needs module `{needed}`, which was added after it; add `.module({needed})` before it"
    )]
    AddedLater {
        /// The module that needs the other.
        module: &'static str,
        /// The module that comes too late.
        needed: &'static str,
    },
    /// A module is in the list twice.
    #[error("module `{module}` was added twice; remove one")]
    AddedTwice {
        /// The module.
        module: &'static str,
    },
}

/// Checks that each module is in the list once and comes after those it needs.
///
/// # Errors
///
/// All faults at once, in the order of the list.
pub fn check_modules(modules: &[Arc<dyn Module>]) -> Result<(), Vec<ModuleFault>> {
    let mut first_at = HashMap::new();
    let mut faults = Vec::new();
    for (at, it) in modules.iter().enumerate() {
        first_at.entry(it.name()).or_insert(at);
    }
    for (at, it) in modules.iter().enumerate() {
        let module = it.name();
        if first_at.get(module).is_some_and(|first| *first != at) {
            faults.push(ModuleFault::AddedTwice { module });
            continue;
        }
        for needed in it.needs() {
            match first_at.get(needed) {
                None => faults.push(ModuleFault::NotAdded { module, needed }),
                Some(first) if *first >= at => faults.push(ModuleFault::AddedLater { module, needed }),
                Some(_) => {}
            }
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(faults) }
}

#[cfg(test)]
mod tests;
