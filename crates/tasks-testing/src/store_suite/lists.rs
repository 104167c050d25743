//! Lists of jobs: derived status, filters, order and pages.

use std::time::Duration;

use tasks_abstractions::run::{QueueEntry, RunKind};
use tasks_abstractions::store::{Cleanup, JobQuery, JobSort, Paging, SortOrder, WaitingChange};
use tasks_abstractions::{JobInfo, JobPriority, JobSource, JobStatus, JobType};

use super::fixture::StoreFixture;
use super::steps::{
    ALL, EVERYTHING, change, claim_one, finish, join, listed, numbers, snapshot, submit, with,
};
use crate::samples::{again, at, done, due, entry, job_id, once, repeating, unarmed, waiting};

async fn set_status(fx: &impl StoreFixture, number: u128, status: JobStatus) {
    change(&fx.store(), job_id(number), |it, _| {
        let job = JobInfo {
            status,
            next_run_time: None,
            ..it.job.clone()
        };
        with(
            job,
            WaitingChange::Remove,
            tasks_abstractions::store::RunChange::default(),
        )
    })
    .await;
}

/// One job of each shown status: 1 None, 2 Queuing, 3 Running, 4 FailedRetry, 5 Paused, 6 Stopped, 7 Completed, 8 Paused while it runs.
async fn one_of_each(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    for number in [3, 8, 7] {
        submit(&store, &[due(once(number), at(0))]).await;
        let run = claim_one(&store, 1, at(0)).await;
        match number {
            8 => set_status(fx, 8, JobStatus::Paused).await,
            7 => finish(&store, &[done(&run)]).await,
            _ => {}
        }
    }
    submit(&store, &[due(repeating(4), at(0))]).await;
    let run = claim_one(&store, 1, at(0)).await;
    let retry = QueueEntry {
        kind: RunKind::Retry,
        attempt: 2,
        ..entry(&run.job, at(600))
    };
    finish(&store, &[again(&run, retry)]).await;
    submit(
        &store,
        &[
            unarmed(once(1)),
            due(once(2), at(700)),
            due(once(5), at(0)),
            due(once(6), at(0)),
        ],
    )
    .await;
    set_status(fx, 5, JobStatus::Paused).await;
    set_status(fx, 6, JobStatus::Stopped).await;
}

const EACH: [(u128, JobStatus); 8] = [
    (1, JobStatus::None),
    (2, JobStatus::Queuing),
    (3, JobStatus::Running),
    (4, JobStatus::FailedRetry),
    (5, JobStatus::Paused),
    (6, JobStatus::Stopped),
    (7, JobStatus::Completed),
    (8, JobStatus::Paused),
];

/// The shown status follows from the stored state and from where the rows are, in every reading method.
pub async fn find_derives_the_status(fx: &impl StoreFixture) {
    one_of_each(fx).await;
    let store = fx.other_node();
    for (number, status) in EACH {
        let found = store
            .find(ALL, job_id(number))
            .await
            .expect("find")
            .expect("there");
        assert_eq!(found.status, status, "job {number}");
        assert_eq!(found.is_running, [3, 8].contains(&number), "job {number}");
        assert_eq!(found, snapshot(&store, job_id(number)).await.job);
        let waits = match number {
            2 => Some(at(700)),
            4 => Some(at(600)),
            _ => None,
        };
        assert_eq!(
            found.next_run_time, waits,
            "job {number}: none while nothing waits"
        );
        let query = JobQuery {
            ids: Some(vec![job_id(number)]),
            ..JobQuery::default()
        };
        assert_eq!(store.list(ALL, &query).await.expect("list").items, [found]);
    }
    assert!(store.find(ALL, job_id(99)).await.expect("find").is_none());
}

