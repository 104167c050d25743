//! Data that databases cannot keep: refused whole, by every method, with nothing written.

use tasks_abstractions::run::JobSnapshot;
use tasks_abstractions::store::{Decision, JobLogQuery, JobQuery, NodeInfo, StoreError, StoreErrorKind};
use tasks_abstractions::{JobInfo, LockOwner, RunOutcome, Timestamp};

use super::fixture::StoreFixture;
use super::steps::{ALL, claim, claim_one, finish, join, listed, logs_of, of_job, snapshot, submit};
use crate::samples::{at, done, due, job_id, log, node, once, unarmed};

fn rejected<T: std::fmt::Debug>(answer: Result<T, StoreError>, what: &str) {
    let error = answer.expect_err(what);
    assert_eq!(error.kind(), StoreErrorKind::Rejected, "{what}: {error}");
}

/// A text that databases cannot keep rejects the whole batch; the innocent rows are accepted afterwards, and so is the bad one without it.
pub async fn a_bad_row_writes_nothing_of_its_batch(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    submit(
        &store,
        &[due(once(1), at(0)), due(once(2), at(0)), due(once(3), at(0))],
    )
    .await;
    let claimed = claim(&store, 1, 10, at(0)).await;
    let nul = |place: usize| {
        let mut bad = done(&claimed[1]);
        let log = bad.settlement.log.as_mut().expect("a log");
        match place {
            0 => log.message = Some("a\0b".to_owned()),
            1 => log.error = Some("\0".to_owned()),
            2 => bad.settlement.update.result = Some("b\0".to_owned()),
            _ => {
                bad.settlement.follow_ups = vec![unarmed(JobInfo {
                    description: Some("\0".to_owned()),
                    ..once(9)
                })];
            }
        }
        bad
    };
    for place in 0..4 {
        let batch = [done(&claimed[0]), nul(place), done(&claimed[2])];
        rejected(store.finish(&batch).await, "finish");
        for id in [1, 2, 3] {
            assert!(
                snapshot(&store, job_id(id)).await.run.is_some(),
                "{place}: job {id} is still in flight"
            );
            assert!(logs_of(&store, job_id(id)).await.is_empty());
        }
    }
    finish(&store, &[done(&claimed[0]), done(&claimed[2])]).await;
    finish(&store, &[done(&claimed[1])]).await;
}

/// A bad job rejects the whole submit, and nothing of it is written.
pub async fn a_rejected_submit_writes_nothing(fx: &impl StoreFixture) {
    let store = fx.store();
    let bad = JobInfo {
        description: Some("a\0b".to_owned()),
        ..once(2)
    };
    let batch = [due(once(1), at(0)), due(bad, at(0)), due(once(3), at(0))];
    rejected(store.submit(&batch).await, "submit");
    assert!(listed(&store, ALL, &JobQuery::default()).await.is_empty());
    submit(&store, &[batch[0].clone(), batch[2].clone()]).await;
}

/// Every other method that writes texts refuses such ones, whatever else its call would have written.
pub async fn bad_texts_are_rejected_by_every_method(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    submit(&store, &[due(once(1), at(0)), unarmed(once(2)), unarmed(once(3))]).await;
    let run = claim_one(&store, 1, at(0)).await;
    let bad = Some("a\0b".to_owned());

    let job = JobInfo {
        description: bad.clone(),
        ..once(9)
    };
    rejected(store.store(job).await, "store");
    assert!(store.find(ALL, job_id(9)).await.expect("find").is_none());

    let mut row = log(&run, RunOutcome::Failed);
    row.error = bad.clone();
    rejected(store.store_log(row.clone()).await, "store_log");

    let edit = |it: &JobSnapshot, _: Timestamp| {
        let description = if it.job.id == job_id(3) { bad.clone() } else { None };
        of_job(JobInfo {
            description,
            ..it.job.clone()
        })
    };
    rejected(
        store.change(ALL, &[job_id(2), job_id(3)], None, &edit).await,
        "an edit",
    );
    let delete = |_: &JobSnapshot, _: Timestamp| Decision::Delete(Some(Box::new(row.clone())));
    rejected(store.change(ALL, &[job_id(1)], None, &delete).await, "a deletion");
    for id in [1, 2, 3] {
        assert_eq!(snapshot(&store, job_id(id)).await.job.version, 1, "job {id}");
    }
    let logs = store
        .list_logs(ALL, &JobLogQuery::default())
        .await
        .expect("list_logs");
    assert_eq!(logs.total, 0);

    let nameless = NodeInfo {
        name: "a\0b".to_owned(),
        ..node(2)
    };
    rejected(store.register_node(&nameless).await, "register_node");
    assert_eq!(store.nodes().await.expect("nodes").len(), 1);
    let owner = LockOwner {
        job_id: run.job.id,
        run_id: run.run.run_id,
        tenant_id: run.job.tenant_id,
    };
    rejected(store.try_acquire("a\0b", owner).await, "try_acquire");
}
