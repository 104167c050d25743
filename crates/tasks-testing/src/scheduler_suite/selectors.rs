//! Dispatcher selectors: which one applies, what reaches the stored job, and what they leave alone.

use async_trait::async_trait;
use chrono::{TimeDelta, TimeZone, Utc};
use tasks_abstractions::store::SubmitAnswer;
use tasks_abstractions::{
    AsyncPeriodicWorker, BackgroundJob, BackgroundJobManagerExt, BulkMode, CopyRequest, DynamicWorker,
    EnqueueRequest, JobArgs, JobCommand, JobDispatcherSelectors, JobError, JobId, JobInfo, JobManagement,
    JobPriority, JobResult, JobRunnableContext, JobStatus, JobType, Outcome, RetryPolicy, RunOutcome,
    SelectedKind, SelectedSettings, WorkerSchedule,
};
use tasks_multitenancy::TenantScope;

use super::fixture::{LIMIT, SchedulerFixture, done, pass, secs};
use super::planned_worker::{Plan, Planned, id_of, node_with, stored};
use crate::TestHost;

tasks_abstractions::inject! {
    /// Sends a bill.
    struct Bill;
}

#[async_trait]
impl BackgroundJob for Bill {
    const NAME: &'static str = "billing.send";
    type Args = ();

    async fn execute(&self, (): (), _: &JobRunnableContext) -> JobResult {
        Ok(Outcome::Done)
    }
}

/// A node that knows a typed job, a job by name, and the planned worker every five minutes.
fn node(fx: &impl SchedulerFixture, change: impl FnOnce(&mut JobDispatcherSelectors)) -> TestHost {
    node_with(fx, "a", &Plan::new(WorkerSchedule::every(secs(300))))
        .job::<Bill>()
        .run("shop.clean", done)
        .selectors(change)
        .build()
        .unwrap()
}

async fn enqueued(host: &TestHost, type_name: &str) -> JobInfo {
    let request = EnqueueRequest::new(type_name, JobArgs::new());
    let id = host.enqueue_with(request).await.unwrap();
    host.find(id).await.unwrap()
}

/// Which selectors applied to the typed job, the same job by its name, the job by name, the worker, and one made while the program runs.
async fn applied(host: &TestHost) -> [Option<String>; 5] {
    let typed = host.jobs().enqueue::<Bill>(()).await.unwrap();
    let dynamic = DynamicWorker::new("shop.dynamic", WorkerSchedule::every(secs(300)), |_| async {
        Ok(Outcome::Done)
    });
    host.start_workers().await.unwrap();
    host.workers().add(dynamic).await.unwrap();
    [
        host.find(typed).await.unwrap().selector,
        enqueued(host, Bill::NAME).await.selector,
        enqueued(host, "shop.clean").await.selector,
        stored(host).await.selector,
        host.find(id_of("shop.dynamic")).await.unwrap().selector,
    ]
}

/// Takes the workers' jobs away, for the next program.
async fn clear(host: &TestHost) {
    for id in [id_of(Planned::NAME), id_of("shop.dynamic")] {
        host.store().remove(TenantScope::All, id).await.unwrap();
    }
}

/// No settings: which selector applies shows without any.
const fn keep(it: SelectedSettings) -> SelectedSettings {
    it
}

/// By type, namespace, predicate, and for all; which one applied is visible on the job.
pub async fn a_selector_is_for_types_namespaces_predicates_or_all(fx: &impl SchedulerFixture) {
    type Change = fn(&mut JobDispatcherSelectors);
    let job = format!("Job:{}", std::any::type_name::<Bill>());
    let worker = format!("Worker:{}", std::any::type_name::<Planned>());
    let (job, worker) = (Some(job.as_str()), Some(worker.as_str()));
    let (all, mine) = (Some("All"), Some("mine"));
    let table: [(Change, [Option<&str>; 5]); 8] = [
        (|_| {}, [None; 5]),
        (
            |it| {
                it.add_job::<Bill>(keep);
            },
            [job, job, None, None, None],
        ),
        (
            |it| {
                it.add_worker::<Planned>(keep);
            },
            [None, None, None, worker, None],
        ),
        (
            |it| {
                it.add_all(keep);
            },
            [all; 5],
        ),
        (
            |it| {
                it.add_namespace("shop", keep);
            },
            [None, None, Some("Namespace:shop"), None, Some("Namespace:shop")],
        ),
        (
            |it| {
                it.add_namespace("tasks_testing::scheduler_suite", keep);
            },
            {
                let by_path = Some("Namespace:tasks_testing::scheduler_suite");
                [by_path, None, None, by_path, None]
            },
        ),
        (
            |it| {
                it.add("mine", |of| of.kind == SelectedKind::Worker, keep)
                    .unwrap();
            },
            [None, None, None, mine, mine],
        ),
        (
            // The first one wins, however special a later one is.
            |it| {
                it.add_namespace("billing", keep)
                    .add_all(keep)
                    .add_job::<Bill>(keep)
                    .add_worker::<Planned>(keep);
            },
            [
                Some("Namespace:billing"),
                Some("Namespace:billing"),
                all,
                all,
                all,
            ],
        ),
    ];
    for (number, (change, expected)) in table.into_iter().enumerate() {
        let host = node(fx, change);
        let seen = applied(&host).await;
        assert_eq!(
            seen.each_ref().map(Option::as_deref),
            expected,
            "selectors {number}"
        );
        clear(&host).await;
    }
}

