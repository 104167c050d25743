//! Settling runs: everything or nothing, for the holder only.

use chrono::TimeDelta;
use tasks_abstractions::run::{QueueEntry, RunKind};
use tasks_abstractions::store::{FinishAnswer, FinishRun, JobUpdate};
use tasks_abstractions::{JobInfo, JobState, JobStatus, RunOutcome};

use super::fixture::StoreFixture;
use super::steps::{ALL, change, claim, claim_one, finish, join, logs_of, of_job, snapshot, submit};
use crate::samples::{
    again, at, done, due, entry, job_id, log, once, repeating, returned, run_id, unarmed, waiting,
};

/// Log, counters, state, next execution and follow-ups are written, and the run row is gone.
pub async fn finish_writes_everything_together(fx: &impl StoreFixture) {
    let store = fx.store();
    let instance = join(&store, 1).await;
    submit(&store, &[due(once(1), at(-1)), due(repeating(2), at(0))]).await;
    let claimed = claim(&store, 1, 10, at(0)).await;
    let retry = QueueEntry {
        kind: RunKind::Retry,
        attempt: 2,
        rank: 20,
        ..entry(&claimed[1].job, at(300))
    };
    let mut ended = done(&claimed[0]);
    ended.settlement.follow_ups = vec![due(once(3), at(1)), unarmed(once(4))];
    let failed = again(&claimed[1], retry.clone());
    finish(&store, &[failed.clone(), ended.clone()]).await;

    let other = fx.other_node();
    assert!(other.runs_of(instance).await.expect("runs_of").is_empty());
    let found = snapshot(&other, job_id(1)).await;
    let expected = JobInfo {
        status: JobStatus::Completed,
        result: Some("done".to_owned()),
        last_run_time: Some(at(1)),
        trigger_count: 1,
        ..once(1)
    };
    assert_eq!((found.job, found.waiting), (expected, None));
    assert_eq!(
        logs_of(&other, job_id(1)).await,
        [ended.settlement.log.expect("a log")]
    );

    let found = snapshot(&other, job_id(2)).await;
    assert_eq!(found.waiting, Some(retry));
    assert_eq!((found.job.status, found.job.version), (JobStatus::FailedRetry, 1));
    assert_eq!((found.job.trigger_count, found.job.try_count), (1, 1));
    assert_eq!(found.job.next_run_time, Some(at(300)));
    let log = failed.settlement.log.expect("a log");
    assert_eq!(
        other
            .find_log(claimed[1].job.id, claimed[1].run.run_id)
            .await
            .expect("find_log"),
        Some(log)
    );

    let found = snapshot(&other, job_id(3)).await;
    assert_eq!(found.waiting.map(|it| it.due_at), Some(at(1)));
    assert_eq!(snapshot(&other, job_id(4)).await.job.status, JobStatus::None);
}

