//! The store suite on SQLite: one file a case, and two handles on it with connections of their own, as two programs have.

use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use sea_orm::ConnectionTrait as _;
use tasks_abstractions::JobQueue as _;
use tasks_abstractions::job::Lane;
use tasks_abstractions::store::ClaimRequest;
use tasks_store_seaorm::SeaOrmStore;
use tasks_testing::ManualClock;
use tasks_testing::samples::{at, claim_id, due, instance_id, job_id, node, once};
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

/// Neither a job that this program cannot read nor one that the database cannot put into words keeps the others waiting.
#[tokio::test]
async fn a_claim_passes_over_what_cannot_be_read() {
    let fx = SqliteFixture::new().await;
    let store = &fx.store;
    store.register_node(&node(1)).await.expect("a node registers");
    let jobs: Vec<_> = (1..=5).map(|it| due(once(it), at(0))).collect();
    store.submit(&jobs).await.expect("submit");
    let claimed = async |limit| {
        let request = ClaimRequest {
            instance: instance_id(1),
            claim_id: claim_id(),
            lanes: vec![Lane::any_node()],
            limit,
            now: Some(at(0)),
            floors: Vec::new(),
        };
        let claimed = store.claim(&request).await.expect("claim");
        claimed.into_iter().map(|it| it.job.id).collect::<Vec<_>>()
    };
    let spoil = async |number, set: &str| {
        let id = job_id(number).as_uuid().simple();
        let sql = format!("UPDATE tk_background_jobs SET {set} WHERE id = x'{id}'");
        store
            .connection()
            .execute_unprepared(&sql)
            .await
            .expect("an update");
    };
    spoil(1, "misfire_policy = 9").await;
    assert_eq!(claimed(2).await, [job_id(2)]);
    // Bytes where a text should be: SQLite lets them in, and makes no JSON of them.
    spoil(3, "args = x'ff01'").await;
    assert_eq!(claimed(100).await, [job_id(4), job_id(5)]);
    assert!(claimed(100).await.is_empty(), "the others stay as they are");
}

tasks_testing::store_suite!(sqlite, SqliteFixture::new());

/// What this backend runs.
pub(crate) use sqlite::CASES;
