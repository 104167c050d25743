//! The scheduler suite on SQLite: one file a case.

use std::sync::Arc;

use tasks_store_seaorm::{Durability, SeaOrmStore, SeaOrmStoreOptions};
use tasks_testing::PausedClock;
use tasks_testing::scheduler_suite::{DatabaseScheduler, SchedulerFixture, SuiteStore};
use tempfile::TempDir;

/// The store comes before the folder, so that it closes before that goes.
struct SqliteScheduler {
    scheduler: DatabaseScheduler,
    _folder: TempDir,
}

impl SqliteScheduler {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder for the database");
        let file = folder.path().join("tasks.db");
        let scheduler = DatabaseScheduler::open(|clock| async move {
            let mut options = SeaOrmStoreOptions::path(file).expect("a path of UTF-8");
            // No case ends the process: what was committed is read again without the disk.
            options.durability = Durability::MayLoseLastCommits;
            let store = SeaOrmStore::connect(options, clock).await;
            Arc::new(store.expect("the database opens")) as _
        });
        Self {
            scheduler,
            _folder: folder,
        }
    }
}

impl SchedulerFixture for SqliteScheduler {
    fn store(&self) -> &Arc<SuiteStore> {
        self.scheduler.store()
    }

    fn clock(&self) -> &PausedClock {
        self.scheduler.clock()
    }
}

tasks_testing::scheduler_suite!(sqlite, SqliteScheduler::new());

/// What this backend runs.
pub(crate) use sqlite::CASES;
