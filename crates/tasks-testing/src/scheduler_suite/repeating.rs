//! Work that repeats: intervals, workers, limits.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use tasks_abstractions::services::{FromScope, Need, Resolver, ServiceError};
use tasks_abstractions::store::JobQuery;
use tasks_abstractions::{
    AsyncPeriodicWorker, JobError, JobInfo, JobManagement, JobResult, JobStatus, JobType, Outcome,
    RunOutcome, WorkerContext, WorkerRegistration, WorkerSchedule,
};
use tasks_multitenancy::TenantScope;

use super::fixture::{Gate, LIMIT, SchedulerFixture, done, pass, secs};
use super::once::keeping_nothing_of;
use crate::TestHost;

/// The period of a persistent job counts from the end of a run: a long run is never overlapped, and its end is followed by a whole gap.
pub async fn an_interval_counts_from_the_end_of_the_run(fx: &impl SchedulerFixture) {
    let gate = Gate::new();
    let host = fx.patient_node("a").run("t", gate.job()).build().unwrap();
    host.start();
    let job = repeating(&host, secs(60));
    host.management().create(job.clone()).await.unwrap();
    host.recorder().started(job.id, 1, secs(1)).await.unwrap();
    pass(secs(600)).await;
    assert_eq!(
        host.recorder().look(|it| it.started_of(job.id)),
        1,
        "no second run beside the first"
    );
    gate.open(1);
    host.recorder()
        .settled(job.id, RunOutcome::Succeeded, 1, LIMIT)
        .await
        .unwrap();
    let ended = fx.now();
    let shown = host.find(job.id).await.unwrap();
    assert_eq!(shown.status, JobStatus::Queuing);
    let gap = shown.next_run_time.unwrap() - ended;
    assert!(
        (gap - TimeDelta::seconds(60)).abs() < TimeDelta::milliseconds(20),
        "{gap}"
    );
    pass(secs(59)).await;
    assert_eq!(host.recorder().look(|it| it.started_of(job.id)), 1);
    host.recorder().started(job.id, 2, secs(2)).await.unwrap();
}

/// Runs at once where asked to, else after one period; later starts of the program change neither.
pub async fn a_worker_runs_first_after_one_period(fx: &impl SchedulerFixture) {
    let runs = Arc::new(Runs::default());
    let host = worker_host(fx, &runs, 300);
    host.start();
    host.start_workers().await.unwrap();
    pass(secs(299)).await;
    assert_eq!(runs.count(), 0);
    pass(secs(2)).await;
    assert_eq!(runs.count(), 1);
    pass(secs(300)).await;
    assert_eq!(runs.count(), 2);
}

/// A worker that asks to run on start runs at once, and then by its period.
pub async fn a_worker_may_run_on_start(fx: &impl SchedulerFixture) {
    let runs = Arc::new(Runs::default());
    runs.on_start.store(1, Ordering::Relaxed);
    let host = worker_host(fx, &runs, 300);
    host.start();
    host.start_workers().await.unwrap();
    pass(secs(1)).await;
    assert_eq!(runs.count(), 1);
    pass(secs(301)).await;
    assert_eq!(runs.count(), 2);
}

/// Twenty starts of a program, each a minute after the last, leave one row and do not put off an hourly worker.
pub async fn restarts_do_not_starve_a_long_period(fx: &impl SchedulerFixture) {
    let runs = Arc::new(Runs::default());
    let mut version = None;
    for _ in 0..20 {
        let host = worker_host(fx, &runs, 600);
        host.start();
        host.start_workers().await.unwrap();
        pass(secs(60)).await;
        let workers = workers(&host).await;
        assert_eq!(workers.len(), 1, "one row");
        assert_eq!(*version.get_or_insert(workers[0].version), workers[0].version);
        assert!(host.workers().stop().await.unwrap());
        assert!(host.shutdown().await);
    }
    // 20 minutes of a period of ten.
    assert_eq!(runs.count(), 1, "the end of the first run starts the next period");
    let host = worker_host(fx, &runs, 600);
    host.start();
    host.start_workers().await.unwrap();
    pass(secs(120)).await;
    assert_eq!(runs.count(), 2);
}

/// A changed period is taken over with the next start of the program: armed anew once, not with every start.
pub async fn a_changed_interval_rearms_once(fx: &impl SchedulerFixture) {
    let runs = Arc::new(Runs::default());
    let first = worker_host(fx, &runs, 3600);
    first.start_workers().await.unwrap();
    let before = workers(&first).await.remove(0);
    drop(first);
    let second = worker_host(fx, &runs, 1800);
    second.start_workers().await.unwrap();
    let changed = workers(&second).await.remove(0);
    assert_eq!(changed.interval, secs(1800));
    assert_eq!(changed.version, before.version + 1);
    assert_eq!(changed.next_run_time, Some(fx.now() + TimeDelta::seconds(1800)));
    drop(second);
    pass(secs(5)).await;
    let third = worker_host(fx, &runs, 1800);
    third.start_workers().await.unwrap();
    let same = workers(&third).await.remove(0);
    assert_eq!(
        (same.version, same.next_run_time),
        (changed.version, changed.next_run_time)
    );
}

/// A repeating job with a limit of runs is Completed after them.
pub async fn max_count_ends_a_repeating_job(fx: &impl SchedulerFixture) {
    let host = fx.patient_node("a").run("t", done).build().unwrap();
    host.start();
    let job = JobInfo {
        max_count: 3,
        ..repeating(&host, secs(60))
    };
    host.management().create(job.clone()).await.unwrap();
    host.recorder()
        .settled(job.id, RunOutcome::Succeeded, 3, LIMIT)
        .await
        .unwrap();
    pass(secs(600)).await;
    let job = host.find(job.id).await.unwrap();
    assert_eq!((job.status, job.trigger_count), (JobStatus::Completed, 3));
}

