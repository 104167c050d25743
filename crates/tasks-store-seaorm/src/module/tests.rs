//! What the module registers, and what it says when it cannot.

use std::error::Error as _;
use std::sync::Arc;

use tasks_abstractions::services::{Module as _, ServiceRegistry};
use tasks_abstractions::{Clock, JobLockProvider, JobQueue, JobStore, SystemClock, Timestamp};

use super::SeaOrmStoreModule;
use crate::SeaOrmStore;

#[derive(Debug)]
struct Stopped;

impl Clock for Stopped {
    fn now(&self) -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn authoritative_now(&self) -> Option<Timestamp> {
        Some(Timestamp::UNIX_EPOCH)
    }
}

#[tokio::test]
async fn it_registers_the_store_under_every_contract() {
    let module = SeaOrmStoreModule::connect("sqlite::memory:");
    let mut registry = ServiceRegistry::new();
    registry.singleton::<dyn Clock>(Arc::new(Stopped)).unwrap();
    module.configure(&mut registry).await.unwrap();
    assert!(registry.contains::<SeaOrmStore>() && registry.contains::<dyn JobStore>());
    assert!(registry.contains::<dyn JobLockProvider>());
    let queue = registry.get::<dyn JobQueue>().unwrap();
    assert_eq!(
        queue.now().await.unwrap(),
        Timestamp::UNIX_EPOCH,
        "the registered clock"
    );
    module.stop(&registry.finish()).await.unwrap();
    assert!(queue.nodes().await.unwrap_err().is_unavailable());
}

#[tokio::test]
async fn it_says_what_is_wrong_with_the_database() {
    let folder = tempfile::tempdir().unwrap();
    let missing = folder.path().join("no").join("jobs.db");
    let module = SeaOrmStoreModule::connect(format!("sqlite://{}", missing.display()));
    let error = module.configure(&mut ServiceRegistry::new()).await.unwrap_err();
    assert!(error.to_string().contains("create it"), "{error}");
    assert!(error.source().is_some());
    let damaged = folder.path().join("damaged.db");
    std::fs::write(&damaged, [7_u8; 8192]).unwrap();
    let error = SeaOrmStore::connect_path(&damaged, Arc::new(SystemClock))
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("no SQLite database or is damaged"),
        "{error}"
    );
}

/// The connection that writes is closed last and alone: one that only reads cannot bring the write-ahead log into the file, and of two at once neither is the last.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_was_closed_is_the_whole_database() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("whole.db");
    for round in 0..100 {
        let store = SeaOrmStore::connect_path(&file, Arc::new(SystemClock))
            .await
            .unwrap();
        store.close().await.unwrap();
        let log = folder.path().join("whole.db-wal");
        assert!(!log.exists(), "round {round}");
    }
}
