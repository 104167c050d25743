//! Ending a node: draining, grace, giving back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tasks_abstractions::store::NodeState;
use tasks_abstractions::{JobQueue, JobStatus, Outcome, RunOutcome};
use tasks_multitenancy::TenantScope;

use super::fixture::{Gate, LIMIT, SchedulerFixture, done, endless, pass, secs, until_cancelled};
use crate::Recorder;

/// Runs that end within the grace are done and recorded; nothing new is claimed meanwhile.
pub async fn shutdown_drains(fx: &impl SchedulerFixture) {
    let host = fx
        .node("a")
        .options(|it| it.max_concurrency = 10)
        .run("t", |ctx| async move {
            pass(secs(10)).await;
            done(ctx).await
        })
        .build()
        .unwrap();
    host.enqueue_many("t", 30).await.unwrap();
    host.start();
    host.recorder()
        .wait_for("ten starts", LIMIT, |it| it.started() == 10)
        .await
        .unwrap();
    assert!(host.shutdown().await);
    assert_eq!(host.recorder().count(RunOutcome::Succeeded), 10);
    assert_eq!(host.recorder().look(crate::Record::started), 10);
    let counts = host.store().counts(TenantScope::All).await.unwrap();
    assert_eq!(
        (counts.of(JobStatus::Completed), counts.of(JobStatus::Queuing)),
        (10, 20)
    );
    let nodes = fx.store().nodes().await.unwrap();
    assert!(nodes.iter().all(|it| it.state == NodeState::Stopped));
}

/// After the grace runs are cancelled and given back: uncounted and unrecorded, and another node runs them with the same attempt.
pub async fn shutdown_gives_back_what_does_not_end(fx: &impl SchedulerFixture) {
    let a = fx.node("a").run("t", until_cancelled).build().unwrap();
    a.start();
    let ids = a.enqueue_many("t", 5).await.unwrap();
    a.recorder()
        .wait_for("five starts", LIMIT, |it| it.started() == 5)
        .await
        .unwrap();
    let began = fx.now();
    assert!(a.shutdown().await);
    let took = (fx.now() - began).to_std().unwrap();
    let grace = a.engine().options().shutdown_grace;
    assert!(took >= grace && took < grace + secs(2), "{took:?}");
    let b = fx
        .node("b")
        .run("t", |ctx| async move {
            assert_eq!((ctx.attempt(), ctx.interruptions()), (1, 0));
            Ok(Outcome::Done)
        })
        .build()
        .unwrap();
    for id in &ids {
        let job = b.find(*id).await.unwrap();
        assert_eq!(
            (job.status, job.try_count, job.trigger_count),
            (JobStatus::Queuing, 0, 0)
        );
        assert!(super::logs_of(&b, *id).await.is_empty());
    }
    b.start();
    b.recorder()
        .wait_for("five successes", secs(5), |it| {
            it.count(RunOutcome::Succeeded) == 5
        })
        .await
        .unwrap();
    assert_eq!(b.recorder().count(RunOutcome::Interrupted), 0);
}

/// Code that hears nothing is left behind after both graces; other nodes take its run over at once.
pub async fn shutdown_leaves_deaf_code_behind(fx: &impl SchedulerFixture) {
    let a = fx.node("a").run("t", endless).build().unwrap();
    let b = fx.node("b").run("other", done).build().unwrap();
    a.start();
    b.start();
    let id = a.enqueue("t").await.unwrap();
    a.recorder().started(id, 1, LIMIT).await.unwrap();
    let began = fx.now();
    assert!(a.shutdown().await);
    let took = (fx.now() - began).to_std().unwrap();
    assert!(took < secs(30), "{took:?}");
    b.recorder()
        .settled(id, RunOutcome::Interrupted, 1, secs(5))
        .await
        .unwrap();
}

/// A second signal cancels at once.
pub async fn a_hurried_shutdown_does_not_wait_for_the_grace(fx: &impl SchedulerFixture) {
    let host = fx.node("a").run("t", until_cancelled).build().unwrap();
    host.start();
    let id = host.enqueue("t").await.unwrap();
    host.recorder().started(id, 1, LIMIT).await.unwrap();
    let began = fx.now();
    let ((), is_first) = tokio::join!(
        async {
            pass(secs(1)).await;
            host.engine().hurry();
        },
        host.shutdown()
    );
    assert!(is_first);
    assert!((fx.now() - began).to_std().unwrap() < secs(3));
    assert_eq!(host.find(id).await.unwrap().status, JobStatus::Queuing);
}

