//! The connections that the store keeps for claims, outcomes and new jobs on PostgreSQL: what becomes of them when a call fails or is given up.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ConnectionTrait, Database, DatabaseConnection, Statement, TransactionTrait};
use tasks_abstractions::store::{ClaimRequest, FinishAnswer, SubmitAnswer};
use tasks_abstractions::{JobInfo, JobPriority, JobQueue, JobSource, JobStore, RetryPolicy};
use tasks_multitenancy::TenantScope;
use tasks_store_seaorm::SeaOrmStore;
use tasks_testing::ManualClock;
use tasks_testing::samples::{
    at, claim_id, claim_request, done, due, instance_id, job_id, node, of_tenant, once, repeating, tenant,
};
use tokio::time::timeout;
use tracing::Level;

use crate::log_lines::LogLines;
use crate::postgres_schema::Schema;

const WRITERS: u32 = 2;

/// A store with a name among the server's sessions, and a connection that looks at them.
async fn open(schema: &Schema) -> (SeaOrmStore, DatabaseConnection, String) {
    let mut options = schema.options();
    let server = Database::connect(&options.url).await.unwrap();
    let name = format!("seats_{}", schema.name());
    let separator = if options.url.contains('?') { '&' } else { '?' };
    options.url = format!("{}{separator}application_name={name}", options.url);
    options.writers = WRITERS;
    let store = SeaOrmStore::connect(options, Arc::new(ManualClock::new()))
        .await
        .unwrap();
    store.register_node(&node(1)).await.unwrap();
    (store, server, name)
}

async fn number(on: &impl ConnectionTrait, sql: String) -> i64 {
    let row = on
        .query_one_raw(Statement::from_string(sea_orm::DbBackend::Postgres, sql))
        .await
        .unwrap()
        .unwrap();
    row.try_get_by_index(0).unwrap()
}

/// Waits until the server has no session of the store with an open transaction.
async fn all_over(server: &DatabaseConnection, name: &str) {
    let open = format!(
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = '{name}' AND state IN ('active', 'idle in transaction', \
         'idle in transaction (aborted)') AND query NOT LIKE 'LISTEN%'"
    );
    while number(server, open.clone()).await > 0 {
        tokio::task::yield_now().await;
    }
}

async fn sessions(server: &DatabaseConnection, name: &str) -> i64 {
    let all = format!("SELECT count(*) FROM pg_stat_activity WHERE application_name = '{name}'");
    number(server, all).await
}

fn request(limit: usize) -> ClaimRequest {
    claim_request(1, limit, at(0))
}

/// A caller that gives up waiting leaves a connection with an unanswered statement: it is not used again, and its place is free at once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_are_given_up_cost_no_place() {
    let schema = Schema::new();
    let (store, server, name) = open(&schema).await;
    let in_the_way = store.connection().begin().await.unwrap();
    let same = due(once(1), at(0));
    let enqueued = store
        .enqueue_in(&in_the_way, std::slice::from_ref(&same))
        .await
        .unwrap();
    assert_eq!(enqueued.answers, [SubmitAnswer::Inserted]);
    drop(enqueued.wake);
    for _ in 0..3 * WRITERS {
        let waits = store.submit(std::slice::from_ref(&same));
        assert!(
            timeout(Duration::from_millis(50), waits).await.is_err(),
            "another transaction has the job's id"
        );
    }
    in_the_way.rollback().await.unwrap();
    all_over(&server, &name).await;
    // What was given up may have been stored by the server all the same.
    for number in 1..=20 {
        let answer = store.submit(&[due(once(number), at(0))]).await.unwrap();
        assert!(number == 1 || answer == [SubmitAnswer::Inserted], "{answer:?}");
    }
    assert_eq!(store.claim(&request(100)).await.unwrap().len(), 20);
    store.close().await.unwrap();
}

/// Jobs with whatever fields are claimed together in a few statements. What goes row by row instead is right, too, so only the log tells it.
#[tokio::test]
async fn a_claim_takes_jobs_of_every_kind_together() {
    let schema = Schema::new();
    let (store, _, _) = open(&schema).await;
    // Many at once, and few by one statement.
    for (base, limit) in [(0, 100), (10, 10)] {
        let jobs = [
            once(base + 1),
            repeating(base + 2),
            of_tenant(base + 3, tenant(1)),
            JobInfo {
                source: JobSource::System,
                priority: JobPriority::High,
                ..once(base + 4)
            },
            JobInfo {
                is_enabled: false,
                trigger_count: u32::MAX,
                max_count: 2,
                description: Some("ä\n\"'".to_owned()),
                retry_policy: Some(RetryPolicy::fixed(Duration::from_secs(3))),
                last_run_time: Some(at(7)),
                ..once(base + 5)
            },
        ];
        let due: Vec<_> = jobs.into_iter().map(|it| due(it, at(0))).collect();
        store.submit(&due).await.unwrap();
        let lines = LogLines::of(Level::DEBUG);
        let claimed = {
            let _guard = tracing::subscriber::set_default(lines.clone());
            store.claim(&request(limit)).await.unwrap()
        };
        assert_eq!(claimed.len(), due.len());
        let own = |it: &String| it.starts_with("tasks_store_seaorm");
        let said: Vec<_> = lines.lines().into_iter().filter(own).collect();
        assert!(said.is_empty(), "{said:?}");
    }
    store.close().await.unwrap();
}

