//! The store suite on the store in memory.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tasks_core::MemoryStore;
use tasks_testing::ManualClock;
use tasks_testing::store_suite::{Capabilities, FullStore, StoreFixture};

/// One store: nodes of one process share it.
struct MemoryFixture(Arc<MemoryStore>);

impl MemoryFixture {
    async fn new() -> Self {
        Self(open())
    }
}

fn open() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new(Arc::new(ManualClock::new())))
}

impl StoreFixture for MemoryFixture {
    fn store(&self) -> Arc<dyn FullStore> {
        Arc::clone(&self.0) as Arc<dyn FullStore>
    }

    fn other_node(&self) -> Arc<dyn FullStore> {
        self.store()
    }

    fn reopened(&self) -> BoxFuture<'_, Arc<dyn FullStore>> {
        Box::pin(async { open() as Arc<dyn FullStore> })
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            name: "memory",
            row_locks: false,
            survives_reopen: false,
            proves_gone_processes: false,
            time_precision: Duration::from_micros(1),
        }
    }
}

tasks_testing::store_suite!(memory, MemoryFixture::new());

/// What this backend runs.
pub(crate) use memory::CASES;
