//! Which rights a start needs on PostgreSQL, and what it says where one is missing; who waits for whom while tables are changed.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::Arc;

use sea_orm::{ConnectionTrait, Database, DbBackend, Statement, TransactionTrait};
use tasks_abstractions::store::StoreErrorKind;
use tasks_abstractions::{JobQueue, StoreError};
use tasks_store_seaorm::{SeaOrmStore, SeaOrmStoreOptions, migrate};
use tasks_testing::ManualClock;
use tasks_testing::samples::{at, due, once};

use crate::postgres_schema::Schema;

/// A role that may connect to a database of its own and nothing else, with the name of the schema. Both are there while this is.
struct Role {
    /// The role's database, for the user of the test run.
    owner: String,
    server: String,
    options: SeaOrmStoreOptions,
    name: String,
}

impl Role {
    async fn new(schema: &Schema) -> Self {
        let mut options = schema.options();
        let server = options.url.clone();
        let name = schema.name().to_owned();
        run(
            &server,
            &[
                format!("CREATE ROLE {name} LOGIN PASSWORD '{name}'"),
                format!("CREATE DATABASE {name}"),
                format!("REVOKE ALL ON DATABASE {name} FROM PUBLIC"),
                format!("GRANT CONNECT ON DATABASE {name} TO {name}"),
            ],
        )
        .await;
        let (before, after) = server.rsplit_once('/').expect("the URL names a database");
        let parameters = after.split_once('?').map_or("", |it| it.1);
        let owner = format!("{before}/{name}?{parameters}");
        let (_, place) = owner.rsplit_once('@').expect("the URL names a user");
        options.url = format!("postgres://{name}:{name}@{place}");
        Self {
            owner,
            server,
            options,
            name,
        }
    }

    async fn connect(&self) -> Result<SeaOrmStore, StoreError> {
        SeaOrmStore::connect(self.options.clone(), Arc::new(ManualClock::new())).await
    }
}

impl Drop for Role {
    fn drop(&mut self) {
        let (server, statements) = (
            self.server.clone(),
            [
                format!("DROP DATABASE {} WITH (FORCE)", self.name),
                format!("DROP ROLE {}", self.name),
            ],
        );
        // The runtime of the test cannot be waited for from here.
        let removed = std::thread::spawn(move || {
            tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap()
                .block_on(run(&server, &statements));
        })
        .join();
        if !std::thread::panicking() {
            removed.expect("role and database are removed");
        }
    }
}

async fn run(url: &str, statements: &[String]) {
    let server = Database::connect(url).await.unwrap();
    for sql in statements {
        server.execute_unprepared(sql).await.unwrap();
    }
    server.close().await.unwrap();
}

#[tokio::test]
async fn the_owner_of_a_schema_needs_no_right_on_the_database() {
    let schema = Schema::new();
    let role = Role::new(&schema).await;
    let create = format!("CREATE SCHEMA {0} AUTHORIZATION {0}", role.name);
    run(&role.owner, &[create]).await;
    for answer in ["Inserted", "Exists"] {
        let store = role.connect().await.unwrap();
        let answers = store.submit(&[due(once(1), at(0))]).await.unwrap();
        assert_eq!(format!("{answers:?}"), format!("[{answer}]"));
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_missing_schema_that_may_not_be_created_is_named_with_the_remedy() {
    let schema = Schema::new();
    let role = Role::new(&schema).await;
    let error = role.connect().await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Invalid, "{error}");
    let text = error.to_string();
    let remedy = format!("CREATE SCHEMA {}", role.name);
    assert!(
        text.contains("may not create") && text.contains(&remedy),
        "{text}"
    );
}

/// The lock of the tables is that of a schema: whoever changes one waits for nobody who changes another.
#[tokio::test]
async fn schemas_of_one_database_are_changed_independently() {
    let (one, other) = (Schema::new(), Schema::new());
    let held = open(&one).await;
    let tx = held.connection().begin().await.unwrap();
    // What a start takes, held here for as long as the test wants.
    let take = format!(
        "SELECT pg_advisory_xact_lock(1952542579, hashtext('{}'))",
        one.name()
    );
    tx.query_one_raw(Statement::from_string(DbBackend::Postgres, take))
        .await
        .unwrap();
    open(&other).await.close().await.unwrap();
    // In its own schema it is waited for.
    let again = held.clone();
    let mut waits = tokio::spawn(async move { migrate::up(&again).await });
    let observer = Database::connect(&one.options().url).await.unwrap();
    let waiting = format!(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND classid = 1952542579 \
         AND objid = (hashtext('{}')::bigint & 4294967295)::oid",
        one.name()
    );
    while number(&observer, &waiting).await == 0 {
        assert!(!waits.is_finished(), "the lock of the schema was not waited for");
    }
    tx.commit().await.unwrap();
    (&mut waits).await.unwrap().unwrap();
    observer.close().await.unwrap();
}

async fn open(schema: &Schema) -> SeaOrmStore {
    SeaOrmStore::connect(schema.options(), Arc::new(ManualClock::new()))
        .await
        .unwrap()
}

async fn number(on: &impl ConnectionTrait, sql: &str) -> i64 {
    let statement = Statement::from_string(DbBackend::Postgres, sql);
    let row = on.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}
