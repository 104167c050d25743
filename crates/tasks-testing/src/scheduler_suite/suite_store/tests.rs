//! Time stands while a store works, and the switches do what they say.

use std::future::pending;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tasks_abstractions::store::StoreErrorKind;
use tasks_abstractions::{Clock, JobQueue, JobStore};
use tasks_core::MemoryStore;
use tasks_multitenancy::TenantScope;

use super::{SuiteStore, while_time_stands};
use crate::PausedClock;
use crate::store_suite::FullStore;

const MILLISECOND: Duration = Duration::from_millis(1);

#[tokio::test(start_paused = true)]
async fn no_virtual_time_passes_while_a_database_works() {
    let clock = PausedClock::new();
    let before = clock.now();
    let timer = tokio::spawn(tokio::time::timeout(MILLISECOND, pending::<()>()));
    tokio::task::yield_now().await;
    let began = Instant::now();
    let answer = while_time_stands(async {
        tokio::time::timeout(MILLISECOND * 5, pending::<()>())
            .await
            .is_err()
    });
    assert!(
        answer && began.elapsed() >= MILLISECOND * 5,
        "time is real out there"
    );
    tokio::task::yield_now().await;
    assert_eq!(clock.now(), before);
    assert!(!timer.is_finished());
    assert!(timer.await.expect("no panic").is_err());
    assert_eq!((clock.now() - before).to_std(), Ok(MILLISECOND));
}

#[tokio::test(start_paused = true)]
async fn a_panic_out_there_is_one_here() {
    let caught = catch_unwind(AssertUnwindSafe(|| {
        while_time_stands(async { panic!("as planned") })
    }));
    let panic = caught.expect_err("a panic");
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"as planned"));
}

#[tokio::test(start_paused = true)]
async fn a_store_out_there_has_the_paused_time() {
    let clock = PausedClock::new();
    let mut theirs = None;
    let store = SuiteStore::outside(clock.clone(), |it| {
        theirs = Some(Arc::clone(&it));
        async { Arc::new(MemoryStore::new(it)) as Arc<dyn FullStore> }
    });
    let theirs = theirs.expect("the store got a clock");
    assert_eq!(theirs.now(), clock.now());
    tokio::time::advance(Duration::from_secs(3_600)).await;
    assert_eq!(store.now().await.expect("now"), clock.now());
    assert_eq!(theirs.now(), clock.now());
}

#[tokio::test(start_paused = true)]
async fn a_store_goes_away_and_comes_back() {
    let clock = PausedClock::new();
    let memory = Arc::new(MemoryStore::new(Arc::new(clock.clone())));
    let store = SuiteStore::direct(memory, clock);
    let kind = async || store.counts(TenantScope::All).await.map_err(|it| it.kind()).err();
    assert_eq!(kind().await, None);
    store.set_available(false);
    assert_eq!(kind().await, Some(StoreErrorKind::Unavailable));
    store.set_available(true);
    store.fail_next(2, StoreErrorKind::Rejected);
    assert_eq!(kind().await, Some(StoreErrorKind::Rejected));
    assert_eq!(kind().await, Some(StoreErrorKind::Rejected));
    assert_eq!(kind().await, None);
    assert_eq!(store.calls(), 2, "what did not reach the store is no call of it");
}
