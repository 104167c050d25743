//! What people do to single jobs: make, edit, copy.

use chrono::TimeDelta;
use tasks_abstractions::store::JobQuery;
use tasks_abstractions::{
    BackgroundJob, BulkMode, CommandAnswer, CopyRequest, EnqueueRequest, JobArgs, JobCommand, JobInfo,
    JobManagement, JobPriority, JobSource, JobStatus, JobType, ManagementError, RunOutcome,
};
use tasks_multitenancy::TenantScope;

use super::fixture::{LIMIT, SchedulerFixture, done, pass, secs};
use super::requeue::{AddUp, sum};
use crate::{TestHost, samples};

pub(super) const ALL: TenantScope = TenantScope::All;

pub(super) fn new(host: &TestHost, type_name: &str) -> JobInfo {
    host.job(type_name)
        .build(&host.engine().options().limits)
        .unwrap()
}

/// A job that is made is armed; one that is not valid, has nothing left to run, or whose name or id is taken is refused, and nothing is stored.
pub async fn a_job_is_made_or_refused_as_a_whole(fx: &impl SchedulerFixture) {
    let host = fx.node("a").run("t", done).build().unwrap();
    let create = async |job: JobInfo| host.management().create(job).await;
    let named = JobInfo {
        name: "nightly".to_owned(),
        ..new(&host, "t")
    };
    let stored = create(named.clone()).await.unwrap();
    assert_eq!(
        (stored.status, stored.next_run_time),
        (JobStatus::Queuing, Some(fx.now()))
    );
    let disabled = create(JobInfo {
        is_enabled: false,
        ..new(&host, "t")
    })
    .await
    .unwrap();
    assert_eq!((disabled.is_enabled, disabled.next_run_time), (false, None));

    let taken = create(JobInfo {
        name: "nightly".to_owned(),
        ..new(&host, "t")
    })
    .await;
    assert!(
        matches!(taken, Err(ManagementError::NameTaken { by, .. }) if by == stored.id),
        "{taken:?}"
    );
    let again = create(JobInfo {
        name: "other".to_owned(),
        ..named.clone()
    })
    .await;
    assert!(matches!(again, Err(ManagementError::Refused { .. })), "{again:?}");
    let over = create(JobInfo {
        begin_time: fx.now() - TimeDelta::hours(2),
        end_time: Some(fx.now() - TimeDelta::hours(1)),
        ..new(&host, "t")
    })
    .await;
    assert!(matches!(over, Err(ManagementError::Refused { .. })), "{over:?}");
    let Err(ManagementError::Invalid(faults)) = create(JobInfo {
        group: " ".to_owned(),
        interval: secs(0),
        ..new(&host, "t")
    })
    .await
    else {
        panic!("it is not valid");
    };
    assert_eq!(faults.faults().len(), 2, "all faults at once: {faults}");
    for cron in ["every day", "0 0 0 30 2 ?"] {
        let job_type = JobType::Period;
        let bad = create(JobInfo {
            job_type,
            cron: Some(cron.to_owned()),
            ..new(&host, "t")
        })
        .await;
        assert!(
            matches!(&bad, Err(ManagementError::Invalid(it)) if it.faults()[0].field == "cron"),
            "{bad:?}"
        );
    }
    let page = host.management().list(ALL, &JobQuery::default()).await.unwrap();
    assert_eq!(page.total, 2);
}

/// Who edits an old copy of a job is told so, and overwrites nothing; a run in between makes no copy old.
pub async fn an_edit_of_an_old_copy_is_a_conflict(fx: &impl SchedulerFixture) {
    let host = fx.node("a").run("t", done).build().unwrap();
    host.start();
    let job = JobInfo {
        job_type: JobType::Persistent,
        interval: secs(60),
        ..new(&host, "t")
    };
    let read = host.management().create(job).await.unwrap();
    host.recorder()
        .settled(read.id, RunOutcome::Succeeded, 3, LIMIT)
        .await
        .unwrap();
    let edited = JobInfo {
        priority: JobPriority::High,
        ..read.clone()
    };
    let stored = host.management().update(ALL, edited).await.unwrap();
    assert_eq!(
        (stored.version, stored.priority, stored.trigger_count),
        (read.version + 1, JobPriority::High, 3)
    );
    let late = host
        .management()
        .update(
            ALL,
            JobInfo {
                priority: JobPriority::Low,
                ..read.clone()
            },
        )
        .await;
    let Err(ManagementError::Conflict { expected, found, .. }) = late else {
        panic!("expected a conflict, got {late:?}");
    };
    assert_eq!((expected, found), (read.version, stored.version));
    // A command in between as well.
    host.command(read.id, JobCommand::Pause).await.unwrap();
    let late = host.management().update(ALL, stored.clone()).await;
    assert!(matches!(late, Err(ManagementError::Conflict { .. })), "{late:?}");
    let fresh = host.find(read.id).await.unwrap();
    assert_eq!(
        (fresh.priority, fresh.status),
        (JobPriority::High, JobStatus::Paused)
    );
    let same = host.management().update(ALL, fresh.clone()).await.unwrap();
    assert_eq!(same.version, fresh.version, "nothing to change");
    let bad = host
        .management()
        .update(
            ALL,
            JobInfo {
                max_interruptions: 0,
                ..fresh
            },
        )
        .await;
    assert!(matches!(bad, Err(ManagementError::Invalid(_))), "{bad:?}");
}

