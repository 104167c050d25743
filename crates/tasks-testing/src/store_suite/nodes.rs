//! Membership: who is alive, and who only thinks so.

use std::sync::Arc;

use chrono::TimeDelta;
use tasks_abstractions::job::Lane;
use tasks_abstractions::store::{CancelRequest, NodeInfo, NodeState, RenewRequest, Renewal, StoreErrorKind};
use tasks_abstractions::{InstanceId, RunId, Timestamp};

use super::fixture::{FullStore, StoreFixture};
use super::steps::{claim_one, join, kill, submit, take_over};
use crate::samples::{at, claim_request, due, instance_id, node, once, run_id, waiting};

/// Renews node `number`, which must be alive; answers its cancel requests.
pub(super) async fn renew(
    store: &Arc<dyn FullStore>,
    number: u128,
    now: Timestamp,
    cleared: &[RunId],
) -> Vec<CancelRequest> {
    match try_renew(store, number, now, cleared).await {
        Renewal::Alive { now: told, cancels } => {
            assert_eq!(told, now, "the store's instant is the given one");
            cancels
        }
        Renewal::Fenced => panic!("node {number} is fenced"),
    }
}

async fn try_renew(store: &Arc<dyn FullStore>, number: u128, now: Timestamp, cleared: &[RunId]) -> Renewal {
    let request = RenewRequest {
        instance: instance_id(number),
        running: 3,
        lanes: None,
        cleared_suspects: cleared.to_vec(),
        now: Some(now),
    };
    store.renew(&request).await.expect("renew")
}

async fn state_of(store: &Arc<dyn FullStore>, instance: InstanceId) -> NodeState {
    let nodes = store.nodes().await.expect("nodes");
    let found = nodes.iter().find(|it| it.instance == instance);
    found.expect("the node is listed").state
}

/// A renewal that names lanes replaces those of the registration; one that names none leaves them.
pub async fn a_renewal_may_change_the_lanes(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    let lanes = async || store.nodes().await.expect("nodes").remove(0).lanes;
    let renew = async |lanes| {
        let request = RenewRequest {
            instance: instance_id(1),
            running: 0,
            lanes,
            cleared_suspects: Vec::new(),
            now: Some(at(1)),
        };
        store.renew(&request).await.expect("renew");
    };
    let new = vec![Lane::any_node(), Lane::unknown_type(None, "späte Art")];
    renew(Some(new.clone())).await;
    assert_eq!(lanes().await, new);
    renew(None).await;
    assert_eq!(lanes().await, new);
    renew(Some(Vec::new())).await;
    assert_eq!(lanes().await, []);
}

/// A node is listed as it registered, renewed as it says, and Stopped at its end.
pub async fn a_node_lives_from_register_to_unregister(fx: &impl StoreFixture) {
    let store = fx.store();
    assert!(store.nodes().await.expect("nodes").is_empty());
    let second = NodeInfo {
        name: "büro/東京".to_owned(),
        started_at: at(5),
        heartbeat_at: at(5) + TimeDelta::microseconds(7),
        lanes: vec![Lane::node("büro"), Lane::any_node(), Lane::any_node().suspect()],
        ..node(1)
    };
    let first = node(2);
    store.register_node(&second).await.expect("register");
    store.register_node(&first).await.expect("register");
    let other = fx.other_node();
    assert_eq!(
        other.nodes().await.expect("nodes"),
        [first.clone(), second.clone()],
        "by start"
    );

    renew(&store, 2, at(9), &[]).await;
    let renewed = NodeInfo {
        heartbeat_at: at(9),
        running: 3,
        ..first
    };
    assert_eq!(
        other.nodes().await.expect("nodes"),
        [renewed.clone(), second.clone()]
    );

    store.unregister_node(instance_id(2)).await.expect("unregister");
    assert_eq!(state_of(&other, instance_id(2)).await, NodeState::Stopped);
    assert_eq!(state_of(&other, instance_id(1)).await, NodeState::Alive);
    store
        .unregister_node(instance_id(2))
        .await
        .expect("once more is the same");
    store
        .unregister_node(instance_id(8))
        .await
        .expect("nobody ends quietly");
}

/// A node that was declared dead, has ended, or is unknown renews nothing and is told so.
pub async fn renewal_of_a_dead_node_is_fenced(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    join(&store, 2).await;
    kill(&store, 1).await;
    store.unregister_node(instance_id(2)).await.expect("unregister");
    let before = store.nodes().await.expect("nodes");
    for number in [1, 2, 3] {
        let answer = try_renew(&store, number, at(60), &[]).await;
        assert!(matches!(answer, Renewal::Fenced), "node {number}: {answer:?}");
    }
    assert_eq!(store.nodes().await.expect("nodes"), before, "nothing was renewed");
    assert_eq!(before.iter().filter(|it| it.state == NodeState::Dead).count(), 1);
    // A dead node that ends afterwards stays fenced.
    store.unregister_node(instance_id(1)).await.expect("unregister");
    let answer = try_renew(&store, 1, at(61), &[]).await;
    assert!(matches!(answer, Renewal::Fenced));
}

