//! Whose rows a query sees: two tenants, the host, and everything.

use tasks_abstractions::store::{ChangeAnswer, JobLogQuery, JobQuery};
use tasks_abstractions::{JobInfo, JobStatus, JobType};
use tasks_multitenancy::{TenantId, TenantScope};

use super::fixture::StoreFixture;
use super::steps::{ALL, claim, finish, join, listed, numbers, of_job, submit};
use crate::samples::{again, at, due, entry, job_id, of_tenant, tenant};

/// Every method with a scope: a tenant's rows, the host's own rows only, or all. Ids of others answer like ids that do not exist.
pub async fn a_tenant_sees_only_its_own(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    let owners = [TenantId::HOST, tenant(1), tenant(2)];
    // For each owner: n0 runs, n1 waits and repeats, n2 has run once.
    let mut jobs = Vec::new();
    for (n, owner) in (1_u128..).zip(owners) {
        jobs.push(due(of_tenant(n * 10, owner), at(0)));
        jobs.push(due(of_tenant(n * 10 + 2, owner), at(0)));
        let worker = JobInfo {
            job_type: JobType::Persistent,
            name: "nightly".to_owned(),
            ..of_tenant(n * 10 + 1, owner)
        };
        jobs.push(due(worker, at(100)));
    }
    submit(&store, &jobs).await;
    for run in claim(&store, 1, 100, at(0)).await {
        if run.job.id.as_uuid().as_u128() % 10 == 2 {
            finish(&store, &[again(&run, entry(&run.job, at(200)))]).await;
        }
    }

    for (n, owner) in (1_u128..).zip(owners) {
        let scope = TenantScope::One(owner);
        let own = [n * 10, n * 10 + 1, n * 10 + 2];
        let all: Vec<_> = [10, 11, 12, 20, 21, 22, 30, 31, 32].map(job_id).to_vec();
        let mut found = listed(&store, scope, &JobQuery::default()).await;
        found.sort_unstable();
        assert_eq!(found, own, "list");
        let page = store.list(scope, &JobQuery::default()).await.expect("list");
        assert_eq!(page.total, 3, "total");
        let asked = JobQuery {
            ids: Some(all.clone()),
            ..JobQuery::default()
        };
        assert_eq!(listed(&store, scope, &asked).await.len(), 3, "list by ids");
        let running = store.get_running_list(scope, 10).await.expect("running");
        assert_eq!(numbers(running.iter().map(|it| it.job.id)), [own[0]], "running");
        let waiting = store
            .get_waiting_list(scope, 10, Some(at(500)))
            .await
            .expect("waiting");
        assert_eq!(
            numbers(waiting.iter().map(|it| it.job.id)),
            [own[1], own[2]],
            "waiting"
        );
        let period = store
            .get_all_period_tasks(scope, None, 10)
            .await
            .expect("period tasks");
        assert_eq!(numbers(period.iter().map(|it| it.id)), [own[1]], "period tasks");
        let snapshots = store.snapshots(scope, &all).await.expect("snapshots");
        assert_eq!(numbers(snapshots.iter().map(|it| it.job.id)), own, "snapshots");
        let counts = store.counts(scope).await.expect("counts");
        assert_eq!(
            (counts.of(JobStatus::Running), counts.of(JobStatus::Queuing)),
            (1, 2),
            "counts"
        );
        let logs = store
            .list_logs(scope, &JobLogQuery::default())
            .await
            .expect("list_logs");
        assert_eq!(
            (logs.total, numbers(logs.items.iter().map(|it| it.job_id))),
            (1, vec![own[2]]),
            "logs"
        );
        for id in &all {
            let visible = own.contains(&id.as_uuid().as_u128());
            let found = store.find(scope, *id).await.expect("find");
            assert_eq!(found.is_some(), visible, "find {id}");
            assert!(found.is_none_or(|it| it.tenant_id == owner));
        }
        let touch = |it: &tasks_abstractions::run::JobSnapshot, _| of_job(it.job.clone());
        let answers = store.change(scope, &all, None, &touch).await.expect("change");
        let changed = answers
            .iter()
            .filter(|it| matches!(it, ChangeAnswer::Changed(_)))
            .count();
        assert_eq!(changed, 3, "change");
        assert_eq!(
            answers.iter().filter(|it| **it == ChangeAnswer::NotFound).count(),
            6,
            "change"
        );
    }
    let counts = store.counts(ALL).await.expect("counts");
    assert_eq!(
        (counts.of(JobStatus::Running), counts.of(JobStatus::Queuing)),
        (3, 6)
    );
    assert_eq!(
        store.list(ALL, &JobQuery::default()).await.expect("list").total,
        9
    );
    assert_eq!(
        store
            .list_logs(ALL, &JobLogQuery::default())
            .await
            .expect("list_logs")
            .total,
        3
    );

    let nobody = TenantScope::One(tenant(9));
    assert_eq!(
        store
            .list(nobody, &JobQuery::default())
            .await
            .expect("list")
            .total,
        0
    );
    assert_eq!(
        store.counts(nobody).await.expect("counts"),
        tasks_abstractions::store::JobCounts::default()
    );
    for other in [
        nobody,
        TenantScope::One(tenant(1)),
        TenantScope::One(TenantId::HOST),
    ] {
        assert!(
            !store.remove(other, job_id(31)).await.expect("remove"),
            "{other:?}"
        );
    }
    assert!(
        store
            .remove(TenantScope::One(tenant(2)), job_id(31))
            .await
            .expect("remove")
    );
    assert_eq!(
        store.list(ALL, &JobQuery::default()).await.expect("list").total,
        8
    );
}
