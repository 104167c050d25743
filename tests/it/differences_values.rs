//! Faults of the system that this one follows, shown not to be here, where no suite shows it: settings, times, errors and arguments.
//!
//! `docs/differences.md` names the test of each fault.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::error::Error;
use std::fmt;
use std::future::pending;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use tasks_abstractions::prelude::*;
use tasks_abstractions::run::JobLog;
use tasks_abstractions::store::{JobLogQuery, JobLogSort, Paging, SortOrder};
use tasks_abstractions::{
    BusinessError, EnqueueRequest, HttpStatusError, JobArgs, JobEvent, JobEventData, JobExceptionType, JobId,
    JobInfo, JobManagement, JobStore, JobType, RunOutcome, WorkerRegistration,
};
use tasks_multitenancy::{CurrentTenant, TenantId, TenantScope};
use tasks_store_seaorm::SeaOrmStore;
use tasks_testing::scheduler_suite::{LIMIT, MemoryScheduler, SchedulerFixture};
use tasks_testing::{ManualClock, TestHost, samples};
use uuid::Uuid;

/// Lets virtual time pass, with every timer on the way.
async fn pass(time: Duration) {
    let waited = tokio::time::timeout(time, pending::<()>()).await;
    assert!(waited.is_err(), "pending ended");
}

async fn done(_: JobRunnableContext) -> JobResult {
    Ok(Outcome::Done)
}

/// Log rows of a job, oldest first.
async fn logs_of(host: &TestHost, job: JobId) -> Vec<JobLog> {
    let query = JobLogQuery {
        job_id: Some(job),
        sort: JobLogSort::StartedAt,
        order: SortOrder::Ascending,
        paging: Paging {
            skip: 0,
            take: Paging::MAX_TAKE,
        },
        ..JobLogQuery::default()
    };
    let page = host.management().logs(TenantScope::All, &query).await;
    page.unwrap().items
}

#[tokio::test(start_paused = true)]
async fn a_job_without_settings_gets_the_documented_ones() {
    let fx = MemoryScheduler::new();
    let host = fx.node("a").run("t", done).build().unwrap();
    let made = host.job("t").build(&host.engine().options().limits).unwrap();
    let made = host.management().create(made).await.unwrap();
    let enqueued = host.enqueue("t").await.unwrap();
    for job in [made, host.find(enqueued).await.unwrap()] {
        assert_eq!((job.max_try_count, job.priority), (50, JobPriority::Normal));
        assert_eq!(job.args, JobArgs::new());
    }
    assert!(
        JobArgs::from_json("null").is_err(),
        "no arguments are an empty object"
    );
}

#[tokio::test(start_paused = true)]
async fn a_log_is_found_by_the_name_and_group_of_its_job() {
    let fx = MemoryScheduler::new();
    let host = fx.node("a").run("t", done).build().unwrap();
    // As long as a name may be.
    let (name, group) = ("n".repeat(100), "g".repeat(100));
    let mut request = EnqueueRequest::new("t", JobArgs::new());
    (request.name, request.group) = (Some(name.clone()), Some(group.clone()));
    let id = host.enqueue_with(request).await.unwrap();
    host.enqueue("t").await.unwrap();
    host.run_due().await.unwrap();
    let query = JobLogQuery {
        name: Some(name),
        group: Some(group),
        ..JobLogQuery::default()
    };
    let found = host.management().logs(TenantScope::All, &query).await.unwrap();
    let found: Vec<_> = found
        .items
        .iter()
        .map(|it| (it.job_id, it.type_name.as_str()))
        .collect();
    assert_eq!(found, [(id, "t")]);
}

inject! {
    /// Twice a second.
    struct TwiceASecond;
}

#[async_trait]
impl AsyncPeriodicWorker for TwiceASecond {
    const NAME: &'static str = "differences.twice-a-second";

    fn schedule(&self) -> WorkerSchedule {
        WorkerSchedule::every(Duration::from_millis(500))
    }

