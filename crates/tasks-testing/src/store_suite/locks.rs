//! Locks of job code: one owner, for as long as its run is in flight.

use tasks_abstractions::store::{ClaimedRun, Decision};
use tasks_abstractions::{JobLock, JobLockProvider, LockOwner};
use tasks_multitenancy::TenantId;

use super::fixture::StoreFixture;
use super::steps::{ALL, change, claim, finish, join, kill, submit, take_over};
use crate::samples::{at, done, due, job_id, of_tenant, once, run_id, tenant};

fn owner(run: &ClaimedRun) -> LockOwner {
    LockOwner {
        job_id: run.job.id,
        run_id: run.run.run_id,
        tenant_id: run.job.tenant_id,
    }
}

/// Claims `count` jobs for node 1, in order of their ids.
async fn in_flight(fx: &impl StoreFixture, count: u128) -> Vec<ClaimedRun> {
    let store = fx.store();
    join(&store, 1).await;
    join(&store, 2).await;
    let jobs: Vec<_> = (1..=count).map(|it| due(once(it), at(0))).collect();
    submit(&store, &jobs).await;
    claim(&store, 1, 100, at(0)).await
}

/// A lock has one owner, which may take it again; only the owner frees it; the end of its run frees it too.
pub async fn a_lock_has_one_owner_and_ends_with_its_run(fx: &impl StoreFixture) {
    let runs = in_flight(fx, 3).await;
    let (store, other) = (fx.store(), fx.other_node());
    let [a, b, c] = [owner(&runs[0]), owner(&runs[1]), owner(&runs[2])];
    assert!(store.try_acquire("stock", a).await.expect("acquire"));
    assert!(
        other.try_acquire("stock", a).await.expect("acquire"),
        "its own lock"
    );
    assert!(!other.try_acquire("stock", b).await.expect("acquire"));
    assert!(
        other.try_acquire("Stock", b).await.expect("acquire"),
        "another key"
    );
    assert!(
        !other.release("stock", b).await.expect("release"),
        "not the owner"
    );
    assert!(!other.try_acquire("stock", b).await.expect("acquire"));
    assert!(store.release("stock", a).await.expect("release"));
    assert!(
        !store.release("stock", a).await.expect("release"),
        "freed already"
    );
    assert!(other.try_acquire("stock", b).await.expect("acquire"));

    // The end of b's run frees its locks; its late release does not free the next holder's.
    finish(&store, &[done(&runs[1])]).await;
    assert!(store.try_acquire("stock", c).await.expect("acquire"));
    assert!(!store.release("stock", b).await.expect("release"));
    assert!(
        !store.try_acquire("stock", a).await.expect("acquire"),
        "c holds it"
    );
    assert!(store.try_acquire("Stock", a).await.expect("acquire"));
}

/// Take-over, removal and deletion of a run free its locks.
pub async fn whatever_ends_a_run_frees_its_locks(fx: &impl StoreFixture) {
    let runs = in_flight(fx, 3).await;
    let store = fx.store();
    for (run, key) in runs.iter().zip(["a", "b", "c"]) {
        assert!(store.try_acquire(key, owner(run)).await.expect("acquire"));
    }
    submit(&store, &[due(once(9), at(0))]).await;
    let mine = owner(&claim(&store, 2, 1, at(0)).await[0]);
    for key in ["a", "b", "c"] {
        assert!(
            !store.try_acquire(key, mine).await.expect("acquire"),
            "{key} is held"
        );
    }
    assert!(store.remove(ALL, job_id(1)).await.expect("remove"));
    change(&store, job_id(2), |_, _| Decision::Delete(None)).await;
    kill(&store, 1).await;
    assert!(
        !store.try_acquire("c", mine).await.expect("acquire"),
        "nobody has taken its run over"
    );
    assert_eq!(take_over(&store, 2, at(5)).await.len(), 1);
    for key in ["a", "b", "c"] {
        assert!(
            store.try_acquire(key, mine).await.expect("acquire"),
            "{key} is free"
        );
    }
    assert!(
        !store.release("c", owner(&runs[2])).await.expect("release"),
        "a late release"
    );
    assert!(
        !store.try_acquire("c", owner(&runs[2])).await.expect("acquire"),
        "a fenced run"
    );
}

/// A lock of a run that is not in flight holds nobody up.
pub async fn a_lock_without_a_run_counts_for_nothing(fx: &impl StoreFixture) {
    let runs = in_flight(fx, 1).await;
    let ghost = LockOwner {
        job_id: job_id(1),
        run_id: run_id(99),
        tenant_id: TenantId::HOST,
    };
    let store = fx.store();
    // Whether a ghost is told yes is the store's business; that it keeps nobody out is not.
    store.try_acquire("k", ghost).await.expect("acquire");
    assert!(store.try_acquire("k", owner(&runs[0])).await.expect("acquire"));
    assert!(!store.try_acquire("k", ghost).await.expect("acquire"));
}

/// The same key of two tenants and of the host are three locks.
pub async fn tenants_never_lock_each_other_out(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    let jobs = [
        due(once(1), at(0)),
        due(of_tenant(2, tenant(1)), at(0)),
        due(of_tenant(3, tenant(2)), at(0)),
    ];
    submit(&store, &jobs).await;
    for run in claim(&store, 1, 10, at(0)).await {
        assert!(
            store.try_acquire("k", owner(&run)).await.expect("acquire"),
            "{}",
            run.job.tenant_id
        );
    }
}

/// Of callers at once exactly one gets the lock, round after round; keys of any text work through the handle for job code.
pub async fn a_contended_lock_goes_to_one(fx: &impl StoreFixture) {
    let runs = in_flight(fx, 6).await;
    for round in 0..20 {
        let key = format!("ключ/🔑 {round} {}", "k".repeat(round * 10));
        let tries = runs.iter().enumerate().map(|(i, run)| {
            let store = if i % 2 == 0 { fx.store() } else { fx.other_node() };
            let (key, owner) = (key.clone(), owner(run));
            tokio::spawn(async move {
                JobLock::acquire(store as std::sync::Arc<dyn JobLockProvider>, &key, owner).await
            })
        });
        let mut held = Vec::new();
        for answer in futures::future::join_all(tries).await {
            held.extend(answer.expect("no panic").expect("acquire"));
        }
        assert_eq!(held.len(), 1, "round {round}");
        assert!(held.remove(0).release().await.expect("release"));
    }
}
