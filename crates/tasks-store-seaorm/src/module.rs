//! The store as a part of an application.

use std::sync::Arc;

use async_trait::async_trait;
use tasks_abstractions::services::{Module, ModuleError, ServiceRegistry, Services};
use tasks_abstractions::{Clock, JobLockProvider, JobNotifier, JobQueue, JobStore, SystemClock};

use crate::options::SeaOrmStoreOptions;
use crate::store::SeaOrmStore;

/// Connects a [`SeaOrmStore`] and registers it as itself, [`JobStore`], [`JobQueue`] and [`JobLockProvider`], and its [`notifier`](SeaOrmStore::notifier) where it has one.
///
/// It takes the time from the registered [`Clock`], where one is registered before it, else from the machine.
#[derive(Debug, Clone)]
pub struct SeaOrmStoreModule {
    options: SeaOrmStoreOptions,
}

impl SeaOrmStoreModule {
    /// The store at `url`, such as `sqlite://shop.db`, with default options.
    #[must_use]
    pub fn connect(url: impl Into<String>) -> Self {
        Self::with(SeaOrmStoreOptions::new(url))
    }

    /// The store with these options.
    #[must_use]
    pub const fn with(options: SeaOrmStoreOptions) -> Self {
        Self { options }
    }
}

#[async_trait]
impl Module for SeaOrmStoreModule {
    async fn configure(&self, registry: &mut ServiceRegistry) -> Result<(), ModuleError> {
        let clock = if registry.contains::<dyn Clock>() {
            registry.get::<dyn Clock>()?
        } else {
            Arc::new(SystemClock)
        };
        let store = SeaOrmStore::connect(self.options.clone(), clock)
            .await
            .map_err(|it| ModuleError::because(format!("the store cannot be used: {it}"), it))?;
        let store = Arc::new(store);
        if let Some(notifier) = store.notifier() {
            registry.singleton::<dyn JobNotifier>(Arc::clone(notifier))?;
        }
        registry.singleton::<SeaOrmStore>(Arc::clone(&store))?;
        registry.singleton::<dyn JobStore>(store.clone())?;
        registry.singleton::<dyn JobQueue>(store.clone())?;
        registry.singleton::<dyn JobLockProvider>(store)?;
        Ok(())
    }

    async fn stop(&self, services: &Services) -> Result<(), ModuleError> {
        let store = services.get::<SeaOrmStore>()?;
        store
            .close()
            .await
            .map_err(|it| ModuleError::because(format!("the store was not closed in order: {it}"), it))
    }
}

#[cfg(test)]
mod tests;