    async fn do_work(&self, _: &WorkerContext) -> JobResult {
        Ok(Outcome::Done)
    }
}

#[tokio::test(start_paused = true)]
async fn periods_are_kept_to_the_millisecond() {
    let fx = MemoryScheduler::new();
    let host = fx
        .node("a")
        .run("t", done)
        .worker(WorkerRegistration::async_periodic::<TwiceASecond>("differences"))
        .build()
        .unwrap();
    let job = JobInfo {
        job_type: JobType::Persistent,
        interval: Duration::from_millis(1_500),
        ..host.job("t").build(&host.engine().options().limits).unwrap()
    };
    let job = host.management().create(job).await.unwrap().id;
    host.start();
    host.start_workers().await.unwrap();
    pass(Duration::from_secs(30)).await;
    let worker = JobId::from_name(TenantId::HOST, JobInfo::WORKERS_GROUP, TwiceASecond::NAME);
    for (id, period, least) in [(worker, 500, 50), (job, 1_500, 18)] {
        let logs = logs_of(&host, id).await;
        assert!(logs.len() >= least, "{} runs", logs.len());
        for pair in logs.windows(2) {
            let gap = pair[1].started_at - pair[0].started_at;
            let late = gap - TimeDelta::milliseconds(period);
            assert!(
                late >= TimeDelta::zero() && late < TimeDelta::milliseconds(50),
                "{gap} between runs of {period} ms"
            );
        }
    }
}

/// Keeps what listeners are told after a run.
#[derive(Debug, Default)]
struct Heard(Mutex<Vec<JobEventData>>);

#[async_trait]
impl JobEvent for Heard {
    async fn after(&self, data: &JobEventData) {
        self.0.lock().unwrap().push(data.clone());
    }
}

#[tokio::test(start_paused = true)]
async fn the_whole_duration_of_a_run_is_told_and_logged() {
    let took = Duration::from_millis(61_500);
    let heard = Arc::new(Heard::default());
    let host = MemoryScheduler::new()
        .node("a")
        .listener(Arc::clone(&heard) as _)
        .run("t", move |_| async move {
            pass(took).await;
            Ok(Outcome::Done)
        })
        .build()
        .unwrap();
    host.start();
    let id = host.enqueue("t").await.unwrap();
    host.recorder()
        .settled(id, RunOutcome::Succeeded, 1, LIMIT)
        .await
        .unwrap();
    let told = heard.0.lock().unwrap()[0].duration;
    for duration in [logs_of(&host, id).await[0].duration, told] {
        let over = duration.checked_sub(took);
        assert!(
            over.is_some_and(|it| it < Duration::from_millis(20)),
            "{duration:?}"
        );
    }
}

#[tokio::test]
async fn a_duration_over_a_second_is_stored_whole() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tasks.db");
    let store = SeaOrmStore::connect_path(path, Arc::new(ManualClock::new()))
        .await
        .unwrap();
    let log = JobLog {
        run_id: samples::run_id(1),
        job_id: samples::job_id(1),
        tenant_id: TenantId::HOST,
        job_name: "nightly".to_owned(),
        job_group: "reports".to_owned(),
        type_name: samples::TYPE_NAME.to_owned(),
        outcome: RunOutcome::Succeeded,
        message: None,
        error: None,
        started_at: samples::at(0),
        duration: Duration::from_millis(3 * 3_600_000 + 61_007),
        node_name: "node-1".to_owned(),
        instance: samples::instance_id(1),
        attempt: 1,
    };
    store.store_log(log.clone()).await.unwrap();
    assert_eq!(store.find_log(log.job_id, log.run_id).await.unwrap(), Some(log));
}

/// What a library makes of an error on its way up.
#[derive(Debug)]
struct Wrapped(Box<dyn Error + Send + Sync>);

impl fmt::Display for Wrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("could not send the invoice")
    }
}

impl Error for Wrapped {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(self.0.as_ref())
    }
}

