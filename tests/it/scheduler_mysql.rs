//! The scheduler suite on MariaDB or MySQL: one database a case.

use std::sync::Arc;

use tasks_store_seaorm::SeaOrmStore;
use tasks_testing::PausedClock;
use tasks_testing::scheduler_suite::{DatabaseScheduler, SchedulerFixture, SuiteStore, while_time_stands};

use crate::mysql_database::OwnDatabase;

/// The store comes before the database, so that it closes before that goes.
struct MysqlScheduler {
    scheduler: DatabaseScheduler,
    _database: OwnDatabase,
}

impl MysqlScheduler {
    fn new() -> Self {
        let database = while_time_stands(OwnDatabase::new());
        let options = database.options();
        let scheduler = DatabaseScheduler::open(|clock| async move {
            let store = SeaOrmStore::connect(options, clock).await;
            Arc::new(store.expect("the server is there")) as _
        });
        Self {
            scheduler,
            _database: database,
        }
    }
}

impl SchedulerFixture for MysqlScheduler {
    fn store(&self) -> &Arc<SuiteStore> {
        self.scheduler.store()
    }

    fn clock(&self) -> &PausedClock {
        self.scheduler.clock()
    }
}

tasks_testing::scheduler_suite!(mysql, MysqlScheduler::new());

/// What this backend runs.
pub(crate) use mysql::CASES;
