//! The store suite on SQLite: one file a case, and two handles on it with connections of their own, as two programs have.

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt as _;
use futures::future::BoxFuture;
use sea_orm::ConnectionTrait as _;
use tasks_abstractions::store::{ClaimedRun, FinishAnswer, SubmitAnswer};
use tasks_abstractions::{JobQueue as _, JobStore as _};
use tasks_multitenancy::TenantScope;
use tasks_store_seaorm::{SeaOrmStore, SeaOrmStoreOptions};
use tasks_testing::ManualClock;
use tasks_testing::samples::{at, claim_request, done, due, instance_id, job_id, node, once};
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
        let claimed = store.claim(&claim_request(1, limit, at(0))).await.expect("claim");
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

/// Claims and outcomes hold the lock of the whole file, so they are carried out without their caller's help: one that is busy with something else, or has given up,
/// keeps nobody waiting.
#[tokio::test]
async fn what_was_begun_is_written_though_nobody_waits_for_it() {
    let fx = SqliteFixture::new().await;
    let store = &fx.store;
    store.register_node(&node(1)).await.expect("a node registers");
    let jobs: Vec<_> = (1..=3).map(|it| due(once(it), at(0))).collect();
    store.submit(&jobs).await.expect("submit");
    // Each is looked at once, with which it begins, and comes after those before it.
    let claim = claim_request(1, 2, at(0));
    assert!(
        store.claim(&claim).now_or_never().is_none(),
        "another thread claims"
    );
    let rest = store.claim(&claim_request(1, 3, at(0))).await.expect("claim");
    assert_eq!(rest.iter().map(|it| it.job.id).collect::<Vec<_>>(), [job_id(3)]);
    let runs = store.runs_of(instance_id(1)).await.expect("the runs");
    assert_eq!(runs.len(), 3, "the first claim took two");
    let ended: Vec<_> = (1..=2)
        .map(|number| {
            let run = runs
                .iter()
                .find(|it| it.job_id == job_id(number))
                .expect("its run");
            done(&ClaimedRun {
                job: Arc::new(once(number)),
                run: run.clone(),
            })
        })
        .collect();
    assert!(
        store.finish(&ended).now_or_never().is_none(),
        "another thread writes"
    );
    let answers = store.finish(&ended).await.expect("finish");
    assert!(
        answers.iter().all(|it| matches!(it, FinishAnswer::Gone)),
        "{answers:?}"
    );
    // One of a batch is gone, and what is left is written all the same.
    let last = [ended[0].clone(), done(&rest[0])];
    let answers = store.finish(&last).await.expect("finish");
    assert!(
        matches!(answers[..], [FinishAnswer::Gone, FinishAnswer::Applied]),
        "{answers:?}"
    );
}

/// A call that somebody has begun and looks at no more is in the way of others, as any transaction is: they are told so, and when it is given up all goes on.
#[tokio::test]
async fn a_call_that_nobody_looks_at_holds_up_others_for_a_time_only() {
    let folder = tempfile::tempdir().expect("a folder for the database");
    let path = folder.path().join("tasks.db");
    let mut options = SeaOrmStoreOptions::new(format!("sqlite://{}", path.display()));
    options.busy_timeout = Duration::from_millis(50);
    options.acquire_timeout = Duration::from_millis(50);
    let store = SeaOrmStore::connect(options, Arc::new(ManualClock::new())).await;
    let store = store.expect("the database opens");
    let jobs = [1, 2, 3].map(|it| [due(once(it), at(0))]);
    let mut neglected = Box::pin(store.submit(&jobs[0]));
    assert!(neglected.as_mut().now_or_never().is_none());
    let error = store
        .submit(&jobs[1])
        .await
        .expect_err("another one is before it");
    assert!(error.is_unavailable(), "{error}");
    drop(neglected);
    let answers = store.submit(&jobs[2]).await.expect("submit");
    assert_eq!(answers, [SubmitAnswer::Inserted]);
    let given_up = store.find(TenantScope::All, job_id(2)).await.expect("find");
    assert!(given_up.is_none(), "what was given up is not stored later");
}

tasks_testing::store_suite!(sqlite, SqliteFixture::new());

/// What this backend runs.
pub(crate) use sqlite::CASES;