/// A job of which nothing is to be kept is removed with its run, its name and what waits beside others that stay, and only by the run that holds it and in the
/// version that was looked at.
pub async fn finish_removes_what_is_not_kept(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    let named = |number| JobInfo {
        name: "once-a-day".to_owned(),
        ..once(number)
    };
    submit(
        &store,
        &[due(named(1), at(-3)), due(once(2), at(-2)), due(once(3), at(-1))],
    )
    .await;
    let claimed = claim(&store, 1, 10, at(0)).await;
    let gone = |run| {
        let mut it = done(run);
        it.settlement.is_removed = true;
        it
    };
    let (mut quiet, kept, mut logged) = (gone(&claimed[0]), done(&claimed[1]), gone(&claimed[2]));
    quiet.settlement.log = None;
    quiet.settlement.follow_ups = vec![due(once(4), at(9))];

    logged.run_id = quiet.run_id;
    let answers = store.finish(&[logged.clone()]).await.expect("finish");
    assert!(matches!(answers[..], [FinishAnswer::Gone]), "{answers:?}");
    logged.run_id = claimed[2].run.run_id;
    logged.job_version += 1;
    let answers = store.finish(&[logged.clone()]).await.expect("finish");
    assert!(matches!(answers[..], [FinishAnswer::Stale(_)]), "{answers:?}");
    assert_eq!(snapshot(&store, job_id(3)).await.job.status, JobStatus::Running);

    logged.job_version -= 1;
    finish(&store, &[logged.clone(), quiet.clone(), kept]).await;
    let found = |number| store.find(ALL, job_id(number));
    for (number, is_kept) in [(1, false), (2, true), (3, false), (4, true)] {
        let job = found(number).await.expect("find");
        assert_eq!(job.is_some(), is_kept, "{number}");
    }
    assert!(logs_of(&store, job_id(1)).await.is_empty());
    assert_eq!(
        logs_of(&store, job_id(3)).await,
        [logged.settlement.log.clone().expect("a log")]
    );
    let runs = store.runs_of(claimed[0].run.instance).await.expect("runs_of");
    assert!(runs.is_empty(), "{runs:?}");
    submit(&store, &[due(named(5), at(0))]).await;

    let answers = store.finish(&[quiet, logged]).await.expect("finish");
    assert!(
        answers.iter().all(|it| matches!(it, FinishAnswer::Gone)),
        "{answers:?}"
    );
}

/// A run settles its own job only, whatever else is in the batch, and each log row has the node and the instance of its run.
pub async fn a_batch_keeps_apart_what_is_whose(fx: &impl StoreFixture) {
    let store = fx.store();
    let mut runs = Vec::new();
    for number in 1..=4 {
        // A process that was taken for dead goes on as another one, with outcomes of the first in its hands.
        let node = 1 + number % 2;
        join(&store, node).await;
        submit(&store, &[due(once(number), at(0))]).await;
        let claimed = claim_one(&store, node, at(0)).await;
        let mut it = done(&claimed);
        if let Some(log) = &mut it.settlement.log {
            log.node_name = format!("node-{node}");
        }
        runs.push(it);
    }

    let mut swapped = runs.clone();
    swapped[0].run_id = runs[1].run_id;
    swapped[1].run_id = runs[0].run_id;
    let answers = store.finish(&swapped[..2]).await.expect("finish");
    assert!(
        answers.iter().all(|it| matches!(it, FinishAnswer::Gone)),
        "{answers:?}"
    );

    finish(&store, &runs).await;
    for (number, run) in (1..).zip(runs) {
        let log = run.settlement.log.expect("a log");
        assert_eq!(logs_of(&store, job_id(number)).await, [log]);
    }
}

/// Each field of the update arrives, and a missing result or last run keeps the former one.
pub async fn finish_writes_every_field_of_the_update(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    submit(&store, &[due(repeating(1), at(0))]).await;
    let run = claim_one(&store, 1, at(0)).await;
    let next = entry(&run.job, at(2));
    let update = JobUpdate {
        state: JobState::Active,
        result: Some("first".to_owned()),
        last_run_time: Some(at(1)),
        next_run_time: Some(at(2)),
        trigger_count: 4,
        try_count: 3,
        interruptions: 2,
        suspect_interruptions: 1,
        is_abandoned: false,
    };
    finish(
        &store,
        &[crate::samples::finish(&run, update.clone(), Some(next), None)],
    )
    .await;
    let job = snapshot(&store, job_id(1)).await.job;
    assert_eq!((job.trigger_count, job.try_count), (4, 3));
    assert_eq!((job.interruptions, job.suspect_interruptions), (2, 1));
    assert_eq!((job.last_run_time, job.next_run_time), (Some(at(1)), Some(at(2))));
    assert!(logs_of(&store, job_id(1)).await.is_empty(), "no log was given");

    let run = claim_one(&store, 1, at(2)).await;
    let update = JobUpdate {
        state: JobState::Stopped,
        result: None,
        last_run_time: None,
        next_run_time: None,
        is_abandoned: true,
        ..update
    };
    finish(&store, &[crate::samples::finish(&run, update, None, None)]).await;
    let job = snapshot(&store, job_id(1)).await.job;
    assert_eq!((job.status, job.is_abandoned), (JobStatus::Stopped, true));
    assert_eq!(
        (job.result.as_deref(), job.last_run_time),
        (Some("first"), Some(at(1)))
    );
    assert_eq!(job.next_run_time, None);
}

