//! Removing what is old.

use tasks_abstractions::store::{Cleanup, CleanupTarget, JobEnd, JobQuery, TypeFilter};
use tasks_abstractions::{JobInfo, JobStatus, JobType, RunOutcome, Timestamp};

use super::fixture::StoreFixture;
use super::steps::{ALL, change, claim, claim_one, finish, join, listed, of_job, submit};
use crate::samples::{TYPE_NAME, at, done, due, finish as settlement, job_id, log, once, unarmed, unchanged};

/// Every row of a kind that is older than this.
fn old(target: CleanupTarget, before: Timestamp) -> Cleanup {
    Cleanup {
        target,
        types: TypeFilter::All,
        before,
        limit: 100,
    }
}

/// Only Once jobs that ended, run nothing, and started last before the limit go; logs and nodes by their own limits; no more than asked.
pub async fn cleanup_removes_old_rows_only(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    let ran = |number: u128, status: JobStatus| JobInfo {
        status,
        last_run_time: Some(at(-100)),
        ..once(number)
    };
    let fresh = JobInfo {
        last_run_time: Some(at(0)),
        ..ran(4, JobStatus::Completed)
    };
    let repeats = JobInfo {
        job_type: JobType::Persistent,
        ..ran(5, JobStatus::Completed)
    };
    let jobs = [
        unarmed(ran(1, JobStatus::Completed)),
        unarmed(ran(2, JobStatus::Completed)),
        unarmed(ran(3, JobStatus::Stopped)),
        unarmed(fresh),
        unarmed(repeats),
        due(ran(6, JobStatus::Queuing), at(500)),
        due(once(7), at(0)),
        unarmed(ran(8, JobStatus::Paused)),
        unarmed(ran(9, JobStatus::None)),
    ];
    submit(&store, &jobs).await;
    // Completed, and to be run once more by hand.
    change(&store, job_id(6), |it, _| {
        of_job(JobInfo {
            status: JobStatus::Completed,
            ..it.job.clone()
        })
    })
    .await;
    let run = claim_one(&store, 1, at(0)).await;
    finish(&store, &[done(&run)]).await;

    let clean = async |what: &Cleanup| store.cleanup(what).await.expect("cleanup");
    let left = async || {
        let mut left = listed(&store, ALL, &JobQuery::default()).await;
        left.sort_unstable();
        left
    };
    let completed = old(CleanupTarget::Jobs(JobEnd::Completed), at(0));
    let one = Cleanup {
        limit: 1,
        ..completed.clone()
    };
    assert_eq!(clean(&one).await, 1);
    assert_eq!(clean(&completed).await, 1);
    assert_eq!(left().await, [3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(clean(&old(CleanupTarget::Jobs(JobEnd::Stopped), at(0))).await, 1);
    assert_eq!(left().await, [4, 5, 6, 7, 8, 9]);

    let logs = CleanupTarget::Logs(None);
    assert_eq!(clean(&old(logs, at(1))).await, 0, "it started at 1");
    assert_eq!(clean(&old(logs, at(2))).await, 1);
    assert!(
        store
            .find_log(run.job.id, run.run.run_id)
            .await
            .expect("find_log")
            .is_none()
    );

    let nodes = CleanupTarget::Nodes;
    assert_eq!(clean(&old(nodes, at(60))).await, 0, "it is alive");
    super::steps::kill(&store, 1).await;
    assert_eq!(clean(&old(nodes, at(0))).await, 0, "not before its heartbeat");
    assert_eq!(clean(&old(nodes, at(60))).await, 1);
    assert!(store.nodes().await.expect("nodes").is_empty());
}

/// How a job ended and of which type it is decide whether it goes; one that never ran is as old as itself. Log rows go by outcome and type.
pub async fn cleanup_keeps_to_ends_and_types(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    let stopped = |number: u128, type_name: &str, is_abandoned: bool| JobInfo {
        status: JobStatus::Stopped,
        is_abandoned,
        type_name: type_name.to_owned(),
        creation_time: at(-50),
        ..once(number)
    };
    let jobs = [
        unarmed(stopped(1, "a", false)),
        unarmed(stopped(2, "a", true)),
        unarmed(stopped(3, "b", true)),
        unarmed(JobInfo {
            creation_time: at(0),
            ..stopped(4, "a", true)
        }),
        due(once(5), at(0)),
        due(once(6), at(0)),
    ];
    submit(&store, &jobs).await;
    let left = async || {
        let mut left = listed(&store, ALL, &JobQuery::default()).await;
        left.sort_unstable();
        left
    };
    let of = |target, types| Cleanup {
        types,
        ..old(target, at(0))
    };
    let clean = async |what: &Cleanup| store.cleanup(what).await.expect("cleanup");
    let abandoned = CleanupTarget::Jobs(JobEnd::Abandoned);
    let only = |name: &str| TypeFilter::Only(vec![name.to_owned()]);
    assert_eq!(clean(&of(abandoned, TypeFilter::Only(Vec::new()))).await, 0);
    assert_eq!(
        clean(&of(
            abandoned,
            TypeFilter::Except(vec!["a".to_owned(), "b".to_owned()])
        ))
        .await,
        0
    );
    assert_eq!(clean(&of(abandoned, only("a"))).await, 1);
    assert_eq!(left().await, [1, 3, 4, 5, 6]);
    assert_eq!(
        clean(&of(abandoned, TypeFilter::Except(vec!["a".to_owned()]))).await,
        1
    );
    assert_eq!(left().await, [1, 4, 5, 6]);
    let ended = CleanupTarget::Jobs(JobEnd::Stopped);
    assert_eq!(clean(&of(ended, TypeFilter::All)).await, 1);
    assert_eq!(left().await, [4, 5, 6]);

    let runs = claim(&store, 1, 10, at(0)).await;
    let failed = settlement(
        &runs[1],
        unchanged(&runs[1].job),
        None,
        Some(log(&runs[1], RunOutcome::Failed)),
    );
    finish(&store, &[done(&runs[0]), failed]).await;
    let logs = |outcome, types| Cleanup {
        types,
        ..old(CleanupTarget::Logs(outcome), at(60))
    };
    assert_eq!(clean(&logs(Some(RunOutcome::TimedOut), TypeFilter::All)).await, 0);
    assert_eq!(clean(&logs(Some(RunOutcome::Failed), only("other"))).await, 0);
    assert_eq!(clean(&logs(Some(RunOutcome::Failed), only(TYPE_NAME))).await, 1);
    let found = async |at: usize| {
        store
            .find_log(runs[at].job.id, runs[at].run.run_id)
            .await
            .expect("find_log")
    };
    assert!(found(0).await.is_some() && found(1).await.is_none());
    assert_eq!(
        clean(&logs(None, TypeFilter::Except(vec![TYPE_NAME.to_owned()]))).await,
        0
    );
    assert_eq!(clean(&logs(None, TypeFilter::All)).await, 1);
    assert!(found(0).await.is_none());
}
