//! Workers of a program: how they are registered, defined anew, edited by people, and known by their hooks.

use std::sync::Arc;

use chrono::{TimeDelta, Timelike};
use tasks_abstractions::store::{JobLogQuery, JobQuery};
use tasks_abstractions::worker::BackgroundWorkerAdapter;
use tasks_abstractions::{
    AsyncPeriodicWorker, BackgroundWorker, JobError, JobInfo, JobManagement, JobPriority, JobSource,
    JobStatus, JobType, MisfirePolicy, RunOutcome, WorkerError, WorkerSchedule,
};
use tasks_multitenancy::{CurrentTenant, TenantScope};

use super::fixture::{LIMIT, SchedulerFixture, pass, secs};
use super::planned_worker::{Plan, Planned, id_of, node_with, program, stored};
use crate::{TestHost, samples};

async fn rows(host: &TestHost) -> Vec<JobInfo> {
    let query = JobQuery {
        group: Some(JobInfo::WORKERS_GROUP.to_owned()),
        ..JobQuery::default()
    };
    let page = host.management().list(TenantScope::All, &query).await.unwrap();
    page.items
}

/// The six steps: adapter, definition, name with stable id, tenant and node, selector, store, and the nodes are told.
pub async fn a_worker_is_registered_in_six_steps(fx: &impl SchedulerFixture) {
    let schedule = WorkerSchedule::every(secs(90))
        .timeout(secs(30))
        .misfire(MisfirePolicy::Skip)
        .max_try_count(4);
    let plan = Plan::new(schedule);
    let host = node_with(fx, "a", &plan)
        .version("3.2.1")
        .selectors(|it| {
            it.add_worker::<Planned>(|it| it.priority(JobPriority::High));
        })
        .build()
        .unwrap();
    host.start();
    pass(secs(10)).await;
    let now = fx.now();
    host.start_workers().await.unwrap();
    assert_eq!(plan.hooks(), (1, 0));
    let job = stored(&host).await;
    assert_eq!(
        (job.name.as_str(), job.type_name.as_str()),
        (Planned::NAME, Planned::NAME)
    );
    assert_eq!(
        (job.group.as_str(), job.source),
        (JobInfo::WORKERS_GROUP, JobSource::System)
    );
    assert_eq!(
        (job.job_type, job.interval, job.cron.as_deref()),
        (JobType::Persistent, secs(90), None)
    );
    assert_eq!(
        (job.timeout, job.max_try_count, job.misfire_policy),
        (Some(secs(30)), 4, MisfirePolicy::Skip)
    );
    assert_eq!(job.priority, JobPriority::High, "by its selector");
    assert!(
        job.selector
            .as_deref()
            .is_some_and(|it| it.starts_with("Worker:") && it.ends_with("Planned"))
    );
    assert_eq!(
        (job.status, job.node_name.as_deref(), job.tenant_id.is_host()),
        (JobStatus::Queuing, None, true)
    );
    assert_eq!(job.definition.map(|it| it.version).as_deref(), Some("3.2.1"));
    let due = now + TimeDelta::seconds(90);
    assert_eq!((job.begin_time, job.next_run_time), (due, Some(due)));
    host.recorder().started(job.id, 1, secs(91)).await.unwrap();
    assert!(
        fx.now() - due < TimeDelta::milliseconds(20),
        "the node was told when"
    );
}

/// A worker's log rows are found by its own name, group and type: no worker looks like another.
pub async fn the_log_of_a_worker_names_it(fx: &impl SchedulerFixture) {
    let plan = Plan::new(WorkerSchedule::every(secs(60)));
    let host = node_with(fx, "a", &plan).build().unwrap();
    host.start();
    host.start_workers().await.unwrap();
    host.recorder()
        .settled(id_of(Planned::NAME), RunOutcome::Succeeded, 2, LIMIT)
        .await
        .unwrap();
    let own = || Some(Planned::NAME.to_owned());
    let found = async |query: JobLogQuery| {
        let page = host.management().logs(TenantScope::All, &query).await;
        page.unwrap().total
    };
    let by_name = JobLogQuery {
        name: own(),
        group: Some(JobInfo::WORKERS_GROUP.to_owned()),
        type_name: own(),
        ..JobLogQuery::default()
    };
    assert_eq!(found(by_name.clone()).await, 2);
    let other = JobLogQuery {
        type_name: Some("suite.other".to_owned()),
        ..by_name
    };
    assert_eq!(found(other).await, 0);
}