/// Counts and lists by status agree, whatever is counted.
pub async fn counts_agree_with_the_list(fx: &impl StoreFixture) {
    let store = fx.store();
    assert_eq!(
        store.counts(ALL).await.expect("counts"),
        tasks_abstractions::store::JobCounts::default()
    );
    one_of_each(fx).await;
    change(&store, job_id(6), |it, _| {
        super::steps::of_job(JobInfo {
            is_abandoned: true,
            ..it.job.clone()
        })
    })
    .await;
    let counts = store.counts(ALL).await.expect("counts");
    assert_eq!(counts.abandoned, 1);
    let mut sum = 0;
    for status in JobStatus::ALL.iter().copied() {
        let query = JobQuery {
            status: Some(status),
            ..JobQuery::default()
        };
        let expected: Vec<u128> = EACH.iter().filter(|it| it.1 == status).map(|it| it.0).collect();
        let mut found = listed(&store, ALL, &query).await;
        found.sort_unstable();
        assert_eq!(found, expected, "{status}");
        assert_eq!(counts.of(status), expected.len() as u64, "{status}");
        sum += counts.of(status);
    }
    assert_eq!(sum, EACH.len() as u64);
    assert!(
        !counts.by_status.values().any(|it| *it == 0),
        "a status without jobs is missing"
    );
}

/// Every filter alone, texts literally and by case; several together must all hold.
pub async fn list_filters_by_every_field(fx: &impl StoreFixture) {
    let store = fx.store();
    let a = JobInfo {
        name: "Nightly 100% a_b".to_owned(),
        group: "reports".to_owned(),
        type_name: "app.Report".to_owned(),
        description: Some("für Ärzte 🩺".to_owned()),
        priority: JobPriority::High,
        source: JobSource::User,
        job_type: JobType::Persistent,
        node_name: Some("batch-1".to_owned()),
        is_enabled: false,
        is_abandoned: true,
        begin_time: at(100),
        end_time: Some(at(1_000)),
        last_run_time: Some(at(50)),
        creation_time: at(-50),
        ..once(1)
    };
    let b = JobInfo {
        name: "nightly 100x acb".to_owned(),
        group: "Reports".to_owned(),
        ..once(2)
    };
    submit(&store, &[unarmed(a), unarmed(b), unarmed(once(3))]).await;
    let only = |set: fn(&mut JobQuery)| {
        let mut query = JobQuery {
            sort: JobSort::Name,
            ..JobQuery::default()
        };
        set(&mut query);
        query
    };
    let filters: [(&str, JobQuery); 23] = [
        ("name", only(|it| it.name = Some("Nightly 100% a_b".to_owned()))),
        ("group", only(|it| it.group = Some("reports".to_owned()))),
        ("type part", only(|it| it.type_name = Some("app.Rep".to_owned()))),
        (
            "filter in name",
            only(|it| it.filter = Some("Nightly".to_owned())),
        ),
        (
            "filter in group",
            only(|it| it.filter = Some("reports".to_owned())),
        ),
        ("filter in type", only(|it| it.filter = Some("app.R".to_owned()))),
        (
            "filter in description",
            only(|it| it.filter = Some("Ärzte 🩺".to_owned())),
        ),
        (
            "a percent sign is itself",
            only(|it| it.filter = Some("100%".to_owned())),
        ),
        (
            "an underscore is itself",
            only(|it| it.filter = Some("a_b".to_owned())),
        ),
        ("priority", only(|it| it.priority = Some(JobPriority::High))),
        ("source", only(|it| it.source = Some(JobSource::User))),
        ("type of job", only(|it| it.job_type = Some(JobType::Persistent))),
        ("node", only(|it| it.node_name = Some("batch-1".to_owned()))),
        ("enabled", only(|it| it.is_enabled = Some(false))),
        ("abandoned", only(|it| it.is_abandoned = Some(true))),
        ("begins from", only(|it| it.begin_time = Some(at(100)))),
        ("ends until", only(|it| it.end_time = Some(at(1_000)))),
        ("last run from", only(|it| it.begin_last_run_time = Some(at(50)))),
        ("last run until", only(|it| it.end_last_run_time = Some(at(50)))),
        ("made until", only(|it| it.end_creation_time = Some(at(-50)))),
        ("ids", only(|it| it.ids = Some(vec![job_id(1), job_id(77)]))),
        (
            "made from and until",
            only(|it| (it.begin_creation_time, it.end_creation_time) = (Some(at(-50)), Some(at(-1)))),
        ),
        (
            "several",
            only(|it| {
                (it.filter, it.is_enabled, it.status) =
                    (Some("100".to_owned()), Some(false), Some(JobStatus::None))
            }),
        ),
    ];
    for (what, query) in filters {
        let page = store.list(ALL, &query).await.expect("list");
        assert_eq!(
            (page.total, numbers(page.items.iter().map(|it| it.id))),
            (1, vec![1]),
            "{what}"
        );
    }
    let others: [(&str, JobQuery); 10] = [
        ("case counts", only(|it| it.filter = Some("NIGHTLY".to_owned()))),
        (
            "a backslash is itself",
            only(|it| it.filter = Some("\\%".to_owned())),
        ),
        (
            "a quote is itself",
            only(|it| it.name = Some("' OR 1=1 --".to_owned())),
        ),
        ("part of a name", only(|it| it.name = Some("Nightly".to_owned()))),
        ("begins later", only(|it| it.begin_time = Some(at(101)))),
        ("ends earlier", only(|it| it.end_time = Some(at(999)))),
        ("last run later", only(|it| it.begin_last_run_time = Some(at(51)))),
        ("last run earlier", only(|it| it.end_last_run_time = Some(at(49)))),
        ("no ids", only(|it| it.ids = Some(Vec::new()))),
        (
            "one of two does not hold",
            only(|it| (it.group, it.priority) = (Some("Reports".to_owned()), Some(JobPriority::High))),
        ),
    ];
    for (what, query) in others {
        let page = store.list(ALL, &query).await.expect("list");
        assert_eq!((page.total, page.items.len()), (0, 0), "{what}");
    }
    let enabled = only(|it| it.is_enabled = Some(true));
    assert_eq!(listed(&store, ALL, &enabled).await.len(), 2);
    let kept = only(|it| it.is_abandoned = Some(false));
    assert_eq!(listed(&store, ALL, &kept).await.len(), 2);
    let made = only(|it| it.begin_creation_time = Some(at(0)));
    assert_eq!(listed(&store, ALL, &made).await.len(), 2);
}

