//! Tests of the ambient tenant: nesting, other tasks and threads, panics.

use super::*;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::task::{Context, Poll, Waker};
use tokio::task::yield_now;

fn a() -> TenantId {
    TenantId::from_name("a")
}

fn b() -> TenantId {
    TenantId::from_name("b")
}

#[test]
fn without_a_change_it_is_the_host() {
    assert_eq!(CurrentTenant::id(), TenantId::HOST);
}

#[tokio::test]
async fn changes_nest_and_restore() {
    CurrentTenant::change(a(), async {
        assert_eq!(CurrentTenant::id(), a());
        CurrentTenant::change(b(), async {
            yield_now().await;
            assert_eq!(CurrentTenant::id(), b());
            CurrentTenant::change(TenantId::HOST, async {
                assert_eq!(CurrentTenant::id(), TenantId::HOST)
            })
            .await;
            assert_eq!(CurrentTenant::id(), b());
        })
        .await;
        assert_eq!(CurrentTenant::id(), a());
        CurrentTenant::change_sync(b(), || assert_eq!(CurrentTenant::id(), b()));
        assert_eq!(CurrentTenant::id(), a());
    })
    .await;
    assert_eq!(CurrentTenant::id(), TenantId::HOST);
}

#[tokio::test]
async fn interleaved_futures_keep_their_own() {
    async fn steps(tenant: TenantId) {
        for _ in 0..10 {
            assert_eq!(CurrentTenant::id(), tenant);
            yield_now().await;
        }
    }
    tokio::join!(
        CurrentTenant::change(a(), steps(a())),
        CurrentTenant::change(b(), steps(b())),
        steps(TenantId::HOST)
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn spawned_and_blocking_work_keeps_the_tenant() {
    CurrentTenant::change(a(), async {
        let spawned = CurrentTenant::spawn(async {
            yield_now().await;
            let blocking = CurrentTenant::spawn_blocking(CurrentTenant::id).await.unwrap();
            (CurrentTenant::id(), blocking)
        });
        assert_eq!(spawned.await.unwrap(), (a(), a()));
        assert_eq!(
            tokio::spawn(async { CurrentTenant::id() }).await.unwrap(),
            TenantId::HOST,
            "a bare spawn loses it"
        );
    })
    .await;
}

#[tokio::test]
async fn carry_captures_at_the_call_not_at_the_poll() {
    let carried = CurrentTenant::change_sync(a(), || CurrentTenant::carry(async { CurrentTenant::id() }));
    let seen = CurrentTenant::change(b(), carried).await;
    assert_eq!(seen, a());
}

#[tokio::test]
async fn a_panic_restores_the_tenant_before() {
    CurrentTenant::change(a(), async {
        let sync = catch_unwind(|| CurrentTenant::change_sync(b(), || panic!("in a sync change")));
        assert!(sync.is_err());
        assert_eq!(CurrentTenant::id(), a());

        let mut inner = pin!(CurrentTenant::change(b(), async { panic!("in a future") }));
        let polled = catch_unwind(AssertUnwindSafe(|| {
            inner.as_mut().poll(&mut Context::from_waker(Waker::noop()))
        }));
        assert!(polled.is_err());
        assert_eq!(CurrentTenant::id(), a());
    })
    .await;
    let joined =
        CurrentTenant::change_sync(a(), || CurrentTenant::spawn(async { panic!("in a task") })).await;
    assert!(joined.unwrap_err().is_panic());
    assert_eq!(CurrentTenant::id(), TenantId::HOST);
}

#[tokio::test]
async fn a_future_dropped_half_way_leaves_nothing_behind() {
    struct SeenAtDrop<'a>(&'a std::cell::Cell<TenantId>);
    impl Drop for SeenAtDrop<'_> {
        fn drop(&mut self) {
            self.0.set(CurrentTenant::id());
        }
    }
    let seen = std::cell::Cell::new(TenantId::HOST);
    {
        let guard = SeenAtDrop(&seen);
        let mut half = pin!(CurrentTenant::change(a(), async move {
            let _guard = guard;
            std::future::pending::<()>().await;
        }));
        assert_eq!(
            half.as_mut().poll(&mut Context::from_waker(Waker::noop())),
            Poll::Pending
        );
        assert_eq!(CurrentTenant::id(), TenantId::HOST);
    }
    assert_eq!(
        seen.get(),
        a(),
        "what is dropped with the future still sees its tenant"
    );
    assert_eq!(CurrentTenant::id(), TenantId::HOST);
}
