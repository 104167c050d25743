//! Workers that cannot be had: hooks that fail, names that are taken, a store that is away, years that have passed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tasks_abstractions::store::StoreErrorKind;
use tasks_abstractions::worker::BackgroundWorkerAdapter;
use tasks_abstractions::{
    AsyncPeriodicWorker, BackgroundWorker, JobError, JobResult, JobStatus, Outcome, RunOutcome,
    WorkerContext, WorkerError, WorkerSchedule,
};

use super::fixture::{LIMIT, SchedulerFixture, done, pass, secs};
use super::planned_worker::{Plan, Planned, id_of, node_with, program, stored};

/// A worker that notes its hooks, which may fail.
#[derive(Default)]
struct Hooked {
    calls: Mutex<Vec<&'static str>>,
    fails_to_start: AtomicBool,
    fails_to_stop: AtomicBool,
}

struct HookedWorker(Arc<Hooked>);

impl Hooked {
    fn calls(&self) -> Vec<&'static str> {
        std::mem::take(&mut *self.calls.lock().unwrap())
    }

    fn worker(self: &Arc<Self>) -> Arc<BackgroundWorkerAdapter<HookedWorker>> {
        Arc::new(BackgroundWorkerAdapter::async_periodic(HookedWorker(Arc::clone(
            self,
        ))))
    }

    fn called(&self, hook: &'static str, fails: &AtomicBool) -> Result<(), JobError> {
        self.calls.lock().unwrap().push(hook);
        if fails.load(Ordering::Relaxed) {
            return Err(JobError::msg("not today"));
        }
        Ok(())
    }
}

#[async_trait]
impl AsyncPeriodicWorker for HookedWorker {
    const NAME: &'static str = "suite.hooked";

    fn schedule(&self) -> WorkerSchedule {
        WorkerSchedule::every(secs(60))
    }

    async fn do_work(&self, _: &WorkerContext) -> JobResult {
        Ok(Outcome::Done)
    }

    async fn start(&self) -> Result<(), JobError> {
        self.0.called("start", &self.0.fails_to_start)
    }

    async fn stop(&self) -> Result<(), JobError> {
        self.0.called("stop", &self.0.fails_to_stop)
    }
}

/// A worker whose start hook fails is not there; a former one whose stop hook fails stays.
pub async fn a_hook_that_fails_leaves_no_half_worker(fx: &impl SchedulerFixture) {
    let host = fx.patient_node("a").build().unwrap();
    host.start();
    host.workers().start().await.unwrap();
    let hooked = Arc::new(Hooked::default());
    hooked.fails_to_start.store(true, Ordering::Relaxed);
    let failed = host.workers().add(hooked.worker()).await;
    assert!(
        matches!(failed, Err(WorkerError::Hook { hook: "start", .. })),
        "{failed:?}"
    );
    assert!(host.workers().names().is_empty());
    assert!(
        host.find(id_of(HookedWorker::NAME)).await.is_err(),
        "nothing was stored"
    );

    hooked.fails_to_start.store(false, Ordering::Relaxed);
    host.workers().add(hooked.worker()).await.unwrap();
    hooked.calls();
    let other = Arc::new(Hooked::default());
    hooked.fails_to_stop.store(true, Ordering::Relaxed);
    let failed = host.workers().add(other.worker()).await;
    assert!(
        matches!(failed, Err(WorkerError::Hook { hook: "stop", .. })),
        "{failed:?}"
    );
    assert_eq!((hooked.calls(), other.calls().len()), (vec!["stop"], 0));
    assert_eq!(
        host.workers().names(),
        [HookedWorker::NAME],
        "the former one stays"
    );

    hooked.fails_to_stop.store(false, Ordering::Relaxed);
    other.fails_to_start.store(true, Ordering::Relaxed);
    let failed = host.workers().add(other.worker()).await;
    assert!(
        matches!(failed, Err(WorkerError::Hook { hook: "start", .. })),
        "{failed:?}"
    );
    assert!(host.workers().names().is_empty(), "the former one was stopped");
    pass(secs(200)).await;
    let job = host.find(id_of(HookedWorker::NAME)).await.unwrap();
    assert_eq!(
        (job.trigger_count, job.status),
        (0, JobStatus::Queuing),
        "nobody runs it"
    );
    assert!(host.workers().stop().await.unwrap());
    assert!(
        !hooked.calls().is_empty() && other.calls() == ["start"],
        "who is gone is not stopped again"
    );
}