/// A worker of every node: a row each, pinned to its node whatever selectors say, and each node runs its own.
pub async fn every_node_has_a_row_of_its_own(fx: &impl SchedulerFixture) {
    let plans = ["a", "b"].map(|_| Plan::new(WorkerSchedule::every(secs(60)).on_every_node()));
    let nodes: Vec<TestHost> = ["a", "b"]
        .iter()
        .zip(&plans)
        .map(|(node, plan)| {
            let pinned = |it: &mut tasks_abstractions::JobDispatcherSelectors| {
                it.add_all(|it| it.node_name("a"));
            };
            node_with(fx, node, plan).selectors(pinned).build().unwrap()
        })
        .collect();
    for node in &nodes {
        node.start();
        node.start_workers().await.unwrap();
    }
    let mut jobs: Vec<_> = rows(&nodes[0])
        .await
        .into_iter()
        .map(|it| (it.id, it.name, it.node_name))
        .collect();
    jobs.sort_unstable_by(|a, b| a.1.cmp(&b.1));
    let row = |node: &str| {
        let name = format!("{}@{node}", Planned::NAME);
        (id_of(&name), name, Some(node.to_owned()))
    };
    assert_eq!(jobs, [row("a"), row("b")]);
    pass(secs(61)).await;
    assert_eq!(plans.each_ref().map(|it| it.runs()), [1, 1]);
    nodes[1].shutdown().await;
    pass(secs(600)).await;
    assert_eq!(plans[1].runs(), 1, "it waits for its node");
    assert!(plans[0].runs() > 9);
}

/// A worker that was one of the cluster and becomes one of every node does not run in both ways; nor the other way round.
pub async fn a_worker_does_not_run_in_two_ways(fx: &impl SchedulerFixture) {
    let one = || WorkerSchedule::every(secs(60));
    let each = || one().on_every_node();
    let on_a = id_of(&format!("{}@a", Planned::NAME));
    let armed = async |host: &TestHost| {
        let mut armed = Vec::new();
        for id in [id_of(Planned::NAME), on_a] {
            let job = host.management().get(TenantScope::All, id).await.ok();
            armed.push(job.is_some_and(|it| it.is_enabled && it.next_run_time.is_some()));
        }
        armed
    };
    assert_eq!(armed(&program(fx, "1.0.0", one()).await).await, [true, false]);
    let host = program(fx, "1.1.0", each()).await;
    assert_eq!(armed(&host).await, [false, true]);
    assert_eq!(rows(&host).await.len(), 2, "shown, not lost");
    // An older program beside it does not bring its way back; a newer one does.
    assert_eq!(armed(&program(fx, "1.0.0", one()).await).await, [false, true]);
    assert_eq!(armed(&program(fx, "1.2.0", one()).await).await, [true, false]);
    assert_eq!(armed(&program(fx, "1.2.0", one()).await).await, [true, false]);
}

/// A cron worker that asks for it runs at once when it is new, then at its fires; later starts of the program make no run.
pub async fn run_on_start_counts_once_for_a_cron_worker(fx: &impl SchedulerFixture) {
    let schedule = || WorkerSchedule::cron("0 0 * * * ?").run_on_start();
    let plan = Plan::new(schedule());
    let host = node_with(fx, "a", &plan).build().unwrap();
    host.start();
    pass(secs(600)).await;
    host.start_workers().await.unwrap();
    host.recorder()
        .started(id_of(Planned::NAME), 1, secs(1))
        .await
        .unwrap();
    pass(secs(1)).await;
    let next = stored(&host).await.next_run_time.unwrap();
    assert_eq!((next.hour(), next.minute(), next.second()), (13, 0, 0));
    for _ in 0..3 {
        drop(program(fx, "1.0.0", schedule()).await);
    }
    pass(secs(600)).await;
    assert_eq!(plan.runs(), 1);
    pass(secs(3_600)).await;
    assert_eq!(plan.runs(), 2);
    // A changed schedule begins with its own first fire or period, not at once.
    drop(program(fx, "99.0.0", WorkerSchedule::every(secs(7_200)).run_on_start()).await);
    pass(secs(600)).await;
    assert_eq!(plan.runs(), 2);
}

