//! Workers that a running program makes: a name, a schedule and a handler.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use chrono::TimeDelta;
use tasks_abstractions::{
    AsyncPeriodicWorker, DynamicWorker, JobInfo, JobStatus, Outcome, RunOutcome, WorkerError, WorkerSchedule,
};

use super::fixture::{SchedulerFixture, done, pass, secs};
use super::planned_worker::{Plan, Planned, id_of, node_with};
use crate::TestHost;

const NAME: &str = "reports.tenant-7";

/// A worker that counts its runs here.
fn counting(schedule: WorkerSchedule, runs: &Arc<AtomicUsize>) -> Arc<DynamicWorker> {
    named(NAME, schedule, runs)
}

fn named(name: &str, schedule: WorkerSchedule, runs: &Arc<AtomicUsize>) -> Arc<DynamicWorker> {
    let runs = Arc::clone(runs);
    DynamicWorker::new(name, schedule, move |_| {
        runs.fetch_add(1, Ordering::Relaxed);
        async { Ok(Outcome::Done) }
    })
}

fn every(seconds: u64) -> WorkerSchedule {
    WorkerSchedule::every(secs(seconds))
}

async fn job(host: &TestHost) -> JobInfo {
    host.find(id_of(NAME)).await.unwrap()
}

async fn running(fx: &impl SchedulerFixture) -> TestHost {
    let host = fx.patient_node("a").build().unwrap();
    host.start();
    host.workers().start().await.unwrap();
    host
}

/// Added while the program runs, given another schedule with the same handler, taken away, added again.
pub async fn a_dynamic_worker_comes_changes_goes_and_comes_back(fx: &impl SchedulerFixture) {
    let host = running(fx).await;
    let runs = Arc::new(AtomicUsize::new(0));
    let count = || runs.load(Ordering::Relaxed);
    host.workers().add(counting(every(60), &runs)).await.unwrap();
    assert_eq!(host.workers().names(), [NAME]);
    pass(secs(121)).await;
    assert_eq!(count(), 2);

    host.workers().update_schedule(NAME, every(600)).await.unwrap();
    assert_eq!(job(&host).await.interval, secs(600));
    pass(secs(599)).await;
    assert_eq!(count(), 2);
    pass(secs(2)).await;
    assert_eq!(count(), 3, "the handler is the same");
    host.workers()
        .update_schedule(NAME, WorkerSchedule::cron("0 0 * * * ?"))
        .await
        .unwrap();
    let next = job(&host).await.next_run_time.unwrap();
    assert!(next > fx.now());
    assert_eq!(next.timestamp() % 3_600, 0);

    host.workers().remove(NAME).await.unwrap();
    assert!(host.workers().names().is_empty());
    pass(secs(2 * 3_600)).await;
    let shown = job(&host).await;
    assert_eq!(
        (count(), shown.status, shown.trigger_count),
        (3, JobStatus::Queuing, 3)
    );
    assert!(
        shown.next_run_time.is_some_and(|it| it < fx.now()),
        "the missed fire waits"
    );

    host.workers().add(counting(every(60), &runs)).await.unwrap();
    assert_eq!(job(&host).await.version, 4, "the same job, by another schedule");
    pass(secs(61)).await;
    assert_eq!(count(), 4);
}

/// What waits for a handler runs as soon as it is there, without waiting for the next look at the store.
pub async fn what_waited_for_a_handler_runs_when_it_is_added(fx: &impl SchedulerFixture) {
    let runs = Arc::new(AtomicUsize::new(0));
    let first = running(fx).await;
    first.workers().add(counting(every(60), &runs)).await.unwrap();
    assert!(first.shutdown().await);
    drop(first);
    pass(secs(600)).await;
    let host = fx
        .node("a")
        .options(|it| it.poll_interval = secs(60))
        .build()
        .unwrap();
    host.start();
    host.workers().start().await.unwrap();
    pass(secs(95)).await;
    assert_eq!(runs.load(Ordering::Relaxed), 0, "nobody has the handler");
    host.workers().add(counting(every(60), &runs)).await.unwrap();
    host.recorder()
        .settled(id_of(NAME), RunOutcome::Succeeded, 1, secs(1))
        .await
        .unwrap();
    let gap = job(&host).await.next_run_time.unwrap() - fx.now();
    assert!(
        (gap - TimeDelta::seconds(60)).abs() < TimeDelta::milliseconds(20),
        "{gap}"
    );
}

