//! Lists of jobs: derived status, filters, order and pages.

use std::time::Duration;

use tasks_abstractions::run::{QueueEntry, RunKind};
use tasks_abstractions::store::{JobQuery, JobSort, Paging, SortOrder, WaitingChange};
use tasks_abstractions::{JobInfo, JobPriority, JobStatus, JobType};

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
