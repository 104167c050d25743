//! Workers and management on SQLite files, step by step under a clock of the test: what must hold in real rows, across restarts and between programs.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use sea_orm::ConnectionTrait;
use tasks_abstractions::prelude::*;
use tasks_abstractions::store::JobQuery;
use tasks_abstractions::{
    BulkAnswer, BulkMode, Clock, CopyRequest, DynamicWorker, EnqueueRequest, JobArgs, JobCommand, JobId,
    JobInfo, JobManagement, JobStatus, JobStore, JobType, RunOutcome,
};
use tasks_multitenancy::{TenantId, TenantScope};
use tasks_store_seaorm::SeaOrmStore;
use tasks_testing::{TestHost, samples};
use tokio::sync::Semaphore;

use crate::engine_sqlite::Place;

const ALL: TenantScope = TenantScope::All;
const LIMIT: Duration = Duration::from_secs(30);

async fn done(_: JobRunnableContext) -> JobResult {
    Ok(Outcome::Done)
}

fn delayed(tenant: u128) -> EnqueueRequest {
    let mut request = EnqueueRequest::new("t", JobArgs::new());
    request.tenant_id = Some(samples::tenant(tenant));
    request.delay = Some(Duration::from_secs(3_600));
    request
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bulk_command_reaches_every_job_of_its_tenant_and_no_other() {
    let place = Place::new();
    let store = place.store().await;
    let host = place.node(&store).run("t", done).build().unwrap();
    for (tenant, count) in [(1, 1_200), (2, 30)] {
        let jobs = (0..count)
            .map(|_| host.jobs().prepare_request(delayed(tenant)).unwrap())
            .collect();
        host.jobs().submit(jobs).await.unwrap();
    }
    let (one, two) = (
        TenantScope::One(samples::tenant(1)),
        TenantScope::One(samples::tenant(2)),
    );
    let waiting = JobQuery {
        status: Some(JobStatus::Queuing),
        ..JobQuery::default()
    };
    let bulk = async |mode| {
        let it = host.management();
        it.command_where(one, &waiting, JobCommand::Pause, mode)
            .await
            .unwrap()
    };
    let all = BulkAnswer {
        matched: 1_200,
        changed: 1_200,
        ..BulkAnswer::default()
    };
    assert_eq!(bulk(BulkMode::DryRun).await, all);
    assert_eq!(store.counts(one).await.unwrap().of(JobStatus::Queuing), 1_200);
    assert_eq!(bulk(BulkMode::Apply).await, all);
    assert_eq!(store.counts(one).await.unwrap().of(JobStatus::Paused), 1_200);
    assert_eq!(bulk(BulkMode::Apply).await, BulkAnswer::default());
    assert_eq!(store.counts(two).await.unwrap().of(JobStatus::Queuing), 30);
    place.clock.advance(Duration::from_secs(3_600));
    assert_eq!(host.run_due().await.unwrap(), 30, "what is paused does not run");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_given_up_job_is_run_anew_with_other_arguments_by_another_program() {
    let place = Place::new();
    let first = place.store().await;
    let run = |ctx: JobRunnableContext| async move {
        let name = ctx
            .job()
            .args
            .get_string("printer")
            .map_err(|it| JobError::from(it).permanent())?;
        ctx.set_result(name);
        Ok(Outcome::Done)
    };
    let host = place.node(&first).run("t", run).build().unwrap();
    let id = host.enqueue("t").await.unwrap();
    host.run_due().await.unwrap();
    let job = host.find(id).await.unwrap();
    assert_eq!((job.status, job.is_abandoned), (JobStatus::Stopped, true));
    drop(host);
    first.close().await.unwrap();

    let second = place.store().await;
    let host = place.node(&second).run("t", run).build().unwrap();
    let mut args = JobArgs::new();
    args.insert("printer", "attic");
    let anew = host
        .management()
        .requeue(ALL, id, Some(args.clone()))
        .await
        .unwrap();
    assert_eq!(
        (anew.status, anew.is_abandoned, &anew.args),
        (JobStatus::Queuing, false, &args)
    );
    let copy = host
        .management()
        .copy(ALL, id, CopyRequest::default())
        .await
        .unwrap();
    assert_eq!(host.run_due().await.unwrap(), 2);
    for id in [id, copy.id] {
        let job = host.find(id).await.unwrap();
        assert_eq!(
            (job.status, job.result.as_deref()),
            (JobStatus::Completed, Some("attic"))
        );
    }
    assert_eq!(host.recorder().count(RunOutcome::Succeeded), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_check_arms_a_job_whose_waiting_row_was_deleted() {
    let place = Place::new();
    let store = place.store().await;
    let host = place.node(&store).run("t", done).build().unwrap();
    let broken = host.enqueue("t").await.unwrap();
    let hourly = JobInfo {
        job_type: JobType::Period,
        cron: Some("0 0 * * * ?".to_owned()),
        ..host.job("t").build(&host.engine().options().limits).unwrap()
    };
    let hourly = host.management().create(hourly).await.unwrap();
    let paused = host.enqueue_with(delayed(1)).await.unwrap();
    host.command(paused, JobCommand::Pause).await.unwrap();
    let well = host.enqueue_with(delayed(1)).await.unwrap();
    let before = [host.find(paused).await.unwrap(), host.find(well).await.unwrap()];
    for id in [broken, hourly.id] {
        let hex = id.as_uuid().simple();
        let sql = format!("DELETE FROM tk_job_queue WHERE job_id = X'{hex}'");
        let deleted = store.connection().execute_unprepared(&sql).await.unwrap();
        assert_eq!(deleted.rows_affected(), 1);
    }
    assert_eq!(
        host.run_due().await.unwrap(),
        0,
        "nothing that anybody could take"
    );
    let mut rearmed = Vec::new();
    let mut after = None;
    loop {
        let report = host.management().check(after, 1).await.unwrap();
        assert!(report.completed.is_empty());
        rearmed.extend(report.rearmed);
        after = report.next;
        if after.is_none() {
            break;
        }
    }
    rearmed.sort_unstable();
    let mut expected = [broken, hourly.id];
    expected.sort_unstable();
    assert_eq!(rearmed, expected);
    assert_eq!(
        host.find(hourly.id).await.unwrap().next_run_time,
        hourly.next_run_time
    );
    assert_eq!(
        [host.find(paused).await.unwrap(), host.find(well).await.unwrap()],
        before
    );
    assert_eq!(host.run_due().await.unwrap(), 1);
    assert_eq!(host.find(broken).await.unwrap().status, JobStatus::Completed);
}

/// A program of this version that has the worker by this interval, on a store of its own.
async fn program(place: &Place, version: &str, seconds: u64) -> (TestHost, Arc<SeaOrmStore>) {
    let store = place.store().await;
    let host = place.node(&store).version(version).build().unwrap();
    let schedule = WorkerSchedule::every(Duration::from_secs(seconds));
    host.workers()
        .add(DynamicWorker::new("w", schedule, |_| async { Ok(Outcome::Done) }))
        .await
        .unwrap();
    host.workers().start().await.unwrap();
    (host, store)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_is_defined_anew_across_restarts_and_keeps_what_people_changed() {
    let place = Place::new();
    let id = JobId::from_name(TenantId::HOST, JobInfo::WORKERS_GROUP, "w");
    let mut seen = Vec::new();
    for (version, seconds) in [
        ("1.0.0", 60),
        ("1.1.0", 120),
        ("1.0.0", 60),
        ("1.1.0", 120),
        ("1.2.0", 120),
    ] {
        let (host, store) = program(&place, version, seconds).await;
        let job = host.find(id).await.unwrap();
        seen.push((job.interval.as_secs(), job.version));
        assert_eq!(
            store.counts(ALL).await.unwrap().of(JobStatus::Queuing),
            1,
            "one row"
        );
        place.clock.advance(Duration::from_secs(1));
        drop(host);
        store.close().await.unwrap();
    }
    assert_eq!(seen, [(60, 1), (120, 2), (120, 2), (120, 2), (120, 3)]);

    let (host, store) = program(&place, "1.2.0", 120).await;
    let mut job = host.find(id).await.unwrap();
    // Armed by the second start, which was one second after the first.
    let due = job.next_run_time.unwrap();
    assert_eq!(due, place.clock.now() + TimeDelta::seconds(120 - 4));
    (job.interval, job.priority) = (Duration::from_secs(10), JobPriority::High);
    host.management().update(ALL, job).await.unwrap();
    drop(host);
    store.close().await.unwrap();

    let (host, store) = program(&place, "2.0.0", 600).await;
    let job = host.find(id).await.unwrap();
    assert_eq!((job.interval.as_secs(), job.priority), (10, JobPriority::High));
    assert_eq!(job.overrides.len(), 2);
    host.management().reset_overrides(ALL, id).await.unwrap();
    drop(host);
    store.close().await.unwrap();

    let (host, _store) = program(&place, "2.0.0", 600).await;
    let job = host.find(id).await.unwrap();
    assert_eq!((job.interval.as_secs(), job.priority), (600, JobPriority::Normal));
    assert!(job.overrides.is_empty());
    place.clock.advance(Duration::from_secs(600));
    assert_eq!(host.run_due().await.unwrap(), 1);
    assert_eq!(host.find(id).await.unwrap().trigger_count, 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_program_sees_how_far_a_run_has_come() {
    let place = Place::new();
    let (here, there) = (place.store().await, place.store().await);
    let gate = Arc::new(Semaphore::new(0));
    let wait = Arc::clone(&gate);
    let run = move |ctx: JobRunnableContext| {
        let wait = Arc::clone(&wait);
        async move {
            ctx.progress(3, 10, "drei von zehn — 三");
            let opened = wait.acquire().await;
            opened?.forget();
            Ok(Outcome::Done)
        }
    };
    let host = place.node(&here).run("t", run).build().unwrap();
    let other = place.node(&there).node_name("other").build().unwrap();
    host.engine().register_step().await.unwrap();
    let id = host.enqueue("t").await.unwrap();
    assert_eq!(host.engine().claim_step().await.unwrap().claimed, 1);
    while host.engine().progress().is_empty() {
        tokio::task::yield_now().await;
    }
    let seen = async || other.management().runs(ALL, 10).await.unwrap();
    assert_eq!(
        seen().await[0].run.as_ref().unwrap().progress,
        None,
        "not stored yet"
    );
    place.clock.advance(Duration::from_secs(7));
    assert_eq!(host.engine().progress_step().await.unwrap(), 1);
    assert_eq!(host.engine().progress_step().await.unwrap(), 0, "nothing new");
    let runs = seen().await;
    assert_eq!((runs.len(), runs[0].job.id), (1, id));
    let progress = runs[0].run.as_ref().unwrap().progress.clone().unwrap();
    assert_eq!((progress.done, progress.total), (3, 10));
    assert_eq!(
        (progress.message.as_str(), progress.at),
        ("drei von zehn — 三", place.clock.now())
    );
    gate.add_permits(1);
    host.recorder().ended(id, 1, LIMIT).await.unwrap();
    while host.engine().executing() > 0 {
        tokio::task::yield_now().await;
    }
    host.settle_all().await.unwrap();
    assert!(seen().await.is_empty());
}