/// Filter, then order, then page; the total is that of the filter; ids break ties in the same direction; missing times count as earliest.
pub async fn list_filters_sorts_then_pages(fx: &impl StoreFixture) {
    let store = fx.store();
    let names = ["d", "b", "a", "e", "c", "c2"];
    let mut jobs = Vec::new();
    for (number, name) in (1_u128..).zip(names) {
        let seconds = i64::try_from(number).expect("small");
        let counter = u32::try_from(number).expect("small");
        let mut job = due(
            JobInfo {
                name: name.to_owned(),
                group: if number % 2 == 0 { "even" } else { "odd" }.to_owned(),
                type_name: format!("type.{name}"),
                creation_time: at(if number > 3 { 10 } else { seconds }),
                last_run_time: (number != 4).then(|| at(100 - seconds)),
                trigger_count: counter % 3,
                try_count: 10 - counter,
                priority: if number == 5 {
                    JobPriority::High
                } else {
                    JobPriority::Low
                },
                ..once(number)
            },
            at(1_000 - 100 * seconds),
        );
        if number == 2 {
            job = unarmed(JobInfo {
                status: JobStatus::None,
                next_run_time: None,
                ..job.job
            });
        }
        jobs.push(job);
    }
    submit(&store, &jobs).await;
    let expected: [(JobSort, [u128; 6]); 9] = [
        (JobSort::CreationTime, [1, 2, 3, 4, 5, 6]),
        (JobSort::Name, [3, 2, 5, 6, 1, 4]),
        (JobSort::Group, [2, 4, 6, 1, 3, 5]),
        (JobSort::TypeName, [3, 2, 5, 6, 1, 4]),
        (JobSort::LastRunTime, [4, 6, 5, 3, 2, 1]),
        (JobSort::NextRunTime, [2, 6, 5, 4, 3, 1]),
        (JobSort::Priority, [1, 2, 3, 4, 6, 5]),
        (JobSort::TriggerCount, [3, 6, 1, 4, 2, 5]),
        (JobSort::TryCount, [6, 5, 4, 3, 2, 1]),
    ];
    for (sort, ascending) in expected {
        for order in [SortOrder::Ascending, SortOrder::Descending] {
            let mut wanted = ascending.to_vec();
            if order == SortOrder::Descending {
                wanted.reverse();
            }
            let query = JobQuery {
                sort,
                order,
                paging: EVERYTHING,
                ..JobQuery::default()
            };
            assert_eq!(listed(&store, ALL, &query).await, wanted, "{sort:?} {order:?}");
            let mut paged = Vec::new();
            for skip in [0, 2, 4, 6] {
                let query = JobQuery {
                    paging: Paging { skip, take: 2 },
                    ..query.clone()
                };
                let page = store.list(ALL, &query).await.expect("list");
                assert_eq!(page.total, 6);
                paged.extend(numbers(page.items.iter().map(|it| it.id)));
            }
            assert_eq!(paged, wanted, "{sort:?} {order:?} in pages");
        }
    }
    let filtered = JobQuery {
        group: Some("odd".to_owned()),
        sort: JobSort::Name,
        order: SortOrder::Ascending,
        paging: Paging { skip: 1, take: 1 },
        ..JobQuery::default()
    };
    let page = store.list(ALL, &filtered).await.expect("list");
    assert_eq!(
        (page.total, numbers(page.items.iter().map(|it| it.id))),
        (3, vec![5])
    );
    assert_eq!(
        listed(&store, ALL, &JobQuery::default()).await,
        [6, 5, 4, 3, 2, 1],
        "newest first by default"
    );
    let none = JobQuery {
        paging: Paging { skip: 0, take: 0 },
        ..JobQuery::default()
    };
    let page = store.list(ALL, &none).await.expect("list");
    assert_eq!((page.total, page.items.len()), (6, 0));
}

