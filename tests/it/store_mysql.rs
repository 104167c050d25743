//! The store suite on MariaDB or MySQL: one database a case, and two handles on it with connections of their own, as two programs have.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tasks_store_seaorm::SeaOrmStore;
use tasks_testing::ManualClock;
use tasks_testing::store_suite::{Capabilities, FullStore, StoreFixture};

use crate::mysql_database::OwnDatabase;

struct MysqlFixture {
    store: Arc<SeaOrmStore>,
    other_node: Arc<SeaOrmStore>,
    database: OwnDatabase,
}

impl MysqlFixture {
    async fn new() -> Self {
        let database = OwnDatabase::new().await;
        Self {
            store: open(&database).await,
            other_node: open(&database).await,
            database,
        }
    }
}

async fn open(database: &OwnDatabase) -> Arc<SeaOrmStore> {
    // Its times must come from the server or from the test: this clock stands still.
    let clock = Arc::new(ManualClock::new());
    let store = SeaOrmStore::connect(database.options(), clock).await;
    Arc::new(store.expect("the server is there"))
}

impl StoreFixture for MysqlFixture {
    fn store(&self) -> Arc<dyn FullStore> {
        Arc::clone(&self.store) as Arc<dyn FullStore>
    }

    fn other_node(&self) -> Arc<dyn FullStore> {
        Arc::clone(&self.other_node) as Arc<dyn FullStore>
    }

    fn reopened(&self) -> BoxFuture<'_, Arc<dyn FullStore>> {
        Box::pin(async { open(&self.database).await as Arc<dyn FullStore> })
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            name: "MariaDB or MySQL",
            row_locks: true,
            survives_reopen: true,
            // Its proof is the end of a process, and here all programs are one.
            proves_gone_processes: false,
            time_precision: Duration::from_micros(1),
        }
    }
}

tasks_testing::store_suite!(mysql, MysqlFixture::new());

/// What this backend runs.
pub(crate) use mysql::CASES;
