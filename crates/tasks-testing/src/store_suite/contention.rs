//! Several nodes at once, really at once: each gets its own, nothing comes twice and nothing is lost.

use std::collections::HashSet;
use std::sync::Arc;

use futures::FutureExt as _;
use tasks_abstractions::run::JobSnapshot;
use tasks_abstractions::store::{
    ChangeAnswer, ClaimedRun, FinishAnswer, PreparedJob, StoreErrorKind, SubmitAnswer, TakeOver,
};
use tasks_abstractions::{JobId, JobInfo, JobStatus};
use tokio::sync::Barrier;

use super::fixture::{FullStore, StoreFixture};
use super::steps::{ALL, change, claim, claim_one, join, kill, of_job, snapshot, submit, until_available};
use crate::samples::{at, claim_id, claim_request, done, due, instance_id, job_id, once, unarmed};

fn jobs(count: u128) -> Vec<PreparedJob> {
    (1..=count).map(|it| due(once(it), at(0))).collect()
}

/// Claims and settles in batches of 7 until nothing is left; answers the jobs.
async fn drain(store: Arc<dyn FullStore>, number: u128, start: Arc<Barrier>) -> Vec<JobId> {
    let mut seen = Vec::new();
    start.wait().await;
    loop {
        let request = claim_request(number, 7, at(0));
        let claimed: Vec<ClaimedRun> = until_available!(store.claim(&request));
        if claimed.is_empty() && until_available!(store.next_due(&request.lanes, request.now)).is_none() {
            return seen;
        }
        seen.extend(claimed.iter().map(|it| it.job.id));
        let runs: Vec<_> = claimed.iter().map(done).collect();
        let answers = until_available!(store.finish(&runs));
        assert!(
            answers.iter().all(|it| matches!(it, FinishAnswer::Applied)),
            "{answers:?}"
        );
    }
}

/// Two nodes of four workers each drain 1,000 jobs: every job once, each with one log row.
pub async fn claim_gives_an_execution_to_one_node_only(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    join(&store, 2).await;
    submit(&store, &jobs(1_000)).await;
    let start = Arc::new(Barrier::new(8));
    let workers = (0..8).map(|it| {
        let (node, number) = if it % 2 == 0 {
            (fx.store(), 1)
        } else {
            (fx.other_node(), 2)
        };
        tokio::spawn(drain(node, number, Arc::clone(&start)))
    });
    let mut seen = Vec::new();
    for worker in futures::future::join_all(workers).await {
        seen.extend(worker.expect("no panic"));
    }
    let distinct: HashSet<JobId> = seen.iter().copied().collect();
    assert_eq!((seen.len(), distinct.len()), (1_000, 1_000));
    assert_eq!(
        store.counts(ALL).await.expect("counts").of(JobStatus::Completed),
        1_000
    );
    let logs = store
        .list_logs(ALL, &tasks_abstractions::store::JobLogQuery::default())
        .await;
    assert_eq!(logs.expect("list_logs").total, 1_000);
}

/// Two nodes take over 200 runs of a dead one at once: each run goes to one of them.
pub async fn concurrent_take_overs_share_the_runs(fx: &impl StoreFixture) {
    let store = fx.store();
    for number in 1..=3 {
        join(&store, number).await;
    }
    submit(&store, &jobs(200)).await;
    assert_eq!(claim(&store, 1, 500, at(0)).await.len(), 200);
    kill(&store, 1).await;
    let start = Arc::new(Barrier::new(2));
    let takers = [(fx.store(), 2), (fx.other_node(), 3)].map(|(store, number)| {
        let start = Arc::clone(&start);
        tokio::spawn(async move {
            start.wait().await;
            let mut taken = Vec::new();
            loop {
                let ask = TakeOver {
                    instance: instance_id(number),
                    claim_id: claim_id(),
                    limit: 9,
                    now: Some(at(1)),
                };
                let some = until_available!(store.take_over(&ask));
                if some.is_empty() {
                    return taken;
                }
                taken.extend(
                    some.into_iter()
                        .map(|it| (it.claimed.job.id, it.claimed.run.run_id)),
                );
                assert!(taken.len() <= 200, "each run is taken over once");
            }
        })
    });
    let mut taken = Vec::new();
    for taker in takers {
        taken.extend(taker.await.expect("no panic"));
    }
    // A taker may see nothing while the other holds the last rows; whatever is left is taken now.
    let rest = super::steps::take_over(&store, 2, at(2)).await;
    taken.extend(
        rest.into_iter()
            .map(|it| (it.claimed.job.id, it.claimed.run.run_id)),
    );
    let distinct: HashSet<JobId> = taken.iter().map(|it| it.0).collect();
    assert_eq!((taken.len(), distinct.len()), (200, 200));
    for (job, run) in taken {
        assert_eq!(snapshot(&store, job).await.run.expect("in flight").run_id, run);
    }
}