/// Runs in flight, longest running first, up to the limit.
pub async fn running_list_holds_runs_in_flight(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    for (number, seconds) in [(3, 10), (1, 20), (2, 30)] {
        submit(&store, &[due(once(number), at(0))]).await;
        claim_one(&store, 1, at(seconds)).await;
    }
    submit(&store, &[due(once(4), at(0))]).await;
    set_status(fx, 1, JobStatus::Paused).await;
    let running = store.get_running_list(ALL, 10).await.expect("running");
    assert_eq!(numbers(running.iter().map(|it| it.job.id)), [3, 1, 2]);
    for found in &running {
        assert_eq!(*found, snapshot(&store, found.job.id).await);
    }
    let running = store.get_running_list(ALL, 2).await.expect("running");
    assert_eq!(numbers(running.iter().map(|it| it.job.id)), [3, 1]);
    assert!(store.get_running_list(ALL, 0).await.expect("running").is_empty());
}

/// What is due, in the order of claims, across lanes; not what is early or in flight.
pub async fn waiting_list_holds_due_executions_in_claim_order(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    submit(&store, &[due(once(9), at(-9))]).await;
    claim_one(&store, 1, at(0)).await;
    let urgent = JobInfo {
        priority: JobPriority::High,
        node_name: Some("elsewhere".to_owned()),
        ..once(4)
    };
    let demoted = once(1);
    let late = QueueEntry {
        rank: 20,
        ..entry(&demoted, at(-50))
    };
    let jobs = [
        waiting(demoted, late),
        due(once(3), at(-2)),
        due(once(2), at(-2)),
        due(urgent, at(0)),
        due(once(5), at(1)),
        unarmed(once(6)),
    ];
    submit(&store, &jobs).await;
    let waiting = store
        .get_waiting_list(ALL, 10, Some(at(0)))
        .await
        .expect("waiting");
    assert_eq!(numbers(waiting.iter().map(|it| it.job.id)), [4, 2, 3, 1]);
    for found in &waiting {
        assert_eq!(*found, snapshot(&store, found.job.id).await);
    }
    let waiting = store
        .get_waiting_list(ALL, 2, Some(at(0)))
        .await
        .expect("waiting");
    assert_eq!(numbers(waiting.iter().map(|it| it.job.id)), [4, 2]);
}