/// Where the store cannot take a worker's job, the worker is there all the same: it is stopped with the others, and adding it again stores it.
pub async fn a_worker_that_was_not_stored_may_be_added_again(fx: &impl SchedulerFixture) {
    let host = fx.node("a").build().unwrap();
    host.start();
    host.workers().start().await.unwrap();
    let hooked = Arc::new(Hooked::default());
    fx.store().fail_next(1, StoreErrorKind::Unavailable);
    let failed = host.workers().add(hooked.worker()).await;
    assert!(matches!(failed, Err(WorkerError::Store { .. })), "{failed:?}");
    assert_eq!(host.workers().names(), [HookedWorker::NAME]);
    host.workers().add(hooked.worker()).await.unwrap();
    assert_eq!(hooked.calls(), ["start", "stop", "start"]);
    let id = id_of(HookedWorker::NAME);
    host.recorder()
        .settled(id, RunOutcome::Succeeded, 1, LIMIT)
        .await
        .unwrap();
    // A schedule that was not stored does not come back later.
    fx.store().fail_next(1, StoreErrorKind::Unavailable);
    let schedule = WorkerSchedule::every(secs(7));
    let failed = host.workers().update_schedule(HookedWorker::NAME, schedule).await;
    assert!(matches!(failed, Err(WorkerError::Store { .. })), "{failed:?}");
    assert_eq!(host.find(id).await.unwrap().interval, secs(60));
    assert!(host.workers().stop().await.unwrap());
    assert!(host.workers().start().await.unwrap());
    assert_eq!(host.find(id).await.unwrap().interval, secs(60));
    assert_eq!(hooked.calls(), ["stop", "start"]);
}

struct Impostor;

#[async_trait]
impl AsyncPeriodicWorker for Impostor {
    const NAME: &'static str = Planned::NAME;

    fn schedule(&self) -> WorkerSchedule {
        WorkerSchedule::every(secs(1))
    }

    async fn do_work(&self, _: &WorkerContext) -> JobResult {
        Ok(Outcome::Done)
    }
}

struct HooksOfAJob;

#[async_trait]
impl BackgroundWorker for HooksOfAJob {
    const NAME: &'static str = "registered.job";

    async fn start(&self) -> Result<(), JobError> {
        Ok(())
    }

    async fn stop(&self) -> Result<(), JobError> {
        Ok(())
    }
}

/// Another type under a registered worker's name would never be run, and hooks under a job's name would take the job away with them: both are
/// refused.
pub async fn names_of_others_are_refused_whatever_the_worker_is(fx: &impl SchedulerFixture) {
    let plan = Plan::new(WorkerSchedule::every(secs(60)));
    let host = node_with(fx, "a", &plan)
        .run("registered.job", done)
        .build()
        .unwrap();
    host.start();
    host.start_workers().await.unwrap();
    let impostor = BackgroundWorkerAdapter::async_periodic(Impostor);
    let refused = host.workers().add(Arc::new(impostor)).await;
    assert!(matches!(refused, Err(WorkerError::Invalid { .. })), "{refused:?}");
    let hooks = BackgroundWorkerAdapter::plain(HooksOfAJob);
    let refused = host.workers().add(Arc::new(hooks)).await;
    assert!(matches!(refused, Err(WorkerError::Invalid { .. })), "{refused:?}");
    assert!(host.workers().remove("registered.job").await.is_err());
    let id = host.enqueue("registered.job").await.unwrap();
    host.recorder()
        .settled(id, RunOutcome::Succeeded, 1, secs(1))
        .await
        .unwrap();
    assert_eq!(stored(&host).await.interval, secs(60));
    // The worker itself, once more: that is a restart of it.
    let again = BackgroundWorkerAdapter::async_periodic(Planned::of(Arc::clone(&plan)));
    host.workers().add(Arc::new(again)).await.unwrap();
    assert_eq!(plan.hooks(), (2, 1));
}

/// A worker whose years have passed is done, and does not keep its program from starting; a new one of that kind is refused.
pub async fn a_worker_whose_years_have_passed_does_not_stop_the_program(fx: &impl SchedulerFixture) {
    let schedule = || WorkerSchedule::cron("0 0 0 1 4 ? 2026");
    drop(program(fx, "1.0.0", schedule()).await);
    pass(40 * 24 * secs(3_600)).await;
    let host = program(fx, "1.0.0", schedule()).await;
    host.start();
    let id = id_of(Planned::NAME);
    host.recorder()
        .settled(id, RunOutcome::Succeeded, 1, secs(5))
        .await
        .unwrap();
    assert_eq!(stored(&host).await.status, JobStatus::Completed);
    drop(host);
    for version in ["1.0.0", "1.1.0"] {
        let host = program(fx, version, schedule()).await;
        assert_eq!(stored(&host).await.status, JobStatus::Completed);
    }
    // The next version of the program has it in the years to come.
    let host = program(fx, "1.2.0", WorkerSchedule::cron("0 0 0 1 4 ? 2026-2030")).await;
    let job = stored(&host).await;
    assert_eq!(
        (job.status, job.next_run_time.is_some()),
        (JobStatus::Queuing, true)
    );
    host.store()
        .remove(tasks_multitenancy::TenantScope::All, id)
        .await
        .unwrap();
    let host = node_with(fx, "a", &Plan::new(schedule())).build().unwrap();
    assert!(host.start_workers().await.is_err());
}