/// Two versions of a program with different definitions over one store, started in turn: the newer one's stays.
pub async fn a_rolling_deployment_does_not_flip_definitions(fx: &impl SchedulerFixture) {
    let mut seen = Vec::new();
    for (version, period) in [
        ("1.0.0", 60),
        ("1.1.0", 120),
        ("1.0.0", 60),
        ("1.1.0", 120),
        ("1.0.0", 60),
        ("1.1.0", 120),
    ] {
        let host = program(fx, version, WorkerSchedule::every(secs(period))).await;
        let job = stored(&host).await;
        seen.push((job.interval.as_secs(), job.version));
        pass(secs(5)).await;
    }
    assert_eq!(seen, [(60, 1), (120, 2), (120, 2), (120, 2), (120, 2), (120, 2)]);
    // The next version takes over, also back to the former period.
    let host = program(fx, "1.2.0", WorkerSchedule::every(secs(60))).await;
    assert_eq!(stored(&host).await.interval, secs(60));
}

/// What people changed on a worker survives restarts and new definitions, field by field, until they take it back.
pub async fn an_edit_survives_redefinition_until_it_is_taken_back(fx: &impl SchedulerFixture) {
    let host = program(fx, "1.0.0", WorkerSchedule::every(secs(300))).await;
    let mut job = stored(&host).await;
    (job.interval, job.max_try_count) = (secs(30), 7);
    host.management().update(TenantScope::All, job).await.unwrap();
    let again = program(fx, "1.0.0", WorkerSchedule::every(secs(300))).await;
    assert_eq!(stored(&again).await.interval, secs(30), "a restart");
    let schedule = || WorkerSchedule::every(secs(600)).timeout(secs(9)).max_try_count(1);
    let newer = program(fx, "1.1.0", schedule()).await;
    let job = stored(&newer).await;
    assert_eq!(
        (job.interval, job.max_try_count, job.timeout),
        (secs(30), 7, Some(secs(9)))
    );
    let overrides: Vec<&str> = job.overrides.iter().map(String::as_str).collect();
    assert_eq!(overrides, ["interval", "max_try_count"]);

    let reset = newer
        .management()
        .reset_overrides(TenantScope::All, job.id)
        .await
        .unwrap();
    assert!(reset.overrides.is_empty());
    assert_eq!(reset.interval, secs(30), "until the next start");
    // Resetting is a change as any other: who had read the job before must read it again.
    assert_eq!(reset.version, job.version + 1);
    let next = program(fx, "1.1.0", schedule()).await;
    let job = stored(&next).await;
    assert_eq!(
        (job.interval, job.max_try_count, job.timeout),
        (secs(600), 1, Some(secs(9)))
    );
    assert_eq!(job.next_run_time, Some(fx.now() + TimeDelta::seconds(600)));
    let nothing = next
        .management()
        .reset_overrides(TenantScope::All, job.id)
        .await
        .unwrap();
    assert_eq!(nothing.version, job.version, "there was nothing to reset");
    // Of jobs that no program defines nothing is noted.
    let mut made = next.job("t").build(&next.engine().options().limits).unwrap();
    made = next.management().create(made).await.unwrap();
    made.priority = JobPriority::Low;
    let edited = next.management().update(TenantScope::All, made).await.unwrap();
    assert!(edited.overrides.is_empty());
}

