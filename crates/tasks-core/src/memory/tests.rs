//! The seams for tests, and what a decision that panics leaves behind. What every store promises is in the conformance suite.

use tasks_abstractions::job::{ClaimId, Lane};
use tasks_abstractions::run::{JobSnapshot, QueueEntry, RunKind};
use tasks_abstractions::store::{
    ClaimRequest, Decision, JobChange, NodeInfo, NodeState, PreparedJob, RunChange, StoreErrorKind,
    SubmitAnswer, WaitingChange,
};
use tasks_abstractions::{InstanceId, JobId, JobInfo, JobLimits, JobQueue, JobStatus, JobStore, SystemClock};
use tasks_multitenancy::{TenantId, TenantScope};
use uuid::Uuid;

use super::*;

fn store() -> Arc<MemoryStore> {
    Arc::new(MemoryStore::new(Arc::new(SystemClock)))
}

fn due(number: u128) -> PreparedJob {
    let id = JobId::new(Uuid::from_u128(number));
    let job = JobInfo::builder(id, TenantId::HOST, "test", Timestamp::UNIX_EPOCH)
        .build(&JobLimits::default())
        .unwrap();
    let first = QueueEntry {
        lane: Lane::any_node(),
        rank: 10,
        due_at: Timestamp::UNIX_EPOCH,
        kind: RunKind::Schedule,
        attempt: 1,
    };
    PreparedJob::new(job, Some(first), None)
}

fn kind<T>(answer: Result<T, StoreError>) -> Option<StoreErrorKind> {
    answer.err().map(|it| it.kind())
}

fn described(snapshot: &JobSnapshot, waiting: WaitingChange) -> Decision {
    let mut job = snapshot.job.clone();
    job.description = Some("changed".to_owned());
    Decision::Change(Box::new(JobChange {
        job,
        waiting,
        run: RunChange::default(),
    }))
}

async fn descriptions(store: &MemoryStore, ids: &[JobId]) -> Vec<Option<String>> {
    let found = store.snapshots(TenantScope::All, ids).await.unwrap();
    found.into_iter().map(|it| it.job.description).collect()
}

#[tokio::test]
async fn a_store_that_is_away_does_nothing() {
    let store = store();
    store.set_available(false);
    assert_eq!(
        kind(store.submit(&[due(1)]).await),
        Some(StoreErrorKind::Unavailable)
    );
    assert_eq!(kind(store.now().await), Some(StoreErrorKind::Unavailable));
    store.set_available(true);
    assert_eq!(store.submit(&[due(1)]).await.unwrap(), [SubmitAnswer::Inserted]);
}

#[tokio::test]
async fn calls_fail_as_often_as_asked() {
    let store = store();
    store.fail_next(2, StoreErrorKind::Rejected);
    for _ in 0..2 {
        assert_eq!(
            kind(store.submit(&[due(1)]).await),
            Some(StoreErrorKind::Rejected)
        );
    }
    assert_eq!(store.submit(&[due(1)]).await.unwrap(), [SubmitAnswer::Inserted]);
}

#[tokio::test]
async fn a_call_whose_reply_is_lost_is_carried_out() {
    let store = store();
    store.lose_next_reply();
    assert_eq!(
        kind(store.submit(&[due(1)]).await),
        Some(StoreErrorKind::Unavailable)
    );
    assert_eq!(store.submit(&[due(1)]).await.unwrap(), [SubmitAnswer::Exists]);
}

#[tokio::test]
async fn a_decision_that_panics_leaves_nothing_written_and_the_store_usable() {
    let store = store();
    let jobs = [due(1), due(2)];
    let ids = jobs.each_ref().map(|it| it.job.id);
    store.submit(&jobs).await.unwrap();

    let decide = move |it: &JobSnapshot, _| {
        assert_eq!(it.job.id, ids[0], "a decision that panics");
        described(it, WaitingChange::Keep)
    };
    let shared = Arc::clone(&store);
    let call = async move { shared.change(TenantScope::All, &ids, None, &decide).await };
    assert!(tokio::spawn(call).await.unwrap_err().is_panic());
    assert_eq!(descriptions(&store, &ids).await, [None, None]);
}

#[tokio::test]
async fn an_execution_set_beside_a_run_is_invalid_and_writes_nothing() {
    let store = store();
    let jobs = [due(1), due(2)];
    let ids = jobs.each_ref().map(|it| it.job.id);
    store.submit(&jobs).await.unwrap();
    let node = NodeInfo {
        instance: InstanceId::new(Uuid::from_u128(1)),
        name: "node".to_owned(),
        state: NodeState::Alive,
        started_at: Timestamp::UNIX_EPOCH,
        heartbeat_at: Timestamp::UNIX_EPOCH,
        capacity: 1,
        running: 0,
        lanes: vec![Lane::any_node()],
        version: String::new(),
    };
    store.register_node(&node).await.unwrap();
    let request = ClaimRequest {
        instance: node.instance,
        claim_id: ClaimId::new(Uuid::from_u128(1)),
        lanes: node.lanes,
        limit: 1,
        now: None,
        floors: Vec::new(),
    };
    assert_eq!(store.claim(&request).await.unwrap()[0].job.id, ids[0]);

    // The job without a run comes first, so that it would be written were decisions written one by one.
    let order = [ids[1], ids[0]];
    let entry = jobs[0].first.clone().unwrap();
    let decide = |it: &JobSnapshot, _| described(it, WaitingChange::Set(entry.clone()));
    let answer = store.change(TenantScope::All, &order, None, &decide).await;
    assert_eq!(kind(answer), Some(StoreErrorKind::Invalid));
    assert_eq!(descriptions(&store, &order).await, [None, None]);
    let running = store.find(TenantScope::All, ids[0]).await.unwrap().unwrap();
    assert_eq!(running.status, JobStatus::Running);
}
