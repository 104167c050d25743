//! Accepting jobs, and writing single ones.

use tasks_abstractions::store::{JobQuery, PreparedJob, StoreErrorKind, SubmitAnswer};
use tasks_abstractions::{JobInfo, JobStatus};
use tasks_multitenancy::TenantId;

use super::fixture::StoreFixture;
use super::steps::{ALL, change, claim, claim_one, join, listed, of_job, snapshot, submit};
use crate::samples::{at, due, job_id, of_tenant, once, repeating, tenant, unarmed};

fn named(number: u128, name: &str) -> JobInfo {
    JobInfo {
        name: name.to_owned(),
        ..once(number)
    }
}

/// Job row and queue row are there after the answer, with every field as it was given.
pub async fn submit_stores_job_and_first_execution_together(fx: &impl StoreFixture) {
    let store = fx.store();
    let armed = due(once(1), at(60));
    let idle = unarmed(repeating(2));
    submit(&store, &[armed.clone(), idle.clone()]).await;

    let found = snapshot(&fx.other_node(), job_id(1)).await;
    assert_eq!(found.job, armed.job);
    assert_eq!(found.waiting, armed.first);
    assert_eq!(found.run, None);

    let found = snapshot(&fx.other_node(), job_id(2)).await;
    assert_eq!(found.job, idle.job);
    assert_eq!(found.job.status, JobStatus::None);
    assert_eq!(found.waiting, None);
}

/// An id that is there is answered, in another batch and in the same one; job and execution stay as they were.
pub async fn submitting_an_id_again_changes_nothing(fx: &impl StoreFixture) {
    let store = fx.store();
    let first = due(once(1), at(60));
    submit(&store, std::slice::from_ref(&first)).await;
    let other = JobInfo {
        description: Some("another".to_owned()),
        ..once(1)
    };
    let again = [
        due(other.clone(), at(5)),
        due(once(2), at(0)),
        due(
            JobInfo {
                id: job_id(2),
                ..other
            },
            at(9),
        ),
    ];
    let answers = store.submit(&again).await.expect("submit");
    assert_eq!(
        answers,
        [SubmitAnswer::Exists, SubmitAnswer::Inserted, SubmitAnswer::Exists]
    );
    let found = snapshot(&store, job_id(1)).await;
    assert_eq!((found.job, found.waiting), (first.job, first.first));
    let found = snapshot(&store, job_id(2)).await;
    assert_eq!(found.job.description, None);
    assert_eq!(found.waiting.map(|it| it.due_at), Some(at(0)));

    // A job in flight exists as well: it gets no second execution.
    join(&store, 1).await;
    claim_one(&store, 1, at(0)).await;
    let answers = store.submit(&[due(once(2), at(0))]).await.expect("submit");
    assert_eq!(answers, [SubmitAnswer::Exists]);
    let found = snapshot(&store, job_id(2)).await;
    assert!(found.run.is_some() && found.waiting.is_none());
}

/// A batch without jobs is answered without answers.
pub async fn an_empty_submit_does_nothing(fx: &impl StoreFixture) {
    let answers = fx.store().submit(&[]).await.expect("submit");
    assert!(answers.is_empty());
    assert!(listed(&fx.store(), ALL, &JobQuery::default()).await.is_empty());
}

/// A name is unique in (tenant, group) only; who has it is answered, and the rest of the batch is stored.
pub async fn a_taken_name_is_answered_per_job(fx: &impl StoreFixture) {
    let store = fx.store();
    submit(&store, &[unarmed(named(1, "nightly"))]).await;
    let of = |number, name: &str, tenant| JobInfo {
        name: name.to_owned(),
        ..of_tenant(number, tenant)
    };
    let batch = [
        unarmed(named(2, "nightly")),
        unarmed(JobInfo {
            group: "reports".to_owned(),
            ..named(3, "nightly")
        }),
        unarmed(of(4, "nightly", tenant(7))),
        unarmed(of(5, "nightly", tenant(7))),
        unarmed(named(6, "Nightly")),
        // The id is looked at before the name.
        unarmed(named(1, "nightly")),
        due(once(7), at(0)),
    ];
    let answers = store.submit(&batch).await.expect("submit");
    assert_eq!(
        answers,
        [
            SubmitAnswer::NameTaken { by: job_id(1) },
            SubmitAnswer::Inserted,
            SubmitAnswer::Inserted,
            SubmitAnswer::NameTaken { by: job_id(4) },
            SubmitAnswer::Inserted,
            SubmitAnswer::Exists,
            SubmitAnswer::Inserted,
        ]
    );
    assert!(store.find(ALL, job_id(2)).await.expect("find").is_none());
    assert_eq!(snapshot(&store, job_id(4)).await.job.tenant_id, tenant(7));

    // A removed job gives its name back.
    assert!(store.remove(ALL, job_id(1)).await.expect("remove"));
    submit(&store, &[unarmed(named(8, "nightly"))]).await;
}

