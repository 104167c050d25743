//! Runs of the dead: taken over once, under a new token.

use tasks_abstractions::run::{After, CancelReason};
use tasks_abstractions::store::{
    Cleanup, CleanupTarget, FinishAnswer, RunChange, TakeOver, TypeFilter, WaitingChange,
};

use super::fixture::StoreFixture;
use super::steps::{
    change, claim, claim_one, finish, join, kill, logs_of, numbers, snapshot, submit, take_over, with,
};
use crate::samples::{
    at, claim_id, claim_request, done, due, instance_id, job_id, once, repeating, returned,
};

/// Runs of dead, ended and vanished nodes are taken over by one living node, once; those of living nodes are not.
pub async fn take_over_takes_runs_of_dead_nodes_once(fx: &impl StoreFixture) {
    let store = fx.store();
    for number in 1..=4 {
        join(&store, number).await;
    }
    let mut former = Vec::new();
    for holder in 1..=3 {
        submit(&store, &[due(once(holder), at(0))]).await;
        former.push(claim_one(&store, holder, at(0)).await);
    }
    assert!(take_over(&store, 4, at(5)).await.is_empty(), "all are alive");
    kill(&store, 1).await;
    store.unregister_node(instance_id(2)).await.expect("unregister");

    let mut taken = take_over(&fx.other_node(), 4, at(5)).await;
    taken.sort_by_key(|it| it.claimed.job.id);
    assert_eq!(numbers(taken.iter().map(|it| it.claimed.job.id)), [1, 2]);
    for (taken, former) in taken.iter().zip(&former) {
        assert_eq!(taken.former_run, former.run.run_id);
        assert_eq!(taken.former_instance, former.run.instance);
        assert_ne!(taken.claimed.run.run_id, former.run.run_id);
        assert_eq!(taken.claimed.run.instance, instance_id(4));
        assert_eq!(taken.claimed.run.entry, former.run.entry);
        let kept = snapshot(&store, taken.claimed.job.id).await;
        assert_eq!(kept.run.as_ref(), Some(&taken.claimed.run));
    }
    assert_eq!(taken[0].former_node.as_deref(), Some("node-1"));
    assert_eq!(store.runs_of(instance_id(4)).await.expect("runs_of").len(), 2);
    assert!(store.runs_of(instance_id(1)).await.expect("runs_of").is_empty());
    assert!(take_over(&store, 3, at(6)).await.is_empty(), "once");
    assert_eq!(store.runs_of(instance_id(3)).await.expect("runs_of").len(), 1);
}

/// Suspicion, what comes after, and a request to stop go over to the new holder.
pub async fn a_taken_over_run_keeps_what_was_asked_of_it(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    join(&store, 2).await;
    let mut job = due(repeating(1), at(0));
    if let Some(first) = &mut job.first {
        first.lane = first.lane.suspect();
        first.attempt = 3;
    }
    submit(&store, &[job]).await;
    let mut ask = claim_request(1, 1, at(0));
    ask.lanes = vec![tasks_abstractions::job::Lane::any_node().suspect()];
    let held = store.claim(&ask).await.expect("claim").remove(0);
    let run = RunChange {
        after: Some(After::ArmUnlessDone),
        cancel: Some(CancelReason::Stopped),
    };
    change(&store, job_id(1), |it, _| {
        with(it.job.clone(), WaitingChange::Keep, run)
    })
    .await;
    kill(&store, 1).await;
    let taken = take_over(&store, 2, at(7)).await.remove(0).claimed;
    assert!(taken.run.suspect);
    assert_eq!(
        (taken.run.after, taken.run.cancel),
        (After::ArmUnlessDone, Some(CancelReason::Stopped))
    );
    assert_eq!(taken.run.entry, held.run.entry);
    assert_eq!(taken.job.version, 2);
    finish(&store, &[returned(&taken)]).await;
    assert!(snapshot(&store, job_id(1)).await.waiting.is_some());
}

/// The former holder's finish is gone and changes nothing; the new holder's is applied.
pub async fn a_stale_finish_after_take_over_is_gone(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    join(&store, 2).await;
    submit(&store, &[due(once(1), at(0))]).await;
    let held = claim_one(&store, 1, at(0)).await;
    kill(&store, 1).await;
    let taken = take_over(&store, 2, at(5)).await.remove(0).claimed;
    let before = snapshot(&store, job_id(1)).await;
    let answers = store.finish(&[done(&held)]).await.expect("finish");
    assert!(matches!(answers.as_slice(), [FinishAnswer::Gone]), "{answers:?}");
    assert_eq!(snapshot(&store, job_id(1)).await, before);
    assert!(logs_of(&store, job_id(1)).await.is_empty());
    finish(&store, &[done(&taken)]).await;
    assert_eq!(logs_of(&store, job_id(1)).await.len(), 1);
}

/// A dead holder whose runs nobody took over yet still settles them: its work is not thrown away.
pub async fn a_dead_node_may_finish_until_its_runs_are_taken(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    join(&store, 2).await;
    submit(&store, &[due(once(1), at(0))]).await;
    let held = claim_one(&store, 1, at(0)).await;
    kill(&store, 1).await;
    finish(&store, &[done(&held)]).await;
    assert!(take_over(&store, 2, at(5)).await.is_empty());
}

/// No more than the limit; the rest is taken by the next call.
pub async fn take_over_keeps_its_limit(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    join(&store, 2).await;
    let jobs: Vec<_> = (1..=7).map(|it| due(once(it), at(0))).collect();
    submit(&store, &jobs).await;
    assert_eq!(claim(&store, 1, 100, at(0)).await.len(), 7);
    kill(&store, 1).await;
    let mut seen = Vec::new();
    for expected in [3, 3, 1, 0] {
        let ask = TakeOver {
            instance: instance_id(2),
            claim_id: claim_id(),
            limit: 3,
            now: Some(at(1)),
        };
        let taken = store.take_over(&ask).await.expect("take over");
        assert_eq!(taken.len(), expected);
        assert!(taken.iter().all(|it| it.claimed.run.claim_id == ask.claim_id));
        seen.extend(numbers(taken.iter().map(|it| it.claimed.job.id)));
    }
    seen.sort_unstable();
    assert_eq!(seen, (1..=7).collect::<Vec<u128>>());
}

/// The row of a dead node stays until no run names it: cleaning never makes a run an orphan nobody knows the node of.
pub async fn a_dead_node_is_kept_while_a_run_names_it(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    join(&store, 2).await;
    submit(&store, &[due(once(1), at(0))]).await;
    claim_one(&store, 1, at(0)).await;
    kill(&store, 1).await;
    let clean = Cleanup {
        target: CleanupTarget::Nodes,
        types: TypeFilter::All,
        before: at(3_600),
        limit: 100,
    };
    assert_eq!(store.cleanup(&clean).await.expect("cleanup"), 0);
    let taken = take_over(&store, 2, at(5)).await;
    assert_eq!(taken[0].former_node.as_deref(), Some("node-1"));
    assert_eq!(store.cleanup(&clean).await.expect("cleanup"), 1);
    let left = store.nodes().await.expect("nodes");
    assert_eq!(
        left.iter().map(|it| it.instance).collect::<Vec<_>>(),
        [instance_id(2)]
    );
}