/// What repeats has a next execution, and stays at its end, too, whatever is kept of its type; successes write no log rows where none are kept, failures do.
pub async fn a_repeating_job_is_kept_without_its_log(fx: &impl SchedulerFixture) {
    let host = fx
        .patient_node("a")
        .run("t", |ctx| async move {
            match ctx.job().trigger_count {
                1 => Err(JobError::msg("the second one")),
                _ => Ok(Outcome::Done),
            }
        })
        .retention(keeping_nothing_of("t"))
        .build()
        .unwrap();
    host.start();
    let job = JobInfo {
        max_count: 3,
        ..repeating(&host, secs(60))
    };
    host.management().create(job.clone()).await.unwrap();
    host.recorder()
        .settled(job.id, RunOutcome::Succeeded, 2, LIMIT)
        .await
        .unwrap();
    let shown = host.find(job.id).await.unwrap();
    assert_eq!((shown.status, shown.trigger_count), (JobStatus::Completed, 3));
    let logs = super::logs_of(&host, job.id).await;
    let outcomes: Vec<RunOutcome> = logs.iter().map(|it| it.outcome).collect();
    assert_eq!(outcomes, [RunOutcome::Failed]);
}

/// A job that is found after its end time does not start: its outcome is Expired and it is Completed.
pub async fn a_job_past_its_end_time_expires(fx: &impl SchedulerFixture) {
    let host = fx.node("a").run("t", done).build().unwrap();
    let job = JobInfo {
        end_time: Some(fx.now() + TimeDelta::seconds(10)),
        ..once(&host)
    };
    host.management().create(job.clone()).await.unwrap();
    pass(secs(11)).await;
    host.start();
    host.recorder()
        .settled(job.id, RunOutcome::Expired, 1, LIMIT)
        .await
        .unwrap();
    assert_eq!(host.recorder().look(|it| it.started_of(job.id)), 0);
    let shown = host.find(job.id).await.unwrap();
    assert_eq!((shown.status, shown.trigger_count), (JobStatus::Completed, 0));
    assert_eq!(
        super::logs_of(&host, job.id).await[0].outcome,
        RunOutcome::Expired
    );
}

/// A worker that fails goes on with its next period, without a limit.
pub async fn a_failing_worker_goes_on(fx: &impl SchedulerFixture) {
    let runs = Arc::new(Runs::default());
    runs.fails.store(1, Ordering::Relaxed);
    let host = worker_host(fx, &runs, 60);
    host.start();
    host.start_workers().await.unwrap();
    let id = workers(&host).await.remove(0).id;
    host.recorder()
        .settled(id, RunOutcome::Failed, 60, 2 * LIMIT)
        .await
        .unwrap();
    let job = host.find(id).await.unwrap();
    assert_eq!(
        (job.status, job.is_abandoned, job.try_count),
        (JobStatus::Queuing, false, 60)
    );
}

fn once(host: &TestHost) -> JobInfo {
    host.job("t").build(&host.engine().options().limits).unwrap()
}

fn repeating(host: &TestHost, interval: Duration) -> JobInfo {
    JobInfo {
        job_type: JobType::Persistent,
        interval,
        ..once(host)
    }
}

async fn workers(host: &TestHost) -> Vec<JobInfo> {
    let query = JobQuery {
        group: Some(JobInfo::WORKERS_GROUP.to_owned()),
        ..JobQuery::default()
    };
    host.management()
        .list(TenantScope::All, &query)
        .await
        .unwrap()
        .items
}

/// What the worker of these cases counts into and reads its settings from.
#[derive(Debug, Default)]
struct Runs {
    count: AtomicU64,
    period: AtomicU64,
    on_start: AtomicU64,
    fails: AtomicU64,
}

impl Runs {
    fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }
}

struct Counting(Arc<Runs>);

impl FromScope for Counting {
    fn from_scope(it: &Resolver<'_>) -> Result<Self, ServiceError> {
        Ok(Self(it.get()?))
    }

    fn needs(out: &mut Vec<Need>) {
        out.push(Need::of::<Runs>());
    }
}

#[async_trait]
impl AsyncPeriodicWorker for Counting {
    const NAME: &'static str = "suite.counting";

    fn schedule(&self) -> WorkerSchedule {
        let schedule = WorkerSchedule::every(secs(self.0.period.load(Ordering::Relaxed)));
        if self.0.on_start.load(Ordering::Relaxed) > 0 {
            schedule.run_on_start()
        } else {
            schedule
        }
    }

    async fn do_work(&self, _: &WorkerContext) -> JobResult {
        self.0.count.fetch_add(1, Ordering::Relaxed);
        if self.0.fails.load(Ordering::Relaxed) > 0 {
            return Err(JobError::msg("as always"));
        }
        Ok(Outcome::Done)
    }
}

fn worker_host(fx: &impl SchedulerFixture, runs: &Arc<Runs>, period: u64) -> TestHost {
    runs.period.store(period, Ordering::Relaxed);
    let service = Arc::clone(runs);
    fx.patient_node("a")
        .worker(WorkerRegistration::async_periodic::<Counting>("suite"))
        .services(move |it| it.singleton::<Runs>(service).map(|_| ()))
        .build()
        .unwrap()
}
