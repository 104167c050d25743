//! Several nodes on one store: sharing, dying, rescuing, fencing.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use tasks_abstractions::store::NodeState;
use tasks_abstractions::{JobCommand, JobManagement, JobQueue, JobStatus, Outcome, RunOutcome};
use tasks_multitenancy::TenantScope;

use super::fixture::{
    Gate, LIMIT, SchedulerFixture, done, endless, pass, secs, seldom_asking, until_cancelled,
};
use crate::Recorder;

/// Two nodes share the work: every job runs once, and both do something.
pub async fn two_nodes_share_the_work(fx: &impl SchedulerFixture) {
    let recorder = Arc::new(Recorder::new());
    let node = |name: &str| {
        fx.node(name)
            .options(|it| it.max_concurrency = 10)
            .recorder(&recorder)
            .run("t", |ctx| async move {
                tokio::task::yield_now().await;
                done(ctx).await
            })
            .build()
            .unwrap()
    };
    let (a, b) = (node("a"), node("b"));
    let ids = a.enqueue_many("t", 1_000).await.unwrap();
    a.start();
    b.start();
    recorder
        .wait_for("1,000 successes", LIMIT, |it| {
            it.count(RunOutcome::Succeeded) == 1_000
        })
        .await
        .unwrap();
    pass(secs(60)).await;
    recorder.look(|it| assert!(ids.iter().all(|id| it.started_of(*id) == 1)));
    let logs = super::logs(&a, None).await;
    let nodes: BTreeSet<_> = logs.iter().map(|it| it.node_name.as_str()).collect();
    assert_eq!(nodes.into_iter().collect::<Vec<_>>(), ["a", "b"]);
    let logged: BTreeSet<_> = logs.iter().map(|it| it.job_id).collect();
    assert_eq!(logged, ids.into_iter().collect());
}

/// A node that dies is noticed after its lease, not before; its runs are interrupted, and run again knowing it. Bound: lease + 3 heartbeats.
pub async fn a_dead_node_is_rescued_after_its_lease(fx: &impl SchedulerFixture) {
    let a = fx.node("a").run("t", endless).build().unwrap();
    let b = fx
        .node("b")
        .run("t", |ctx| async move {
            assert_eq!((ctx.attempt(), ctx.interruptions()), (1, 1));
            Ok(Outcome::Done)
        })
        .build()
        .unwrap();
    a.start();
    let id = a.enqueue("t").await.unwrap();
    a.recorder().started(id, 1, LIMIT).await.unwrap();
    b.start();
    pass(secs(60)).await;
    let options = a.engine().options().clone();
    a.kill();
    pass(options.lease - options.heartbeat).await;
    assert_eq!(b.recorder().count(RunOutcome::Interrupted), 0, "within the lease");
    assert_eq!(b.find(id).await.unwrap().status, JobStatus::Running);
    b.recorder()
        .settled(id, RunOutcome::Interrupted, 1, options.heartbeat * 4)
        .await
        .unwrap();
    b.recorder()
        .settled(id, RunOutcome::Succeeded, 1, secs(2))
        .await
        .unwrap();
    let job = b.find(id).await.unwrap();
    assert_eq!(
        (job.status, job.try_count, job.trigger_count, job.interruptions),
        (JobStatus::Completed, 0, 1, 0)
    );
    let log = super::logs_of(&b, id).await;
    assert_eq!(log.len(), 2);
    assert!(log.iter().any(|it| it.outcome == RunOutcome::Interrupted));
}

/// An outage of the store, which stops everybody's heartbeat, rescues nobody; runs that ended meanwhile keep their outcome, and
/// those that were asked to end run again uncounted.
pub async fn an_outage_of_the_store_rescues_nobody(fx: &impl SchedulerFixture) {
    let gate = Gate::new();
    let node = |name: &str| {
        seldom_asking(fx, name)
            .run("deaf", gate.job())
            .run("t", until_cancelled)
            .build()
            .unwrap()
    };
    let (a, b) = (node("a"), node("b"));
    a.start();
    b.start();
    let deaf = a.enqueue_many("deaf", 20).await.unwrap();
    let polite = a.enqueue_many("t", 20).await.unwrap();
    pass(secs(60)).await;
    let instances = [a.engine().instance(), b.engine().instance()];
    fx.store().set_available(false);
    pass(secs(300)).await;
    gate.open(20);
    pass(secs(1)).await;
    fx.store().set_available(true);
    pass(secs(120)).await;
    assert_eq!(instances, [a.engine().instance(), b.engine().instance()]);
    let nodes = fx.store().nodes().await.unwrap();
    assert!(nodes.iter().all(|it| it.state == NodeState::Alive), "{nodes:?}");
    for id in deaf {
        let job = a.find(id).await.unwrap();
        assert_eq!((job.status, job.trigger_count), (JobStatus::Completed, 1));
    }
    for id in polite {
        let job = a.find(id).await.unwrap();
        assert_eq!(
            (job.status, job.try_count, job.trigger_count, job.interruptions),
            (JobStatus::Running, 0, 0, 0)
        );
    }
    for host in [&a, &b] {
        assert_eq!(host.recorder().count(RunOutcome::Interrupted), 0);
    }
}

