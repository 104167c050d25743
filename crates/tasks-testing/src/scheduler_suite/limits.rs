//! What a run may not do: take too long, panic, block, or keep others out for ever.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use tasks_abstractions::services::{FromScope, Need, Resolver, ServiceError};
use tasks_abstractions::{
    BackgroundJob, CancelReason, JobArgs, JobError, JobInfo, JobManagement, JobResult, JobRunnableContext,
    JobStatus, Outcome, PeriodicWorker, RetryPolicy, RunOutcome, WorkerContext, WorkerRegistration,
    WorkerSchedule,
};
use tasks_multitenancy::{CurrentTenant, TenantId};

use super::fixture::{Gate, LIMIT, SchedulerFixture, done, pass, secs};
use crate::{ClosureJob, TestHost};

fn job(host: &TestHost) -> JobInfo {
    JobInfo {
        retry_policy: Some(RetryPolicy::fixed(secs(5))),
        ..host.job("t").build(&host.engine().options().limits).unwrap()
    }
}

/// At its timeout a run is asked to end. Only when its code has really returned it is TimedOut, whatever it answers, and tried again.
pub async fn a_timeout_is_recorded_when_the_code_returns(fx: &impl SchedulerFixture) {
    let asked: Arc<Mutex<Vec<Option<CancelReason>>>> = Arc::default();
    let (seen, gate) = (Arc::clone(&asked), Gate::new());
    let wait = gate.clone();
    let host = fx
        .patient_node("a")
        .run("t", move |ctx| {
            let (seen, wait) = (Arc::clone(&seen), wait.clone());
            async move {
                assert!(ctx.deadline().is_some());
                ctx.cancellation().cancelled().await;
                seen.lock().unwrap().push(ctx.cancel_reason());
                wait.pass().await;
                Ok(Outcome::Done)
            }
        })
        .build()
        .unwrap();
    host.start();
    let job = JobInfo {
        timeout: Some(secs(10)),
        ..job(&host)
    };
    let id = job.id;
    host.management().create(job).await.unwrap();
    host.recorder().started(id, 1, LIMIT).await.unwrap();
    pass(Duration::from_millis(9_990)).await;
    assert!(asked.lock().unwrap().is_empty());
    pass(secs(1)).await;
    assert_eq!(*asked.lock().unwrap(), [Some(CancelReason::TimedOut)]);
    pass(secs(600)).await;
    let shown = host.find(id).await.unwrap();
    assert_eq!((shown.status, shown.try_count), (JobStatus::Running, 0));
    assert_eq!(host.engine().executing(), 1, "its slot stays taken");
    gate.open(1);
    host.recorder()
        .settled(id, RunOutcome::TimedOut, 1, secs(1))
        .await
        .unwrap();
    let shown = host.find(id).await.unwrap();
    assert_eq!((shown.status, shown.try_count), (JobStatus::FailedRetry, 1));
    host.recorder().started(id, 2, secs(6)).await.unwrap();
}

/// A run whose lock timeout passes loses its exclusivity: TimedOut is recorded at once and another node may run the job. This process keeps the slot
/// taken, and does not start the job while the former code still runs in it.
pub async fn a_lock_timeout_gives_up_exclusivity(fx: &impl SchedulerFixture) {
    let gate = Gate::new();
    let host = fx
        .node("a")
        .options(|it| it.max_concurrency = 2)
        .run("t", gate.job())
        .build()
        .unwrap();
    host.start();
    let job = JobInfo {
        lock_timeout: Some(secs(10)),
        ..job(&host)
    };
    let id = job.id;
    host.management().create(job).await.unwrap();
    host.recorder()
        .settled(id, RunOutcome::TimedOut, 1, secs(11))
        .await
        .unwrap();
    assert_eq!(host.find(id).await.unwrap().try_count, 1);
    pass(secs(120)).await;
    assert_eq!(
        host.recorder().look(|it| it.started_of(id)),
        1,
        "the former code still runs here"
    );
    assert_eq!(host.engine().executing(), 1);
    assert_eq!(host.find(id).await.unwrap().try_count, 1, "given back uncounted");
    gate.open(1);
    host.recorder().started(id, 2, secs(10)).await.unwrap();
    gate.open(1);
    host.recorder()
        .settled(id, RunOutcome::Succeeded, 1, secs(1))
        .await
        .unwrap();
    let job = host.find(id).await.unwrap();
    assert_eq!((job.status, job.trigger_count), (JobStatus::Completed, 2));
}

