//! The check of stored jobs: what should be armed and is not.

use chrono::TimeDelta;
use tasks_abstractions::run::JobSnapshot;
use tasks_abstractions::store::{Decision, JobChange, RunChange, WaitingChange};
use tasks_abstractions::{
    CheckReport, JobCommand, JobId, JobInfo, JobManagement, JobQueue, JobStatus, JobType, RunOutcome,
    Timestamp,
};

use super::fixture::{Gate, LIMIT, SchedulerFixture, done, pass, secs};
use super::management::{ALL, new};
use crate::{TestHost, samples};

/// Takes the waiting executions of these jobs away, as no part of the protocol does.
async fn break_rows(fx: &impl SchedulerFixture, ids: &[JobId]) {
    let decide = |it: &JobSnapshot, _: Timestamp| {
        Decision::Change(Box::new(JobChange {
            job: it.job.clone(),
            waiting: WaitingChange::Remove,
            run: RunChange::default(),
        }))
    };
    let answers = fx
        .store()
        .change(ALL, ids, Some(fx.now()), &decide)
        .await
        .unwrap();
    assert_eq!(answers.len(), ids.len());
}

/// Walks over all jobs in steps.
async fn check_all(host: &TestHost, step: usize) -> Vec<CheckReport> {
    let mut reports = Vec::new();
    let mut after = None;
    loop {
        let report = host.management().check(after, step).await.unwrap();
        after = report.next;
        reports.push(report);
        if after.is_none() {
            return reports;
        }
    }
}

/// A job that should be armed and is not is found and armed; one without anything left is completed; everything else is left as it is.
pub async fn a_check_repairs_broken_jobs_and_no_others(fx: &impl SchedulerFixture) {
    let gate = Gate::new();
    let host = fx
        .node("a")
        .run("t", done)
        .run("deaf", gate.job())
        .build()
        .unwrap();
    host.start();
    let running = host.enqueue("deaf").await.unwrap();
    host.recorder().started(running, 1, LIMIT).await.unwrap();
    let mut others = vec![running];
    for command in [JobCommand::Pause, JobCommand::Stop, JobCommand::Disable] {
        let job = JobInfo {
            begin_time: fx.now() + TimeDelta::hours(5),
            ..new(&host, "t")
        };
        others.push(job.id);
        host.management().create(job).await.unwrap();
        host.command(*others.last().unwrap(), command).await.unwrap();
    }
    let unarmed = new(&host, "t");
    others.push(unarmed.id);
    host.store().store(unarmed).await.unwrap();
    let finished = host.enqueue("t").await.unwrap();
    host.recorder()
        .settled(finished, RunOutcome::Succeeded, 1, LIMIT)
        .await
        .unwrap();
    others.push(finished);
    host.engine().set_claiming(false);

    let hourly = JobInfo {
        job_type: JobType::Period,
        cron: Some("0 0 * * * ?".to_owned()),
        ..new(&host, "t")
    };
    let once = JobInfo {
        tenant_id: samples::tenant(1),
        ..new(&host, "t")
    };
    let over = JobInfo {
        end_time: Some(fx.now() + TimeDelta::minutes(1)),
        ..new(&host, "t")
    };
    let (hourly, once, over) = (
        host.management().create(hourly).await.unwrap(),
        host.management().create(once).await.unwrap(),
        host.management().create(over).await.unwrap(),
    );
    break_rows(fx, &[hourly.id, once.id, over.id]).await;
    pass(secs(120)).await;
    let mut before = Vec::new();
    for id in &others {
        before.push(host.find(*id).await.unwrap());
    }
    let reports = check_all(&host, 2).await;
    assert!(reports.len() >= 5, "in steps of two");
    let sum = |of: fn(&CheckReport) -> Vec<JobId>| {
        let mut ids: Vec<JobId> = reports.iter().flat_map(of).collect();
        ids.sort_unstable();
        ids
    };
    let mut expected = vec![hourly.id, once.id];
    expected.sort_unstable();
    assert_eq!(sum(|it| it.rearmed.clone()), expected);
    assert_eq!(sum(|it| it.completed.clone()), [over.id]);
    assert_eq!(reports.iter().map(|it| it.looked_at).sum::<u64>(), 9);
    for (id, before) in others.iter().zip(before) {
        assert_eq!(host.find(*id).await.unwrap(), before);
    }
    assert_eq!(
        host.find(hourly.id).await.unwrap().next_run_time,
        hourly.next_run_time
    );
    assert_eq!(host.find(over.id).await.unwrap().status, JobStatus::Completed);
    let again = check_all(&host, 1_000).await;
    assert!(
        again
            .iter()
            .all(|it| it.rearmed.is_empty() && it.completed.is_empty())
    );
    host.engine().set_claiming(true);
    host.recorder()
        .settled(once.id, RunOutcome::Succeeded, 1, secs(5))
        .await
        .unwrap();
    gate.open(1);
}
