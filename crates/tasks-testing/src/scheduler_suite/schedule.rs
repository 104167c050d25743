//! What the methods of `JobScheduler` answer.

use chrono::TimeDelta;
use tasks_abstractions::{JobInfo, JobManagement, JobScheduler, JobStatus, JobType, RunOutcome};
use tasks_multitenancy::{TenantId, TenantScope};
use uuid::Uuid;

use super::fixture::{Gate, LIMIT, SchedulerFixture, done, pass, secs, until_cancelled};
use crate::TestHost;

const ALL: TenantScope = TenantScope::All;

fn job(host: &TestHost) -> JobInfo {
    host.job("t").build(&host.engine().options().limits).unwrap()
}

/// `queue` stores and arms; it is false where the job is armed already, exhausted or expired.
pub async fn queue_answers_whether_it_armed(fx: &impl SchedulerFixture) {
    let host = fx.patient_node("a").run("t", done).build().unwrap();
    let it = host.scheduler();
    let later = JobInfo {
        begin_time: fx.now() + TimeDelta::hours(1),
        ..job(&host)
    };
    assert!(!it.exists(ALL, later.id).await.unwrap());
    assert!(it.queue(later.clone()).await.unwrap());
    assert!(!it.queue(later.clone()).await.unwrap(), "armed already");
    assert!(it.exists(ALL, later.id).await.unwrap());
    let stranger = TenantScope::One(TenantId::new(Uuid::from_u128(9)));
    assert!(!it.exists(stranger, later.id).await.unwrap(), "another tenant's");
    let exhausted = JobInfo {
        job_type: JobType::Persistent,
        max_count: 2,
        trigger_count: 2,
        ..job(&host)
    };
    assert!(!it.queue(exhausted).await.unwrap(), "exhausted");
    let expired = JobInfo {
        begin_time: fx.now() - TimeDelta::hours(2),
        end_time: Some(fx.now() - TimeDelta::hours(1)),
        ..job(&host)
    };
    assert!(!it.queue(expired).await.unwrap(), "expired");
    host.start();
    host.recorder()
        .settled(later.id, RunOutcome::Succeeded, 1, 2 * LIMIT)
        .await
        .unwrap();
    assert!(!it.exists(ALL, later.id).await.unwrap(), "done");
    assert!(it.queue(later.clone()).await.unwrap(), "armed again");
    host.recorder()
        .settled(later.id, RunOutcome::Succeeded, 2, LIMIT)
        .await
        .unwrap();
}

/// `queue_many` replaces definitions and waiting executions, and counts what is armed.
pub async fn queue_many_replaces(fx: &impl SchedulerFixture) {
    let host = fx.node("a").run("t", done).build().unwrap();
    let it = host.scheduler();
    let first = JobInfo {
        begin_time: fx.now() + TimeDelta::hours(1),
        ..job(&host)
    };
    assert_eq!(it.queue_many(vec![first.clone(), job(&host)]).await.unwrap(), 2);
    let sooner = JobInfo {
        begin_time: fx.now() + TimeDelta::minutes(1),
        description: Some("sooner".to_owned()),
        ..first.clone()
    };
    assert_eq!(it.queue_many(vec![sooner.clone()]).await.unwrap(), 1);
    let stored = host.find(first.id).await.unwrap();
    assert_eq!(stored.next_run_time, Some(sooner.begin_time));
    assert_eq!(stored.description.as_deref(), Some("sooner"));
}

/// Pause, resume, trigger and remove answer whether something changed.
pub async fn commands_answer_whether_something_changed(fx: &impl SchedulerFixture) {
    let host = fx.node("a").run("t", until_cancelled).build().unwrap();
    let it = host.scheduler();
    let later = JobInfo {
        begin_time: fx.now() + TimeDelta::hours(1),
        ..job(&host)
    };
    let id = later.id;
    assert!(it.queue(later).await.unwrap());
    assert!(it.pause(ALL, id).await.unwrap());
    assert!(!it.pause(ALL, id).await.unwrap());
    assert!(!it.exists(ALL, id).await.unwrap());
    assert!(it.resume(ALL, id).await.unwrap());
    assert!(!it.resume(ALL, id).await.unwrap());
    assert!(it.trigger(ALL, id).await.unwrap());
    assert!(!it.trigger(ALL, id).await.unwrap(), "due already");
    host.start();
    host.recorder().started(id, 1, LIMIT).await.unwrap();
    assert!(it.remove(ALL, id).await.unwrap());
    assert!(!it.remove(ALL, id).await.unwrap());
    assert!(it.pause(ALL, id).await.is_err(), "not found");
}

/// `start` and `stop` switch claiming on this node and answer whether that is a change; runs in flight go on.
pub async fn start_and_stop_switch_claiming(fx: &impl SchedulerFixture) {
    let gate = Gate::new();
    let host = fx.patient_node("a").run("t", gate.job()).build().unwrap();
    let it = host.scheduler();
    host.start();
    assert!(!it.start().await.unwrap(), "claims from the start");
    let first = host.enqueue("t").await.unwrap();
    host.recorder().started(first, 1, LIMIT).await.unwrap();
    assert!(it.stop().await.unwrap());
    assert!(!it.stop().await.unwrap());
    let second = host.enqueue("t").await.unwrap();
    pass(secs(3600)).await;
    assert_eq!(host.recorder().look(|it| it.started_of(second)), 0);
    assert_eq!(host.find(second).await.unwrap().status, JobStatus::Queuing);
    gate.open(2);
    host.recorder()
        .settled(first, RunOutcome::Succeeded, 1, secs(1))
        .await
        .unwrap();
    assert!(it.start().await.unwrap());
    host.recorder()
        .settled(second, RunOutcome::Succeeded, 1, secs(1))
        .await
        .unwrap();
}

/// `shutdown` ends the node's part for good, once.
pub async fn shutdown_is_for_good(fx: &impl SchedulerFixture) {
    let host = fx.node("a").run("t", done).build().unwrap();
    let it = host.scheduler();
    host.start();
    assert!(it.shutdown().await.unwrap());
    assert!(!it.shutdown().await.unwrap());
    assert!(
        !it.start().await.unwrap(),
        "a node that was shut down does not start again"
    );
    let id = host.enqueue("t").await.unwrap();
    pass(secs(60)).await;
    assert_eq!(host.recorder().look(|it| it.started_of(id)), 0);
}

/// A node that may not run jobs still stores and manages them; another one runs them.
pub async fn a_node_without_execution_only_manages(fx: &impl SchedulerFixture) {
    let manager = fx
        .node("web")
        .options(|it| it.is_execution_enabled = false)
        .run("t", done)
        .build()
        .unwrap();
    manager.start();
    let id = manager.enqueue("t").await.unwrap();
    pass(secs(60)).await;
    assert_eq!(
        manager.management().get(ALL, id).await.unwrap().status,
        JobStatus::Queuing
    );
    let worker = fx.node("batch").run("t", done).build().unwrap();
    worker.start();
    worker
        .recorder()
        .settled(id, RunOutcome::Succeeded, 1, secs(5))
        .await
        .unwrap();
}
