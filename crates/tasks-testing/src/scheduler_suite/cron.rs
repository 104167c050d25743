//! Work by the calendar: fires, missed fires, failures between them.

use chrono::{TimeDelta, TimeZone, Utc};
use tasks_abstractions::{
    JobError, JobInfo, JobManagement, JobStatus, JobType, MisfirePolicy, RetryPolicy, RunOutcome, Timestamp,
};

use super::fixture::{LIMIT, SchedulerFixture, done, pass, secs};
use crate::TestHost;

/// Every full hour.
fn hourly(host: &TestHost, misfire_policy: MisfirePolicy) -> JobInfo {
    JobInfo {
        job_type: JobType::Period,
        cron: Some("0 0 * * * ?".to_owned()),
        misfire_policy,
        ..host.job("t").build(&host.engine().options().limits).unwrap()
    }
}

fn at(hour: u32, minute: u32) -> Timestamp {
    Utc.with_ymd_and_hms(2026, 3, 1, hour, minute, 0)
        .single()
        .unwrap()
}

/// A cron job runs at its fires, at the instant.
pub async fn a_cron_job_runs_at_its_fires(fx: &impl SchedulerFixture) {
    let host = fx.patient_node("a").run("t", done).build().unwrap();
    host.start();
    let job = hourly(&host, MisfirePolicy::FireOnce);
    let id = job.id;
    let stored = host.management().create(job).await.unwrap();
    assert_eq!(stored.next_run_time, Some(at(13, 0)));
    pass(secs(3 * 3600 + 60)).await;
    let mut starts: Vec<Timestamp> = super::logs_of(&host, id)
        .await
        .iter()
        .map(|it| it.started_at)
        .collect();
    starts.sort_unstable();
    assert_eq!(starts.len(), 3);
    for (start, hour) in starts.into_iter().zip(13..) {
        let late = start - at(hour, 0);
        assert!(
            late >= TimeDelta::zero() && late < TimeDelta::milliseconds(20),
            "late by {late}"
        );
    }
    assert_eq!(host.find(id).await.unwrap().next_run_time, Some(at(16, 0)));
}

/// Fires that were missed while no node was there: made up for once, dropped and logged, or all of them up to a number.
pub async fn missed_fires_follow_the_policy(fx: &impl SchedulerFixture) {
    let host = fx.node("a").run("t", done).build().unwrap();
    let policies = [
        (MisfirePolicy::FireOnce, 1, 0),
        (MisfirePolicy::Skip, 0, 1),
        (MisfirePolicy::FireAll { max: 10 }, 4, 0),
    ];
    let mut jobs = Vec::new();
    for (policy, ..) in policies {
        let job = hourly(&host, policy);
        jobs.push(job.id);
        host.management().create(job).await.unwrap();
    }
    pass(secs(4 * 3600 + 600)).await;
    assert_eq!(fx.now(), at(16, 10));
    host.start();
    pass(secs(60)).await;
    for (id, (policy, succeeded, skipped)) in jobs.into_iter().zip(policies) {
        let seen = host.recorder().look(|it| {
            (
                it.settled_of(id, RunOutcome::Succeeded),
                it.settled_of(id, RunOutcome::Skipped),
            )
        });
        assert_eq!(seen, (succeeded, skipped), "{policy:?}");
        let job = host.find(id).await.unwrap();
        assert_eq!(
            (job.status, job.next_run_time),
            (JobStatus::Queuing, Some(at(17, 0))),
            "{policy:?}"
        );
    }
}

/// Between fires a failed cron job is tried again only by its own policy, and only if that comes before the next fire; after its tries in a
/// row it is given up.
pub async fn a_failed_cron_job_waits_for_its_next_fire(fx: &impl SchedulerFixture) {
    let host = fx
        .patient_node("a")
        .run("t", |_| async { Err(JobError::msg("no")) })
        .build()
        .unwrap();
    host.start();
    let plain = JobInfo {
        max_try_count: 2,
        ..hourly(&host, MisfirePolicy::FireOnce)
    };
    let retried = JobInfo {
        retry_policy: Some(RetryPolicy::fixed(secs(40 * 60))),
        ..hourly(&host, MisfirePolicy::FireOnce)
    };
    for job in [&plain, &retried] {
        host.management().create(job.clone()).await.unwrap();
    }
    for job in [&plain, &retried] {
        host.recorder()
            .settled(job.id, RunOutcome::Failed, 1, LIMIT + secs(1))
            .await
            .unwrap();
    }
    let shown = host.find(plain.id).await.unwrap();
    assert_eq!(
        (shown.status, shown.next_run_time),
        (JobStatus::Queuing, Some(at(14, 0)))
    );
    let shown = host.find(retried.id).await.unwrap();
    assert_eq!(shown.status, JobStatus::FailedRetry);
    host.recorder()
        .settled(retried.id, RunOutcome::Failed, 2, LIMIT)
        .await
        .unwrap();
    let shown = host.find(retried.id).await.unwrap();
    assert_eq!(shown.next_run_time, Some(at(14, 0)), "the fire comes first");
    host.recorder()
        .settled(plain.id, RunOutcome::Failed, 2, LIMIT)
        .await
        .unwrap();
    let shown = host.find(plain.id).await.unwrap();
    assert_eq!((shown.status, shown.is_abandoned), (JobStatus::Stopped, true));
}
