//! What only a PostgreSQL server can show: its clock, schemas, lost sessions, several starters, plans over many rows.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ConnectionTrait, Database, DatabaseConnection, Statement, TransactionTrait};
use tasks_abstractions::job::Lane;
use tasks_abstractions::store::{
    ClaimRequest, ClaimedRun, Decision, FinishAnswer, NodeInfo, NodeState, SubmitAnswer, TakeOver,
};
use tasks_abstractions::{JobId, JobQueue, JobStore, StoreError, Timestamp};
use tasks_multitenancy::TenantScope;
use tasks_store_seaorm::{Durability, SeaOrmStore, migrate};
use tasks_testing::ManualClock;
use tasks_testing::samples::{
    at, claim_id, claim_request, done, due, instance_id, job_id, node, once, run_id,
};

use crate::postgres_schema::Schema;
use crate::proxy::Proxy;

const ALL: TenantScope = TenantScope::All;

async fn open(schema: &Schema) -> SeaOrmStore {
    // This clock stands still, far from the server's.
    SeaOrmStore::connect(schema.options(), Arc::new(ManualClock::new()))
        .await
        .unwrap()
}

async fn server(schema: &Schema) -> DatabaseConnection {
    Database::connect(schema.options().url).await.unwrap()
}

async fn number(on: &impl ConnectionTrait, sql: &str) -> i64 {
    let statement = Statement::from_string(sea_orm::DbBackend::Postgres, sql);
    let row = on.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

fn request(limit: usize, now: Option<Timestamp>) -> ClaimRequest {
    ClaimRequest {
        now,
        ..claim_request(1, limit, at(0))
    }
}

#[tokio::test]
async fn the_tables_that_jobs_go_through_are_cleaned_up_behind_them() {
    let schema = Schema::new();
    let mut options = schema.options();
    options.vacuum_after = Some(1_000);
    let store = SeaOrmStore::connect(options, Arc::new(ManualClock::new()))
        .await
        .unwrap();
    // Only a vacuum or an analysis says how many rows there are; before, it is -1. The server's own comes after 5,000 rows at the earliest.
    let swept = async |table: &str| {
        let sql = format!(
            "SELECT reltuples::bigint FROM pg_class WHERE oid = '{}.{table}'::regclass",
            schema.name()
        );
        number(store.connection(), &sql).await >= 0
    };
    store.register_node(&node(1)).await.unwrap();
    let now = store.now().await.unwrap();
    let jobs: Vec<_> = (1..=1_000).map(|it| due(once(it), now)).collect();
    store.submit(&jobs).await.unwrap();
    let claimed = store.claim(&request(1_000, None)).await.unwrap();
    let ended: Vec<_> = claimed.iter().map(done).collect();
    store.finish(&ended[1..]).await.unwrap();
    assert!(!swept("tk_job_queue").await && !swept("tk_job_runs").await);
    store.finish(&ended[..1]).await.unwrap();
    let both = async { while !swept("tk_job_queue").await || !swept("tk_job_runs").await {} };
    tokio::time::timeout(Duration::from_secs(60), both).await.unwrap();
}

#[tokio::test]
async fn without_a_given_instant_the_time_is_the_servers() {
    let schema = Schema::new();
    let store = open(&schema).await;
    let clock = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint";
    let before = number(store.connection(), clock).await;
    let now = store.now().await.unwrap().timestamp_micros();
    let after = number(store.connection(), clock).await;
    assert!(before <= now && now <= after, "{before} {now} {after}");

    store.register_node(&node(1)).await.unwrap();
    let second = Duration::from_secs(1);
    let now = store.now().await.unwrap();
    let jobs = [due(once(1), now - second), due(once(2), now + second * 3_600)];
    store.submit(&jobs).await.unwrap();
    let claimed = store.claim(&request(10, None)).await.unwrap();
    assert_eq!(claimed.len(), 1, "one is due by the server's clock");
    assert_eq!(claimed[0].job.id, job_id(1));
    assert!(claimed[0].run.claimed_at >= now);
    let wait = store.next_due(&[Lane::any_node()], None).await.unwrap().unwrap();
    assert!(wait > second * 3_500 && wait <= second * 3_601, "{wait:?}");
}

#[tokio::test]
async fn a_job_in_the_callers_transaction_commits_or_vanishes_with_it() {
    let schema = Schema::new();
    let store = open(&schema).await;
    // A connection of the application's own, which looks for its tables elsewhere.
    let db = server(&schema).await;
    let path = async |on: &sea_orm::DatabaseTransaction| -> String {
        let statement = Statement::from_string(sea_orm::DbBackend::Postgres, "SHOW search_path");
        on.query_one_raw(statement)
            .await
            .unwrap()
            .unwrap()
            .try_get_by_index(0)
            .unwrap()
    };
    for (commits, expected) in [(false, 0), (true, 2)] {
        let tx = db.begin().await.unwrap();
        let before = path(&tx).await;
        let jobs = [due(once(1), at(0)), due(once(1), at(0)), due(once(2), at(0))];
        let enqueued = store.enqueue_in(&tx, &jobs).await.unwrap();
        assert_eq!(
            enqueued.answers,
            [
                SubmitAnswer::Inserted,
                SubmitAnswer::Exists,
                SubmitAnswer::Inserted
            ]
        );
        assert_eq!(path(&tx).await, before, "the caller's statements go on as before");
        assert_eq!(
            number(&tx, "SELECT 1::bigint").await,
            1,
            "a duplicate breaks nothing"
        );
        if commits {
            tx.commit().await.unwrap();
        } else {
            tx.rollback().await.unwrap();
        }
        let found = store.snapshots(ALL, &[job_id(1), job_id(2)]).await.unwrap();
        assert_eq!(found.len(), expected);
    }
    db.close().await.unwrap();
}

#[tokio::test]
async fn sessions_are_set_up_for_the_stores_work() {
    let schema = Schema::new();
    let mut options = schema.options();
    options.durability = Durability::MayLoseLastCommits;
    options.statement_timeout = Duration::from_millis(7_500);
    let store = SeaOrmStore::connect(options, Arc::new(ManualClock::new()))
        .await
        .unwrap();
    let settings = store
        .transaction(|tx| async move {
            let mut values = Vec::new();
            for name in [
                "transaction_isolation",
                "statement_timeout",
                "idle_in_transaction_session_timeout",
                "jit",
                "synchronous_commit",
            ] {
                let statement = Statement::from_string(sea_orm::DbBackend::Postgres, format!("SHOW {name}"));
                let row = tx.query_one_raw(statement).await.unwrap().unwrap();
                values.push(row.try_get_by_index::<String>(0).unwrap());
            }
            Ok::<_, StoreError>(values)
        })
        .await
        .unwrap();
    assert_eq!(settings, ["read committed", "7500ms", "7500ms", "off", "off"]);
}

/// A network that swallows everything from some moment on: the call fails in time, and the next one has a connection of its own.
#[tokio::test]
async fn a_server_that_gives_no_answer_holds_nobody_up_for_ever() {
    let schema = Schema::new();
    let (mut options, proxy) = Proxy::before(schema.options()).await;
    options.statement_timeout = Duration::from_millis(500);
    let store = SeaOrmStore::connect(options, Arc::new(ManualClock::new()))
        .await
        .unwrap();
    store.submit(&[due(once(1), at(0))]).await.unwrap();
    proxy.swallow(true);
    let error = store.snapshots(ALL, &[job_id(1)]).await.unwrap_err();
    assert!(
        error.is_unavailable() && error.to_string().contains("no answer"),
        "{error}"
    );
    proxy.swallow(false);
    let found = loop {
        match store.snapshots(ALL, &[job_id(1)]).await {
            Err(it) if it.is_unavailable() => {}
            other => break other.unwrap(),
        }
    };
    assert_eq!(found.len(), 1);
}

#[tokio::test]
async fn lost_sessions_are_replaced() {
    let schema = Schema::new();
    let store = open(&schema).await;
    store.register_node(&node(1)).await.unwrap();
    let db = server(&schema).await;
    let kill = format!(
        "SELECT count(pg_terminate_backend(a.pid)) FROM pg_stat_activity a WHERE a.pid <> pg_backend_pid() \
         AND EXISTS (SELECT 1 FROM pg_locks l JOIN pg_class c ON c.oid = l.relation JOIN pg_namespace n ON n.oid = c.relnamespace \
         WHERE l.pid = a.pid AND n.nspname = '{}')",
        schema.name()
    );
    // A transaction in the middle of its work loses its session.
    let lost = store
        .transaction(|tx| {
            let (db, kill) = (&db, &kill);
            async move {
                tx.enqueue(due(once(1), at(0))).await.map_err(|it| {
                    StoreError::new(tasks_abstractions::store::StoreErrorKind::Invalid, it.to_string())
                })?;
                assert_eq!(number(db, kill).await, 1);
                Ok::<_, StoreError>(())
            }
        })
        .await
        .unwrap_err();
    assert!(lost.is_unavailable(), "{lost}");
    assert!(store.snapshots(ALL, &[job_id(1)]).await.unwrap().is_empty());
    let answers = store.submit(&[due(once(1), at(0))]).await.unwrap();
    assert_eq!(answers, [SubmitAnswer::Inserted], "the next one has a session");
    db.close().await.unwrap();
}

/// A predecessor whose number another process has by now: the start time tells.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_former_process_on_this_machine_is_gone_at_once() {
    let schema = Schema::new();
    let store = open(&schema).await;
    store.register_node(&node(1)).await.unwrap();
    let former = NodeInfo {
        name: "former".to_owned(),
        ..node(2)
    };
    store.register_node(&former).await.unwrap();
    let gone = store.declare_gone_processes(instance_id(1)).await.unwrap();
    assert!(gone.is_empty(), "this process lives: {gone:?}");
    let changed = store
        .connection()
        .execute_unprepared(
            "UPDATE tk_nodes SET process = regexp_replace(process, '[0-9]+$', '1') WHERE name = 'former'",
        )
        .await
        .unwrap();
    assert_eq!(changed.rows_affected(), 1);
    let gone = store.declare_gone_processes(instance_id(1)).await.unwrap();
    assert_eq!(gone, [instance_id(2)]);
    let states: Vec<_> = store
        .nodes()
        .await
        .unwrap()
        .into_iter()
        .map(|it| it.state)
        .collect();
    assert_eq!(states, [NodeState::Alive, NodeState::Dead]);
    let gone = store.declare_gone_processes(instance_id(1)).await.unwrap();
    assert!(gone.is_empty(), "once only");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn starters_at_the_same_time_do_not_disturb_each_other() {
    for _ in 0..3 {
        let schema = Schema::new();
        let starters: Vec<_> = (0..4)
            .map(|_| {
                let clock = Arc::new(ManualClock::new());
                tokio::spawn(SeaOrmStore::connect(schema.options(), clock))
            })
            .collect();
        for starter in starters {
            let store = starter.await.unwrap().unwrap();
            let states = migrate::status(&store).await.unwrap();
            assert!(states.iter().all(|it| it.applied), "{states:?}");
            store.close().await.unwrap();
        }
    }
}

#[tokio::test]
async fn tables_are_taken_back_and_rows_of_earlier_ones_are_kept() {
    let schema = Schema::new();
    let store = open(&schema).await;
    let applied = async || -> Vec<bool> {
        let states = migrate::status(&store).await.unwrap();
        states.iter().map(|it| it.applied).collect()
    };
    for (steps, there) in [(1, [true, true, false]), (2, [true, false, false])] {
        assert_eq!(applied().await, [true; 3]);
        migrate::down(&store, Some(steps)).await.unwrap();
        assert_eq!(applied().await, there);
        let of = |id: u32| format!("'00000000-0000-0000-0000-{id:012x}'");
        let (job, run, none) = (of(steps), of(10 + steps), of(0));
        let rows = [
            format!(
                "INSERT INTO tk_background_jobs (id, tenant_id, name, job_group, type_name, args, source, state, is_enabled, job_type, misfire_policy, \
                 misfire_max, creation_time, begin_time, trigger_count, try_count, max_try_count, max_count, is_abandoned, interruptions, \
                 suspect_interruptions, max_interruptions, interval_ms, priority, failover, version) VALUES \
                 ({job}, {none}, 'old', 'g', 't', '{{}}', 0, 5, 1, 0, 0, 0, 1, 1, 0, 0, 50, 0, 0, 0, 0, 3, 300000, 15, 0, 4)"
            ),
            format!(
                "INSERT INTO tk_background_job_logs (run_id, job_id, tenant_id, job_name, job_group, type_name, outcome, message, started_at, \
                 duration_ms, node_name, instance, attempt) VALUES ({run}, {job}, {none}, 'old', 'g', 't', 0, 'said', 5, 7, 'node', {none}, 1)"
            ),
        ];
        for row in rows {
            store.connection().execute_unprepared(&row).await.unwrap();
        }
        for _ in 0..2 {
            migrate::up(&store).await.unwrap();
            assert_eq!(applied().await, [true; 3]);
        }
        let id = job_id(u128::from(steps));
        let found = store.snapshots(ALL, &[id]).await.unwrap().remove(0);
        assert_eq!((found.job.name.as_str(), found.job.version), ("old", 4));
        assert_eq!(found.job.selector, None);
        let log = store
            .find_log(id, run_id(u128::from(10 + steps)))
            .await
            .unwrap()
            .unwrap();
        assert_eq!(log.message.as_deref(), Some("said"));
    }
    migrate::down(&store, None).await.unwrap();
    assert_eq!(applied().await, [false; 3]);
    assert!(store.counts(ALL).await.is_err(), "the tables are gone");
}

/// A million finished jobs that the planner knows nothing of, and 100,000 that wait for an absent node: no step of the engine reads a whole table.
#[tokio::test]
async fn no_step_scans_a_table_however_stale_the_statistics_are() {
    let schema = Schema::new();
    let named = async || {
        let mut options = schema.options();
        let joint = if options.url.contains('?') { '&' } else { '?' };
        options
            .url
            .push_str(&format!("{joint}application_name={}", schema.name()));
        SeaOrmStore::connect(options, Arc::new(ManualClock::new()))
            .await
            .unwrap()
    };
    let store = named().await;
    store.register_node(&node(1)).await.unwrap();
    store.register_node(&node(2)).await.unwrap();
    let jobs: Vec<_> = (1..=600).map(|it| due(once(it), at(0))).collect();
    store.submit(&jobs).await.unwrap();
    let db = store.connection();
    for sql in [
        "ALTER TABLE tk_background_jobs SET (autovacuum_enabled = false)",
        "ALTER TABLE tk_job_queue SET (autovacuum_enabled = false)",
        "ANALYZE tk_background_jobs, tk_job_queue, tk_job_runs",
        "INSERT INTO tk_background_jobs (id, tenant_id, name, job_group, type_name, args, source, state, is_enabled, job_type, misfire_policy, \
         misfire_max, creation_time, begin_time, trigger_count, try_count, max_try_count, max_count, is_abandoned, interruptions, \
         suspect_interruptions, max_interruptions, interval_ms, priority, failover, version) \
         SELECT lpad(to_hex(1000000 + g), 32, '0')::uuid, lpad('', 32, '0')::uuid, 'n', 'g', 't', '{}', 0, 0, 1, 0, 0, 0, g, g, 1, 0, 50, 0, 0, 0, 0, 3, \
         300000, 15, 0, 1 FROM generate_series(1, 1000000) g",
        "INSERT INTO tk_lanes (name) VALUES ('node:absent')",
        "INSERT INTO tk_job_queue SELECT j.id, (SELECT id FROM tk_lanes WHERE name = 'node:absent'), 10, 0, 0, 1 \
         FROM tk_background_jobs j WHERE j.state = 0 LIMIT 100000",
    ] {
        db.execute_unprepared(sql).await.unwrap();
    }
    store.close().await.unwrap();

    let scans = async || {
        let db = server(&schema).await;
        // A session says what it read when it ends.
        let sessions = format!(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = '{}'",
            schema.name()
        );
        while number(&db, &sessions).await > 0 {}
        let sql = format!(
            "SELECT coalesce(sum(seq_scan), 0)::bigint FROM pg_stat_user_tables WHERE schemaname = '{}' \
             AND relname IN ('tk_background_jobs', 'tk_job_queue')",
            schema.name()
        );
        let count = number(&db, &sql).await;
        db.close().await.unwrap();
        count
    };
    let before = scans().await;
    let own = named().await;
    let claimed = own.claim(&request(500, Some(at(1)))).await.unwrap();
    assert_eq!(claimed.len(), 500);
    let few = own.claim(&request(10, Some(at(1)))).await.unwrap();
    assert_eq!(few.len(), 10);
    finish(&own, &claimed[..400]).await;
    let ids: Vec<JobId> = claimed[400..].iter().map(|it| it.job.id).collect();
    let kept = own
        .change(ALL, &ids, Some(at(1)), &|_, _| Decision::Keep)
        .await
        .unwrap();
    assert_eq!(kept.len(), 100);
    own.unregister_node(instance_id(1)).await.unwrap();
    let take = TakeOver {
        instance: instance_id(2),
        claim_id: claim_id(),
        limit: 500,
        now: Some(at(2)),
    };
    assert_eq!(own.take_over(&take).await.unwrap().len(), 110);
    assert!(
        own.next_due(&[Lane::any_node()], Some(at(2)))
            .await
            .unwrap()
            .is_some()
    );
    own.close().await.unwrap();
    assert_eq!(scans().await, before);
}

async fn finish(store: &SeaOrmStore, runs: &[ClaimedRun]) {
    let runs: Vec<_> = runs.iter().map(done).collect();
    let answers = store.finish(&runs).await.unwrap();
    assert!(
        answers.iter().all(|it| matches!(it, FinishAnswer::Applied)),
        "{answers:?}"
    );
}