/// A node that was taken for dead cancels its runs and begins a new membership; what its old runs still say changes nothing.
pub async fn a_fenced_node_begins_anew(fx: &impl SchedulerFixture) {
    let gate = Gate::new();
    let a = fx
        .node("a")
        .run("deaf", gate.job())
        .run("t", done)
        .build()
        .unwrap();
    a.start();
    let id = a.enqueue("deaf").await.unwrap();
    a.recorder().started(id, 1, LIMIT).await.unwrap();
    let b = fx.node("b").run("deaf", done).build().unwrap();
    b.start();
    pass(secs(1)).await;
    let former = a.engine().instance();
    let nodes = fx.store().nodes().await.unwrap();
    let seen = nodes.iter().find(|it| it.instance == former).unwrap();
    assert!(fx.store().declare_dead(former, seen.heartbeat_at).await.unwrap());
    b.recorder()
        .settled(id, RunOutcome::Succeeded, 1, LIMIT)
        .await
        .unwrap();
    assert_ne!(a.engine().instance(), former);
    gate.open(1);
    a.recorder().ended(id, 1, secs(1)).await.unwrap();
    pass(secs(60)).await;
    let job = b.find(id).await.unwrap();
    assert_eq!((job.status, job.trigger_count), (JobStatus::Completed, 1));
    assert_eq!(a.recorder().count(RunOutcome::Succeeded), 0);
    assert_eq!((a.engine().executing(), a.engine().unsettled()), (0, 0));
    let other = a.enqueue("t").await.unwrap();
    a.recorder()
        .settled(other, RunOutcome::Succeeded, 1, secs(5))
        .await
        .unwrap();
    let alive = fx.store().nodes().await.unwrap();
    let alive = alive.iter().filter(|it| it.state == NodeState::Alive).count();
    assert_eq!(alive, 2, "one membership a node");
}

/// A node whose lease could not be renewed for its whole length asks its runs to end by itself.
pub async fn a_node_fences_itself_when_its_lease_ends(fx: &impl SchedulerFixture) {
    let host = fx.node("a").run("t", until_cancelled).build().unwrap();
    host.start();
    let id = host.enqueue("t").await.unwrap();
    host.recorder().started(id, 1, LIMIT).await.unwrap();
    pass(secs(7)).await;
    fx.store().set_available(false);
    pass(secs(14)).await;
    assert_eq!(
        host.recorder().look(|it| it.ended_of(id)),
        0,
        "the lease is not over"
    );
    host.recorder().ended(id, 1, secs(10)).await.unwrap();
    fx.store().set_available(true);
    host.recorder().started(id, 2, secs(10)).await.unwrap();
    let job = host.find(id).await.unwrap();
    assert_eq!((job.try_count, job.trigger_count, job.interruptions), (0, 0, 0));
}

/// Nodes that were all suspended together (a machine that slept) do not take each other for dead when they wake.
pub async fn nodes_that_slept_together_do_not_bury_each_other(fx: &impl SchedulerFixture) {
    let a = fx.node("a").build().unwrap();
    let b = fx.node("b").build().unwrap();
    for host in [&a, &b] {
        host.engine().register_step().await.unwrap();
    }
    for _ in 0..20 {
        tokio::time::advance(secs(5)).await;
        for host in [&a, &b] {
            host.engine().heartbeat_step().await.unwrap();
            host.engine().rescue_step().await.unwrap();
        }
    }
    tokio::time::advance(Duration::from_secs(600)).await;
    for host in [&a, &b] {
        host.engine().rescue_step().await.unwrap();
    }
    for host in [&a, &b] {
        host.engine().heartbeat_step().await.unwrap();
        host.engine().rescue_step().await.unwrap();
    }
    let nodes = fx.store().nodes().await.unwrap();
    assert!(nodes.iter().all(|it| it.state == NodeState::Alive), "{nodes:?}");
}

/// Commands of another node are looked for as often as the options say, where that is more often than the heartbeat.
pub async fn commands_of_another_node_can_be_heard_between_heartbeats(fx: &impl SchedulerFixture) {
    let node = |name: &str| {
        fx.node(name).options(|it| {
            it.heartbeat = secs(600);
            it.lease = secs(2_400);
            it.command_poll_interval = Some(secs(2));
        })
    };
    let a = node("a").run("t", until_cancelled).build().unwrap();
    let b = node("b").build().unwrap();
    a.start();
    let id = a.enqueue("t").await.unwrap();
    a.recorder().started(id, 1, LIMIT).await.unwrap();
    b.start();
    pass(secs(60)).await;
    let management = b.management();
    management
        .command(TenantScope::All, id, JobCommand::Pause)
        .await
        .unwrap();
    a.recorder()
        .settled(id, RunOutcome::Cancelled, 1, secs(3))
        .await
        .unwrap();
}
