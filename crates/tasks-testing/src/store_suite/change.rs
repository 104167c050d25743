//! Commands and edits at the level of the store: what the decision sees is what is changed.

use std::sync::atomic::{AtomicUsize, Ordering};

use tasks_abstractions::run::{After, CancelReason, JobSnapshot};
use tasks_abstractions::store::{
    CancelRequest, ChangeAnswer, Decision, FinishAnswer, RunChange, StoreErrorKind, WaitingChange,
};
use tasks_abstractions::{JobInfo, JobStatus, RunOutcome, Timestamp};
use tasks_multitenancy::TenantScope;

use super::fixture::StoreFixture;
use super::steps::{ALL, change, claim_one, finish, join, logs_of, of_job, snapshot, submit, with};
use crate::samples::{at, done, due, entry, job_id, log, once, repeating, tenant, unarmed};

/// A change counts up by one, whatever version the decision put; keeping and refusing do not, and id, tenant and creation time stay.
pub async fn change_counts_the_version_up(fx: &impl StoreFixture) {
    let store = fx.store();
    submit(&store, &[due(once(1), at(5))]).await;
    let stubborn = |it: &JobSnapshot, _: Timestamp| {
        of_job(JobInfo {
            id: job_id(99),
            tenant_id: tenant(4),
            creation_time: at(777),
            version: 50,
            description: Some("edited".to_owned()),
            trigger_count: 6,
            ..it.job.clone()
        })
    };
    let answer = change(&store, job_id(1), stubborn).await;
    let expected = JobInfo {
        description: Some("edited".to_owned()),
        trigger_count: 6,
        version: 2,
        ..due(once(1), at(5)).job
    };
    let now = snapshot(&store, job_id(1)).await;
    assert_eq!(now.job, expected);
    assert_eq!(answer, ChangeAnswer::Changed(Box::new(now.clone())));

    let kept = change(&store, job_id(1), |_, _| Decision::Keep).await;
    assert_eq!(kept, ChangeAnswer::Kept(Box::new(now.clone())));
    let refused = change(&store, job_id(1), |_, _| Decision::Refuse("no".to_owned())).await;
    assert_eq!(refused, ChangeAnswer::Refused("no".to_owned()));
    assert_eq!(snapshot(&store, job_id(1)).await, now);
    let missing = change(&store, job_id(2), |_, _| {
        panic!("there is nothing to decide about")
    })
    .await;
    assert_eq!(missing, ChangeAnswer::NotFound);
}

/// The decision sees job, execution and the given instant as they are, waiting and in flight; answers come in the order of the ids.
pub async fn change_sees_rows_as_they_are_written(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    submit(
        &store,
        &[due(once(1), at(0)), due(repeating(2), at(50)), unarmed(once(3))],
    )
    .await;
    claim_one(&store, 1, at(0)).await;
    let ids = [job_id(3), job_id(9), job_id(1), job_id(2)];
    let before = store.snapshots(ALL, &ids).await.expect("snapshots");
    assert_eq!(before.len(), 3, "missing ones are left out");
    assert_eq!(
        before.iter().map(|it| it.job.id).collect::<Vec<_>>(),
        [ids[0], ids[2], ids[3]]
    );
    let seen = std::sync::Mutex::new(Vec::new());
    let look = |it: &JobSnapshot, now: Timestamp| {
        assert_eq!(now, at(33));
        seen.lock().expect("no panic").push(it.clone());
        of_job(it.job.clone())
    };
    let answers = fx
        .other_node()
        .change(ALL, &ids, Some(at(33)), &look)
        .await
        .expect("change");
    let mut seen = seen.into_inner().expect("no panic");
    seen.sort_by_key(|it| it.job.id);
    let mut expected = before.clone();
    expected.sort_by_key(|it| it.job.id);
    assert_eq!(seen, expected);
    assert_eq!(answers.len(), 4);
    assert_eq!(answers[1], ChangeAnswer::NotFound);
    for (answer, before) in [&answers[0], &answers[2], &answers[3]].into_iter().zip(before) {
        let ChangeAnswer::Changed(after) = answer else {
            panic!("not changed: {answer:?}")
        };
        let mut expected = before;
        expected.job.version += 1;
        assert_eq!(**after, expected, "executions stay");
    }
}

