//! What only a MariaDB or MySQL server can show: its clock, lost sessions, several starters, changes of tables that were ended half-way, plans.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use sea_orm::{ConnectionTrait, Database, DatabaseConnection, DbBackend, Statement, TransactionTrait};
use tasks_abstractions::store::{
    ClaimRequest, Decision, FinishAnswer, NodeInfo, NodeState, StoreErrorKind, SubmitAnswer, TakeOver,
};
use tasks_abstractions::{JobId, JobQueue, JobStore, StoreError, Timestamp};
use tasks_multitenancy::TenantScope;
use tasks_store_seaorm::{SeaOrmStore, migrate};
use tasks_testing::ManualClock;
use tasks_testing::samples::{at, claim_id, claim_request, done, due, instance_id, job_id, node, once};

use crate::mysql_database::OwnDatabase;
use crate::proxy::Proxy;

const ALL: TenantScope = TenantScope::All;

async fn open(database: &OwnDatabase) -> SeaOrmStore {
    // This clock stands still, far from the server's.
    SeaOrmStore::connect(database.options(), Arc::new(ManualClock::new()))
        .await
        .unwrap()
}

async fn server(database: &OwnDatabase) -> DatabaseConnection {
    Database::connect(database.options().url).await.unwrap()
}

async fn number(on: &impl ConnectionTrait, sql: &str) -> i64 {
    let statement = Statement::from_string(DbBackend::MySql, sql);
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
async fn without_a_given_instant_the_time_is_the_servers() {
    let database = OwnDatabase::new().await;
    let store = open(&database).await;
    let clock = "SELECT TIMESTAMPDIFF(MICROSECOND, '1970-01-01', UTC_TIMESTAMP(6))";
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
    assert!(claimed[0].run.claimed_at >= now);
}

#[tokio::test]
async fn a_job_in_the_callers_transaction_commits_or_vanishes_with_it() {
    let database = OwnDatabase::new().await;
    let store = open(&database).await;
    // A connection of the application's own, with the server's own level of isolation.
    let db = server(&database).await;
    for (commits, expected) in [(false, 0), (true, 2)] {
        let tx = db.begin().await.unwrap();
        assert_eq!(number(&tx, "SELECT COUNT(*) FROM tk_background_jobs").await, 0);
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
        assert_eq!(number(&tx, "SELECT 1").await, 1, "a duplicate breaks nothing");
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
    let database = OwnDatabase::new().await;
    let mut options = database.options();
    options.statement_timeout = Duration::from_secs(7);
    options.writers = 1;
    let store = SeaOrmStore::connect(options, Arc::new(ManualClock::new()))
        .await
        .unwrap();
    let value = async |name: &str| -> String {
        let sql = format!("SHOW SESSION VARIABLES WHERE Variable_name {name}");
        store
            .transaction(|tx| async move {
                let statement = Statement::from_string(DbBackend::MySql, sql);
                let row = tx.query_one_raw(statement).await.unwrap().unwrap();
                Ok::<String, StoreError>(row.try_get_by_index(1).unwrap())
            })
            .await
            .unwrap()
    };
    // After the changes of the tables, which have no limit.
    assert_eq!(
        value("IN ('tx_isolation', 'transaction_isolation')").await,
        "READ-COMMITTED"
    );
    assert_eq!(value("= 'innodb_lock_wait_timeout'").await, "7");
    assert!(value("= 'sql_mode'").await.contains("STRICT_TRANS_TABLES"));
    if value("= 'version'").await.contains("MariaDB") {
        assert_eq!(value("= 'max_statement_time'").await, "7.000000");
        assert_eq!(value("= 'idle_transaction_timeout'").await, "7");
    }
}

#[tokio::test]
async fn lost_sessions_are_replaced() {
    let database = OwnDatabase::new().await;
    let store = open(&database).await;
    let db = server(&database).await;
    // A transaction in the middle of its work loses its session.
    let lost = store
        .transaction(|tx| {
            let db = &db;
            async move {
                let session = number(tx.connection(), "SELECT CAST(CONNECTION_ID() AS SIGNED)").await;
                tx.enqueue(due(once(1), at(0)))
                    .await
                    .map_err(|it| StoreError::new(StoreErrorKind::Invalid, it.to_string()))?;
                db.execute_unprepared(&format!("KILL {session}")).await.unwrap();
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
    let database = OwnDatabase::new().await;
    let store = open(&database).await;
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
        let database = OwnDatabase::new().await;
        let starters: Vec<_> = (0..4)
            .map(|_| {
                let clock = Arc::new(ManualClock::new());
                tokio::spawn(SeaOrmStore::connect(database.options(), clock))
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

/// Here a change of a table commits by itself: whatever a try did before it was ended, the next one completes it.
#[tokio::test]
async fn changes_that_were_ended_half_way_are_completed() {
    let database = OwnDatabase::new().await;
    let store = open(&database).await;
    let db = store.connection();
    let applied = async || -> Vec<bool> {
        let states = migrate::status(&store).await.unwrap();
        states.iter().map(|it| it.applied).collect()
    };
    assert_eq!(applied().await, [true; 3]);
    db.execute_unprepared("DELETE FROM tk_migrations").await.unwrap();
    for gone in [
        "ALTER TABLE tk_job_runs DROP COLUMN progress_at",
        "DROP TABLE tk_cursors",
        "DROP TABLE tk_locks",
        "ALTER TABLE tk_background_job_logs DROP PRIMARY KEY, ADD PRIMARY KEY (run_id), ADD KEY tk_background_job_logs_job (job_id, started_at)",
    ] {
        db.execute_unprepared(gone).await.unwrap();
    }
    for _ in 0..2 {
        migrate::up(&store).await.unwrap();
        assert_eq!(applied().await, [true; 3]);
    }
    assert_eq!(number(db, "SELECT COUNT(*) FROM tk_lanes").await, 1);
    store.set_cursor("c", Some("v")).await.unwrap();
    migrate::down(&store, None).await.unwrap();
    assert_eq!(applied().await, [false; 3]);
    migrate::up(&store).await.unwrap();
    store.submit(&[due(once(1), at(0))]).await.unwrap();
}

/// 20,000 finished jobs, and 20,000 that wait for an absent node: each step reads what it is about, by key, at every size of a batch.
#[tokio::test]
async fn no_step_reads_more_than_its_rows() {
    let database = OwnDatabase::new().await;
    let store = open(&database).await;
    store.register_node(&node(1)).await.unwrap();
    store.register_node(&node(2)).await.unwrap();
    let jobs: Vec<_> = (1..=600).map(|it| due(once(it), at(0))).collect();
    store.submit(&jobs).await.unwrap();
    let db = store.connection();
    for sql in [
        "INSERT INTO tk_background_jobs (id, tenant_id, name, job_group, type_name, args, source, state, is_enabled, job_type, misfire_policy, \
         misfire_max, creation_time, begin_time, trigger_count, try_count, max_try_count, max_count, is_abandoned, interruptions, \
         suspect_interruptions, max_interruptions, interval_ms, priority, failover, version) \
         WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < 900) \
         SELECT UNHEX(LPAD(HEX(1000000 + a.n * 1000 + b.n), 32, '0')), REPEAT(CHAR(0), 16), 'n', 'g', 't', '{}', 0, 0, 1, 0, 0, 0, a.n, a.n, 1, 0, 50, \
         0, 0, 0, 0, 3, 300000, 15, 0, 1 FROM g a JOIN g b ON b.n <= 23",
        "INSERT INTO tk_lanes (name) VALUES ('node:absent')",
        "INSERT INTO tk_job_queue (job_id, lane_id, `rank`, due_at, kind, attempt) \
         SELECT j.id, (SELECT id FROM tk_lanes WHERE name = 'node:absent'), 10, 0, 0, 1 FROM tk_background_jobs j WHERE j.state = 0 LIMIT 20000",
    ] {
        db.execute_unprepared(sql).await.unwrap();
    }
    store.close().await.unwrap();

    // One writing session, so that its counters are those of all steps.
    let mut options = database.options();
    options.writers = 1;
    let own = SeaOrmStore::connect(options, Arc::new(ManualClock::new()))
        .await
        .unwrap();
    let read = async || -> i64 {
        let row = own
            .transaction(|tx| async move {
                let statement = Statement::from_string(
                    DbBackend::MySql,
                    "SHOW SESSION STATUS WHERE Variable_name IN ('Handler_read_rnd_next', 'Handler_read_next', 'Sort_scan', 'Select_scan')",
                );
                let rows = tx.query_all_raw(statement).await.unwrap();
                let values = rows
                    .iter()
                    .map(|it| it.try_get_by_index::<String>(1).unwrap().parse::<i64>().unwrap());
                Ok::<_, StoreError>(values.sum::<i64>())
            })
            .await;
        row.unwrap()
    };
    for size in [1, 10, 500] {
        let before = read().await;
        let claimed = own.claim(&request(size, Some(at(1)))).await.unwrap();
        assert_eq!(claimed.len(), size);
        let (some, others) = claimed.split_at(size / 2);
        let runs: Vec<_> = some.iter().map(done).collect();
        let answers = own.finish(&runs).await.unwrap();
        assert!(
            answers.iter().all(|it| matches!(it, FinishAnswer::Applied)),
            "{answers:?}"
        );
        let ids: Vec<JobId> = others.iter().map(|it| it.job.id).collect();
        let kept = own
            .change(ALL, &ids, Some(at(1)), &|_, _| Decision::Keep)
            .await
            .unwrap();
        assert_eq!(kept.len(), others.len());
        let read = read().await - before;
        // JSON tables are read as often as statements use them; what waits or is finished beside them never.
        let most = 20 * i64::try_from(size).unwrap() + 2_000;
        assert!(read < most, "{read} rows were read for {size} jobs");
    }
    own.unregister_node(instance_id(1)).await.unwrap();
    let take = TakeOver {
        instance: instance_id(2),
        claim_id: claim_id(),
        limit: 1_000,
        now: Some(at(2)),
    };
    assert_eq!(own.take_over(&take).await.unwrap().len(), 256);
}

/// Jobs that two hundred callers store at once go in a few transactions, not in two hundred one after the other.
#[tokio::test]
async fn jobs_of_many_callers_are_stored_together() {
    const CALLERS: u128 = 200;
    let database = OwnDatabase::new().await;
    let (options, proxy) = Proxy::before(database.options()).await;
    let store = SeaOrmStore::connect(options, Arc::new(ManualClock::new()))
        .await
        .unwrap();
    let commits = || {
        let sent = proxy.sent();
        let is_commit = |it: &&[u8]| *it == b"\x03COMMIT";
        sent.iter().flat_map(|it| it.windows(7)).filter(is_commit).count()
    };
    let before = commits();
    let jobs: Vec<_> = (1..=CALLERS).map(|it| [due(once(it), at(0))]).collect();
    let answers = join_all(jobs.iter().map(|it| store.submit(it))).await;
    assert!(
        answers
            .into_iter()
            .all(|it| it.unwrap() == [SubmitAnswer::Inserted])
    );
    // The first two that came, and all others after one of them.
    let commits = commits() - before;
    assert!((2..=4).contains(&commits), "{commits} transactions");
    store.close().await.unwrap();
}