fn wrapped(error: impl Error + Send + Sync + 'static) -> JobError {
    JobError::from(Wrapped(Box::new(Wrapped(Box::new(error)))))
}

#[tokio::test(start_paused = true)]
async fn wrapped_errors_keep_their_class_and_message_in_a_run() {
    let heard = Arc::new(Heard::default());
    let host = MemoryScheduler::new()
        .node("a")
        .listener(Arc::clone(&heard) as _)
        .run("business", |_| async {
            Err(wrapped(BusinessError {
                code: None,
                message: "the customer has no address".to_owned(),
            }))
        })
        .run("network", |_| async {
            Err(wrapped(HttpStatusError { status: 503 }))
        })
        .run("application", |_| async {
            Err(wrapped(HttpStatusError { status: 404 }))
        })
        .run("system", |_| async { Err(wrapped(fmt::Error)) })
        .build()
        .unwrap();
    for type_name in ["business", "network", "application", "system"] {
        host.enqueue(type_name).await.unwrap();
        host.run_due().await.unwrap();
    }
    let heard = heard.0.lock().unwrap();
    let classes: Vec<_> = heard
        .iter()
        .map(|it| (it.job.type_name.as_str(), it.exception_type.unwrap()))
        .collect();
    assert_eq!(
        classes,
        [
            ("business", JobExceptionType::Business),
            ("network", JobExceptionType::Network),
            ("application", JobExceptionType::Application),
            ("system", JobExceptionType::System),
        ]
    );
    assert_eq!(heard[0].message.as_deref(), Some("the customer has no address"));
    let whole = heard[0].error.clone().unwrap();
    assert!(
        whole.contains("could not send the invoice") && whole.contains("the customer has no address"),
        "{whole}"
    );
}

#[tokio::test(start_paused = true)]
async fn arguments_shadow_no_field_of_the_job() {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let see = Arc::clone(&seen);
    let fx = MemoryScheduler::new();
    let host = fx
        .node("a")
        .run("t", move |ctx| {
            let see = Arc::clone(&see);
            async move {
                let job = ctx.job();
                assert_eq!((job.type_name.as_str(), &job.node_name), ("t", &None));
                assert_eq!((job.lock_timeout, job.timeout), (None, None));
                assert_eq!(ctx.get_string("Id")?, "another");
                assert_eq!(
                    ctx.try_get_multi_tenant_id().unwrap_or(TenantId::HOST),
                    ctx.tenant()
                );
                see.lock()
                    .unwrap()
                    .push((job.id, ctx.tenant(), CurrentTenant::id()));
                Ok(Outcome::Done)
            }
        })
        .build()
        .unwrap();
    host.start();
    let (own, other) = (
        TenantId::new(Uuid::from_u128(1)),
        TenantId::new(Uuid::from_u128(2)),
    );
    let mut args = JobArgs::new();
    for key in ["TenantId", "tenantId", "tenant_id"] {
        args.insert(key, other.to_string());
    }
    for key in ["Id", "JobId", "Type", "type_name", "NodeName", "node_name"] {
        args.insert(key, "another");
    }
    for key in ["LockTimeOut", "lock_timeout", "timeout", "TriggerCount"] {
        args.insert(key, 1);
    }
    let mut expected = Vec::new();
    for tenant in [TenantId::HOST, own] {
        let request = EnqueueRequest::new("t", args.clone());
        let id = CurrentTenant::change(tenant, host.enqueue_with(request))
            .await
            .unwrap();
        host.recorder()
            .settled(id, RunOutcome::Succeeded, 1, LIMIT)
            .await
            .unwrap();
        let job = host.find(id).await.unwrap();
        assert_eq!((job.tenant_id, job.trigger_count), (tenant, 1));
        assert_eq!(job.args, args, "they are kept as they are");
        expected.push((id, tenant, tenant));
    }
    assert_eq!(*seen.lock().unwrap(), expected);
}