/// Waiting executions are set, replaced and removed; setting one while a run is in flight is refused as a whole; what is asked of a
/// run that is not there has no effect.
pub async fn change_never_leaves_two_rows(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    submit(&store, &[due(repeating(1), at(10))]).await;
    let arm = |seconds: i64| {
        move |it: &JobSnapshot, _: Timestamp| {
            let next = entry(&it.job, at(seconds));
            let job = JobInfo {
                status: JobStatus::Queuing,
                next_run_time: Some(next.due_at),
                ..it.job.clone()
            };
            with(job, WaitingChange::Set(next), RunChange::default())
        }
    };
    change(&store, job_id(1), arm(5)).await;
    let found = snapshot(&store, job_id(1)).await;
    assert_eq!(found.waiting.map(|it| it.due_at), Some(at(5)));
    let pause = |it: &JobSnapshot, _: Timestamp| {
        let job = JobInfo {
            status: JobStatus::Paused,
            next_run_time: None,
            ..it.job.clone()
        };
        let run = RunChange {
            after: Some(After::Settle),
            cancel: Some(CancelReason::Paused),
        };
        with(job, WaitingChange::Remove, run)
    };
    let answer = change(&store, job_id(1), pause).await;
    let found = snapshot(&store, job_id(1)).await;
    assert_eq!(answer, ChangeAnswer::Changed(Box::new(found.clone())));
    assert_eq!(
        (found.job.status, found.waiting, found.run),
        (JobStatus::Paused, None, None)
    );
    change(&store, job_id(1), arm(0)).await;
    let run = claim_one(&store, 1, at(0)).await;

    let before = snapshot(&store, job_id(1)).await;
    let decide = arm(0);
    let error = store
        .change(ALL, &[job_id(1)], Some(at(0)), &decide)
        .await
        .expect_err("a run is in flight");
    assert_eq!(error.kind(), StoreErrorKind::Invalid, "{error}");
    assert_eq!(snapshot(&store, job_id(1)).await, before, "nothing was written");

    change(&store, job_id(1), pause).await;
    let found = snapshot(&store, job_id(1)).await;
    assert_eq!(
        (found.job.status, found.job.is_running),
        (JobStatus::Paused, true)
    );
    let held = found.run.expect("in flight");
    assert_eq!(
        (held.run_id, held.cancel),
        (run.run.run_id, Some(CancelReason::Paused))
    );
    assert!(
        claim_nothing(fx).await,
        "a paused job in flight has nothing waiting"
    );
}

async fn claim_nothing(fx: &impl StoreFixture) -> bool {
    super::steps::claim(&fx.store(), 1, 10, at(1_000))
        .await
        .is_empty()
}

/// `after` and the cancel request are written to the run in flight, each alone or both, and read back by claim holder and snapshot.
pub async fn cancel_requests_reach_the_holder(fx: &impl StoreFixture) {
    let store = fx.store();
    let instance = join(&store, 1).await;
    join(&store, 2).await;
    submit(&store, &[due(repeating(1), at(0))]).await;
    let run = claim_one(&store, 1, at(0)).await;
    let ask =
        |run: RunChange| move |it: &JobSnapshot, _: Timestamp| with(it.job.clone(), WaitingChange::Keep, run);
    let after = RunChange {
        after: Some(After::RunAgain),
        cancel: None,
    };
    change(&store, job_id(1), ask(after)).await;
    assert!(
        store
            .cancel_requests(instance)
            .await
            .expect("cancel_requests")
            .is_empty()
    );
    let cancel = RunChange {
        after: None,
        cancel: Some(CancelReason::Requested),
    };
    change(&fx.other_node(), job_id(1), ask(cancel)).await;
    let found = snapshot(&store, job_id(1)).await.run.expect("in flight");
    assert_eq!(
        (found.after, found.cancel),
        (After::RunAgain, Some(CancelReason::Requested))
    );
    assert_eq!(
        found.job_version, 1,
        "a run remembers the version it was claimed at"
    );
    let expected = [CancelRequest {
        job_id: job_id(1),
        run_id: run.run.run_id,
        reason: CancelReason::Requested,
    }];
    assert_eq!(
        store.cancel_requests(instance).await.expect("cancel_requests"),
        expected
    );
    assert_eq!(super::nodes::renew(&store, 1, at(10), &[]).await, expected);
    assert!(
        super::nodes::renew(&store, 2, at(10), &[]).await.is_empty(),
        "of its own runs only"
    );
}

/// A deleted job is gone with its run; the holder's finish is gone, and only the log row that the command gave is left.
pub async fn delete_fences_the_run(fx: &impl StoreFixture) {
    let store = fx.store();
    let instance = join(&store, 1).await;
    submit(&store, &[due(once(1), at(0)), due(once(2), at(99))]).await;
    let run = claim_one(&store, 1, at(0)).await;
    let written = log(&run, RunOutcome::Cancelled);
    let delete = |it: &JobSnapshot, _: Timestamp| {
        let log = it.run.as_ref().map(|_| Box::new(written.clone()));
        Decision::Delete(log)
    };
    let before = snapshot(&store, job_id(1)).await;
    let answer = change(&store, job_id(1), delete).await;
    assert_eq!(answer, ChangeAnswer::Deleted(Box::new(before)));
    assert!(matches!(
        change(&store, job_id(2), delete).await,
        ChangeAnswer::Deleted(_)
    ));
    assert_eq!(change(&store, job_id(2), delete).await, ChangeAnswer::NotFound);
    assert!(
        store
            .snapshots(ALL, &[job_id(1), job_id(2)])
            .await
            .expect("snapshots")
            .is_empty()
    );
    assert!(store.runs_of(instance).await.expect("runs_of").is_empty());
    let answers = store.finish(&[done(&run)]).await.expect("finish");
    assert!(matches!(answers.as_slice(), [FinishAnswer::Gone]), "{answers:?}");
    assert_eq!(logs_of(&store, job_id(1)).await, std::slice::from_ref(&written));
    assert!(logs_of(&store, job_id(2)).await.is_empty());
    assert!(claim_nothing(fx).await);
}

