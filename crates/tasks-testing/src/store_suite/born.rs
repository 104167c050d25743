//! Jobs that are stored and handed to a node in one step.

use tasks_abstractions::job::Lane;
use tasks_abstractions::run::QueueEntry;
use tasks_abstractions::store::SubmitAnswer;
use tasks_abstractions::{JobInfo, JobStatus};

use super::fixture::StoreFixture;
use super::steps::{claim, finish, join, kill, snapshot, submit};
use crate::samples::{at, claim_request, done, due, entry, job_id, once, unarmed, waiting};

/// The run is as that of a claim: in flight for the asking node, settled by it, in nobody else's way.
pub async fn a_job_is_born_claimed_for_a_node_that_may_run_it(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    let job = due(once(1), at(0));
    let asked = claim_request(1, 1, at(0));
    let (answer, claimed) = store.submit_claimed(&job, &asked).await.expect("submit");
    assert_eq!(answer, SubmitAnswer::Inserted);
    let claimed = claimed.expect("the node may have it");
    assert_eq!(claimed.run.instance, asked.instance);
    assert_eq!(claimed.run.claim_id, asked.claim_id);
    assert_eq!(Some(&claimed.run.entry), job.first.as_ref());
    assert_eq!(claimed.run.claimed_at, at(0));
    assert_eq!(
        (claimed.job.status, claimed.job.is_running),
        (JobStatus::Running, true)
    );

    let found = snapshot(&fx.other_node(), job_id(1)).await;
    assert_eq!(found.waiting, None);
    assert_eq!(found.run.as_ref(), Some(&claimed.run));
    let as_claimed = JobInfo {
        next_run_time: None,
        ..found.job
    };
    assert_eq!(*claimed.job, as_claimed, "as a claim would have read it");
    assert!(claim(&store, 1, 10, at(9)).await.is_empty());

    finish(&store, &[done(&claimed)]).await;
    let found = snapshot(&store, job_id(1)).await;
    assert_eq!((found.run, found.job.status), (None, JobStatus::Completed));
    let log = store
        .find_log(claimed.job.id, claimed.run.run_id)
        .await
        .expect("find the log");
    assert_eq!(log.map(|it| it.job_id), Some(job_id(1)));
}

/// Not due yet, of another lane, not armed, or asked for by a node that is not alive: then it waits as any other, and its answer says that it was stored.
pub async fn a_job_that_cannot_be_born_claimed_waits(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    join(&store, 2).await;
    kill(&store, 2).await;
    let mut pinned = once(2);
    pinned.node_name = Some("far".to_owned());
    let first = QueueEntry {
        lane: Lane::node("far"),
        ..entry(&pinned, at(0))
    };
    for (job, node) in [
        (due(once(1), at(1)), 1),
        (waiting(pinned, first), 1),
        (due(once(3), at(0)), 2),
        (due(once(4), at(0)), 77),
        (unarmed(once(5)), 1),
    ] {
        let asked = claim_request(node, 1, at(0));
        let (answer, claimed) = store.submit_claimed(&job, &asked).await.expect("submit");
        assert_eq!(answer, SubmitAnswer::Inserted);
        assert!(claimed.is_none(), "{claimed:?}");
        let found = snapshot(&store, job.job.id).await;
        assert_eq!(
            (found.waiting, found.run),
            (job.first, None),
            "job {}",
            job.job.id
        );
    }
}

/// An id or a name that is there is answered, and what is there stays as it is.
pub async fn a_job_that_exists_is_not_born_again(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    let named = |number| JobInfo {
        name: "the one".to_owned(),
        ..once(number)
    };
    submit(&store, &[due(named(1), at(60))]).await;
    let asked = claim_request(1, 1, at(0));
    for (job, expected) in [
        (due(once(1), at(0)), SubmitAnswer::Exists),
        (due(named(2), at(0)), SubmitAnswer::NameTaken { by: job_id(1) }),
    ] {
        let (answer, claimed) = store.submit_claimed(&job, &asked).await.expect("submit");
        assert_eq!(answer, expected);
        assert!(claimed.is_none(), "{claimed:?}");
    }
    let found = snapshot(&store, job_id(1)).await;
    assert_eq!(found.waiting.map(|it| it.due_at), Some(at(60)));
    assert!(
        claim(&store, 1, 10, at(9)).await.is_empty(),
        "nothing else was stored"
    );
}
