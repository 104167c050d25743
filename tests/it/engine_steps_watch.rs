//! Steps of the engine by hand: what the watch step reports.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::future::pending;
use std::time::Duration;

use tasks_abstractions::{JobInfo, JobManagement};
use tasks_testing::TestHost;
use tasks_testing::scheduler_suite::{MemoryScheduler, SchedulerFixture};
use tracing::Level;

use crate::log_lines::LogLines;

async fn is_reported_stuck(set: impl Fn(JobInfo) -> JobInfo) {
    let errors = LogLines::of(Level::ERROR);
    let _guard = tracing::subscriber::set_default(errors.clone());
    let fx = MemoryScheduler::new();
    let host = fx.node("a").run("t", |_| pending()).build().unwrap();
    let job = set(host.job("t").build(&host.engine().options().limits).unwrap());
    let id = job.id;
    host.management().create(job).await.unwrap();
    host.start();
    host.recorder().started(id, 1, TestHost::RUN_LIMIT).await.unwrap();
    let is_stuck = || {
        let errors = errors.lines();
        let about = |it: &&String| it.contains("stuck") && it.contains(&id.to_string());
        errors.iter().filter(about).count()
    };
    let pass = |seconds| tokio::time::timeout(Duration::from_secs(seconds), pending::<()>());
    assert!(pass(39).await.is_err());
    assert_eq!(is_stuck(), 0, "30 s after it was asked to end, at 10 s");
    assert!(pass(3).await.is_err());
    assert_eq!(is_stuck(), 1);
    assert!(pass(600).await.is_err());
    assert_eq!(is_stuck(), 1, "once");
    assert_eq!(host.engine().executing(), 1, "its slot stays taken");
}

#[tokio::test(start_paused = true)]
async fn code_that_ignores_its_timeout_is_reported_stuck() {
    is_reported_stuck(|job| JobInfo {
        timeout: Some(Duration::from_secs(10)),
        ..job
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn code_that_ignores_its_lock_timeout_is_reported_stuck() {
    is_reported_stuck(|job| JobInfo {
        lock_timeout: Some(Duration::from_secs(10)),
        max_try_count: 1,
        ..job
    })
    .await;
}