/// Only the first match counts: what it does not set is as the code says, also where a later one would set it.
pub async fn settings_of_selectors_are_not_merged(fx: &impl SchedulerFixture) {
    let host = node(fx, |it| {
        it.add_job::<Bill>(|it| it.priority(JobPriority::High))
            .add_all(|it| it.node_name("batch").max_try_count(3_u32));
    });
    let bill = enqueued(&host, Bill::NAME).await;
    assert_eq!(
        (bill.priority, bill.node_name, bill.max_try_count),
        (JobPriority::High, None, 50)
    );
    let other = enqueued(&host, "shop.clean").await;
    assert_eq!(
        (other.priority, other.node_name.as_deref(), other.max_try_count),
        (JobPriority::Normal, Some("batch"), 3)
    );
}

/// Every setting reaches the stored job: of a worker all of them, of a job those that mean something to it.
pub async fn every_setting_of_a_selector_reaches_the_stored_job(fx: &impl SchedulerFixture) {
    let host = node(fx, |it| {
        it.add_all(|it| {
            it.lock_timeout(secs(1))
                .node_name("batch-1")
                .cron("0 0/10 * * * ?")
                .time_zone("Asia/Tokyo")
                .priority(JobPriority::Low)
                .max_count(3_u32)
                .max_try_count(4_u32)
                .timeout(secs(5))
                .retry_policy(RetryPolicy::fixed(secs(6)))
        });
    });
    host.start_workers().await.unwrap();
    let bill = enqueued(&host, Bill::NAME).await;
    for job in [&stored(&host).await, &bill] {
        assert_eq!((job.lock_timeout, job.timeout), (Some(secs(1)), Some(secs(5))));
        assert_eq!(
            (job.node_name.as_deref(), job.priority),
            (Some("batch-1"), JobPriority::Low)
        );
        assert_eq!(
            (job.max_try_count, job.retry_policy),
            (4, Some(RetryPolicy::fixed(secs(6))))
        );
        assert_eq!(job.selector.as_deref(), Some("All"));
    }
    let worker = stored(&host).await;
    assert_eq!(
        (worker.job_type, worker.cron.as_deref()),
        (JobType::Period, Some("0 0/10 * * * ?"))
    );
    assert_eq!(
        (worker.time_zone.as_deref(), worker.max_count),
        (Some("Asia/Tokyo"), 3)
    );
    assert_eq!(
        (bill.job_type, bill.cron, bill.time_zone, bill.max_count),
        (JobType::Once, None, None, 0)
    );
    clear(&host).await;
    // And the interval, which a selector gives instead of a cron expression.
    let host = node(fx, |it| {
        it.add_all(|it| it.interval(secs(7)));
    });
    host.start_workers().await.unwrap();
    assert_eq!(stored(&host).await.interval, secs(7));
    assert_eq!(enqueued(&host, Bill::NAME).await.interval, secs(7));
}

/// A selector makes an interval worker one of the calendar: it fires at its times in its zone, without a limit of tries.
pub async fn a_selector_makes_a_worker_cron(fx: &impl SchedulerFixture) {
    let host = fx
        .patient_node("a")
        .selectors(|it| {
            it.add(
                "daily",
                |of| of.name == "daily",
                |it| it.cron("0 30 19 * * ?").time_zone("Asia/Kathmandu"),
            )
            .unwrap()
            .add_all(|it| it.cron("0 * * * * ?"));
        })
        .build()
        .unwrap();
    host.start();
    host.workers().start().await.unwrap();
    for name in ["daily", "often"] {
        let worker = DynamicWorker::new(name, WorkerSchedule::every(secs(3_600)), |_| async {
            Err(JobError::msg("as always"))
        });
        host.workers().add(worker).await.unwrap();
    }
    let (daily, often) = (id_of("daily"), id_of("often"));
    // Nepal is 5:45 ahead.
    let fire = Utc.with_ymd_and_hms(2026, 3, 1, 13, 45, 0).single().unwrap();
    assert_eq!(host.find(daily).await.unwrap().next_run_time, Some(fire));
    let begin = fx.now();
    host.recorder()
        .settled(often, RunOutcome::Failed, 60, 2 * LIMIT)
        .await
        .unwrap();
    assert!(fx.now() - begin <= TimeDelta::hours(1));
    let job = host.find(often).await.unwrap();
    assert_eq!(
        (job.status, job.is_abandoned, job.try_count),
        (JobStatus::Queuing, false, 60),
        "it goes on"
    );
    host.command(often, JobCommand::Stop).await.unwrap();
    pass((fire - fx.now()).to_std().unwrap() + secs(1)).await;
    assert_eq!(host.recorder().look(|it| it.started_of(daily)), 1);
}