/// A copy is like the original but for what was asked, of source User, and begins anew.
pub async fn a_copy_begins_anew(fx: &impl SchedulerFixture) {
    let host = fx.node("a").job::<AddUp>().build().unwrap();
    let mut request = EnqueueRequest::new(AddUp::NAME, sum(&[]));
    (request.name, request.group) = (Some("may".to_owned()), Some("sums".to_owned()));
    (request.priority, request.timeout) = (Some(JobPriority::High), Some(secs(9)));
    request.tenant_id = Some(samples::tenant(1));
    let id = host.enqueue_with(request).await.unwrap();
    host.run_due().await.unwrap();
    let original = host.find(id).await.unwrap();
    assert!(original.is_abandoned);
    pass(secs(60)).await;

    let plain = host
        .management()
        .copy(ALL, id, CopyRequest::default())
        .await
        .unwrap();
    let expected = JobInfo {
        id: plain.id,
        name: plain.id.to_string(),
        source: JobSource::User,
        status: JobStatus::Queuing,
        result: None,
        creation_time: fx.now(),
        begin_time: fx.now(),
        last_run_time: None,
        next_run_time: Some(fx.now()),
        trigger_count: 0,
        try_count: 0,
        is_abandoned: false,
        version: plain.version,
        ..original.clone()
    };
    assert_eq!(plain, expected);
    let later = fx.now() + TimeDelta::hours(1);
    let copy = CopyRequest {
        name: Some("june".to_owned()),
        args: Some(sum(&[1, 2])),
        begin_time: Some(later),
    };
    let changed = host.management().copy(ALL, id, copy.clone()).await.unwrap();
    assert_eq!((changed.name.as_str(), &changed.args), ("june", &sum(&[1, 2])));
    assert_eq!(
        (changed.next_run_time, changed.tenant_id),
        (Some(later), samples::tenant(1))
    );
    let twice = host.management().copy(ALL, id, copy).await;
    assert!(
        matches!(twice, Err(ManagementError::NameTaken { by, .. }) if by == changed.id),
        "{twice:?}"
    );
    assert_eq!(host.find(id).await.unwrap(), original);
    pass(secs(3_600)).await;
    assert_eq!(
        host.run_due().await.unwrap(),
        2 + 1,
        "both, and what the plain one leads to"
    );
    let changed = host.find(changed.id).await.unwrap();
    assert_eq!(
        (changed.status, changed.result.as_deref()),
        (JobStatus::Completed, Some("3"))
    );
}

/// Nothing of all this reaches the jobs of another tenant, and each answers as if there were no such job.
pub async fn management_does_not_reach_other_tenants(fx: &impl SchedulerFixture) {
    let host = fx.node("a").run("t", done).build().unwrap();
    let of = |number| {
        let mut request = EnqueueRequest::new("t", JobArgs::new());
        (request.tenant_id, request.delay) = (Some(samples::tenant(number)), Some(secs(3_600)));
        request
    };
    let id = host.enqueue_with(of(1)).await.unwrap();
    let before = host.find(id).await.unwrap();
    let stranger = TenantScope::One(samples::tenant(2));
    let it = host.management();
    let not_found = |answer: Result<JobInfo, ManagementError>| {
        assert!(
            matches!(answer, Err(ManagementError::NotFound(at)) if at == id),
            "{answer:?}"
        );
    };
    not_found(it.get(stranger, id).await);
    not_found(
        it.update(
            stranger,
            JobInfo {
                priority: JobPriority::High,
                ..before.clone()
            },
        )
        .await,
    );
    not_found(it.reset_overrides(stranger, id).await);
    not_found(it.copy(stranger, id, CopyRequest::default()).await);
    not_found(it.requeue(stranger, id, Some(sum(&[1]))).await);
    for command in JobCommand::ALL {
        assert_eq!(
            it.command(stranger, id, command).await.unwrap(),
            CommandAnswer::NotFound,
            "{command}"
        );
        for mode in [BulkMode::DryRun, BulkMode::Apply] {
            let bulk = it
                .command_where(stranger, &JobQuery::default(), command, mode)
                .await
                .unwrap();
            assert_eq!(bulk.matched, 0, "{command}");
            let by_id = JobQuery {
                ids: Some(vec![id]),
                ..JobQuery::default()
            };
            let bulk = it.command_where(stranger, &by_id, command, mode).await.unwrap();
            assert_eq!(bulk.matched, 0, "{command}");
        }
    }
    assert_eq!(it.list(stranger, &JobQuery::default()).await.unwrap().total, 0);
    assert_eq!(
        it.retry_abandoned(stranger, None, BulkMode::Apply)
            .await
            .unwrap()
            .matched,
        0
    );
    assert_eq!(host.find(id).await.unwrap(), before);
    let own = TenantScope::One(samples::tenant(1));
    assert_eq!(
        it.command(own, id, JobCommand::Pause).await.unwrap(),
        CommandAnswer::Changed
    );
}
