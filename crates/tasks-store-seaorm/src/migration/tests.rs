//! Tables from nothing, by two at once, and of other versions.

use std::sync::Arc;

use sea_orm::ConnectionTrait;
use tasks_abstractions::store::StoreErrorKind;
use tasks_abstractions::{JobStore, SystemClock};
use tasks_multitenancy::TenantScope;
use tempfile::TempDir;

use crate::{SeaOrmStore, SeaOrmStoreOptions, migrate};

fn options(folder: &TempDir) -> SeaOrmStoreOptions {
    SeaOrmStoreOptions::path(folder.path().join("jobs.db")).unwrap()
}

async fn unchecked(folder: &TempDir) -> SeaOrmStore {
    SeaOrmStore::connect_unchecked(options(folder), Arc::new(SystemClock))
        .await
        .unwrap()
}

async fn applied(store: &SeaOrmStore) -> Vec<bool> {
    let states = migrate::status(store).await.unwrap();
    states.iter().map(|it| it.applied).collect()
}

#[tokio::test]
async fn changes_are_made_and_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = unchecked(&folder).await;
    assert_eq!(applied(&store).await, [false]);
    for _ in 0..2 {
        migrate::up(&store).await.unwrap();
        assert_eq!(applied(&store).await, [true]);
        assert!(store.counts(TenantScope::All).await.unwrap().by_status.is_empty());
    }
    migrate::down(&store, None).await.unwrap();
    assert_eq!(applied(&store).await, [false]);
    assert!(store.counts(TenantScope::All).await.is_err());
    migrate::up(&store).await.unwrap();
    assert_eq!(applied(&store).await, [true]);
}

#[tokio::test]
async fn tables_that_are_missing_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(&folder);
    options.migrate_on_start = false;
    let error = SeaOrmStore::connect(options, Arc::new(SystemClock))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Invalid);
    assert!(error.to_string().contains("tasks migrate"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn starters_at_the_same_time_do_not_disturb_each_other() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let starters: Vec<_> = (0..4)
            .map(|_| tokio::spawn(SeaOrmStore::connect(options(&folder), Arc::new(SystemClock))))
            .collect();
        for starter in starters {
            let store = starter.await.unwrap().unwrap();
            assert_eq!(applied(&store).await, [true]);
        }
    }
}

#[tokio::test]
async fn tables_of_a_newer_program_are_used_if_they_allow_it() {
    let folder = tempfile::tempdir().unwrap();
    let connect = || SeaOrmStore::connect(options(&folder), Arc::new(SystemClock));
    let store = connect().await.unwrap();
    let set = async |version, oldest| {
        let sql = format!("UPDATE tk_schema SET version = {version}, oldest_program = {oldest}");
        store.connection().execute_unprepared(&sql).await.unwrap();
    };
    let newer = "INSERT INTO tk_migrations (version, applied_at) VALUES ('m29990101_000001_later', 0)";
    store.connection().execute_unprepared(newer).await.unwrap();
    set(2, 1).await;
    connect().await.unwrap();
    set(3, 2).await;
    let error = connect().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Invalid);
    assert!(error.to_string().contains("upgrade"), "{error}");
}