/// A heartbeat between the look and the verdict saves the node, to the microsecond; the dead die once.
pub async fn a_node_that_renewed_is_not_declared_dead(fx: &impl StoreFixture) {
    let store = fx.store();
    let instance = join(&store, 1).await;
    let moved = at(0) + TimeDelta::microseconds(1);
    renew(&store, 1, moved, &[]).await;
    let other = fx.other_node();
    assert!(!other.declare_dead(instance, at(0)).await.expect("declare_dead"));
    assert_eq!(state_of(&store, instance).await, NodeState::Alive);
    assert!(other.declare_dead(instance, moved).await.expect("declare_dead"));
    assert_eq!(state_of(&store, instance).await, NodeState::Dead);
    assert!(
        !other.declare_dead(instance, moved).await.expect("declare_dead"),
        "it is dead already"
    );
    assert!(
        !other
            .declare_dead(instance_id(5), at(0))
            .await
            .expect("declare_dead"),
        "nobody"
    );
}

/// A suspect that ran long enough is none any more; other runs, and runs of others, are left alone.
pub async fn a_cleared_suspect_is_none_any_more(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    join(&store, 2).await;
    let lane = Lane::any_node().suspect();
    for number in [1, 2, 3] {
        let job = once(number);
        let mut first = crate::samples::entry(&job, at(0));
        first.lane = lane.clone();
        submit(&store, &[waiting(job, first)]).await;
    }
    let mut held = Vec::new();
    for by in [1, 1, 2] {
        let mut one = claim_request(by, 1, at(0));
        one.lanes = vec![lane.clone()];
        held.extend(store.claim(&one).await.expect("claim"));
    }
    assert_eq!(held.len(), 3);
    renew(
        &store,
        1,
        at(40),
        &[held[0].run.run_id, held[2].run.run_id, run_id(5)],
    )
    .await;
    let suspects = async |number| {
        let runs = store.runs_of(instance_id(number)).await.expect("runs_of");
        runs.iter().map(|it| it.suspect).collect::<Vec<_>>()
    };
    assert_eq!(suspects(1).await, [false, true]);
    assert_eq!(suspects(2).await, [true], "the run of another node");
}

/// A claim that was carried out and whose reply was lost is found among the runs of its node, in order of the jobs, and handed back.
pub async fn a_claim_whose_reply_was_lost_is_found_again(fx: &impl StoreFixture) {
    let store = fx.store();
    let instance = join(&store, 1).await;
    join(&store, 2).await;
    submit(
        &store,
        &[due(once(2), at(-1)), due(once(1), at(0)), due(once(3), at(9))],
    )
    .await;
    let lost = claim_request(1, 10, at(0));
    drop(store.claim(&lost).await.expect("claim"));

    let found = store.runs_of(instance).await.expect("runs_of");
    assert_eq!(super::steps::numbers(found.iter().map(|it| it.job_id)), [1, 2]);
    assert!(
        found
            .iter()
            .all(|it| it.claim_id == lost.claim_id && it.instance == instance)
    );
    assert!(store.runs_of(instance_id(2)).await.expect("runs_of").is_empty());
    for run in found {
        let job = super::steps::snapshot(&store, run.job_id).await.job;
        let claimed = tasks_abstractions::store::ClaimedRun {
            job: Arc::new(job),
            run,
        };
        super::steps::finish(&store, &[crate::samples::returned(&claimed)]).await;
    }
    assert!(store.runs_of(instance).await.expect("runs_of").is_empty());
    let again = super::steps::claim(&fx.other_node(), 2, 10, at(0)).await;
    assert_eq!(super::steps::numbers(again.iter().map(|it| it.job.id)), [2, 1]);
    assert!(super::steps::logs_of(&store, again[0].job.id).await.is_empty());
}

/// A node whose program is gone is declared dead at once exactly where the backend can prove it; living ones never are.
pub async fn gone_programs_are_proved_where_the_backend_says_so(fx: &impl StoreFixture) {
    let store = fx.store();
    let asking = join(&store, 1).await;
    join(&fx.other_node(), 2).await;
    assert!(
        store
            .declare_gone_processes(asking)
            .await
            .expect("declare_gone")
            .is_empty(),
        "all are alive"
    );

    let former = fx.reopened().await;
    join(&former, 3).await;
    submit(&former, &[due(once(1), at(0))]).await;
    drop(former);
    let gone = store.declare_gone_processes(asking).await.expect("declare_gone");
    let expected: &[InstanceId] = if fx.capabilities().proves_gone_processes {
        &[instance_id(3)]
    } else {
        &[]
    };
    assert_eq!(gone, expected);
    for id in &gone {
        assert_eq!(state_of(&store, *id).await, NodeState::Dead);
    }
    assert!(
        store
            .declare_gone_processes(asking)
            .await
            .expect("declare_gone")
            .is_empty(),
        "once only"
    );
    renew(&store, 2, at(10), &[]).await;
}

/// A take-over is refused to an instance that is no living member itself.
pub async fn take_over_is_refused_to_a_fenced_node(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    join(&store, 2).await;
    join(&store, 3).await;
    submit(&store, &[due(once(1), at(0))]).await;
    let run = claim_one(&store, 1, at(0)).await;
    kill(&store, 1).await;
    kill(&store, 2).await;
    let ask = tasks_abstractions::store::TakeOver {
        instance: instance_id(2),
        claim_id: crate::samples::claim_id(),
        limit: 10,
        now: Some(at(1)),
    };
    let error = store.take_over(&ask).await.expect_err("refused");
    assert_eq!(error.kind(), StoreErrorKind::Fenced, "{error}");
    assert_eq!(store.runs_of(instance_id(1)).await.expect("runs_of"), [run.run]);
    assert_eq!(take_over(&store, 3, at(1)).await.len(), 1);
}
