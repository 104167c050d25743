//! Faults of the system that this one follows, shown not to be here, where no suite shows it: work that is lost, hidden or brought back.
//!
//! `docs/differences.md` names the test of each fault.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use tasks_abstractions::prelude::*;
use tasks_abstractions::store::JobQuery;
use tasks_abstractions::{
    BulkMode, CommandAnswer, EnqueueRequest, JobArgs, JobCommand, JobId, JobInfo, JobManagement, JobStatus,
    JobType, RunOutcome, WorkerRegistration,
};
use tasks_multitenancy::{TenantId, TenantScope};
use tasks_testing::scheduler_suite::{LIMIT, MemoryScheduler, SchedulerFixture};
use tasks_testing::{TestHost, samples};
use uuid::Uuid;

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Lets virtual time pass, with every timer on the way.
async fn pass(time: Duration) {
    let waited = tokio::time::timeout(time, pending::<()>()).await;
    assert!(waited.is_err(), "pending ended");
}

async fn done(_: JobRunnableContext) -> JobResult {
    Ok(Outcome::Done)
}

/// Goes on until it is told to end, and then says that it was not done.
async fn until_told(ctx: JobRunnableContext) -> JobResult {
    ctx.cancellation().cancelled().await;
    Err(JobError::msg("told to end"))
}

async fn panics_when_told(ctx: JobRunnableContext) -> JobResult {
    ctx.cancellation().cancelled().await;
    panic!("told to end")
}

async fn panics(_: JobRunnableContext) -> JobResult {
    panic!("as always")
}

fn plain(host: &TestHost, type_name: &str) -> JobInfo {
    host.job(type_name)
        .build(&host.engine().options().limits)
        .unwrap()
}

#[derive(Debug, Default)]
struct Calls {
    starts: AtomicU32,
    stops: AtomicU32,
}

inject! {
    /// Has hooks and no schedule.
    struct HooksOnly {
        calls: Arc<Calls>,
    }
}

#[async_trait]
impl BackgroundWorker for HooksOnly {
    const NAME: &'static str = "differences.hooks-only";