/// A run id that is not in flight changes nothing: never claimed, settled already, or of another job.
pub async fn finish_of_an_unknown_run_is_gone(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    submit(
        &store,
        &[due(once(1), at(0)), due(once(2), at(0)), due(once(3), at(9))],
    )
    .await;
    let claimed = claim(&store, 1, 10, at(0)).await;
    finish(&store, &[done(&claimed[0])]).await;
    let mut late = done(&claimed[0]);
    late.settlement.update.result = Some("late".to_owned());
    late.settlement.follow_ups = vec![due(once(9), at(0))];
    let unknown = FinishRun {
        run_id: run_id(77),
        ..done(&claimed[1])
    };
    let waiting = FinishRun {
        job_id: job_id(3),
        ..done(&claimed[0])
    };
    let answers = store
        .finish(&[late, unknown, waiting, done(&claimed[1])])
        .await
        .expect("finish");
    assert!(
        matches!(
            answers.as_slice(),
            [
                FinishAnswer::Gone,
                FinishAnswer::Gone,
                FinishAnswer::Gone,
                FinishAnswer::Applied
            ]
        ),
        "{answers:?}"
    );
    assert_eq!(
        snapshot(&store, job_id(1)).await.job.result.as_deref(),
        Some("done")
    );
    assert_eq!(logs_of(&store, job_id(1)).await.len(), 1);
    assert!(store.find(ALL, job_id(9)).await.expect("find").is_none());
    assert!(snapshot(&store, job_id(3)).await.waiting.is_some());
}

/// A command between claim and finish: nothing is written, the answer shows the job as it is, and the settlement computed from
/// that is applied.
pub async fn finish_after_a_command_is_stale(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    submit(&store, &[due(once(1), at(0)), due(once(2), at(0))]).await;
    let claimed = claim(&store, 1, 10, at(0)).await;
    let edited = |it: &tasks_abstractions::run::JobSnapshot, _| {
        of_job(JobInfo {
            description: Some("edited".to_owned()),
            ..it.job.clone()
        })
    };
    change(&store, job_id(1), edited).await;
    let before = snapshot(&store, job_id(1)).await;
    let mut first = done(&claimed[0]);
    first.settlement.follow_ups = vec![due(once(9), at(0))];
    let mut answers = store
        .finish(&[first.clone(), done(&claimed[1])])
        .await
        .expect("finish");
    assert!(
        matches!(answers[1], FinishAnswer::Applied),
        "its neighbour is settled"
    );
    let FinishAnswer::Stale(shown) = answers.remove(0) else {
        panic!("not stale: {answers:?}")
    };
    assert_eq!(*shown, before);
    assert_eq!(
        (shown.job.version, shown.job.description.as_deref()),
        (2, Some("edited"))
    );
    assert_eq!(snapshot(&store, job_id(1)).await, before, "nothing was written");
    assert!(logs_of(&store, job_id(1)).await.is_empty());
    assert!(store.find(ALL, job_id(9)).await.expect("find").is_none());

    first.job_version = shown.job.version;
    finish(&store, &[first]).await;
    let job = snapshot(&store, job_id(1)).await.job;
    assert_eq!(
        (job.status, job.version),
        (JobStatus::Completed, 2),
        "a run does not count the version up"
    );
    assert_eq!(job.description.as_deref(), Some("edited"));
}