/// Many callers store one job each at once: each has its own answer, what one is refused for hinders no other, and those that give up leave nobody waiting.
pub async fn jobs_stored_one_by_one_by_many_are_answered_each(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    let unnamed = (1..=40).map(|it| due(once(it), at(0)));
    let named = (41..=42).map(|it| {
        let job = JobInfo {
            name: "the one".to_owned(),
            ..once(it)
        };
        due(job, at(0))
    });
    let again = (1..=5).map(|it| due(once(it), at(0)));
    let bad = JobInfo {
        description: Some("a\0b".to_owned()),
        ..once(43)
    };
    let all: Vec<PreparedJob> = unnamed
        .chain(named)
        .chain(again)
        .chain([due(bad, at(0))])
        .collect();
    // Each is begun, and none of these is waited for.
    for number in 101..=110 {
        drop(store.submit(&[due(once(number), at(0))]).now_or_never());
    }
    let calls = all.iter().map(async |it| {
        loop {
            match store.submit(std::slice::from_ref(it)).await {
                Err(busy) if busy.is_unavailable() => tokio::task::yield_now().await,
                other => break other,
            }
        }
    });
    // Some by a node that would run them itself.
    let born = (51..=70).map(async |number| {
        let (job, request) = (due(once(number), at(0)), claim_request(1, 1, at(0)));
        let (answer, claimed) = until_available!(store.submit_claimed(&job, &request));
        assert_eq!(answer, SubmitAnswer::Inserted);
        let run = snapshot(&store, job_id(number)).await.run.map(|it| it.run_id);
        assert_eq!(run, claimed.map(|it| it.run.run_id), "what is answered is so");
        (job_id(number), run.is_some())
    });
    let both = futures::future::join(futures::future::join_all(calls), futures::future::join_all(born));
    let (mut answers, born) = both.await;
    let refused = answers.pop().expect("an answer").expect_err("a text with NUL");
    assert_eq!(refused.kind(), StoreErrorKind::Rejected, "{refused}");
    let mut inserted = HashSet::new();
    let mut exist = Vec::new();
    let mut taken = Vec::new();
    for (answer, job) in answers.into_iter().zip(&all) {
        let mut answer = answer.expect("only one is refused");
        match answer.pop().expect("one answer") {
            SubmitAnswer::Inserted => assert!(inserted.insert(job.job.id), "{} twice", job.job.id),
            SubmitAnswer::Exists => exist.push(job.job.id),
            SubmitAnswer::NameTaken { by } => taken.push((job.job.id, by)),
        }
    }
    exist.sort_unstable();
    assert_eq!(exist, [1, 2, 3, 4, 5].map(job_id));
    let (one, other) = (job_id(41), job_id(42));
    assert!(taken == [(one, other)] || taken == [(other, one)], "{taken:?}");
    assert_eq!(inserted.len(), 41);
    for (job, _) in born.iter().filter(|(_, is_claimed)| !is_claimed) {
        inserted.insert(*job);
    }
    let claimed = claim(&store, 1, 500, at(0)).await;
    let claimed: HashSet<JobId> = claimed.iter().map(|it| it.job.id).collect();
    assert!(inserted.is_subset(&claimed), "what was accepted waits");
    let given_up: Vec<_> = claimed.difference(&inserted).collect();
    let may_be_there: Vec<_> = (101..=110).map(job_id).collect();
    assert!(
        given_up.iter().all(|it| may_be_there.contains(it)),
        "{given_up:?}"
    );
}

