//! Batches beyond every bind limit.

use std::collections::HashSet;

use tasks_abstractions::job::Lane;
use tasks_abstractions::store::{
    Cleanup, CleanupTarget, FinishAnswer, JobEnd, JobQuery, PreparedJob, SubmitAnswer, TypeFilter,
};
use tasks_abstractions::{JobId, JobInfo, JobStatus};

use super::fixture::StoreFixture;
use super::steps::{ALL, claim, join, kill, submit, take_over};
use crate::samples::{at, claim_request, done, due, job_id, once};

fn batch(count: u128) -> Vec<PreparedJob> {
    (1..=count)
        .map(|number| {
            let named = number % 2 == 0;
            let job = once(number);
            let name = if named {
                format!("job {number}")
            } else {
                job.name.clone()
            };
            due(JobInfo { name, ..job }, at(0))
        })
        .collect()
}

/// One answer each and in order, with ids and names among them that are there already.
pub async fn submit_takes_ten_thousand_at_once(fx: &impl StoreFixture) {
    let store = fx.store();
    let mut jobs = batch(10_000);
    submit(&store, &[jobs[4_321].clone(), jobs[9_999].clone()]).await;
    let taken = JobInfo {
        name: jobs[4_321].job.name.clone(),
        ..once(20_000)
    };
    jobs.push(due(taken, at(0)));
    let answers = store.submit(&jobs).await.expect("submit");
    assert_eq!(answers.len(), 10_001);
    for (i, answer) in answers.iter().enumerate() {
        let expected = match i {
            4_321 | 9_999 => SubmitAnswer::Exists,
            10_000 => SubmitAnswer::NameTaken { by: job_id(4_322) },
            _ => SubmitAnswer::Inserted,
        };
        assert_eq!(*answer, expected, "answer {i}");
    }
    assert_eq!(
        store.counts(ALL).await.expect("counts").of(JobStatus::Queuing),
        10_000
    );
    let ids: Vec<JobId> = (1..=10_000).rev().map(job_id).collect();
    let found = store.snapshots(ALL, &ids).await.expect("snapshots");
    assert!(
        found.iter().map(|it| it.job.id).eq(ids.iter().copied()),
        "in the order of the ids"
    );
    assert!(found.iter().all(|it| it.waiting.is_some()));
    let query = JobQuery {
        ids: Some(ids),
        ..JobQuery::default()
    };
    assert_eq!(store.list(ALL, &query).await.expect("list").total, 10_000);
}

/// 3,000 claimed at once, settled at once with a neighbour that is gone, and cleaned away.
pub async fn three_thousand_are_claimed_and_settled_at_once(fx: &impl StoreFixture) {
    let store = fx.store();
    let instance = join(&store, 1).await;
    submit(&store, &batch(3_100)).await;
    let claimed = claim(&store, 1, 3_000, at(0)).await;
    assert_eq!(claimed.len(), 3_000);
    assert!(
        claimed.iter().map(|it| it.job.id).eq((1..=3_000).map(job_id)),
        "in order"
    );
    assert_eq!(store.runs_of(instance).await.expect("runs_of").len(), 3_000);
    assert!(store.remove(ALL, job_id(1_500)).await.expect("remove"));

    let runs: Vec<_> = claimed.iter().map(done).collect();
    let answers = store.finish(&runs).await.expect("finish");
    assert_eq!(answers.len(), 3_000);
    for (answer, run) in answers.iter().zip(&runs) {
        let gone = run.job_id == job_id(1_500);
        assert_eq!(
            matches!(answer, FinishAnswer::Gone),
            gone,
            "{answer:?} of {}",
            run.job_id
        );
        assert_eq!(
            matches!(answer, FinishAnswer::Applied),
            !gone,
            "{answer:?} of {}",
            run.job_id
        );
    }
    let counts = store.counts(ALL).await.expect("counts");
    assert_eq!(
        (counts.of(JobStatus::Completed), counts.of(JobStatus::Queuing)),
        (2_999, 100)
    );
    assert!(store.runs_of(instance).await.expect("runs_of").is_empty());
    for target in [CleanupTarget::Jobs(JobEnd::Completed), CleanupTarget::Logs(None)] {
        let clean = Cleanup {
            target,
            types: TypeFilter::All,
            before: at(100),
            limit: 10_000,
        };
        assert_eq!(store.cleanup(&clean).await.expect("cleanup"), 2_999, "{target:?}");
    }
}

/// 2,000 runs of a dead node are taken over at once, and changed at once.
pub async fn two_thousand_are_taken_over_and_changed_at_once(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    let heir = join(&store, 2).await;
    submit(&store, &batch(2_000)).await;
    assert_eq!(claim(&store, 1, 5_000, at(0)).await.len(), 2_000);
    kill(&store, 1).await;
    let taken = take_over(&store, 2, at(1)).await;
    let distinct: HashSet<JobId> = taken.iter().map(|it| it.claimed.job.id).collect();
    assert_eq!((taken.len(), distinct.len()), (2_000, 2_000));
    assert_eq!(store.runs_of(heir).await.expect("runs_of").len(), 2_000);
    let ids: Vec<JobId> = (1..=2_000).map(job_id).collect();
    let touch = |it: &tasks_abstractions::run::JobSnapshot, _| super::steps::of_job(it.job.clone());
    let answers = store.change(ALL, &ids, None, &touch).await.expect("change");
    assert_eq!(answers.len(), 2_000);
    assert!(
        answers.iter().all(
            |it| matches!(it, tasks_abstractions::store::ChangeAnswer::Changed(it) if it.job.version == 2)
        )
    );
}

/// A hundred lanes are claimed from in one order, and looked at for the next due time.
pub async fn a_node_may_serve_a_hundred_lanes(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    let lanes: Vec<Lane> = (0..100).map(|it| Lane::node(&format!("n{it}"))).collect();
    let jobs: Vec<PreparedJob> = (0..200_u128)
        .map(|number| {
            let seconds = -i64::try_from(number * 37 % 200).expect("small");
            let mut job = due(once(number + 1), at(seconds));
            if let Some(first) = &mut job.first {
                first.lane = lanes[usize::try_from(number % 100).expect("small")].clone();
            }
            job
        })
        .collect();
    submit(&store, &jobs).await;
    let earliest = store.next_due(&lanes, Some(at(-1_000))).await.expect("next_due");
    assert_eq!(earliest.map(|it| it.as_secs()), Some(801));
    let mut ask = claim_request(1, 150, at(0));
    ask.lanes = lanes;
    let mut seen = store.claim(&ask).await.expect("claim");
    assert_eq!(seen.len(), 150);
    seen.extend(store.claim(&ask).await.expect("claim"));
    assert_eq!(seen.len(), 200);
    assert!(seen.is_sorted_by_key(|it| it.run.entry.due_at));
}