/// After a lock timeout another node runs the job although the former code still goes on here; its late success changes nothing.
pub async fn after_a_lock_timeout_another_node_runs_the_job(fx: &impl SchedulerFixture) {
    let gate = Gate::new();
    let a = fx.node("a").run("t", gate.job()).build().unwrap();
    a.start();
    let job = JobInfo {
        lock_timeout: Some(secs(10)),
        ..job(&a)
    };
    let id = job.id;
    a.management().create(job).await.unwrap();
    a.recorder().started(id, 1, LIMIT).await.unwrap();
    let b = fx.node("b").run("t", done).build().unwrap();
    b.start();
    b.recorder()
        .settled(id, RunOutcome::Succeeded, 1, LIMIT)
        .await
        .unwrap();
    gate.open(1);
    a.recorder().ended(id, 1, secs(1)).await.unwrap();
    pass(secs(60)).await;
    let shown = a.find(id).await.unwrap();
    assert_eq!((shown.status, shown.trigger_count), (JobStatus::Completed, 2));
    assert_eq!(a.recorder().count(RunOutcome::Succeeded), 0);
    assert_eq!(a.engine().executing(), 0);
}

/// A panic is a failure of its own kind, is tried again, and harms no other job.
pub async fn a_panic_is_a_failure(fx: &impl SchedulerFixture) {
    let host = fx
        .node("a")
        .run("t", |ctx| async move {
            assert!(ctx.attempt() > 1, "first try");
            Ok(Outcome::Done)
        })
        .run("other", done)
        .build()
        .unwrap();
    host.start();
    let job = job(&host);
    let id = job.id;
    host.management().create(job).await.unwrap();
    let other = host.enqueue("other").await.unwrap();
    host.recorder()
        .settled(id, RunOutcome::Panicked, 1, LIMIT)
        .await
        .unwrap();
    let shown = host.find(id).await.unwrap();
    assert_eq!((shown.status, shown.try_count), (JobStatus::FailedRetry, 1));
    assert!(shown.result.unwrap_or_default().contains("first try"));
    host.recorder()
        .settled(other, RunOutcome::Succeeded, 1, secs(1))
        .await
        .unwrap();
    host.recorder()
        .settled(id, RunOutcome::Succeeded, 1, secs(6))
        .await
        .unwrap();
    assert_eq!(host.engine().executing(), 0);
}

struct PanicsWhenBuilt;

impl FromScope for PanicsWhenBuilt {
    fn from_scope(_: &Resolver<'_>) -> Result<Self, ServiceError> {
        panic!("no constructor today")
    }

    fn needs(_: &mut Vec<Need>) {}
}

#[async_trait]
impl BackgroundJob for PanicsWhenBuilt {
    const NAME: &'static str = "suite.panics-when-built";
    type Args = ();

    async fn execute(&self, (): (), ctx: &JobRunnableContext) -> JobResult {
        done(ctx.clone()).await
    }
}

/// Code that panics where a job's services are built is caught like the job's own: the run is settled and its slot is free.
pub async fn a_panic_of_a_constructor_is_a_failure(fx: &impl SchedulerFixture) {
    let host = fx.node("a").job::<PanicsWhenBuilt>().build().unwrap();
    host.start();
    let id = host.enqueue("suite.panics-when-built").await.unwrap();
    host.recorder()
        .settled(id, RunOutcome::Panicked, 1, LIMIT)
        .await
        .unwrap();
    let shown = host.find(id).await.unwrap();
    assert_eq!((shown.status, shown.try_count), (JobStatus::FailedRetry, 1));
    assert_eq!(host.engine().executing(), 0);
}

/// A service that is missing fails the run with its name.
pub async fn a_missing_service_is_a_failure(fx: &impl SchedulerFixture) {
    let host = fx
        .node("a")
        .run("t", |ctx| async move {
            let _: Arc<String> = ctx.service::<String>()?;
            Ok(Outcome::Done)
        })
        .build()
        .unwrap();
    host.start();
    let id = host.enqueue("t").await.unwrap();
    host.recorder()
        .settled(id, RunOutcome::Failed, 1, LIMIT)
        .await
        .unwrap();
    let result = host.find(id).await.unwrap().result.unwrap_or_default();
    assert!(result.contains("String"), "{result}");
}