    async fn start(&self) -> Result<(), JobError> {
        self.calls.starts.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    async fn stop(&self) -> Result<(), JobError> {
        self.calls.stops.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_worker_without_a_schedule_is_started_and_stopped() {
    let calls = Arc::new(Calls::default());
    let given = Arc::clone(&calls);
    let host = MemoryScheduler::new()
        .node("a")
        .worker(WorkerRegistration::plain::<HooksOnly>("differences"))
        .services(move |it| it.singleton::<Calls>(given).map(|_| ()))
        .build()
        .unwrap();
    let seen = || {
        (
            calls.starts.load(Ordering::Relaxed),
            calls.stops.load(Ordering::Relaxed),
        )
    };
    host.start_workers().await.unwrap();
    assert_eq!(seen(), (1, 0));
    assert_eq!(host.workers().names(), [HooksOnly::NAME]);
    let rows = host
        .management()
        .list(TenantScope::All, &JobQuery::default())
        .await
        .unwrap();
    assert_eq!(rows.total, 0, "nothing to schedule");
    assert!(host.workers().stop().await.unwrap());
    assert_eq!(seen(), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn repeating_jobs_go_on_after_their_node_was_killed() {
    let fx = MemoryScheduler::new();
    let a = fx
        .node("a")
        .run("t", done)
        .run("long", |_| pending())
        .build()
        .unwrap();
    a.start();
    let hourly = JobInfo {
        job_type: JobType::Period,
        cron: Some("0 0 * * * ?".to_owned()),
        ..plain(&a, "t")
    };
    let gap = JobInfo {
        job_type: JobType::Persistent,
        interval: secs(600),
        ..plain(&a, "t")
    };
    let in_flight = JobInfo {
        job_type: JobType::Persistent,
        interval: secs(600),
        ..plain(&a, "long")
    };
    let all = [hourly.id, gap.id, in_flight.id];
    for job in [hourly, gap, in_flight] {
        a.management().create(job).await.unwrap();
    }
    pass(secs(3_700)).await;
    a.recorder()
        .look(|it| assert!(all.iter().all(|id| it.started_of(*id) > 0)));
    a.kill();
    pass(secs(2 * 3_600)).await;

    let b = fx.node("b").run("t", done).run("long", done).build().unwrap();
    b.start();
    pass(secs(3_700)).await;
    for (id, least) in all.into_iter().zip([2, 6, 6]) {
        let runs = b.recorder().look(|it| it.settled_of(id, RunOutcome::Succeeded));
        assert!(runs >= least, "{runs} runs of {id} since the restart");
        let job = b.find(id).await.unwrap();
        assert_eq!((job.status, job.is_abandoned), (JobStatus::Queuing, false));
        assert!(job.next_run_time.is_some());
    }
    assert_eq!(
        b.recorder()
            .look(|it| it.settled_of(all[2], RunOutcome::Interrupted)),
        1
    );
}

#[tokio::test(start_paused = true)]
async fn a_stopped_job_stays_stopped_however_its_code_ends() {
    let fx = MemoryScheduler::new();
    let host = fx
        .node("a")
        .run("fails", until_told)
        .run("panics", panics_when_told)
        .run("asks for a retry", |ctx| async move {
            ctx.cancellation().cancelled().await;
            Ok(Outcome::Retry { after: None })
        })
        .build()
        .unwrap();
    host.start();
    for type_name in ["fails", "panics", "asks for a retry"] {
        let id = host.enqueue(type_name).await.unwrap();
        host.recorder().started(id, 1, LIMIT).await.unwrap();
        let answer = host.command(id, JobCommand::Stop).await.unwrap();
        assert_eq!(answer, CommandAnswer::Changed);
        host.recorder()
            .settled(id, RunOutcome::Cancelled, 1, secs(1))
            .await
            .unwrap();
        pass(secs(3_600)).await;
        let job = host.find(id).await.unwrap();
        assert_eq!(
            (job.status, job.is_running, job.next_run_time, job.try_count),
            (JobStatus::Stopped, false, None, 0),
            "{type_name}"
        );
        assert_eq!(host.recorder().look(|it| it.started_of(id)), 1, "{type_name}");
    }
}

#[tokio::test(start_paused = true)]
async fn work_that_cannot_run_hides_no_other() {
    let fx = MemoryScheduler::new();
    let host = fx.node("a").run("t", done).build().unwrap();
    let urgent = |type_name: &str| {
        let mut request = EnqueueRequest::new(type_name, JobArgs::new());
        request.priority = Some(JobPriority::High);
        request
    };
    let mut kinds = [urgent("t"), urgent("t"), urgent("nobody.knows")];
    kinds[0].delay = Some(secs(7 * 24 * 3_600));
    kinds[1].node_name = Some("absent".to_owned());
    // More than a claim takes at most.
    for request in kinds {
        let jobs = (0..1_200)
            .map(|_| host.jobs().prepare_request(request.clone()).unwrap())
            .collect();
        host.jobs().submit(jobs).await.unwrap();
    }
    let mut request = EnqueueRequest::new("t", JobArgs::new());
    request.priority = Some(JobPriority::Low);
    let id = host.enqueue_with(request).await.unwrap();
    host.start();
    host.recorder()
        .settled(id, RunOutcome::Succeeded, 1, secs(30))
        .await
        .unwrap();
    pass(secs(3_600)).await;
    assert_eq!(host.recorder().look(|it| it.started()), 1);
    let counts = host.management().counts(TenantScope::All).await.unwrap();
    assert_eq!(counts.of(JobStatus::Queuing), 3_600, "they wait");
}

inject! {
    /// Wants a number.
    struct WantsNumber;
}

#[async_trait]
impl BackgroundJob for WantsNumber {
    const NAME: &'static str = "differences.wants-number";
    type Args = u32;

    async fn execute(&self, _: u32, _: &JobRunnableContext) -> JobResult {
        Ok(Outcome::Done)
    }
}

#[tokio::test(start_paused = true)]
async fn bad_jobs_harm_no_other_of_their_batch() {
    let fx = MemoryScheduler::new();
    let host = fx
        .node("a")
        .run("t", done)
        .run("panics", panics)
        .job::<WantsNumber>()
        .build()
        .unwrap();
    let request = |type_name: &str| EnqueueRequest::new(type_name, JobArgs::new());
    let mut impossible = request("t");
    impossible.end_time = Some(fx.now() - TimeDelta::hours(1));
    assert!(
        host.jobs().prepare_request(impossible).is_err(),
        "it ends before it begins"
    );
    let mut over = request("t");
    over.end_time = Some(fx.now() + TimeDelta::seconds(10));
    let mut jobs = Vec::new();
    let requests = [
        over,
        request("panics"),
        request(WantsNumber::NAME),
        request("nobody.knows"),
    ];
    for bad in requests {
        jobs.push(host.jobs().prepare_request(bad).unwrap());
        jobs.push(host.jobs().prepare_request(request("t")).unwrap());
    }
    let ids: Vec<JobId> = jobs.iter().map(|it| it.job.id).collect();
    host.jobs().submit(jobs).await.unwrap();
    pass(secs(11)).await;
    host.run_due().await.unwrap();
    for good in ids.iter().skip(1).step_by(2) {
        assert_eq!(host.find(*good).await.unwrap().status, JobStatus::Completed);
    }
    let outcomes = [
        (RunOutcome::Expired, JobStatus::Completed),
        (RunOutcome::Panicked, JobStatus::FailedRetry),
        (RunOutcome::Failed, JobStatus::Stopped),
    ];
    for (bad, (outcome, status)) in ids.iter().step_by(2).zip(outcomes) {
        assert_eq!(
            host.recorder().look(|it| it.settled_of(*bad, outcome)),
            1,
            "{outcome}"
        );
        assert_eq!(host.find(*bad).await.unwrap().status, status, "{outcome}");
    }
    assert_eq!(host.find(ids[6]).await.unwrap().status, JobStatus::Queuing);
}

#[tokio::test(start_paused = true)]
async fn a_command_on_many_jobs_reaches_each_where_it_runs() {
    use CommandAnswer::{Changed, NotFound};

    let fx = MemoryScheduler::new();
    let a = fx.node("a").run("t", until_told).build().unwrap();
    let b = fx.node("b").run("t", until_told).build().unwrap();
    let tenant = TenantId::new(Uuid::from_u128(7));
    let on = |node: &str, tenant| {
        let mut request = EnqueueRequest::new("t", JobArgs::new());
        (request.node_name, request.tenant_id) = (Some(node.to_owned()), Some(tenant));
        request
    };
    let here = a.enqueue_with(on("a", TenantId::HOST)).await.unwrap();
    let there = a.enqueue_with(on("b", tenant)).await.unwrap();
    for (host, id) in [(&a, here), (&b, there)] {
        host.start();
        host.recorder().started(id, 1, LIMIT).await.unwrap();
    }
    let missing = samples::job_id(99);
    let many = async |scope, ids: &[JobId]| {
        a.management()
            .command_many(scope, ids, JobCommand::Pause, BulkMode::Apply)
            .await
            .unwrap()
    };
    let ids = [here, there, missing];
    let stranger = TenantScope::One(TenantId::new(Uuid::from_u128(8)));
    assert_eq!(many(stranger, &ids).await, [NotFound, NotFound, NotFound]);
    assert_eq!(many(TenantScope::All, &[missing]).await, [NotFound]);
    assert_eq!(many(TenantScope::All, &ids).await, [Changed, Changed, NotFound]);
    for (host, id) in [(&a, here), (&b, there)] {
        host.recorder()
            .settled(id, RunOutcome::Cancelled, 1, secs(15))
            .await
            .unwrap();
        let job = host.find(id).await.unwrap();
        assert_eq!((job.status, job.is_running), (JobStatus::Paused, false));
    }
    pass(secs(3_600)).await;
    for (host, id) in [(&a, here), (&b, there)] {
        assert_eq!(host.recorder().look(|it| it.started_of(id)), 1);
    }
}
