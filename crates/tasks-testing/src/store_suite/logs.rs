//! Finished executions: once a run, found by every field.

use std::time::Duration;

use tasks_abstractions::RunOutcome;
use tasks_abstractions::run::JobLog;
use tasks_abstractions::store::{JobLogQuery, JobLogSort, Paging, SortOrder};
use tasks_multitenancy::TenantId;
use uuid::Uuid;

use super::fixture::StoreFixture;
use super::steps::{ALL, EVERYTHING};
use crate::samples::{TYPE_NAME, at, instance_id, job_id, run_id};

fn record(number: u128) -> JobLog {
    let seconds = i64::try_from(number).expect("small");
    JobLog {
        run_id: run_id(number),
        job_id: job_id(number % 3),
        tenant_id: TenantId::HOST,
        job_name: format!("name-{number}"),
        job_group: "group".to_owned(),
        type_name: TYPE_NAME.to_owned(),
        outcome: RunOutcome::Succeeded,
        message: None,
        error: None,
        started_at: at(seconds),
        duration: Duration::from_millis(1_000 - u64::try_from(number).expect("small")),
        node_name: "node-1".to_owned(),
        instance: instance_id(1),
        attempt: 1,
    }
}

async fn found(fx: &impl StoreFixture, query: &JobLogQuery) -> (u64, Vec<u128>) {
    let page = fx.store().list_logs(ALL, query).await.expect("list_logs");
    let runs: Vec<Uuid> = page.items.iter().map(|it| it.run_id.as_uuid()).collect();
    (page.total, runs.into_iter().map(|it| it.as_u128()).collect())
}

/// A second row of the same run is left alone, a run is one of a job, and a log needs no job to be there.
pub async fn a_run_is_logged_once(fx: &impl StoreFixture) {
    let store = fx.store();
    let first = JobLog {
        message: Some("first".to_owned()),
        error: Some("why\ncaused by: 🔥".to_owned()),
        outcome: RunOutcome::Panicked,
        attempt: 7,
        ..record(1)
    };
    store.store_log(first.clone()).await.expect("store_log");
    let second = JobLog {
        message: Some("second".to_owned()),
        outcome: RunOutcome::Succeeded,
        ..first.clone()
    };
    let later = JobLog {
        started_at: at(50),
        ..second.clone()
    };
    let of_another = JobLog {
        job_id: job_id(9),
        ..second.clone()
    };
    for log in [second, later, of_another.clone()] {
        fx.other_node().store_log(log).await.expect("store_log");
    }
    let find = async |job, run| store.find_log(job_id(job), run_id(run)).await.expect("find_log");
    assert_eq!(find(1, 1).await, Some(first));
    assert_eq!(find(9, 1).await, Some(of_another));
    assert_eq!(find(1, 2).await, None);
    assert_eq!(find(2, 1).await, None);
    assert_eq!(found(fx, &JobLogQuery::default()).await, (2, vec![1, 1]));
}

/// Each filter alone, texts literally and by case, bounds included; with and without an error.
pub async fn logs_filter_by_every_field(fx: &impl StoreFixture) {
    let marked = JobLog {
        job_id: job_id(40),
        job_name: "Import 5%".to_owned(),
        job_group: "imports".to_owned(),
        type_name: "app.Import".to_owned(),
        message: Some("Länge_7".to_owned()),
        error: Some("boom".to_owned()),
        outcome: RunOutcome::Failed,
        started_at: at(100),
        ..record(4)
    };
    for log in [record(1), record(2), marked] {
        fx.store().store_log(log).await.expect("store_log");
    }
    let only = |set: fn(&mut JobLogQuery)| {
        let mut query = JobLogQuery::default();
        set(&mut query);
        query
    };
    let filters: [(&str, JobLogQuery); 12] = [
        ("job", only(|it| it.job_id = Some(job_id(40)))),
        ("name", only(|it| it.name = Some("Import 5%".to_owned()))),
        ("group", only(|it| it.group = Some("imports".to_owned()))),
        ("type part", only(|it| it.type_name = Some("Import".to_owned()))),
        ("filter in name", only(|it| it.filter = Some("5%".to_owned()))),
        (
            "filter in group",
            only(|it| it.filter = Some("imports".to_owned())),
        ),
        ("filter in type", only(|it| it.filter = Some("app.I".to_owned()))),
        (
            "filter in message",
            only(|it| it.filter = Some("Länge_".to_owned())),
        ),
        ("outcome", only(|it| it.outcome = Some(RunOutcome::Failed))),
        ("with an error", only(|it| it.has_exceptions = Some(true))),
        ("started from", only(|it| it.begin_run_time = Some(at(100)))),
        (
            "started between",
            only(|it| (it.begin_run_time, it.end_run_time) = (Some(at(3)), Some(at(100)))),
        ),
    ];
    for (what, query) in filters {
        assert_eq!(found(fx, &query).await, (1, vec![4]), "{what}");
    }
    assert_eq!(
        found(fx, &only(|it| it.has_exceptions = Some(false))).await,
        (2, vec![2, 1])
    );
    assert_eq!(
        found(fx, &only(|it| it.end_run_time = Some(at(2)))).await,
        (2, vec![2, 1])
    );
    for query in [
        only(|it| it.filter = Some("import 5".to_owned())),
        only(|it| it.filter = Some("boom".to_owned())),
        only(|it| it.name = Some("Import".to_owned())),
        only(|it| it.begin_run_time = Some(at(101))),
        only(|it| (it.outcome, it.has_exceptions) = (Some(RunOutcome::Failed), Some(false))),
    ] {
        assert_eq!(found(fx, &query).await, (0, vec![]), "{query:?}");
    }
}

/// Order before pages, newest first by default; runs break ties in the same direction.
pub async fn logs_are_sorted_then_paged(fx: &impl StoreFixture) {
    for number in [3, 1, 5, 2, 4] {
        let log = JobLog {
            started_at: at(if number == 4 {
                3
            } else {
                i64::try_from(number).expect("small")
            }),
            ..record(number)
        };
        fx.store().store_log(log).await.expect("store_log");
    }
    let sorted = |sort, order, paging| JobLogQuery {
        sort,
        order,
        paging,
        ..JobLogQuery::default()
    };
    let (up, down) = (SortOrder::Ascending, SortOrder::Descending);
    assert_eq!(found(fx, &JobLogQuery::default()).await, (5, vec![5, 4, 3, 2, 1]));
    assert_eq!(
        found(fx, &sorted(JobLogSort::StartedAt, up, EVERYTHING)).await.1,
        [1, 2, 3, 4, 5]
    );
    assert_eq!(
        found(fx, &sorted(JobLogSort::Duration, up, EVERYTHING)).await.1,
        [5, 4, 3, 2, 1]
    );
    assert_eq!(
        found(fx, &sorted(JobLogSort::Duration, down, EVERYTHING)).await.1,
        [1, 2, 3, 4, 5]
    );
    let page = Paging { skip: 1, take: 2 };
    assert_eq!(
        found(fx, &sorted(JobLogSort::StartedAt, down, page)).await,
        (5, vec![4, 3])
    );
    let beyond = Paging { skip: 9, take: 2 };
    assert_eq!(
        found(fx, &sorted(JobLogSort::StartedAt, down, beyond)).await,
        (5, vec![])
    );
}