/// A store that is away does not hold the process: shutdown and the loops end, and the work runs again elsewhere.
pub async fn shutdown_ends_while_the_store_is_away(fx: &impl SchedulerFixture) {
    let gate = Gate::new();
    let a = fx.node("a").run("t", gate.job()).build().unwrap();
    a.start();
    let id = a.enqueue("t").await.unwrap();
    a.recorder().started(id, 1, LIMIT).await.unwrap();
    fx.store().set_available(false);
    gate.open(1);
    a.recorder().ended(id, 1, secs(1)).await.unwrap();
    tokio::time::timeout(secs(60), a.shutdown())
        .await
        .expect("shutdown and the loops end");
    fx.store().set_available(true);
    let b = fx.node("b").run("t", done).build().unwrap();
    b.start();
    b.recorder()
        .settled(id, RunOutcome::Interrupted, 1, LIMIT)
        .await
        .unwrap();
    b.recorder()
        .settled(id, RunOutcome::Succeeded, 1, LIMIT)
        .await
        .unwrap();
}

/// A node that lost its membership (or never had one) still drains its runs and writes their outcomes before its loops end.
pub async fn shutdown_of_a_fenced_node_still_writes_outcomes(fx: &impl SchedulerFixture) {
    let gate = Gate::new();
    let host = fx.node("a").run("t", gate.job()).build().unwrap();
    host.start();
    let id = host.enqueue("t").await.unwrap();
    host.recorder().started(id, 1, LIMIT).await.unwrap();
    let instance = host.engine().instance();
    let nodes = fx.store().nodes().await.unwrap();
    let seen = nodes.iter().find(|it| it.instance == instance).unwrap();
    fx.store()
        .declare_dead(instance, seen.heartbeat_at)
        .await
        .unwrap();
    let (is_first, ()) = tokio::join!(host.shutdown(), async {
        pass(secs(8)).await;
        gate.open(1);
    });
    assert!(is_first);
    assert_eq!((host.engine().executing(), host.engine().unsettled()), (0, 0));
    let recorded = host.recorder().look(|it| it.settled());
    assert!(recorded > 0, "the store answered for the run");
}

/// Executions that were claimed and not started when shutdown began are given back uncounted.
pub async fn shutdown_gives_back_a_claim_in_flight(fx: &impl SchedulerFixture) {
    let queue = fx.faulty_queue();
    let held = queue.hold(super::Call::Claim);
    let a = fx
        .node("a")
        .queue(Arc::clone(&queue) as _)
        .run("t", done)
        .build()
        .unwrap();
    let id = a.enqueue("t").await.unwrap();
    a.start();
    held.arrived().await;
    let (is_first, ()) = tokio::join!(a.shutdown(), async {
        pass(Duration::from_millis(500)).await;
        held.release();
    });
    assert!(is_first);
    let job = a.find(id).await.unwrap();
    assert_eq!((job.status, job.interruptions), (JobStatus::Queuing, 0));
    assert_eq!(a.recorder().look(crate::Record::started), 0);
}

/// Ten starts and stops in the middle of the work: every job is done, once.
pub async fn start_stop_stress(fx: &impl SchedulerFixture) {
    let recorder = Arc::new(Recorder::new());
    let is_overlapping = Arc::new(AtomicBool::new(false));
    let mut ids = Vec::new();
    for round in 0_u32..10 {
        let overlap = Arc::clone(&is_overlapping);
        let host = fx
            .node("a")
            .options(|it| it.max_concurrency = 5)
            .recorder(&recorder)
            .run("t", move |ctx| {
                let overlap = Arc::clone(&overlap);
                async move {
                    if ctx.attempt() != 1 || ctx.interruptions() != 0 {
                        overlap.store(true, Ordering::Relaxed);
                    }
                    pass(Duration::from_millis(3)).await;
                    done(ctx).await
                }
            })
            .build()
            .unwrap();
        ids.extend(host.enqueue_many("t", 50).await.unwrap());
        host.start();
        pass(Duration::from_millis(u64::from(round) * 4)).await;
        assert!(host.shutdown().await);
        assert_eq!((host.engine().executing(), host.engine().unsettled()), (0, 0));
    }
    let host = fx.node("a").recorder(&recorder).run("t", done).build().unwrap();
    host.start();
    recorder
        .wait_for("500 successes", LIMIT, |it| {
            it.count(RunOutcome::Succeeded) == 500
        })
        .await
        .unwrap();
    recorder.look(|it| {
        assert!(
            ids.iter()
                .all(|id| it.settled_of(*id, RunOutcome::Succeeded) == 1)
        )
    });
    recorder.look(|it| assert!(ids.iter().all(|id| it.started_of(*id) == 1)));
    assert!(!is_overlapping.load(Ordering::Relaxed));
}
