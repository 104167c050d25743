//! Jobs that commit and vanish with the application's own rows.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, TransactionTrait};
use tasks_abstractions::job::Lane;
use tasks_abstractions::run::{QueueEntry, RunKind};
use tasks_abstractions::store::{PreparedJob, StoreErrorKind, SubmitAnswer};
use tasks_abstractions::{
    Clock, EnqueueError, JobId, JobInfo, JobLimits, JobPublisher, JobStore, StoreError, SystemClock, WakeHint,
};
use tasks_multitenancy::{TenantId, TenantScope};
use tempfile::TempDir;
use uuid::Uuid;

use crate::{SeaOrmStore, enqueue_in};

/// Notes who was woken, and whether the jobs were there by then.
#[derive(Debug, Default)]
struct Bell {
    store: Mutex<Option<SeaOrmStore>>,
    rung: Mutex<Vec<(usize, u64)>>,
}

#[async_trait]
impl JobPublisher for Bell {
    async fn publish(&self, hints: &[WakeHint]) {
        let store = self.store.lock().unwrap().clone().unwrap();
        let stored = store
            .list(TenantScope::All, &Default::default())
            .await
            .unwrap()
            .total;
        self.rung.lock().unwrap().push((hints.len(), stored));
    }
}

struct Shop {
    store: SeaOrmStore,
    /// A connection pool as an application opens one.
    own: DatabaseConnection,
    bell: Arc<Bell>,
    _folder: TempDir,
}

impl Shop {
    async fn open() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.db");
        let store = SeaOrmStore::connect_path(&path, Arc::new(SystemClock))
            .await
            .unwrap();
        store
            .connection()
            .execute_unprepared("CREATE TABLE orders (id INTEGER PRIMARY KEY)")
            .await
            .unwrap();
        let own = Database::connect(format!("sqlite://{}", path.display()))
            .await
            .unwrap();
        let bell = Arc::new(Bell::default());
        *bell.store.lock().unwrap() = Some(store.clone());
        Self {
            store,
            own,
            bell,
            _folder: folder,
        }
    }

    fn job(&self, number: u128, name: Option<&str>) -> PreparedJob {
        let now = SystemClock.now();
        let builder = JobInfo::builder(
            JobId::new(Uuid::from_u128(number)),
            TenantId::HOST,
            "shop.send",
            now,
        );
        let builder = match name {
            Some(name) => builder.name(name),
            None => builder,
        };
        let first = QueueEntry {
            lane: Lane::node("till-1"),
            rank: 10,
            due_at: now,
            kind: RunKind::Schedule,
            attempt: 1,
        };
        let job = builder.build(&JobLimits::default()).unwrap();
        PreparedJob::new(job, Some(first), Some(self.bell.clone()))
    }

    async fn jobs(&self) -> u64 {
        self.store
            .list(TenantScope::All, &Default::default())
            .await
            .unwrap()
            .total
    }

    async fn orders(&self) -> usize {
        let sql = sea_orm::Statement::from_string(sea_orm::DbBackend::Sqlite, "SELECT id FROM orders");
        self.store.connection().query_all_raw(sql).await.unwrap().len()
    }

    fn rung(&self) -> Vec<(usize, u64)> {
        self.bell.rung.lock().unwrap().clone()
    }
}

async fn order(on: &impl ConnectionTrait) -> Result<(), StoreError> {
    on.execute_unprepared("INSERT INTO orders (id) VALUES (NULL)")
        .await
        .unwrap();
    Ok(())
}

#[tokio::test]
async fn a_committed_transaction_wakes_the_nodes_afterwards() {
    let shop = Shop::open().await;
    let (one, two) = (shop.job(1, Some("mail")), shop.job(2, None));
    let answer = shop
        .store
        .transaction(|tx| async move {
            order(tx.connection()).await?;
            tx.enqueue(one).await?;
            tx.enqueue(two).await
        })
        .await
        .unwrap();
    assert_eq!(answer, SubmitAnswer::Inserted);
    assert_eq!((shop.jobs().await, shop.orders().await), (2, 1));
    assert_eq!(shop.rung(), [(2, 2)], "once, with both, when both were stored");
}

#[tokio::test]
async fn an_error_takes_order_and_job_back() {
    let shop = Shop::open().await;
    let job = shop.job(1, None);
    let result: Result<(), StoreError> = shop
        .store
        .transaction(|tx| async move {
            order(tx.connection()).await?;
            tx.enqueue_many(&[job]).await?;
            Err(StoreError::new(StoreErrorKind::Invalid, "the customer left"))
        })
        .await;
    assert_eq!(result.unwrap_err().to_string(), "the customer left");
    assert_eq!((shop.jobs().await, shop.orders().await), (0, 0));
    assert!(shop.rung().is_empty());
    // The lane that vanished with it is made again.
    let job = shop.job(1, None);
    shop.store
        .transaction(|tx| async move { tx.enqueue(job).await })
        .await
        .unwrap();
    let waiting = shop
        .store
        .get_waiting_list(TenantScope::All, 10, None)
        .await
        .unwrap();
    assert_eq!(waiting[0].waiting.as_ref().unwrap().lane, Lane::node("till-1"));
}