/// Follow-ups that are there already, from a settlement repeated after a lost reply, are left alone and stop nothing.
pub async fn follow_ups_are_stored_once(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    let taken = JobInfo {
        name: "taken".to_owned(),
        ..once(50)
    };
    submit(&store, &[due(repeating(1), at(0)), unarmed(taken.clone())]).await;
    let run = claim_one(&store, 1, at(0)).await;
    let mut ended = again(&run, entry(&run.job, at(60)));
    ended.settlement.follow_ups = vec![due(once(9), at(500))];
    finish(&store, std::slice::from_ref(&ended)).await;
    let answers = store.finish(std::slice::from_ref(&ended)).await.expect("finish");
    assert!(matches!(answers.as_slice(), [FinishAnswer::Gone]), "{answers:?}");

    let run = claim_one(&store, 1, at(60)).await;
    let mut ended = done(&run);
    ended.settlement.follow_ups = vec![
        due(once(9), at(0)),
        unarmed(JobInfo {
            id: job_id(51),
            ..taken
        }),
        due(once(10), at(600)),
    ];
    finish(&store, &[ended]).await;
    let found = snapshot(&store, job_id(9)).await;
    assert_eq!(
        found.waiting.map(|it| it.due_at),
        Some(at(500)),
        "the first one stays"
    );
    assert!(
        store.find(ALL, job_id(51)).await.expect("find").is_none(),
        "its name is taken"
    );
    assert!(snapshot(&store, job_id(10)).await.waiting.is_some());
}

/// A run handed back waits again as it did: same due time, kind, rank and try; nothing is counted or recorded.
pub async fn a_returned_run_waits_as_before(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    let job = once(1);
    let first = QueueEntry {
        kind: RunKind::Retry,
        attempt: 4,
        rank: 17,
        lane: tasks_abstractions::job::Lane::any_node(),
        due_at: at(-30) + TimeDelta::microseconds(5),
    };
    submit(&store, &[waiting(job, first.clone())]).await;
    let before = snapshot(&store, job_id(1)).await;
    let run = claim_one(&store, 1, at(0)).await;
    finish(&store, &[returned(&run)]).await;
    assert_eq!(snapshot(&store, job_id(1)).await, before);
    assert!(logs_of(&store, job_id(1)).await.is_empty());
    let second = claim_one(&store, 1, at(0)).await;
    assert_ne!(second.run.run_id, run.run.run_id, "a new run has a new id");
    assert_eq!(second.run.entry, first);
}

/// Each outcome and each counter kind of a log comes back as it was written.
pub async fn every_outcome_is_recorded_as_itself(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    for (number, outcome) in (1_u128..).zip(RunOutcome::ALL.iter().copied()) {
        submit(&store, &[due(once(number), at(0))]).await;
        let run = claim_one(&store, 1, at(0)).await;
        let mut ended = done(&run);
        ended.settlement.log = Some(log(&run, outcome));
        finish(&store, &[ended.clone()]).await;
        assert_eq!(
            store
                .find_log(run.job.id, run.run.run_id)
                .await
                .expect("find_log"),
            ended.settlement.log
        );
    }
}

/// One run twice in a batch is settled once; one job's follow-up that another run of the batch stores as well is stored once.
pub async fn a_run_twice_in_a_batch_is_settled_once(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    submit(&store, &[due(once(1), at(0)), due(once(2), at(0))]).await;
    let claimed = claim(&store, 1, 10, at(0)).await;
    let mut batch = [done(&claimed[0]), done(&claimed[1]), done(&claimed[0])];
    for end in &mut batch {
        end.settlement.follow_ups = vec![unarmed(once(9))];
    }
    batch[2].settlement.update.result = Some("twice".to_owned());
    let answers = store.finish(&batch).await.expect("finish");
    assert!(
        matches!(
            answers.as_slice(),
            [FinishAnswer::Applied, FinishAnswer::Applied, FinishAnswer::Gone]
        ),
        "{answers:?}"
    );
    let found = snapshot(&store, job_id(1)).await;
    assert_eq!(
        (found.job.result.as_deref(), found.job.trigger_count),
        (Some("done"), 1)
    );
    assert_eq!(logs_of(&store, job_id(1)).await.len(), 1);
    assert_eq!(snapshot(&store, job_id(9)).await.job.version, 1);
    assert!(
        store.finish(&[]).await.expect("finish").is_empty(),
        "a batch of none"
    );
}
