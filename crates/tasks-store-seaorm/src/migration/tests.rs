//! Tables from nothing, by two at once, and of other versions.

use std::sync::Arc;

use sea_orm::ConnectionTrait;
use tasks_abstractions::store::StoreErrorKind;
use tasks_abstractions::{JobId, JobStore, RunId, SystemClock};
use tasks_multitenancy::TenantScope;
use tempfile::TempDir;

use super::PROGRAM;
use crate::{SeaOrmStore, SeaOrmStoreOptions, migrate};

fn options(folder: &TempDir) -> SeaOrmStoreOptions {
    SeaOrmStoreOptions::path(folder.path().join("jobs.db")).unwrap()
}

async fn unchecked(folder: &TempDir) -> SeaOrmStore {
    SeaOrmStore::connect_unchecked(options(folder), Arc::new(SystemClock))
        .await
        .unwrap()
}

async fn applied(store: &SeaOrmStore) -> Vec<bool> {
    let states = migrate::status(store).await.unwrap();
    states.iter().map(|it| it.applied).collect()
}

#[tokio::test]
async fn changes_are_made_and_taken_back() {
    let folder = tempfile::tempdir().unwrap();
    let store = unchecked(&folder).await;
    assert_eq!(applied(&store).await, [false, false, false]);
    for _ in 0..2 {
        migrate::up(&store).await.unwrap();
        assert_eq!(applied(&store).await, [true, true, true]);
        assert!(store.counts(TenantScope::All).await.unwrap().by_status.is_empty());
    }
    migrate::down(&store, None).await.unwrap();
    assert_eq!(applied(&store).await, [false, false, false]);
    assert!(store.counts(TenantScope::All).await.is_err());
    migrate::up(&store).await.unwrap();
    assert_eq!(applied(&store).await, [true, true, true]);
}

#[tokio::test]
async fn tables_that_are_missing_are_reported() {
    let folder = tempfile::tempdir().unwrap();
    let mut options = options(&folder);
    options.migrate_on_start = false;
    let error = SeaOrmStore::connect(options, Arc::new(SystemClock))
        .await
        .unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Invalid);
    assert!(error.to_string().contains("tasks migrate"), "{error}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn starters_at_the_same_time_do_not_disturb_each_other() {
    for _ in 0..5 {
        let folder = tempfile::tempdir().unwrap();
        let starters: Vec<_> = (0..4)
            .map(|_| tokio::spawn(SeaOrmStore::connect(options(&folder), Arc::new(SystemClock))))
            .collect();
        for starter in starters {
            let store = starter.await.unwrap().unwrap();
            assert_eq!(applied(&store).await, [true, true, true]);
        }
    }
}

#[tokio::test]
async fn tables_of_a_newer_program_are_used_if_they_allow_it() {
    let folder = tempfile::tempdir().unwrap();
    let connect = || SeaOrmStore::connect(options(&folder), Arc::new(SystemClock));
    let store = connect().await.unwrap();
    let set = async |version: i64, oldest: i64| {
        let sql = format!("UPDATE tk_schema SET version = {version}, oldest_program = {oldest}");
        store.connection().execute_unprepared(&sql).await.unwrap();
    };
    let newer = "INSERT INTO tk_migrations (version, applied_at) VALUES ('m29990101_000001_later', 0)";
    store.connection().execute_unprepared(newer).await.unwrap();
    set(PROGRAM + 1, PROGRAM).await;
    connect().await.unwrap();
    set(PROGRAM + 2, PROGRAM + 1).await;
    let error = connect().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Invalid);
    assert!(error.to_string().contains("upgrade"), "{error}");
}

/// Rows that a program of an earlier version wrote are there afterwards, with nothing in the new columns.
#[tokio::test]
async fn rows_of_earlier_tables_are_kept() {
    for (steps, there) in [(1, [true, true, false]), (2, [true, false, false])] {
        let folder = tempfile::tempdir().unwrap();
        let store = unchecked(&folder).await;
        migrate::up(&store).await.unwrap();
        migrate::down(&store, Some(steps)).await.unwrap();
        assert_eq!(applied(&store).await, there);
        let db = store.connection();
        let job = "INSERT INTO tk_background_jobs (id, tenant_id, name, job_group, type_name, args, source, state, is_enabled, job_type, misfire_policy, \
             misfire_max, creation_time, begin_time, trigger_count, try_count, max_try_count, max_count, is_abandoned, interruptions, \
             suspect_interruptions, max_interruptions, interval_ms, priority, failover, version) \
             VALUES (unhex('00000000000000000000000000000001'), zeroblob(16), 'old', 'g', 't', '{}', 0, 5, 1, 0, 0, 0, 1, 1, 0, 0, 50, 0, 0, 0, 0, 3, \
             300000, 15, 0, 4)";
        let run = "INSERT INTO tk_job_runs (job_id, run_id, instance, claim_id, lane_id, rank, due_at, kind, attempt, suspect, job_version, after, \
             claimed_at) VALUES (unhex('00000000000000000000000000000001'), zeroblob(16), zeroblob(16), zeroblob(16), 1, 10, 1, 0, 1, 0, 4, 0, 1)";
        let log = "INSERT INTO tk_background_job_logs (run_id, job_id, tenant_id, job_name, job_group, type_name, outcome, message, started_at, \
             duration_ms, node_name, instance, attempt) VALUES (unhex('00000000000000000000000000000002'), \
             unhex('00000000000000000000000000000001'), zeroblob(16), 'old', 'g', 't', 0, 'said', 5, 7, 'node', zeroblob(16), 1)";
        for statement in [job, run, log] {
            db.execute_unprepared(statement).await.unwrap();
        }
        migrate::up(&store).await.unwrap();
        let id = JobId::new(uuid::Uuid::from_u128(1));
        let found = store.snapshots(TenantScope::All, &[id]).await.unwrap().remove(0);
        assert_eq!((found.job.name.as_str(), found.job.version), ("old", 4));
        assert_eq!((found.job.selector, found.job.definition), (None, None));
        assert!(found.job.overrides.is_empty());
        assert_eq!(found.run.unwrap().progress, None);
        let run = RunId::new(uuid::Uuid::from_u128(2));
        let log = store.find_log(id, run).await.unwrap().unwrap();
        assert_eq!((log.message.as_deref(), log.attempt), (Some("said"), 1));
    }
}