/// One of the same name takes the other's place, with its own handler and schedule.
pub async fn a_dynamic_worker_replaces_one_of_its_name(fx: &impl SchedulerFixture) {
    let host = running(fx).await;
    let (old, new) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    host.workers().add(counting(every(60), &old)).await.unwrap();
    pass(secs(61)).await;
    host.workers().add(counting(every(30), &new)).await.unwrap();
    pass(secs(31)).await;
    let counts = || (old.load(Ordering::Relaxed), new.load(Ordering::Relaxed));
    assert_eq!(counts(), (1, 1));
    // The schedule that was given to the former one is not that of the new one.
    host.workers().update_schedule(NAME, every(3_600)).await.unwrap();
    host.workers().add(counting(every(30), &new)).await.unwrap();
    pass(secs(31)).await;
    assert_eq!(counts(), (1, 2));
}

/// The name of a registered job or worker is refused, and what is there goes on as it was.
pub async fn a_dynamic_worker_cannot_take_a_registered_name(fx: &impl SchedulerFixture) {
    let plan = Plan::new(every(60));
    let host = node_with(fx, "a", &plan)
        .run("registered.job", done)
        .build()
        .unwrap();
    host.start();
    host.start_workers().await.unwrap();
    let runs = Arc::new(AtomicUsize::new(0));
    for name in ["registered.job", Planned::NAME] {
        let refused = host
            .workers()
            .add(named(name, every(60), &runs))
            .await
            .unwrap_err();
        assert!(matches!(refused, WorkerError::Invalid { .. }));
        assert!(refused.to_string().contains("registered"), "{refused}");
    }
    assert_eq!(host.workers().names(), [Planned::NAME]);
    assert_eq!(plan.hooks(), (1, 0), "it was not stopped");
    let id = host.enqueue("registered.job").await.unwrap();
    host.recorder()
        .settled(id, RunOutcome::Succeeded, 1, secs(1))
        .await
        .unwrap();
    pass(secs(61)).await;
    assert_eq!((plan.runs(), runs.load(Ordering::Relaxed)), (1, 0));
    assert!(host.workers().stop().await.unwrap());
    assert_eq!(plan.hooks(), (1, 1));
}

/// A schedule that is not valid is refused before anything changes: the worker that is there keeps its handler and its schedule.
pub async fn a_bad_schedule_is_refused_and_changes_nothing(fx: &impl SchedulerFixture) {
    let host = running(fx).await;
    let (good, bad) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    host.workers().add(counting(every(60), &good)).await.unwrap();
    let version = job(&host).await.version;
    let never = WorkerSchedule::cron("0 0 0 30 2 ?");
    for schedule in [
        never,
        WorkerSchedule::cron("every day"),
        every(0),
        WorkerSchedule::cron("0 0 * * * ?").time_zone("Mars/Olympus"),
    ] {
        let updated = host.workers().update_schedule(NAME, schedule.clone()).await;
        assert!(matches!(updated, Err(WorkerError::Invalid { .. })), "{updated:?}");
        let added = host.workers().add(counting(schedule.clone(), &bad)).await;
        assert!(matches!(added, Err(WorkerError::Invalid { .. })), "{added:?}");
    }
    assert_eq!(job(&host).await.version, version);
    pass(secs(61)).await;
    assert_eq!(
        (good.load(Ordering::Relaxed), bad.load(Ordering::Relaxed)),
        (1, 0)
    );
    // Also before the start of the workers: not only with the next start.
    let idle = fx.node("b").build().unwrap();
    let early = idle
        .workers()
        .add(counting(WorkerSchedule::cron("never"), &bad))
        .await;
    assert!(matches!(early, Err(WorkerError::Invalid { .. })), "{early:?}");
}