/// A new job is stored unarmed as it is; an existing one is replaced where its version still is the given one, and keeps state,
/// counters and executions.
pub async fn store_inserts_or_replaces_by_version(fx: &impl StoreFixture) {
    let store = fx.store();
    let paused = JobInfo {
        status: JobStatus::Paused,
        ..repeating(1)
    };
    let stored = store
        .store(paused.clone())
        .await
        .expect("store")
        .expect("a new job");
    assert_eq!(stored, paused);
    let found = snapshot(&store, job_id(1)).await;
    assert_eq!((found.job, found.waiting), (paused.clone(), None));

    let edited = JobInfo {
        description: Some("edited".to_owned()),
        interval: std::time::Duration::from_secs(7),
        status: JobStatus::Completed,
        trigger_count: 99,
        try_count: 9,
        is_abandoned: true,
        ..paused.clone()
    };
    let stored = store
        .store(edited.clone())
        .await
        .expect("store")
        .expect("same version");
    let expected = JobInfo {
        status: JobStatus::Paused,
        trigger_count: 0,
        try_count: 0,
        is_abandoned: false,
        version: paused.version + 1,
        ..edited.clone()
    };
    assert_eq!(stored, expected);
    assert_eq!(snapshot(&store, job_id(1)).await.job, expected);

    let late = store.store(edited).await.expect("store");
    assert_eq!(late, None, "the version has moved on");
    assert_eq!(snapshot(&store, job_id(1)).await.job, expected);

    // An execution stays, waiting or in flight.
    let armed = due(once(2), at(30));
    submit(&store, std::slice::from_ref(&armed)).await;
    store
        .store(armed.job.clone())
        .await
        .expect("store")
        .expect("same version");
    let found = snapshot(&store, job_id(2)).await;
    assert_eq!((found.waiting, found.job.version), (armed.first, 2));
    assert_eq!(found.job.status, JobStatus::Queuing);

    let error = store
        .store(named(3, "a"))
        .await
        .expect("store")
        .and(store.store(named(4, "a")).await.err());
    assert_eq!(error.expect("the name is taken").kind(), StoreErrorKind::Rejected);
    assert!(store.find(ALL, job_id(4)).await.expect("find").is_none());
}

/// Every row of a job goes: its job, queue and run row and its name; its logs stay.
pub async fn remove_takes_every_row_of_a_job(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    submit(
        &store,
        &[
            due(once(1), at(0)),
            due(once(2), at(50)),
            due(named(3, "x"), at(90)),
        ],
    )
    .await;
    let run = claim_one(&store, 1, at(0)).await;
    for id in [1, 2, 3] {
        assert!(store.remove(ALL, job_id(id)).await.expect("remove"));
        assert!(
            !store.remove(ALL, job_id(id)).await.expect("remove"),
            "gone already"
        );
        assert!(store.find(ALL, job_id(id)).await.expect("find").is_none());
    }
    assert!(store.runs_of(run.run.instance).await.expect("runs_of").is_empty());
    assert!(claim(&store, 1, 10, at(1_000)).await.is_empty());
    assert!(
        store
            .snapshots(ALL, &[job_id(1), job_id(2)])
            .await
            .expect("snapshots")
            .is_empty()
    );
    let answers = store.finish(&[crate::samples::done(&run)]).await.expect("finish");
    assert!(
        matches!(
            answers.as_slice(),
            [tasks_abstractions::store::FinishAnswer::Gone]
        ),
        "the holder is fenced: {answers:?}"
    );
    // Neither id nor name is left behind.
    submit(&store, &[due(once(1), at(0)), unarmed(named(4, "x"))]).await;
    let found = change(&store, job_id(1), |it, _| of_job(it.job.clone())).await;
    assert!(matches!(found, tasks_abstractions::store::ChangeAnswer::Changed(it) if it.job.version == 2));
}

/// What was stored is there for a store opened anew exactly where the backend says so.
pub async fn jobs_survive_a_reopening_store_where_the_backend_says_so(fx: &impl StoreFixture) {
    let job: PreparedJob = due(of_tenant(1, TenantId::HOST), at(60));
    submit(&fx.store(), std::slice::from_ref(&job)).await;
    let found = fx
        .reopened()
        .await
        .snapshots(ALL, &[job_id(1)])
        .await
        .expect("snapshots");
    assert_eq!(found.len(), usize::from(fx.capabilities().survives_reopen));
    if let Some(found) = found.first() {
        assert_eq!((&found.job, &found.waiting), (&job.job, &job.first));
    }
}

/// A job that is stored with an execution is Active, whatever its status says.
pub async fn a_job_submitted_with_an_execution_is_active(fx: &impl StoreFixture) {
    let store = fx.store();
    let mut job = due(once(1), at(60));
    job.job.status = JobStatus::None;
    submit(&store, &[job]).await;
    assert_eq!(snapshot(&store, job_id(1)).await.job.status, JobStatus::Queuing);
}
