//! Every node away for an hour, a day, a year: what becomes of the fires that were missed.

use std::time::Duration;

use chrono::TimeDelta;
use tasks_abstractions::{
    AsyncPeriodicWorker, JobInfo, JobManagement, JobStatus, JobType, MisfirePolicy, RunOutcome,
    WorkerSchedule,
};

use super::fixture::{SchedulerFixture, done, pass, secs};
use super::planned_worker::{Plan, Planned, id_of, node_with};
use crate::TestHost;

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;
const YEAR: u64 = 365 * DAY;
const POLICIES: [MisfirePolicy; 4] = [
    MisfirePolicy::FireOnce,
    MisfirePolicy::Skip,
    MisfirePolicy::FireAll { max: 5 },
    MisfirePolicy::FireAll { max: 100 },
];

/// A job every ten minutes by the calendar, or ten minutes after the end of each run.
fn job(host: &TestHost, job_type: JobType, misfire_policy: MisfirePolicy) -> JobInfo {
    JobInfo {
        job_type,
        cron: (job_type == JobType::Period).then(|| "0 0/10 * * * ?".to_owned()),
        interval: secs(600),
        misfire_policy,
        ..host.job("t").build(&host.engine().options().limits).unwrap()
    }
}

/// Runs and skipped fires since the nodes are back.
fn seen(host: &TestHost, job: &JobInfo) -> (usize, usize) {
    host.recorder().look(|it| {
        (
            it.settled_of(job.id, RunOutcome::Succeeded),
            it.settled_of(job.id, RunOutcome::Skipped),
        )
    })
}

/// A cron job makes up for the missed fires once, or drops them with a log row, or runs the last ones up to its number; its next fire is the
/// first one from now.
pub async fn missed_fires_of_a_cron_job_follow_its_policy_after_any_time(fx: &impl SchedulerFixture) {
    for away in [HOUR, DAY, YEAR] {
        let host = fx.patient_node("a").run("t", done).build().unwrap();
        let mut jobs = Vec::new();
        for policy in POLICIES {
            jobs.push(
                host.management()
                    .create(job(&host, JobType::Period, policy))
                    .await
                    .unwrap(),
            );
        }
        let due = jobs[0].next_run_time.unwrap();
        pass(secs(away)).await;
        // Fires from the first one up to now.
        let missed = usize::try_from((fx.now() - due).num_seconds() / 600 + 1).unwrap();
        host.start();
        pass(secs(60)).await;
        for (job, policy) in jobs.iter().zip(POLICIES) {
            let expected = match policy {
                MisfirePolicy::Skip => (0, 1),
                MisfirePolicy::FireAll { max } => (missed.min(max as usize), 0),
                _ => (1, 0),
            };
            assert_eq!(
                seen(&host, job),
                expected,
                "{policy:?} after {away} s and {missed} fires"
            );
            let shown = host.find(job.id).await.unwrap();
            let next = shown.next_run_time.unwrap();
            assert!(
                next > fx.now() && next - fx.now() <= TimeDelta::seconds(600),
                "{policy:?}: {next}"
            );
            assert_eq!((shown.status, next.timestamp() % 600), (JobStatus::Queuing, 0));
        }
        host.shutdown().await;
    }
}

/// A job by an interval has no fires to miss: it runs once, and a whole interval follows, whatever its policy says.
pub async fn an_interval_has_no_fires_to_miss(fx: &impl SchedulerFixture) {
    for away in [HOUR, DAY, YEAR] {
        let host = fx.patient_node("a").run("t", done).build().unwrap();
        let mut jobs = Vec::new();
        for policy in POLICIES {
            jobs.push(
                host.management()
                    .create(job(&host, JobType::Persistent, policy))
                    .await
                    .unwrap(),
            );
        }
        pass(secs(away)).await;
        let back = fx.now();
        host.start();
        pass(secs(60)).await;
        for (job, policy) in jobs.iter().zip(POLICIES) {
            assert_eq!(seen(&host, job), (1, 0), "{policy:?} after {away} s");
            let next = host.find(job.id).await.unwrap().next_run_time.unwrap();
            let gap = next - back - TimeDelta::seconds(600);
            assert!(
                gap >= TimeDelta::zero() && gap < TimeDelta::seconds(1),
                "{policy:?}: {gap}"
            );
        }
        host.shutdown().await;
    }
}

/// A fire that is late by less than the threshold was not missed; one that is later was.
pub async fn a_short_delay_is_no_missed_fire(fx: &impl SchedulerFixture) {
    for (late, runs, skipped) in [(59, 1, 0), (61, 0, 1)] {
        let host = fx.node("a").run("t", done).build().unwrap();
        let job = host
            .management()
            .create(job(&host, JobType::Period, MisfirePolicy::Skip))
            .await
            .unwrap();
        let wait = job.next_run_time.unwrap() - fx.now() + TimeDelta::seconds(late);
        pass(wait.to_std().unwrap()).await;
        host.start();
        pass(secs(10)).await;
        assert_eq!(seen(&host, &job), (runs, skipped), "{late} s late");
        host.shutdown().await;
    }
}

/// The policy of a worker's schedule is that of its job, and a restart after a year away neither repeats nor forgets the worker.
pub async fn a_worker_comes_back_after_a_year_away(fx: &impl SchedulerFixture) {
    for (policy, runs) in [
        (MisfirePolicy::FireOnce, 1),
        (MisfirePolicy::Skip, 0),
        (MisfirePolicy::FireAll { max: 3 }, 3),
    ] {
        for is_cron in [true, false] {
            let schedule = if is_cron {
                WorkerSchedule::cron("0 0 * * * ?")
            } else {
                WorkerSchedule::every(secs(HOUR))
            };
            let plan = Plan::new(schedule.misfire(policy));
            let first = node_with(fx, "a", &plan).build().unwrap();
            first.start_workers().await.unwrap();
            drop(first);
            pass(Duration::from_secs(YEAR)).await;
            let host = node_with(fx, "a", &plan).build().unwrap();
            host.start();
            host.start_workers().await.unwrap();
            pass(secs(60)).await;
            let expected = if is_cron { runs } else { 1 };
            assert_eq!(plan.runs(), expected, "{policy:?}, by cron: {is_cron}");
            let id = id_of(Planned::NAME);
            let next = host.find(id).await.unwrap().next_run_time.unwrap() - fx.now();
            assert!(next > TimeDelta::zero() && next <= TimeDelta::hours(1), "{next}");
            host.shutdown().await;
            host.store()
                .remove(tasks_multitenancy::TenantScope::All, id)
                .await
                .unwrap();
        }
    }
}