/// A renaming change is answered with the job that has the name, and nothing of it is written; others of the call are.
pub async fn a_change_to_a_taken_name_changes_nothing(fx: &impl StoreFixture) {
    let store = fx.store();
    let named = JobInfo {
        name: "nightly".to_owned(),
        ..once(1)
    };
    submit(&store, &[unarmed(named), due(once(2), at(0)), unarmed(once(3))]).await;
    let rename = |it: &JobSnapshot, _: Timestamp| {
        let name = if it.job.id == job_id(2) {
            "nightly"
        } else {
            "weekly"
        };
        let job = JobInfo {
            name: name.to_owned(),
            status: JobStatus::Paused,
            next_run_time: None,
            ..it.job.clone()
        };
        with(job, WaitingChange::Remove, RunChange::default())
    };
    let before = snapshot(&store, job_id(2)).await;
    let answers = store
        .change(ALL, &[job_id(2), job_id(3)], None, &rename)
        .await
        .expect("change");
    assert_eq!(answers[0], ChangeAnswer::NameTaken(job_id(1)));
    assert!(
        matches!(&answers[1], ChangeAnswer::Changed(it) if it.job.name == "weekly"),
        "{answers:?}"
    );
    assert_eq!(snapshot(&store, job_id(2)).await, before);
    // A job's own name is free for itself, and a former name for others.
    let same = change(&store, job_id(1), |it, _| of_job(it.job.clone())).await;
    assert!(matches!(same, ChangeAnswer::Changed(_)), "{same:?}");
    let renamed = change(&store, job_id(1), |it, _| {
        of_job(JobInfo {
            name: "monthly".to_owned(),
            ..it.job.clone()
        })
    })
    .await;
    assert!(matches!(renamed, ChangeAnswer::Changed(_)), "{renamed:?}");
    let answer = change(&store, job_id(2), rename).await;
    assert!(matches!(answer, ChangeAnswer::Changed(_)), "{answer:?}");
}

/// A decision is asked once for each job that the scope shows, and never for others.
pub async fn change_decides_in_its_scope_only(fx: &impl StoreFixture) {
    let store = fx.store();
    submit(
        &store,
        &[unarmed(crate::samples::of_tenant(1, tenant(1))), unarmed(once(2))],
    )
    .await;
    let asked = AtomicUsize::new(0);
    let decide = |it: &JobSnapshot, _: Timestamp| {
        asked.fetch_add(1, Ordering::Relaxed);
        assert_eq!(it.job.tenant_id, tenant(1));
        of_job(it.job.clone())
    };
    let scope = TenantScope::One(tenant(1));
    let answers = store
        .change(scope, &[job_id(2), job_id(1)], None, &decide)
        .await
        .expect("change");
    assert_eq!(answers[0], ChangeAnswer::NotFound);
    assert!(matches!(answers[1], ChangeAnswer::Changed(_)));
    assert_eq!(asked.load(Ordering::Relaxed), 1);
    assert_eq!(snapshot(&store, job_id(2)).await.job.version, 1);
}

/// A failing run settles what a command asked to come after it: the store keeps both sides of that apart.
pub async fn a_settled_run_takes_its_after_with_it(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    submit(&store, &[due(repeating(1), at(0))]).await;
    let run = claim_one(&store, 1, at(0)).await;
    let again = RunChange {
        after: Some(After::RunAgain),
        cancel: Some(CancelReason::Requested),
    };
    change(&store, job_id(1), |it, _| {
        with(it.job.clone(), WaitingChange::Keep, again)
    })
    .await;
    let mut ended = crate::samples::again(&run, entry(&run.job, at(1)));
    ended.job_version = 2;
    finish(&store, &[ended]).await;
    let second = claim_one(&store, 1, at(1)).await;
    assert_eq!((second.run.after, second.run.cancel), (After::Settle, None));
    assert_eq!(second.run.job_version, 2);
}

/// An id that is given twice is decided on twice, the second time as the first left it.
pub async fn a_repeated_id_sees_its_first_change(fx: &impl StoreFixture) {
    let store = fx.store();
    submit(&store, &[due(once(1), at(0)), due(once(2), at(0))]).await;
    let count = |it: &JobSnapshot, _: Timestamp| {
        of_job(JobInfo {
            max_count: it.job.max_count + 1,
            ..it.job.clone()
        })
    };
    let ids = [job_id(1), job_id(2), job_id(1)];
    let answers = store.change(ALL, &ids, None, &count).await.expect("change");
    let counted: Vec<_> = answers
        .iter()
        .map(|it| match it {
            ChangeAnswer::Changed(it) => (it.job.max_count, it.job.version),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(counted, [(1, 2), (1, 2), (2, 3)]);
    assert_eq!(snapshot(&store, job_id(1)).await.job.max_count, 2);
    assert!(
        store
            .change(ALL, &[], None, &count)
            .await
            .expect("change")
            .is_empty(),
        "no ids"
    );
}
