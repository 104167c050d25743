//! The store suite on PostgreSQL: one schema a case, and two handles on it with connections of their own, as two programs have.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tasks_store_seaorm::SeaOrmStore;
use tasks_testing::ManualClock;
use tasks_testing::store_suite::{Capabilities, FullStore, StoreFixture};

use crate::postgres_schema::Schema;

struct PostgresFixture {
    store: Arc<SeaOrmStore>,
    other_node: Arc<SeaOrmStore>,
    schema: Schema,
}

impl PostgresFixture {
    async fn new() -> Self {
        let schema = Schema::new();
        Self {
            store: open(&schema).await,
            other_node: open(&schema).await,
            schema,
        }
    }
}

async fn open(schema: &Schema) -> Arc<SeaOrmStore> {
    // Its times must come from the server or from the test: this clock stands still.
    let clock = Arc::new(ManualClock::new());
    let store = SeaOrmStore::connect(schema.options(), clock).await;
    Arc::new(store.expect("the server is there"))
}

impl StoreFixture for PostgresFixture {
    fn store(&self) -> Arc<dyn FullStore> {
        Arc::clone(&self.store) as Arc<dyn FullStore>
    }

    fn other_node(&self) -> Arc<dyn FullStore> {
        Arc::clone(&self.other_node) as Arc<dyn FullStore>
    }

    fn reopened(&self) -> BoxFuture<'_, Arc<dyn FullStore>> {
        Box::pin(async { open(&self.schema).await as Arc<dyn FullStore> })
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            name: "PostgreSQL",
            row_locks: true,
            survives_reopen: true,
            // Its proof is the end of a process, and here all programs are one.
            proves_gone_processes: false,
            time_precision: Duration::from_micros(1),
        }
    }
}

tasks_testing::store_suite!(postgres, PostgresFixture::new());

/// What this backend runs.
pub(crate) use postgres::CASES;