/// The cron expression of a worker becomes an interval where a selector says so.
pub async fn a_selector_makes_a_cron_worker_one_by_interval(fx: &impl SchedulerFixture) {
    let plan = Plan::new(WorkerSchedule::cron("0 0 0 1 1 ?").time_zone("Asia/Tokyo"));
    let host = node_with(fx, "a", &plan)
        .selectors(|it| {
            it.add_worker::<Planned>(|it| it.interval(secs(60)));
        })
        .build()
        .unwrap();
    host.start();
    host.start_workers().await.unwrap();
    pass(secs(121)).await;
    assert_eq!(plan.runs(), 2);
    let job = stored(&host).await;
    assert_eq!(
        (job.job_type, job.cron, job.time_zone),
        (JobType::Persistent, None, None)
    );
}

/// Jobs that people make, by hand or from others, are as they made them; what follows from commands changes no settings either.
pub async fn jobs_made_by_hand_are_left_alone(fx: &impl SchedulerFixture) {
    let host = node(fx, |it| {
        it.add_all(|it| it.priority(JobPriority::Low).node_name("elsewhere"));
    });
    let management = host.management();
    let made = host
        .job(Bill::NAME)
        .build(&host.engine().options().limits)
        .unwrap();
    let made = management.create(made).await.unwrap();
    let selected = enqueued(&host, Bill::NAME).await;
    assert_eq!(selected.priority, JobPriority::Low);
    let copy = management
        .copy(TenantScope::All, selected.id, CopyRequest::default())
        .await
        .unwrap();
    let ids: Vec<JobId> = vec![made.id, copy.id];
    for command in [
        JobCommand::Pause,
        JobCommand::Resume,
        JobCommand::Stop,
        JobCommand::Start,
    ] {
        management
            .command_many(TenantScope::All, &ids, command, BulkMode::Apply)
            .await
            .unwrap();
    }
    management.requeue(TenantScope::All, made.id, None).await.unwrap();
    let made = host.find(made.id).await.unwrap();
    assert_eq!(
        (made.priority, made.node_name, made.selector),
        (JobPriority::Normal, None, None)
    );
    let copy = host.find(copy.id).await.unwrap();
    assert_eq!(
        (copy.priority, copy.selector),
        (JobPriority::Low, None),
        "as the original is, which says why"
    );
}

/// A selector that is gone with the next start of the program takes its settings with it; those of people stay.
pub async fn a_selector_that_is_gone_takes_its_settings_with_it(fx: &impl SchedulerFixture) {
    let select = |it: &mut JobDispatcherSelectors| {
        it.add_worker::<Planned>(|it| {
            it.cron("0 0 * * * ?")
                .time_zone("Asia/Tokyo")
                .node_name("batch-1")
                .timeout(secs(5))
                .lock_timeout(secs(6))
                .priority(JobPriority::High)
                .max_count(9_u32)
                .max_try_count(8_u32)
                .retry_policy(RetryPolicy::fixed(secs(6)))
        });
    };
    let without = node(fx, |_| {});
    without.start_workers().await.unwrap();
    let plain = stored(&without).await;
    let with = node(fx, select);
    with.start_workers().await.unwrap();
    let mut selected = stored(&with).await;
    assert_eq!(
        (selected.job_type, selected.node_name.as_deref()),
        (JobType::Period, Some("batch-1"))
    );
    selected.timeout = Some(secs(77));
    with.management()
        .update(TenantScope::All, selected)
        .await
        .unwrap();

    let next = node(fx, |it| {
        select(it);
        assert!(it.remove_worker::<Planned>());
    });
    next.start_workers().await.unwrap();
    let job = stored(&next).await;
    let expected = JobInfo {
        version: job.version,
        overrides: job.overrides.clone(),
        begin_time: job.begin_time,
        next_run_time: job.next_run_time,
        timeout: Some(secs(77)),
        ..plain
    };
    assert_eq!(job, expected);
    assert_eq!(
        job.next_run_time,
        Some(fx.now() + TimeDelta::seconds(300)),
        "armed by the interval"
    );
}

/// A prepared job has its settings already: submitting it, also twice, applies nothing more.
pub async fn a_prepared_job_has_its_settings(fx: &impl SchedulerFixture) {
    let host = node(fx, |it| {
        it.add_all(|it| it.priority(JobPriority::High).timeout(secs(5)));
    });
    let mut request = EnqueueRequest::new(Bill::NAME, JobArgs::new());
    // What the caller asks for is the code's word, over which the operator's selector has the last one.
    (request.priority, request.timeout) = (Some(JobPriority::Low), Some(secs(50)));
    let prepared = host.jobs().prepare_request(request).unwrap();
    assert_eq!(
        (prepared.job.priority, prepared.job.timeout),
        (JobPriority::High, Some(secs(5)))
    );
    assert_eq!(
        prepared.first.as_ref().map(|it| it.rank),
        Some(0),
        "and waits by it"
    );
    let answers = host
        .jobs()
        .submit(vec![prepared.clone(), prepared])
        .await
        .unwrap();
    assert_eq!(answers, [SubmitAnswer::Inserted, SubmitAnswer::Exists]);
}
