//! The calls that most cases begin with, failing where they should not.

use std::sync::Arc;

use tasks_abstractions::run::{JobLog, JobSnapshot};
use tasks_abstractions::store::{
    ChangeAnswer, ClaimedRun, Decision, FinishAnswer, FinishRun, JobChange, JobLogQuery, JobQuery, NodeInfo,
    Paging, PreparedJob, RunChange, SubmitAnswer, TakeOver, TakenOver, WaitingChange,
};
use tasks_abstractions::{InstanceId, JobId, JobInfo, Timestamp};
use tasks_multitenancy::TenantScope;

use super::fixture::FullStore;
use crate::samples::{at, claim_id, claim_request, instance_id, node};

/// Everything there is.
pub(super) const ALL: TenantScope = TenantScope::All;

/// A page that holds whatever a case stores.
pub(super) const EVERYTHING: Paging = Paging {
    skip: 0,
    take: Paging::MAX_TAKE,
};

/// Registers node `number`, alive at [`at`]`(0)`.
pub(super) async fn join(store: &Arc<dyn FullStore>, number: u128) -> InstanceId {
    let node: NodeInfo = node(number);
    store.register_node(&node).await.expect("a node registers");
    node.instance
}

/// Declares node `number` dead, whose heartbeat still is that of its start.
pub(super) async fn kill(store: &Arc<dyn FullStore>, number: u128) {
    let dead = store
        .declare_dead(instance_id(number), at(0))
        .await
        .expect("declaring dead");
    assert!(dead, "node {number} was alive and had not renewed");
}

/// Stores jobs of which each must be new.
pub(super) async fn submit(store: &Arc<dyn FullStore>, jobs: &[PreparedJob]) {
    let answers = store.submit(jobs).await.expect("submit");
    assert_eq!(answers.len(), jobs.len(), "one answer a job");
    for (answer, job) in answers.iter().zip(jobs) {
        assert_eq!(*answer, SubmitAnswer::Inserted, "job {}", job.job.id);
    }
}

/// Claims from the common lane for node `number`.
pub(super) async fn claim(
    store: &Arc<dyn FullStore>,
    number: u128,
    limit: usize,
    now: Timestamp,
) -> Vec<ClaimedRun> {
    store
        .claim(&claim_request(number, limit, now))
        .await
        .expect("claim")
}

/// Claims the one execution that is due at `now`.
pub(super) async fn claim_one(store: &Arc<dyn FullStore>, number: u128, now: Timestamp) -> ClaimedRun {
    let mut claimed = claim(store, number, 10, now).await;
    assert_eq!(claimed.len(), 1, "one execution is due: {claimed:?}");
    claimed.remove(0)
}

/// Takes over whatever is orphaned, for node `number`.
pub(super) async fn take_over(store: &Arc<dyn FullStore>, number: u128, now: Timestamp) -> Vec<TakenOver> {
    let request = TakeOver {
        instance: instance_id(number),
        claim_id: claim_id(),
        limit: 10_000,
        now: Some(now),
    };
    store.take_over(&request).await.expect("take over")
}

/// Settles runs of which each must be applied.
pub(super) async fn finish(store: &Arc<dyn FullStore>, runs: &[FinishRun]) {
    let answers = store.finish(runs).await.expect("finish");
    assert_eq!(answers.len(), runs.len(), "one answer a run");
    for (answer, run) in answers.iter().zip(runs) {
        assert!(
            matches!(answer, FinishAnswer::Applied),
            "run of job {}: {answer:?}",
            run.job_id
        );
    }
}

/// Changes one job, as the host's operator, at [`at`]`(0)`.
pub(super) async fn change(
    store: &Arc<dyn FullStore>,
    id: JobId,
    decide: impl Fn(&JobSnapshot, Timestamp) -> Decision + Send + Sync,
) -> ChangeAnswer {
    let mut answers = store
        .change(ALL, &[id], Some(at(0)), &decide)
        .await
        .expect("change");
    assert_eq!(answers.len(), 1, "one answer a job");
    answers.remove(0)
}

/// A change of the job alone: its executions stay.
pub(super) fn of_job(job: JobInfo) -> Decision {
    with(job, WaitingChange::Keep, RunChange::default())
}

/// A change of the job and its executions.
pub(super) fn with(job: JobInfo, waiting: WaitingChange, run: RunChange) -> Decision {
    Decision::Change(Box::new(JobChange { job, waiting, run }))
}

/// The snapshot of one job that is there. Checks what must hold of every snapshot.
pub(super) async fn snapshot(store: &Arc<dyn FullStore>, id: JobId) -> JobSnapshot {
    let mut found = store.snapshots(ALL, &[id]).await.expect("snapshots");
    assert_eq!(found.len(), 1, "job {id} is there");
    let found = found.remove(0);
    assert!(
        found.waiting.is_none() || found.run.is_none(),
        "a queue row and a run row together: {found:?}"
    );
    assert_eq!(found.job.is_running, found.run.is_some(), "{found:?}");
    found
}

/// Every log row of one job, oldest first.
pub(super) async fn logs_of(store: &Arc<dyn FullStore>, id: JobId) -> Vec<JobLog> {
    let query = JobLogQuery {
        job_id: Some(id),
        order: tasks_abstractions::store::SortOrder::Ascending,
        paging: EVERYTHING,
        ..JobLogQuery::default()
    };
    store.list_logs(ALL, &query).await.expect("list_logs").items
}

/// The ids of the jobs that a query answers, in its order, as numbers.
pub(super) async fn listed(store: &Arc<dyn FullStore>, scope: TenantScope, query: &JobQuery) -> Vec<u128> {
    let page = store.list(scope, query).await.expect("list");
    numbers(page.items.iter().map(|it| it.id))
}

/// The numbers that sample ids were made from.
pub(super) fn numbers(ids: impl IntoIterator<Item = JobId>) -> Vec<u128> {
    ids.into_iter().map(|it| it.as_uuid().as_u128()).collect()
}

/// Repeats a call for as long as the store says that it is busy: a reply of that kind means nothing else. A macro, because futures
/// of closures are not known to be `Send`.
macro_rules! until_available {
    ($call:expr) => {
        loop {
            match $call.await {
                Err(busy) if tasks_abstractions::StoreError::is_unavailable(&busy) => {
                    tokio::task::yield_now().await
                }
                other => break other.expect("no other failure than being busy"),
            }
        }
    };
}
pub(super) use until_available;