/// A job that cannot be read, and one that has both a waiting execution and one in flight, are passed over; all others are claimed with them in the batch.
#[tokio::test]
async fn a_claim_passes_over_what_is_not_as_it_should_be() {
    let schema = Schema::new();
    let (store, server, _) = open(&schema).await;
    let jobs: Vec<_> = (1..=4).map(|it| due(once(it), at(0))).collect();
    store.submit(&jobs).await.unwrap();
    let own = schema.name();
    let both = claim_id().as_uuid();
    for sql in [
        format!(
            "UPDATE {own}.tk_background_jobs SET misfire_policy = 9 WHERE id = '{}'",
            job_id(2)
        ),
        format!(
            "INSERT INTO {own}.tk_job_runs (job_id, run_id, instance, claim_id, lane_id, rank, due_at, kind, attempt, suspect, job_version, after, claimed_at) \
             SELECT job_id, '{both}', '{}', '{both}', lane_id, rank, due_at, kind, attempt, 0, 0, 0, due_at FROM {own}.tk_job_queue WHERE job_id = '{}'",
            instance_id(1),
            job_id(3)
        ),
    ] {
        server.execute_unprepared(&sql).await.unwrap();
    }
    let lines = LogLines::of(Level::DEBUG);
    let claimed = {
        let _guard = tracing::subscriber::set_default(lines.clone());
        store.claim(&request(100)).await.unwrap()
    };
    let ids: Vec<_> = claimed.iter().map(|it| it.job.id).collect();
    assert_eq!(ids, [job_id(1), job_id(4)]);
    let is_told = |it: &String| it.starts_with("tasks_store_seaorm") && it.contains("row by row");
    assert!(lines.lines().iter().any(is_told), "{:?}", lines.lines());
    let waiting = format!("SELECT count(*) FROM {own}.tk_job_queue");
    assert_eq!(
        number(&server, waiting).await,
        2,
        "they stay for the check to judge"
    );
    assert!(store.claim(&request(100)).await.unwrap().is_empty());
    store.close().await.unwrap();
}

/// Batches that are refused, and outcomes that come too late, end their transactions: nothing is left locked, and the connections serve the next calls.
#[tokio::test]
async fn what_is_not_as_expected_leaves_no_transaction_open() {
    let schema = Schema::new();
    let (store, server, name) = open(&schema).await;
    let jobs: Vec<_> = (1..=6).map(|it| due(once(it), at(0))).collect();
    store.submit(&jobs[..3]).await.unwrap();
    // Some are there already: the short way is left for the long one.
    let answers = store.submit(&jobs).await.unwrap();
    assert_eq!(answers[..3], [SubmitAnswer::Exists; 3]);
    assert_eq!(answers[3..], [SubmitAnswer::Inserted; 3]);

    let claimed = store.claim(&request(100)).await.unwrap();
    assert_eq!(claimed.len(), 6);
    let outcomes: Vec<_> = claimed.iter().map(done).collect();
    store.finish(&outcomes[..2]).await.unwrap();
    let before = sessions(&server, &name).await;
    for _ in 0..10 {
        // Two are settled already: the batch is looked at run by run, and the second time all of them are gone.
        let answers = store.finish(&outcomes[..4]).await.unwrap();
        assert!(
            answers[..2].iter().all(|it| matches!(it, FinishAnswer::Gone)),
            "{answers:?}"
        );
    }
    all_over(&server, &name).await;
    // The long way has connections of its own.
    let after = sessions(&server, &name).await;
    assert!(
        after <= before + i64::from(WRITERS),
        "{before} sessions, then {after}"
    );

    let answers = store.finish(&outcomes[4..]).await.unwrap();
    assert!(
        answers.iter().all(|it| matches!(it, FinishAnswer::Applied)),
        "{answers:?}"
    );
    for number in 1..=6 {
        let found = store
            .snapshots(TenantScope::All, &[job_id(number)])
            .await
            .unwrap();
        assert!(found[0].run.is_none() && found[0].waiting.is_none());
    }
    store.close().await.unwrap();
    while sessions(&server, &name).await > 0 {
        tokio::task::yield_now().await;
    }
}
