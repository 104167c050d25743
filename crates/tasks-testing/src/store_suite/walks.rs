//! Walks over many rows in steps, sums over all, and progress.

use chrono::TimeDelta;
use tasks_abstractions::run::{Progress, RunProgress};
use tasks_abstractions::store::{JobQuery, ProgressReport, RunStatistics, UnarmedPage};
use tasks_abstractions::{JobInfo, JobStatus, RunOutcome};
use tasks_multitenancy::{TenantId, TenantScope};

use super::fixture::StoreFixture;
use super::steps::{ALL, claim, claim_one, finish, join, kill, numbers, snapshot, submit, take_over};
use crate::samples::{
    TYPE_NAME, at, done, due, finish as settlement, job_id, log, of_tenant, once, run_id, tenant, unarmed,
    unchanged,
};

/// Ids come ascending, by filter and scope, after a given one, whatever order and page the query asks for.
pub async fn ids_are_walked_by_filter(fx: &impl StoreFixture) {
    let store = fx.store();
    let mut jobs: Vec<_> = [5_u128, 1, 4, 2, 3].map(|it| due(once(it), at(0))).into();
    jobs.push(unarmed(JobInfo {
        type_name: "suite.job.other".to_owned(),
        ..once(6)
    }));
    jobs.push(due(of_tenant(7, tenant(1)), at(0)));
    submit(&store, &jobs).await;
    let walk = async |scope, query: &JobQuery, after: Option<u128>, limit| {
        numbers(
            store
                .list_ids(scope, query, after.map(job_id), limit)
                .await
                .expect("list_ids"),
        )
    };
    let all = JobQuery::default();
    assert_eq!(walk(ALL, &all, None, 3).await, [1, 2, 3]);
    assert_eq!(walk(ALL, &all, Some(3), 100).await, [4, 5, 6, 7]);
    assert_eq!(walk(ALL, &all, Some(7), 100).await, [0_u128; 0]);
    let host = TenantScope::One(TenantId::HOST);
    assert_eq!(walk(host, &all, Some(4), 100).await, [5, 6]);
    let exact = JobQuery {
        exact_type: Some(TYPE_NAME.to_owned()),
        paging: tasks_abstractions::store::Paging { skip: 2, take: 1 },
        ..JobQuery::default()
    };
    assert_eq!(walk(host, &exact, None, 100).await, [1, 2, 3, 4, 5]);
    let page = store
        .list(
            host,
            &JobQuery {
                paging: JobQuery::default().paging,
                ..exact
            },
        )
        .await
        .expect("list");
    assert_eq!(page.total, 5, "the list has the same filter");
    let waiting = JobQuery {
        status: Some(JobStatus::Queuing),
        ids: Some([2, 6, 7].map(job_id).into()),
        ..JobQuery::default()
    };
    assert_eq!(walk(ALL, &waiting, None, 100).await, [2, 7]);
}

/// Only Active, enabled jobs without an execution are found, of every tenant, in steps over all jobs that end.
pub async fn unarmed_jobs_are_found_in_steps(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    let active = |number: u128| JobInfo {
        status: JobStatus::Queuing,
        ..once(number)
    };
    let jobs = [
        unarmed(active(1)),
        due(once(2), at(500)),
        due(once(3), at(0)),
        unarmed(JobInfo {
            is_enabled: false,
            ..active(4)
        }),
        unarmed(JobInfo {
            status: JobStatus::Completed,
            ..once(5)
        }),
        unarmed(JobInfo {
            status: JobStatus::Queuing,
            ..of_tenant(6, tenant(1))
        }),
    ];
    submit(&store, &jobs).await;
    claim_one(&store, 1, at(0)).await;
    let step = async |after: Option<u128>, limit| {
        store
            .find_unarmed(after.map(job_id), limit)
            .await
            .expect("find_unarmed")
    };
    let page = |unarmed: &[u128], looked_at, next: Option<u128>| UnarmedPage {
        unarmed: unarmed.iter().copied().map(job_id).collect(),
        looked_at,
        next: next.map(job_id),
    };
    assert_eq!(step(None, 4).await, page(&[1], 4, Some(4)));
    assert_eq!(step(Some(4), 4).await, page(&[6], 2, None));
    assert_eq!(step(Some(6), 4).await, page(&[], 0, None));
    assert_eq!(step(None, 100).await, page(&[1, 6], 6, None));
}

/// A cursor is what was written last, for every handle, until it is taken away.
pub async fn a_cursor_keeps_its_last_value(fx: &impl StoreFixture) {
    let (store, other) = (fx.store(), fx.other_node());
    assert_eq!(store.cursor("check").await.expect("cursor"), None);
    store.set_cursor("check", Some("a")).await.expect("set_cursor");
    store.set_cursor("other", Some("ü")).await.expect("set_cursor");
    store.set_cursor("check", Some("b")).await.expect("set_cursor");
    assert_eq!(other.cursor("check").await.expect("cursor").as_deref(), Some("b"));
    other.set_cursor("check", None).await.expect("set_cursor");
    other.set_cursor("check", None).await.expect("set_cursor");
    assert_eq!(store.cursor("check").await.expect("cursor"), None);
    assert_eq!(store.cursor("other").await.expect("cursor").as_deref(), Some("ü"));
}

