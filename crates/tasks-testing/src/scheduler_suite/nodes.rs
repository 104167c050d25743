//! Which node runs what: names, types that only some know, lanes beside the main one.

use std::sync::Arc;

use tasks_abstractions::{
    EnqueueRequest, JobArgs, JobCommand, JobInfo, JobLimits, JobManagement, JobStatus, JobStore, Outcome,
    RunOutcome,
};
use tasks_core::NextDue;
use tasks_multitenancy::TenantScope;

use super::faulty_queue::Call;
use super::fixture::{LIMIT, SchedulerFixture, done, pass, secs, seldom_asking};
use crate::{Recorder, TestHostBuilder};

/// Pinned work is run by the node of that name only.
pub async fn pinned_work_runs_on_its_node(fx: &impl SchedulerFixture) {
    let a = seldom_asking(fx, "a").run("t", done).build().unwrap();
    let b = fx.node("b").run("t", done).build().unwrap();
    a.start();
    let mut request = EnqueueRequest::new("t", JobArgs::new());
    request.node_name = Some("b".to_owned());
    let id = a.enqueue_with(request).await.unwrap();
    pass(secs(600)).await;
    assert_eq!(a.find(id).await.unwrap().status, JobStatus::Queuing);
    b.start();
    b.recorder()
        .settled(id, RunOutcome::Succeeded, 1, secs(5))
        .await
        .unwrap();
    assert_eq!(a.recorder().look(|it| it.started_of(id)), 0);
}

/// No name and a blank one both mean any node, however the job is made or edited: a named node runs it.
pub async fn a_blank_node_name_means_any_node(fx: &impl SchedulerFixture) {
    let host = fx
        .node("a")
        .run("t", done)
        .selectors(|it| {
            it.add_all(|it| it.node_name(" "));
        })
        .build()
        .unwrap();
    host.start();
    let named = |name: Option<&str>| {
        let mut request = EnqueueRequest::new("t", JobArgs::new());
        request.node_name = name.map(ToOwned::to_owned);
        request
    };
    let mut ids = Vec::new();
    for name in [None, Some(""), Some("  ")] {
        ids.push(host.enqueue_with(named(name)).await.unwrap());
    }
    let made = JobInfo {
        node_name: Some(String::new()),
        ..host.job("t").build(&host.engine().options().limits).unwrap()
    };
    ids.push(host.management().create(made).await.unwrap().id);
    let elsewhere = host.enqueue_with(named(Some("b"))).await.unwrap();
    let mut edited = host.find(elsewhere).await.unwrap();
    edited.node_name = Some(" ".to_owned());
    ids.push(
        host.management()
            .update(TenantScope::All, edited)
            .await
            .unwrap()
            .id,
    );
    for id in ids {
        host.recorder()
            .settled(id, RunOutcome::Succeeded, 1, secs(5))
            .await
            .unwrap();
        assert_eq!(host.find(id).await.unwrap().node_name, None);
    }
}

/// A job of a type that a node does not know is left for one that does: uncounted, and without being claimed again and again.
pub async fn an_unknown_type_waits_for_a_node_that_knows_it(fx: &impl SchedulerFixture) {
    for pinned in [None, Some("b".to_owned())] {
        let recorder = Arc::new(Recorder::new());
        let knows_not = fx.node("b").recorder(&recorder).run("t", done).build().unwrap();
        knows_not.start();
        let mut request = EnqueueRequest::new("u", JobArgs::new());
        request.node_name = pinned;
        let id = knows_not.enqueue_with(request).await.unwrap();
        pass(secs(60)).await;
        let found = fx.store().snapshots(TenantScope::All, &[id]).await.unwrap();
        let waiting = found[0].waiting.clone().unwrap();
        assert!(waiting.lane.as_str().contains("type:u"), "{}", waiting.lane);
        assert_eq!(found[0].job.status, JobStatus::Queuing);
        let knows = fx
            .node("b")
            .recorder(&recorder)
            .run("u", |ctx| async move {
                assert_eq!((ctx.attempt(), ctx.interruptions()), (1, 0));
                Ok(Outcome::Done)
            })
            .build()
            .unwrap();
        knows.start();
        recorder
            .settled(id, RunOutcome::Succeeded, 1, secs(5))
            .await
            .unwrap();
        assert_eq!(recorder.look(|it| it.started_of(id)), 1);
        knows.shutdown().await;
        knows_not.shutdown().await;
    }
}

/// A job of an unknown type that is edited or commanded at the moment it is given back still lands where those who know it look.
pub async fn an_unknown_type_is_left_alone_also_after_a_command(fx: &impl SchedulerFixture) {
    let queue = fx.faulty_queue();
    let host = fx.node("a").queue(Arc::clone(&queue) as _).build().unwrap();
    let id = host.enqueue("u").await.unwrap();
    host.engine().register_step().await.unwrap();
    host.engine().claim_step().await.unwrap();
    host.command(id, JobCommand::Pause).await.unwrap();
    host.command(id, JobCommand::Resume).await.unwrap();
    host.settle_all().await.unwrap();
    assert_eq!(
        host.run_due().await.unwrap(),
        1,
        "armed anew by the resume, and given back once more"
    );
    let found = fx.store().snapshots(TenantScope::All, &[id]).await.unwrap();
    assert_eq!(found[0].waiting.clone().unwrap().lane.as_str(), "type:u");
    host.command(id, JobCommand::Trigger).await.unwrap();
    assert_eq!(host.run_due().await.unwrap(), 0);
}