/// Two nodes submit the same ids at once, in opposite order: each job is stored by one of them, with one execution.
pub async fn concurrent_submits_store_a_job_once(fx: &impl StoreFixture) {
    let start = Arc::new(Barrier::new(2));
    let forwards = jobs(300);
    let backwards: Vec<_> = forwards.iter().rev().cloned().collect();
    let both = [(fx.store(), forwards), (fx.other_node(), backwards)].map(|(store, jobs)| {
        let start = Arc::clone(&start);
        tokio::spawn(async move {
            start.wait().await;
            let mut inserted = Vec::new();
            for some in jobs.chunks(20) {
                let answers = until_available!(store.submit(some));
                for (answer, job) in answers.into_iter().zip(some) {
                    match answer {
                        SubmitAnswer::Inserted => inserted.push(job.job.id),
                        SubmitAnswer::Exists => {}
                        SubmitAnswer::NameTaken { by } => panic!("{} has no name, {by} has it", job.job.id),
                    }
                }
            }
            inserted
        })
    });
    let mut inserted = Vec::new();
    for one in both {
        inserted.extend(one.await.expect("no panic"));
    }
    inserted.sort_unstable();
    assert!(
        inserted.iter().copied().eq((1..=300).map(job_id)),
        "each id by one of them"
    );
    assert_eq!(
        fx.store()
            .counts(ALL)
            .await
            .expect("counts")
            .of(JobStatus::Queuing),
        300
    );
}

/// Many take one name at once, by submit and by rename: one gets it, the others are told who.
pub async fn a_contended_name_goes_to_one(fx: &impl StoreFixture) {
    for round in 0..20_u128 {
        let name = format!("name {round}");
        let first = round * 10 + 1;
        submit(&fx.store(), &[unarmed(once(first + 4)), unarmed(once(first + 5))]).await;
        let start = Arc::new(Barrier::new(6));
        let tries = (0..6).map(|i| {
            let store = if i % 2 == 0 { fx.store() } else { fx.other_node() };
            let (start, name) = (Arc::clone(&start), name.clone());
            tokio::spawn(async move {
                let id = first + i;
                let job = JobInfo {
                    name: name.clone(),
                    ..once(id)
                };
                start.wait().await;
                if i < 4 {
                    let job = [unarmed(job)];
                    match until_available!(store.submit(&job))[0] {
                        SubmitAnswer::NameTaken { by } => Err(by),
                        answer => {
                            assert_eq!(answer, SubmitAnswer::Inserted);
                            Ok(job_id(id))
                        }
                    }
                } else {
                    let rename = |it: &JobSnapshot, _| {
                        of_job(JobInfo {
                            name: name.clone(),
                            ..it.job.clone()
                        })
                    };
                    let ids = [job_id(id)];
                    match until_available!(store.change(ALL, &ids, None, &rename)).remove(0) {
                        ChangeAnswer::NameTaken(by) => Err(by),
                        ChangeAnswer::Changed(it) => Ok(it.job.id),
                        other => panic!("{other:?}"),
                    }
                }
            })
        });
        let mut answers = Vec::new();
        for answer in futures::future::join_all(tries).await {
            answers.push(answer.expect("no panic"));
        }
        let won: Vec<JobId> = answers.iter().filter_map(|it| it.ok()).collect();
        assert_eq!(won.len(), 1, "round {round}: {answers:?}");
        assert!(
            answers
                .iter()
                .all(|it| it.map_or_else(|by| by == won[0], |_| true)),
            "{answers:?}"
        );
    }
}

/// Edits of one job at once, from two nodes: none is lost.
pub async fn concurrent_changes_of_a_job_all_count(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    submit(&store, &jobs(1)).await;
    let run = claim_one(&store, 1, at(0)).await;
    let start = Arc::new(Barrier::new(4));
    let editors = (0..4).map(|it| {
        let store = if it % 2 == 0 { fx.store() } else { fx.other_node() };
        let start = Arc::clone(&start);
        tokio::spawn(async move {
            let count = |it: &JobSnapshot, _| {
                of_job(JobInfo {
                    max_count: it.job.max_count + 1,
                    ..it.job.clone()
                })
            };
            start.wait().await;
            for _ in 0..25 {
                let answers = until_available!(store.change(ALL, &[job_id(1)], None, &count));
                assert!(
                    matches!(answers.as_slice(), [ChangeAnswer::Changed(_)]),
                    "{answers:?}"
                );
            }
        })
    });
    for editor in futures::future::join_all(editors).await {
        editor.expect("no panic");
    }
    let found = snapshot(&store, job_id(1)).await;
    assert_eq!((found.job.max_count, found.job.version), (100, 101));
    assert_eq!(found.run, Some(run.run), "the run is untouched");
    change(&store, job_id(1), |it, _| of_job(it.job.clone())).await;
}
