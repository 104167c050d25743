//! The scheduler suite on PostgreSQL: one schema a case.

use std::sync::Arc;

use tasks_store_seaorm::{Durability, SeaOrmStore};
use tasks_testing::PausedClock;
use tasks_testing::scheduler_suite::{DatabaseScheduler, SchedulerFixture, SuiteStore};

use crate::postgres_schema::Schema;

/// The store comes before the schema, so that it closes before that goes.
struct PostgresScheduler {
    scheduler: DatabaseScheduler,
    _schema: Schema,
}

impl PostgresScheduler {
    fn new() -> Self {
        let schema = Schema::new();
        let mut options = schema.options();
        // No case ends the server: what was committed is read again without the disk.
        options.durability = Durability::MayLoseLastCommits;
        // All nodes of a case are in one process, which tells itself.
        options.notify = false;
        let scheduler = DatabaseScheduler::open(|clock| async move {
            let store = SeaOrmStore::connect(options, clock).await;
            Arc::new(store.expect("the server is there")) as _
        });
        Self {
            scheduler,
            _schema: schema,
        }
    }
}

impl SchedulerFixture for PostgresScheduler {
    fn store(&self) -> &Arc<SuiteStore> {
        self.scheduler.store()
    }

    fn clock(&self) -> &PausedClock {
        self.scheduler.clock()
    }
}

tasks_testing::scheduler_suite!(postgres, PostgresScheduler::new());

/// What this backend runs.
pub(crate) use postgres::CASES;
