//! That plans on PostgreSQL do not depend on how many rows a table is said to have.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::Arc;

use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement};
use tasks_abstractions::JobQueue;
use tasks_abstractions::store::{ClaimedRun, FinishAnswer};
use tasks_store_seaorm::SeaOrmStore;
use tasks_testing::ManualClock;
use tasks_testing::samples::{at, claim_request, done, due, node, once};

use crate::postgres_schema::Schema;

/// A store whose sessions carry the schema's name, and which leaves vacuums to this test.
async fn open(schema: &Schema) -> SeaOrmStore {
    let mut options = schema.options();
    let joint = if options.url.contains('?') { '&' } else { '?' };
    options
        .url
        .push_str(&format!("{joint}application_name={}", schema.name()));
    options.vacuum_after = None;
    SeaOrmStore::connect(options, Arc::new(ManualClock::new()))
        .await
        .unwrap()
}

async fn number(on: &DatabaseConnection, sql: &str) -> i64 {
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    let row = on.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

async fn claim(store: &SeaOrmStore, limit: usize) -> Vec<ClaimedRun> {
    let request = claim_request(1, limit, at(1));
    let claimed = store.claim(&request).await.unwrap();
    assert_eq!(claimed.len(), limit);
    claimed
}

async fn finish(store: &SeaOrmStore, runs: &[ClaimedRun]) {
    let ended: Vec<_> = runs.iter().map(done).collect();
    let answers = store.finish(&ended).await.unwrap();
    assert!(answers.iter().all(|it| matches!(it, FinishAnswer::Applied)));
}

/// Where a vacuum has found the runs empty, the planner takes them for empty. Then a few outcomes among many runs in flight read these few and no others.
#[tokio::test]
async fn outcomes_read_their_own_runs_where_none_are_said_to_be_there() {
    const RUNS: usize = 2_000;
    const ENDED: usize = 10;
    let schema = Schema::new();
    let store = open(&schema).await;
    store.register_node(&node(1)).await.unwrap();
    let jobs: Vec<_> = (1..=2 * RUNS as u128).map(|it| due(once(it), at(0))).collect();
    store.submit(&jobs).await.unwrap();
    store
        .connection()
        .execute_unprepared("ALTER TABLE tk_job_runs SET (autovacuum_enabled = false)")
        .await
        .unwrap();
    finish(&store, &claim(&store, RUNS).await).await;
    // As where there is always a run somewhere that keeps the end of the file.
    store
        .connection()
        .execute_unprepared("VACUUM (TRUNCATE false) tk_job_runs")
        .await
        .unwrap();
    let said = format!(
        "SELECT reltuples::bigint FROM pg_class WHERE oid = '{}.tk_job_runs'::regclass AND relpages > 0",
        schema.name()
    );
    assert_eq!(number(store.connection(), &said).await, 0);
    store.close().await.unwrap();

    let read = async || {
        let db = Database::connect(schema.options().url).await.unwrap();
        // A session says what it read when it ends.
        let sessions = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = '{}'",
            schema.name()
        );
        while number(&db, &sessions).await > 0 {}
        let sql = format!(
            "SELECT sum(idx_tup_read)::bigint FROM pg_stat_user_indexes WHERE schemaname = '{}' AND relname = 'tk_job_runs'",
            schema.name()
        );
        let count = number(&db, &sql).await;
        db.close().await.unwrap();
        count
    };
    let store = open(&schema).await;
    let claimed = claim(&store, RUNS).await;
    store.close().await.unwrap();
    let before = read().await;
    let store = open(&schema).await;
    finish(&store, &claimed[..ENDED]).await;
    store.close().await.unwrap();
    let own = read().await - before;
    assert!(
        own <= 2 * ENDED as i64,
        "{own} runs were read for {ENDED} outcomes"
    );
}