/// Active repeating jobs by id, waiting or in flight, in steps; neither Once jobs nor those held or ended.
pub async fn period_tasks_are_listed_by_id(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    submit(&store, &[due(repeating(7), at(0))]).await;
    claim_one(&store, 1, at(0)).await;
    let cron = JobInfo {
        job_type: JobType::Period,
        cron: Some("0 0 3 * * ?".to_owned()),
        interval: Duration::from_secs(300),
        ..once(2)
    };
    let jobs = [
        due(repeating(5), at(0)),
        due(cron, at(60)),
        due(once(3), at(0)),
        due(repeating(4), at(0)),
        unarmed(repeating(6)),
    ];
    submit(&store, &jobs).await;
    set_status(fx, 4, JobStatus::Paused).await;
    let page = async |after: Option<u128>, limit| {
        let found = store
            .get_all_period_tasks(ALL, after.map(job_id), limit)
            .await
            .expect("period tasks");
        numbers(found.iter().map(|it| it.id))
    };
    assert_eq!(page(None, 10).await, [2, 5, 7]);
    assert_eq!(page(None, 2).await, [2, 5]);
    assert_eq!(page(Some(5), 2).await, [7]);
    assert_eq!(page(Some(3), 10).await, [5, 7]);
    assert!(page(Some(7), 10).await.is_empty());
    let found = store
        .get_all_period_tasks(ALL, Some(job_id(5)), 1)
        .await
        .expect("period tasks");
    assert_eq!(
        found,
        [snapshot(&store, job_id(7)).await.job],
        "with derived status"
    );
}

/// Only Once jobs that ended, run nothing, and started last before the limit go; logs and nodes by their own limits; no more than asked.
pub async fn cleanup_removes_old_rows_only(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    let old = |number: u128, status: JobStatus| JobInfo {
        status,
        last_run_time: Some(at(-100)),
        ..once(number)
    };
    let fresh = JobInfo {
        last_run_time: Some(at(0)),
        ..old(4, JobStatus::Completed)
    };
    let repeats = JobInfo {
        job_type: JobType::Persistent,
        ..old(5, JobStatus::Completed)
    };
    let mut busy = due(old(6, JobStatus::Completed), at(500));
    busy.job.status = JobStatus::Completed;
    let jobs = [
        unarmed(old(1, JobStatus::Completed)),
        unarmed(old(2, JobStatus::Completed)),
        unarmed(old(3, JobStatus::Stopped)),
        unarmed(fresh),
        unarmed(repeats),
        busy,
        due(once(7), at(0)),
        unarmed(old(8, JobStatus::Paused)),
        unarmed(old(9, JobStatus::None)),
    ];
    submit(&store, &jobs).await;
    let run = claim_one(&store, 1, at(0)).await;
    finish(&store, &[done(&run)]).await;

    let nothing = Cleanup {
        jobs_before: None,
        stopped: true,
        logs_before: None,
        nodes_before: None,
        limit: 100,
    };
    assert_eq!(store.cleanup(&nothing).await.expect("cleanup"), 0);
    let jobs_before = Cleanup {
        jobs_before: Some(at(0)),
        stopped: false,
        ..nothing
    };
    let left = async || {
        let mut left = listed(&store, ALL, &JobQuery::default()).await;
        left.sort_unstable();
        left
    };
    let one = Cleanup {
        limit: 1,
        ..jobs_before
    };
    assert_eq!(store.cleanup(&one).await.expect("cleanup"), 1);
    assert_eq!(store.cleanup(&jobs_before).await.expect("cleanup"), 1);
    assert_eq!(left().await, [3, 4, 5, 6, 7, 8, 9]);
    let stopped = Cleanup {
        stopped: true,
        ..jobs_before
    };
    assert_eq!(store.cleanup(&stopped).await.expect("cleanup"), 1);
    assert_eq!(left().await, [4, 5, 6, 7, 8, 9]);

    let logs = |seconds| Cleanup {
        logs_before: Some(at(seconds)),
        ..nothing
    };
    assert_eq!(
        store.cleanup(&logs(1)).await.expect("cleanup"),
        0,
        "it started at 1"
    );
    assert_eq!(store.cleanup(&logs(2)).await.expect("cleanup"), 1);
    assert!(store.find_log(run.run.run_id).await.expect("find_log").is_none());

    let nodes = |seconds| Cleanup {
        nodes_before: Some(at(seconds)),
        ..nothing
    };
    assert_eq!(
        store.cleanup(&nodes(60)).await.expect("cleanup"),
        0,
        "it is alive"
    );
    super::steps::kill(&store, 1).await;
    assert_eq!(
        store.cleanup(&nodes(0)).await.expect("cleanup"),
        0,
        "not before its heartbeat"
    );
    assert_eq!(store.cleanup(&nodes(60)).await.expect("cleanup"), 1);
    assert!(store.nodes().await.expect("nodes").is_empty());
}
