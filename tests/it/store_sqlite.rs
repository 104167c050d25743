//! The store suite on SQLite: one file a case, and two handles on it with connections of their own, as two programs have.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tasks_store_seaorm::SeaOrmStore;
use tasks_testing::ManualClock;
use tasks_testing::store_suite::{Capabilities, FullStore, StoreFixture};
use tempfile::TempDir;

/// The handles come before the folder, so that they close before it goes.
struct SqliteFixture {
    store: Arc<SeaOrmStore>,
    other_node: Arc<SeaOrmStore>,
    folder: TempDir,
}

impl SqliteFixture {
    async fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the database");
        Self {
            store: open(&folder).await,
            other_node: open(&folder).await,
            folder,
        }
    }
}

async fn open(folder: &TempDir) -> Arc<SeaOrmStore> {
    let clock = Arc::new(ManualClock::new());
    let store = SeaOrmStore::connect_path(folder.path().join("tasks.db"), clock).await;
    Arc::new(store.expect("the database opens"))
}

impl StoreFixture for SqliteFixture {
    fn store(&self) -> Arc<dyn FullStore> {
        Arc::clone(&self.store) as Arc<dyn FullStore>
    }

    fn other_node(&self) -> Arc<dyn FullStore> {
        Arc::clone(&self.other_node) as Arc<dyn FullStore>
    }

    fn reopened(&self) -> BoxFuture<'_, Arc<dyn FullStore>> {
        Box::pin(async { open(&self.folder).await as Arc<dyn FullStore> })
    }

    fn capabilities(&self) -> Capabilities {
        Capabilities {
            name: "SQLite",
            row_locks: false,
            survives_reopen: true,
            proves_gone_processes: true,
            time_precision: Duration::from_micros(1),
        }
    }
}

tasks_testing::store_suite!(sqlite, SqliteFixture::new());

/// What this backend runs.
pub(crate) use sqlite::CASES;
