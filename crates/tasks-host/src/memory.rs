//! The store in memory as a module.

use std::sync::Arc;

use async_trait::async_trait;
use tasks_abstractions::services::{Module, ModuleError, ServiceRegistry};
use tasks_abstractions::{Clock, JobLockProvider, JobQueue, JobStore};
use tasks_core::MemoryStore;

/// Keeps jobs in memory: for tests, demonstrations, and work that may be lost when the process ends.
///
/// Provides `dyn JobStore`, `dyn JobQueue`, `dyn JobLockProvider` and [`MemoryStore`].
#[derive(Debug, Clone, Copy, Default)]
pub struct MemoryStoreModule;

#[async_trait]
impl Module for MemoryStoreModule {
    async fn configure(&self, registry: &mut ServiceRegistry) -> Result<(), ModuleError> {
        let store = Arc::new(MemoryStore::new(registry.get::<dyn Clock>()?));
        registry
            .singleton::<dyn JobStore>(Arc::clone(&store) as _)?
            .singleton::<dyn JobQueue>(Arc::clone(&store) as _)?
            .singleton::<dyn JobLockProvider>(Arc::clone(&store) as _)?
            .singleton::<MemoryStore>(store)?;
        Ok(())
    }
}