#[tokio::test]
async fn ids_and_names_that_exist_do_not_break_the_transaction() {
    let shop = Shop::open().await;
    let jobs = [
        shop.job(1, Some("mail")),
        shop.job(1, Some("mail")),
        shop.job(2, Some("mail")),
    ];
    let late = shop.job(3, Some("mail"));
    let answers = shop
        .store
        .transaction(|tx| async move {
            let answers = tx.enqueue_many(&jobs).await?;
            let taken = tx.enqueue(late).await.unwrap_err();
            assert!(matches!(taken, EnqueueError::NameTaken { .. }), "{taken}");
            order(tx.connection()).await?;
            Ok::<_, StoreError>(answers)
        })
        .await
        .unwrap();
    let by = JobId::new(Uuid::from_u128(1));
    assert_eq!(
        answers,
        [
            SubmitAnswer::Inserted,
            SubmitAnswer::Exists,
            SubmitAnswer::NameTaken { by }
        ]
    );
    assert_eq!((shop.jobs().await, shop.orders().await), (1, 1));
}

#[tokio::test]
async fn a_transaction_that_is_kept_is_not_committed() {
    let shop = Shop::open().await;
    let kept = Arc::new(Mutex::new(None));
    let keeper = kept.clone();
    let result = shop
        .store
        .transaction(|tx| async move {
            order(tx.connection()).await?;
            *keeper.lock().unwrap() = Some(tx);
            Ok::<_, StoreError>(())
        })
        .await;
    assert_eq!(result.unwrap_err().kind(), StoreErrorKind::Transaction);
    drop(kept.lock().unwrap().take());
    assert_eq!(shop.orders().await, 0);
}

#[tokio::test]
async fn a_job_vanishes_with_the_callers_own_transaction() {
    let shop = Shop::open().await;
    for commits in [false, true] {
        let tx = shop.own.begin().await.unwrap();
        let enqueued = enqueue_in(&tx, &[shop.job(1, None)]).await.unwrap();
        order(&tx).await.unwrap();
        assert_eq!(enqueued.answers, [SubmitAnswer::Inserted]);
        if commits {
            tx.commit().await.unwrap();
            enqueued.wake.wake().await;
        } else {
            tx.rollback().await.unwrap();
        }
        let expected = usize::from(commits);
        assert_eq!(
            (shop.jobs().await, shop.orders().await),
            (expected as u64, expected)
        );
    }
    assert_eq!(shop.rung(), [(1, 1)]);
}

#[tokio::test]
async fn a_transaction_that_read_first_is_told_how_to_begin() {
    let shop = Shop::open().await;
    let tx = shop.own.begin().await.unwrap();
    tx.execute_unprepared("SELECT * FROM orders").await.unwrap();
    order(shop.store.connection()).await.unwrap();
    let error = enqueue_in(&tx, &[shop.job(1, None)]).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Transaction);
    let message = error.to_string();
    assert!(
        message.contains("BEGIN IMMEDIATE") && message.contains("SqliteTransactionMode::Immediate"),
        "{message}"
    );
    tx.rollback().await.unwrap();
}

#[tokio::test]
async fn a_full_disk_is_reported_and_leaves_the_writer_usable() {
    let shop = Shop::open().await;
    let pages = async |most: u32| {
        let pragma = format!("PRAGMA max_page_count = {most}");
        let statement = sea_orm::Statement::from_string(sea_orm::DbBackend::Sqlite, pragma);
        shop.store
            .handles()
            .open
            .writer
            .query_all_raw(statement)
            .await
            .unwrap();
    };
    pages(1).await;
    let jobs: Vec<_> = (1..=2_000).map(|it| shop.job(it, None)).collect();
    let error = tasks_abstractions::JobQueue::submit(&shop.store, &jobs)
        .await
        .unwrap_err();
    assert!(error.is_unavailable(), "{error}");
    assert!(error.to_string().contains("full"), "{error}");
    pages(100_000).await;
    // A transaction that SQLite rolled back by itself must not leave the connection inside one: it would no longer take the write lock.
    let other = shop
        .own
        .begin_with_options(shop.store.handles().open.dialect.writing())
        .await
        .unwrap();
    let begun = crate::store::begin(
        shop.store.handles(),
        std::time::Duration::from_millis(50),
        "begin",
    )
    .await;
    assert!(begun.unwrap_err().is_unavailable());
    other.rollback().await.unwrap();
    assert_eq!(shop.jobs().await, 0);
    assert_eq!(
        tasks_abstractions::JobQueue::submit(&shop.store, &jobs)
            .await
            .unwrap()
            .len(),
        2_000
    );
    assert_eq!(shop.jobs().await, 2_000);
}