/// Blocking code runs on a thread that may block, in its tenant; its panic is a failure like any other.
pub async fn blocking_code_runs_on_the_blocking_pool(fx: &impl SchedulerFixture) {
    let loops = std::thread::current().id();
    let code = move |ctx: JobRunnableContext| {
        assert_ne!(std::thread::current().id(), loops, "on a thread of its own");
        assert_eq!(CurrentTenant::id(), ctx.tenant());
        assert!(ctx.attempt() > 1, "first try");
        ctx.set_result("blocked");
        Ok(Outcome::Done)
    };
    let host = fx
        .node("a")
        .runnable(Arc::new(ClosureJob::blocking("t", code)))
        .build()
        .unwrap();
    host.start();
    let tenant = TenantId::new(uuid::Uuid::from_u128(7));
    let job = JobInfo {
        tenant_id: tenant,
        ..job(&host)
    };
    let id = job.id;
    host.management().create(job).await.unwrap();
    host.recorder()
        .settled(id, RunOutcome::Panicked, 1, LIMIT)
        .await
        .unwrap();
    let first = host.find(id).await.unwrap();
    assert!(first.result.unwrap_or_default().contains("first try"));
    host.recorder()
        .settled(id, RunOutcome::Succeeded, 1, LIMIT)
        .await
        .unwrap();
    assert_eq!(host.find(id).await.unwrap().result.as_deref(), Some("blocked"));
}

tasks_abstractions::inject! {
    /// A synchronous worker that panics in every second run.
    struct Alternating {
        count: Arc<std::sync::atomic::AtomicU32>,
    }
}

impl PeriodicWorker for Alternating {
    const NAME: &'static str = "suite.alternating";

    fn schedule(&self) -> WorkerSchedule {
        WorkerSchedule::every(secs(60)).run_on_start()
    }

    fn do_work(&self, _: &WorkerContext) -> JobResult {
        let count = self.count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        assert!(count.is_multiple_of(2), "every second run");
        Ok(Outcome::Done)
    }
}

/// A synchronous worker runs on the blocking pool, and goes on after a panic.
pub async fn a_synchronous_worker_survives_its_panics(fx: &impl SchedulerFixture) {
    let host = fx
        .node("a")
        .worker(WorkerRegistration::periodic::<Alternating>("suite"))
        .services(|it| {
            it.singleton(Arc::new(std::sync::atomic::AtomicU32::new(0)))
                .map(|_| ())
        })
        .build()
        .unwrap();
    host.start();
    host.start_workers().await.unwrap();
    host.recorder()
        .wait_for("two of each", LIMIT, |it| {
            it.count(RunOutcome::Succeeded) == 2 && it.count(RunOutcome::Panicked) == 2
        })
        .await
        .unwrap();
}

/// Faults of options are reported all at once, and a lease of fewer than four heartbeats is one.
pub async fn options_are_checked_all_at_once(fx: &impl SchedulerFixture) {
    let built = fx
        .node("a/b")
        .options(|it| {
            it.max_concurrency = 0;
            it.claim_batch = 0;
            it.finish_batch = 1_000_000;
            it.poll_interval = Duration::ZERO;
            it.lease = it.heartbeat * 4 - Duration::from_millis(1);
        })
        .build();
    let text = built.map(|_| ()).unwrap_err().to_string();
    for field in [
        "node_name",
        "max_concurrency",
        "claim_batch",
        "finish_batch",
        "poll_interval",
        "lease",
    ] {
        assert!(
            text.contains(&format!("`{field}`")),
            "{field} is missing in: {text}"
        );
    }
    let enough = fx.node("a").options(|it| it.lease = it.heartbeat * 4).build();
    assert!(enough.is_ok());
}

/// An error of many megabytes is cut, and its causes are in the log.
pub async fn a_huge_error_is_cut(fx: &impl SchedulerFixture) {
    let host = fx
        .node("a")
        .run("t", |_| async { Err(JobError::msg("x".repeat(10_000_000))) })
        .build()
        .unwrap();
    host.start();
    let request = tasks_abstractions::EnqueueRequest::new("t", JobArgs::new());
    let id = host.enqueue_with(request).await.unwrap();
    host.recorder()
        .settled(id, RunOutcome::Failed, 1, LIMIT)
        .await
        .unwrap();
    let log = super::logs_of(&host, id).await.remove(0);
    assert_eq!(log.error.unwrap_or_default().chars().count(), 8_000);
    assert_eq!(log.message.unwrap_or_default().chars().count(), 1_000);
}
