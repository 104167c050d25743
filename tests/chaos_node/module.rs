//! The store of a node, behind a way that can be cut.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tasks_abstractions::services::{Module, ModuleError, ServiceRegistry, Services};
use tasks_abstractions::{Clock, JobLockProvider, JobNotifier, JobQueue, JobStore};
use tasks_store_seaorm::{SeaOrmStore, SeaOrmStoreOptions};

use crate::ledger::Ledger;
use crate::lossy::{Cut, LossyQueue};
use crate::pulse::Pulse;

/// Connects to the database and gives the ledger to the jobs.
#[derive(Debug)]
pub(crate) struct ChaosModule {
    options: SeaOrmStoreOptions,
    cut: Arc<Cut>,
    ledger: Arc<Ledger>,
    lease: Duration,
}

impl ChaosModule {
    pub(crate) fn new(
        options: SeaOrmStoreOptions,
        cut: Arc<Cut>,
        ledger: Arc<Ledger>,
        lease: Duration,
    ) -> Self {
        Self {
            options,
            cut,
            ledger,
            lease,
        }
    }
}

#[async_trait]
impl Module for ChaosModule {
    async fn configure(&self, registry: &mut ServiceRegistry) -> Result<(), ModuleError> {
        let clock = registry.get::<dyn Clock>()?;
        let store = SeaOrmStore::connect(self.options.clone(), clock)
            .await
            .map_err(|it| ModuleError::because(format!("the store cannot be used: {it}"), it))?;
        let store = Arc::new(store);
        let pulse = Pulse::start(Arc::clone(&self.ledger), self.lease)
            .map_err(|it| ModuleError::because("no thread for the pulse", it.into_boxed_dyn_error()))?;
        let queue = LossyQueue::new(store.clone(), Arc::clone(&self.cut), pulse);
        if let Some(notifier) = store.notifier() {
            registry.singleton::<dyn JobNotifier>(Arc::clone(notifier))?;
        }
        registry.singleton::<SeaOrmStore>(Arc::clone(&store))?;
        registry.singleton::<dyn JobStore>(store.clone())?;
        registry.singleton::<dyn JobQueue>(Arc::new(queue))?;
        registry.singleton::<dyn JobLockProvider>(store)?;
        registry.singleton::<Ledger>(Arc::clone(&self.ledger))?;
        Ok(())
    }

    async fn stop(&self, services: &Services) -> Result<(), ModuleError> {
        services
            .get::<SeaOrmStore>()?
            .close()
            .await
            .map_err(|it| ModuleError::because(format!("the store was not closed in order: {it}"), it))
    }
}