/// The sums are those of the log rows in scope and time, by type and outcome.
pub async fn run_statistics_agree_with_the_logs(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    let other = JobInfo {
        type_name: "another".to_owned(),
        ..once(3)
    };
    submit(
        &store,
        &[
            due(once(1), at(0)),
            due(once(2), at(0)),
            due(other, at(0)),
            due(of_tenant(4, tenant(1)), at(0)),
            due(once(5), at(100)),
        ],
    )
    .await;
    let early = claim(&store, 1, 10, at(0)).await;
    let late = claim(&store, 1, 10, at(100)).await;
    let mut runs: Vec<_> = early.iter().chain(&late).map(done).collect();
    let mut failed = log(&early[1], RunOutcome::Failed);
    failed.duration = std::time::Duration::from_millis(750);
    runs[1] = settlement(&early[1], unchanged(&early[1].job), None, Some(failed));
    finish(&store, &runs).await;
    let sum = |type_name: &str, outcome, runs, total_ms, longest_ms| RunStatistics {
        type_name: type_name.to_owned(),
        outcome,
        runs,
        total_ms,
        longest_ms,
    };
    let of = async |scope, since| store.run_statistics(scope, since).await.expect("run_statistics");
    let (done, failed) = (RunOutcome::Succeeded, RunOutcome::Failed);
    assert_eq!(
        of(ALL, at(0)).await,
        [
            sum("another", done, 1, 250, 250),
            sum(TYPE_NAME, done, 3, 750, 250),
            sum(TYPE_NAME, failed, 1, 750, 750),
        ]
    );
    assert_eq!(
        of(TenantScope::One(tenant(1)), at(0)).await,
        [sum(TYPE_NAME, done, 1, 250, 250)]
    );
    assert_eq!(of(ALL, at(50)).await, [sum(TYPE_NAME, done, 1, 250, 250)]);
    assert_eq!(of(ALL, at(102)).await, []);
}

/// The latest report of a run in flight is kept and shown; a run that was taken over, ended, or never was, is passed over, and nothing else changes.
pub async fn progress_is_kept_with_its_run(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    submit(&store, &[due(once(1), at(0)), due(once(2), at(0))]).await;
    let runs = claim(&store, 1, 10, at(0)).await;
    let report = |job: u128, run, done, message: &str| ProgressReport {
        job_id: job_id(job),
        run_id: run,
        progress: Progress {
            done,
            total: 10,
            message: message.to_owned(),
        },
    };
    let before = snapshot(&store, job_id(1)).await;
    assert_eq!(before.run.as_ref().and_then(|it| it.progress.clone()), None);
    let first = report(1, runs[0].run.run_id, 1, "one");
    let stranger = report(2, run_id(99), 7, "never was");
    store
        .store_progress(&[first, stranger], Some(at(3)))
        .await
        .expect("store_progress");
    let second = report(1, runs[0].run.run_id, u64::MAX, "zwei 二");
    store
        .store_progress(&[second], Some(at(4) + TimeDelta::microseconds(1)))
        .await
        .expect("store_progress");
    let mut after = snapshot(&fx.other_node(), job_id(1)).await;
    let expected = RunProgress {
        done: Progress::MAX_COUNT,
        total: 10,
        message: "zwei 二".to_owned(),
        at: at(4) + TimeDelta::microseconds(1),
    };
    let kept = after.run.as_mut().and_then(|it| it.progress.take());
    assert_eq!(kept, Some(expected.clone()));
    assert_eq!(after, before, "nothing else changed");
    let listed = store.get_running_list(ALL, 10).await.expect("running");
    assert_eq!(
        listed[0].run.as_ref().and_then(|it| it.progress.clone()),
        Some(expected)
    );
    let untouched = snapshot(&store, job_id(2)).await;
    assert_eq!(untouched.run.and_then(|it| it.progress), None);

    join(&store, 2).await;
    kill(&store, 1).await;
    let taken = take_over(&store, 2, at(10)).await;
    let stale = report(1, runs[0].run.run_id, 9, "stale");
    store
        .store_progress(&[stale], Some(at(11)))
        .await
        .expect("store_progress");
    let now = snapshot(&store, job_id(1)).await;
    assert_ne!(
        now.run.and_then(|it| it.progress).map(|it| it.message),
        Some("stale".to_owned())
    );
    finish(&store, &[done(&taken[0].claimed)]).await;
    let late = report(1, taken[0].claimed.run.run_id, 9, "late");
    store
        .store_progress(&[late], Some(at(12)))
        .await
        .expect("store_progress");
    assert!(snapshot(&store, job_id(1)).await.run.is_none());
    store.store_progress(&[], None).await.expect("store_progress");
}