struct HooksOnly(Arc<std::sync::Mutex<Vec<&'static str>>>);

#[async_trait::async_trait]
impl BackgroundWorker for HooksOnly {
    const NAME: &'static str = "suite.hooks-only";

    async fn start(&self) -> Result<(), JobError> {
        self.0.lock().unwrap().push("start");
        Ok(())
    }

    async fn stop(&self) -> Result<(), JobError> {
        self.0.lock().unwrap().push("stop");
        Ok(())
    }
}

/// A worker with hooks alone has no job; its hooks are called as it comes and goes, also while the program runs.
pub async fn hooks_are_called_as_workers_come_and_go(fx: &impl SchedulerFixture) {
    let host = fx.node("a").build().unwrap();
    let calls: Arc<std::sync::Mutex<Vec<&str>>> = Arc::default();
    let worker = || Arc::new(BackgroundWorkerAdapter::plain(HooksOnly(Arc::clone(&calls))));
    let seen = || calls.lock().unwrap().clone();
    host.workers().add(worker()).await.unwrap();
    assert!(seen().is_empty(), "not before the start");
    assert!(host.workers().start().await.unwrap());
    assert!(!host.workers().start().await.unwrap(), "started already");
    assert_eq!(seen(), ["start"]);
    host.workers().add(worker()).await.unwrap();
    assert_eq!(seen(), ["start", "stop", "start"], "replaced");
    host.workers().remove(HooksOnly::NAME).await.unwrap();
    assert_eq!(seen()[3..], ["stop"]);
    assert!(matches!(
        host.workers().remove(HooksOnly::NAME).await,
        Err(WorkerError::Unknown(_))
    ));
    host.workers().add(worker()).await.unwrap();
    let refused = host
        .workers()
        .update_schedule(HooksOnly::NAME, WorkerSchedule::every(secs(1)))
        .await;
    assert!(
        matches!(refused, Err(WorkerError::Invalid { .. })),
        "it has no schedule"
    );
    assert!(host.workers().stop().await.unwrap());
    assert_eq!(seen()[4..], ["start", "stop"]);
    assert!(rows(&host).await.is_empty());
}

/// A registered worker that is taken away is neither run nor lost, and goes on when it is added again.
pub async fn a_registered_worker_may_be_taken_away_and_come_back(fx: &impl SchedulerFixture) {
    let plan = Plan::new(WorkerSchedule::every(secs(60)));
    let host = node_with(fx, "a", &plan).build().unwrap();
    host.start();
    host.start_workers().await.unwrap();
    let id = id_of(Planned::NAME);
    host.recorder()
        .settled(id, RunOutcome::Succeeded, 2, LIMIT)
        .await
        .unwrap();
    host.workers().remove(Planned::NAME).await.unwrap();
    assert_eq!((plan.hooks(), host.workers().names().is_empty()), ((1, 1), true));
    pass(secs(3_600)).await;
    assert_eq!(plan.runs(), 2);
    assert_eq!(
        stored(&host).await.status,
        JobStatus::Queuing,
        "shown, and waiting"
    );
    let worker = BackgroundWorkerAdapter::async_periodic(Planned::of(Arc::clone(&plan)));
    host.workers().add(Arc::new(worker)).await.unwrap();
    host.recorder()
        .settled(id, RunOutcome::Succeeded, 4, secs(70))
        .await
        .unwrap();
    assert_eq!((plan.runs(), plan.hooks()), (4, (2, 1)));
}

/// A worker that a tenant's code adds belongs to that tenant, and no other tenant's code replaces it.
pub async fn a_worker_belongs_to_the_tenant_that_added_it(fx: &impl SchedulerFixture) {
    let host = fx.node("a").build().unwrap();
    host.start();
    host.workers().start().await.unwrap();
    let seen = Arc::new(std::sync::Mutex::new(Vec::new()));
    let worker = |name: &str| {
        let seen = Arc::clone(&seen);
        tasks_abstractions::DynamicWorker::new(name, WorkerSchedule::every(secs(60)), move |_| {
            seen.lock().unwrap().push(CurrentTenant::id());
            async { Ok(tasks_abstractions::Outcome::Done) }
        })
    };
    let (one, two) = (samples::tenant(1), samples::tenant(2));
    CurrentTenant::change(one, host.workers().add(worker("reports")))
        .await
        .unwrap();
    let job = rows(&host).await.remove(0);
    assert_eq!(job.tenant_id, one);
    let other = CurrentTenant::change(two, host.workers().add(worker("reports"))).await;
    assert!(matches!(other, Err(WorkerError::Invalid { .. })), "{other:?}");
    pass(secs(61)).await;
    assert_eq!(*seen.lock().unwrap(), [one]);
    let hidden = host.management().get(TenantScope::One(two), job.id).await;
    assert!(hidden.is_err());
}