/// Lanes beside the main one get their turn also while a backlog in the main one takes every free slot.
pub async fn a_backlog_does_not_starve_other_lanes(fx: &impl SchedulerFixture) {
    let stranger = fx.node("a").build().unwrap();
    let id = stranger.enqueue("u").await.unwrap();
    stranger.run_due().await.unwrap();
    drop(stranger);
    let host = fx
        .node("b")
        .options(|it| it.max_concurrency = 2)
        .run("u", done)
        .run("t", |ctx| async move {
            pass(secs(1)).await;
            done(ctx).await
        })
        .build()
        .unwrap();
    host.enqueue_many("t", 300).await.unwrap();
    host.start();
    host.recorder()
        .settled(id, RunOutcome::Succeeded, 1, secs(10))
        .await
        .unwrap();
    assert!(host.recorder().count(RunOutcome::Succeeded) < 50);
    host.recorder()
        .wait_for("the backlog", LIMIT, |it| it.count(RunOutcome::Succeeded) == 301)
        .await
        .unwrap();
}

/// A node without a backlog claims before it looks anywhere else, and then looks once: that says whether anything is due beside, and what is due next.
pub async fn a_claim_step_looks_once_at_what_is_due_next(fx: &impl SchedulerFixture) {
    let queue = fx.faulty_queue();
    let host = fx
        .node("a")
        .queue(Arc::clone(&queue) as _)
        .run("t", done)
        .build()
        .unwrap();
    host.engine().register_step().await.unwrap();
    host.enqueue("t").await.unwrap();
    let held = queue.hold(Call::Claim);
    let engine = host.engine().clone();
    let step = tokio::spawn(async move { engine.claim_step().await });
    held.arrived().await;
    assert_eq!(queue.calls(Call::NextDue), 0, "the claim comes first");
    held.release();
    let step = step.await.unwrap().unwrap();
    assert_eq!((step.claimed, step.next), (1, Some(NextDue::Never)));
    assert_eq!(queue.calls(Call::NextDue), 1);
}

/// Work that is pinned to a node which is gone waits for it, unless its job may fail over: then other nodes run it once nobody was that node for a
/// lease. A node that comes back in time keeps its work.
pub async fn pinned_work_of_a_vanished_node_may_fail_over(fx: &impl SchedulerFixture) {
    let recorder = Arc::new(Recorder::new());
    let complete = |node: TestHostBuilder| node.recorder(&recorder).run("t", done).build().unwrap();
    let a = complete(seldom_asking(fx, "a"));
    a.start();
    let pinned = |failover| {
        let job = a.job("t").node_name(Some("b".to_owned())).failover(failover);
        job.build(&JobLimits::default()).unwrap()
    };
    let (stays, moves) = (pinned(false), pinned(true));
    for job in [&stays, &moves] {
        a.management().create(job.clone()).await.unwrap();
    }
    let lease = a.engine().options().lease;
    pass(lease).await;
    assert_eq!(
        recorder.look(|it| it.started_of(moves.id)),
        0,
        "not before a lease has passed"
    );
    recorder
        .settled(moves.id, RunOutcome::Succeeded, 1, lease * 2)
        .await
        .unwrap();
    assert_eq!(
        a.find(moves.id).await.unwrap().node_name.as_deref(),
        Some("b"),
        "its pin stays"
    );
    pass(secs(600)).await;
    assert_eq!(recorder.look(|it| it.started_of(stays.id)), 0);
    let b = complete(fx.node("b"));
    b.start();
    recorder
        .settled(stays.id, RunOutcome::Succeeded, 1, secs(5))
        .await
        .unwrap();
    // With its node there, nothing moves.
    let again = pinned(true);
    a.management().create(again.clone()).await.unwrap();
    recorder
        .settled(again.id, RunOutcome::Succeeded, 1, secs(5))
        .await
        .unwrap();
}

/// Work that waits apart because a node did not know its type goes back to its own lane when every node knows it, and not before.
pub async fn work_of_a_type_that_all_know_goes_back_to_its_lane(fx: &impl SchedulerFixture) {
    let old = fx.node("a").run("t", done).build().unwrap();
    let id = old.enqueue("u").await.unwrap();
    old.start();
    pass(secs(5)).await;
    let lane = async || {
        let found = fx.store().snapshots(TenantScope::All, &[id]).await.unwrap();
        found[0].waiting.clone().map(|it| it.lane.to_string())
    };
    assert_eq!(lane().await.as_deref(), Some("type:u"));
    // A node that knows the type and runs nothing now: it only says so.
    let knows = fx.node("b").run("u", done).build().unwrap();
    knows.engine().set_claiming(false);
    knows.start();
    pass(secs(120)).await;
    assert_eq!(
        lane().await.as_deref(),
        Some("type:u"),
        "one node does not know it"
    );
    old.shutdown().await;
    pass(secs(60)).await;
    assert_eq!(lane().await.as_deref(), Some("default"));
}
