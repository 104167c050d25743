//! Jobs that come from another database.

use chrono::TimeDelta;
use tasks_abstractions::{BulkMode, JobInfo, JobManagement, JobStatus, JobType, ManagementError, RunOutcome};
use tasks_multitenancy::{TenantId, TenantScope};
use uuid::Uuid;

use super::fixture::{LIMIT, SchedulerFixture, done, pass, secs};
use crate::TestHost;

fn job(host: &TestHost) -> JobInfo {
    host.job("t").build(&host.engine().options().limits).unwrap()
}

/// A job goes on in the state in which it was written down: what waited, runs at its time; what was held or done, does not run.
pub async fn an_imported_job_goes_on_where_it_was(fx: &impl SchedulerFixture) {
    let host = fx.patient_node("a").run("t", done).build().unwrap();
    let management = host.management();
    let retry = JobInfo {
        status: JobStatus::FailedRetry,
        try_count: 2,
        trigger_count: 2,
        version: 7,
        result: Some("no connection".to_owned()),
        next_run_time: Some(fx.now() + TimeDelta::hours(1)),
        ..job(&host)
    };
    let completed = JobInfo {
        status: JobStatus::Completed,
        trigger_count: 1,
        ..job(&host)
    };
    let paused = JobInfo {
        status: JobStatus::Paused,
        job_type: JobType::Persistent,
        tenant_id: TenantId::new(Uuid::from_u128(9)),
        ..job(&host)
    };
    let running = JobInfo {
        status: JobStatus::Running,
        is_running: true,
        ..job(&host)
    };
    for it in [&retry, &completed, &paused, &running] {
        assert!(management.import(it.clone(), BulkMode::Apply).await.unwrap());
    }
    for it in [&retry, &completed, &paused] {
        assert_eq!(host.find(it.id).await.unwrap(), *it);
    }
    host.start();
    host.recorder()
        .settled(running.id, RunOutcome::Succeeded, 1, LIMIT)
        .await
        .unwrap();
    pass(secs(3_500)).await;
    assert_eq!(host.recorder().look(|it| it.started_of(retry.id)), 0);
    host.recorder()
        .settled(retry.id, RunOutcome::Succeeded, 1, secs(200))
        .await
        .unwrap();
    pass(secs(600)).await;
    for it in [&completed, &paused] {
        assert_eq!(host.recorder().look(|log| log.started_of(it.id)), 0);
        assert_eq!(host.find(it.id).await.unwrap(), *it);
    }
}

/// An id that exists is left alone, a name that is taken and values out of bounds are refused, and a dry run stores nothing.
pub async fn importing_again_changes_nothing(fx: &impl SchedulerFixture) {
    let host = fx.node("a").run("t", done).build().unwrap();
    let management = host.management();
    let first = JobInfo {
        name: "report".to_owned(),
        status: JobStatus::Paused,
        ..job(&host)
    };
    assert!(management.import(first.clone(), BulkMode::DryRun).await.unwrap());
    let found = management.get(TenantScope::All, first.id).await;
    assert!(matches!(found, Err(ManagementError::NotFound(_))));
    assert!(management.import(first.clone(), BulkMode::Apply).await.unwrap());
    for mode in [BulkMode::Apply, BulkMode::DryRun] {
        let changed = JobInfo {
            status: JobStatus::Queuing,
            description: Some("another".to_owned()),
            tenant_id: TenantId::new(Uuid::from_u128(9)),
            ..first.clone()
        };
        assert!(!management.import(changed, mode).await.unwrap());
    }
    assert_eq!(host.find(first.id).await.unwrap(), first);
    let namesake = JobInfo {
        name: "report".to_owned(),
        ..job(&host)
    };
    let refused = management.import(namesake, BulkMode::Apply).await;
    assert!(matches!(refused, Err(ManagementError::NameTaken { by, .. }) if by == first.id));
    let spoilt = JobInfo {
        type_name: String::new(),
        next_run_time: Some(chrono::DateTime::<chrono::Utc>::MAX_UTC),
        ..job(&host)
    };
    let refused = management.import(spoilt, BulkMode::Apply).await;
    assert!(matches!(refused, Err(ManagementError::Invalid(_))), "{refused:?}");
    let expired = JobInfo {
        status: JobStatus::Running,
        begin_time: fx.now() - TimeDelta::hours(2),
        end_time: Some(fx.now() - TimeDelta::hours(1)),
        ..job(&host)
    };
    let refused = management.import(expired, BulkMode::Apply).await;
    assert!(
        matches!(refused, Err(ManagementError::Refused { .. })),
        "{refused:?}"
    );
}
