//! Removing what is old.

use tasks_abstractions::store::{Cleanup, JobQuery};
use tasks_abstractions::{JobInfo, JobStatus, JobType};

use super::fixture::StoreFixture;
use super::steps::{ALL, change, claim_one, finish, join, listed, of_job, submit};
use crate::samples::{at, done, due, job_id, once, unarmed};

/// Only Once jobs that ended, run nothing, and started last before the limit go; logs and nodes by their own limits; no more than asked.
pub async fn cleanup_removes_old_rows_only(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    let old = |number: u128, status: JobStatus| JobInfo {
        status,
        last_run_time: Some(at(-100)),
        ..once(number)
    };
    let fresh = JobInfo {
        last_run_time: Some(at(0)),
        ..old(4, JobStatus::Completed)
    };
    let repeats = JobInfo {
        job_type: JobType::Persistent,
        ..old(5, JobStatus::Completed)
    };
    let jobs = [
        unarmed(old(1, JobStatus::Completed)),
        unarmed(old(2, JobStatus::Completed)),
        unarmed(old(3, JobStatus::Stopped)),
        unarmed(fresh),
        unarmed(repeats),
        due(old(6, JobStatus::Queuing), at(500)),
        due(once(7), at(0)),
        unarmed(old(8, JobStatus::Paused)),
        unarmed(old(9, JobStatus::None)),
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

    let nothing = Cleanup {
        jobs_before: None,
        stopped: true,
        logs_before: None,
        nodes_before: None,
        limit: 100,
    };
    assert_eq!(store.cleanup(&nothing).await.expect("cleanup"), 0);
    let jobs_before = Cleanup {
        jobs_before: Some(at(0)),
        stopped: false,
        ..nothing
    };
    let left = async || {
        let mut left = listed(&store, ALL, &JobQuery::default()).await;
        left.sort_unstable();
        left
    };
    let one = Cleanup {
        limit: 1,
        ..jobs_before
    };
    assert_eq!(store.cleanup(&one).await.expect("cleanup"), 1);
    assert_eq!(store.cleanup(&jobs_before).await.expect("cleanup"), 1);
    assert_eq!(left().await, [3, 4, 5, 6, 7, 8, 9]);
    let stopped = Cleanup {
        stopped: true,
        ..jobs_before
    };
    assert_eq!(store.cleanup(&stopped).await.expect("cleanup"), 1);
    assert_eq!(left().await, [4, 5, 6, 7, 8, 9]);

    let logs = |seconds| Cleanup {
        logs_before: Some(at(seconds)),
        ..nothing
    };
    assert_eq!(
        store.cleanup(&logs(1)).await.expect("cleanup"),
        0,
        "it started at 1"
    );
    assert_eq!(store.cleanup(&logs(2)).await.expect("cleanup"), 1);
    assert!(store.find_log(run.run.run_id).await.expect("find_log").is_none());

    let nodes = |seconds| Cleanup {
        nodes_before: Some(at(seconds)),
        ..nothing
    };
    assert_eq!(
        store.cleanup(&nodes(60)).await.expect("cleanup"),
        0,
        "it is alive"
    );
    super::steps::kill(&store, 1).await;
    assert_eq!(
        store.cleanup(&nodes(0)).await.expect("cleanup"),
        0,
        "not before its heartbeat"
    );
    assert_eq!(store.cleanup(&nodes(60)).await.expect("cleanup"), 1);
    assert!(store.nodes().await.expect("nodes").is_empty());
}
