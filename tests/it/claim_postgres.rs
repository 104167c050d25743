//! The claim on PostgreSQL: what others do between its look and its locks, what it cannot read, and in which order many come.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::Arc;

use sea_orm::{
    ConnectionTrait, Database, DatabaseConnection, DatabaseTransaction, Statement, TransactionTrait,
};
use serde_json::json;
use tasks_abstractions::job::{JobArgs, Lane};
use tasks_abstractions::run::JobSnapshot;
use tasks_abstractions::store::{
    ChangeAnswer, ClaimFloor, ClaimRequest, ClaimedRun, Decision, JobChange, RunChange, WaitingChange,
};
use tasks_abstractions::{JobInfo, JobPriority, JobQueue, Timestamp};
use tasks_multitenancy::TenantScope;
use tasks_store_seaorm::SeaOrmStore;
use tasks_testing::ManualClock;
use tasks_testing::samples::{at, claim_request, due, entry, job_id, node, once, waiting};
use tracing::Level;

use crate::log_lines::LogLines;
use crate::postgres_schema::Schema;

async fn open(schema: &Schema) -> SeaOrmStore {
    let store = SeaOrmStore::connect(schema.options(), Arc::new(ManualClock::new()))
        .await
        .unwrap();
    store.register_node(&node(1)).await.unwrap();
    store
}

async fn number(on: &impl ConnectionTrait, sql: &str) -> i64 {
    let statement = Statement::from_string(sea_orm::DbBackend::Postgres, sql);
    let row = on.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

/// Holds up whoever looks at the nodes: a claim then has seen the database as it was, and locked nothing.
struct Gate {
    server: DatabaseConnection,
    closed: DatabaseTransaction,
    key: String,
}

impl Gate {
    /// From now on, but for the first `free` looks.
    async fn close(schema: &Schema, free: u32) -> Self {
        let server = Database::connect(schema.options().url).await.unwrap();
        let name = schema.name();
        let key = format!("hashtext('{name}')");
        for sql in [
            format!("ALTER TABLE {name}.tk_nodes RENAME TO nodes_behind"),
            format!("CREATE SEQUENCE {name}.looks"),
            format!(
                "CREATE FUNCTION {name}.pass() RETURNS boolean LANGUAGE plpgsql AS \
                 $$ BEGIN IF nextval('{name}.looks') > {free} THEN PERFORM pg_advisory_xact_lock({key}); END IF; RETURN true; END $$"
            ),
            format!("CREATE VIEW {name}.tk_nodes AS SELECT * FROM {name}.nodes_behind WHERE {name}.pass()"),
        ] {
            server.execute_unprepared(&sql).await.unwrap();
        }
        let closed = server.begin().await.unwrap();
        let lock = format!("SELECT pg_advisory_xact_lock({key})");
        closed.execute_unprepared(&lock).await.unwrap();
        Self { server, closed, key }
    }

    /// Until somebody stands before it.
    async fn waits(&self) {
        let waiting = format!(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND objid = ({}::bigint & 4294967295)::oid",
            self.key
        );
        while number(&self.server, &waiting).await == 0 {
            tokio::task::yield_now().await;
        }
    }

    async fn open(self) {
        self.closed.commit().await.unwrap();
        self.server.close().await.unwrap();
    }
}

/// A claim of few, one of many, and one that begins at a floor.
fn requests(rank: i16) -> [ClaimRequest; 3] {
    [
        claim_request(1, 10, at(9)),
        claim_request(1, 100, at(9)),
        from_floor(rank, at(0)),
    ]
}

fn from_floor(rank: i16, due_at: Timestamp) -> ClaimRequest {
    let floor = ClaimFloor {
        lane: Lane::any_node(),
        rank,
        due_at,
    };
    ClaimRequest {
        floors: vec![floor],
        ..claim_request(1, 100, at(9))
    }
}

/// Claims while `edit` is carried out between the claim's look and its locks.
async fn claimed_around<F: Future<Output = ()>>(
    schema: &Schema,
    store: &SeaOrmStore,
    request: ClaimRequest,
    edit: F,
) -> Vec<ClaimedRun> {
    let gate = Gate::close(schema, 0).await;
    let claim = tokio::spawn({
        let store = store.clone();
        async move { store.claim(&request).await }
    });
    gate.waits().await;
    edit.await;
    gate.open().await;
    claim.await.unwrap().unwrap()
}

async fn change(store: &SeaOrmStore, to: impl Fn(&JobSnapshot) -> JobChange + Send + Sync) {
    let decide = |it: &JobSnapshot, _| Decision::Change(Box::new(to(it)));
    let answers = store
        .change(TenantScope::All, &[job_id(1)], Some(at(1)), &decide)
        .await
        .unwrap();
    assert!(matches!(answers[..], [ChangeAnswer::Changed(_)]), "{answers:?}");
}

/// A job whose execution waits as before is claimed as it has become: in the version, and with the arguments, that were there when the claim took it.
#[tokio::test]
async fn a_job_that_is_edited_under_a_claim_is_claimed_as_it_has_become() {
    let first = once(1);
    let place = entry(&first, at(0));
    for request in requests(place.rank) {
        let schema = Schema::new();
        let store = open(&schema).await;
        store.submit(&[due(first.clone(), at(0))]).await.unwrap();
        let edited = JobArgs::from_typed(&json!({ "edited": true })).unwrap();
        let edit = change(&store, |it| JobChange {
            job: JobInfo {
                args: edited.clone(),
                ..it.job.clone()
            },
            waiting: WaitingChange::Keep,
            run: RunChange::default(),
        });
        let claimed = claimed_around(&schema, &store, request, edit).await;
        assert_eq!(claimed.len(), 1);
        let job = &claimed[0].job;
        assert_eq!((&job.args, job.version), (&edited, first.version + 1));
        assert_eq!(claimed[0].run.job_version, job.version);
        store.close().await.unwrap();
    }
}

/// An execution that was put elsewhere meanwhile is not claimed from where it was: where it is due, at once or by the next claim.
#[tokio::test]
async fn an_execution_that_is_moved_under_a_claim_is_claimed_where_it_is() {
    let first = once(1);
    let place = entry(&first, at(0));
    for request in requests(place.rank) {
        for new in [at(2), at(5_000)] {
            let schema = Schema::new();
            let store = open(&schema).await;
            store.submit(&[due(first.clone(), at(0))]).await.unwrap();
            let moved = entry(&first, new);
            let edit = change(&store, |it| JobChange {
                job: it.job.clone(),
                waiting: WaitingChange::Set(moved.clone()),
                run: RunChange::default(),
            });
            let mut claimed = claimed_around(&schema, &store, request.clone(), edit).await;
            assert!(
                claimed.iter().all(|it| it.run.entry.due_at <= at(9)),
                "{claimed:?}"
            );
            claimed.extend(store.claim(&claim_request(1, 100, at(6_000))).await.unwrap());
            let places: Vec<_> = claimed.iter().map(|it| it.run.entry.due_at).collect();
            assert_eq!(places, [new]);
            store.close().await.unwrap();
        }
    }
}

/// What cannot be read waits as before, though it was taken with what can; and for some time no claim takes what it has not read.
#[tokio::test]
async fn an_execution_of_a_job_that_cannot_be_read_waits_as_it_did() {
    let schema = Schema::new();
    let store = open(&schema).await;
    let jobs: Vec<_> = (1..=3).map(|it| due(once(it), at(1))).collect();
    store.submit(&jobs).await.unwrap();
    let own = schema.name();
    let server = Database::connect(schema.options().url).await.unwrap();
    let spoil = format!(
        "UPDATE {own}.tk_background_jobs SET misfire_policy = 9 WHERE id = '{}'",
        job_id(2)
    );
    server.execute_unprepared(&spoil).await.unwrap();
    let mark = format!(
        "SELECT md5(q::text)::uuid::text FROM {own}.tk_job_queue q WHERE job_id = '{}'",
        job_id(2)
    );
    let place = async || -> String {
        let statement = Statement::from_string(sea_orm::DbBackend::Postgres, &mark);
        let row = server.query_one_raw(statement).await.unwrap().unwrap();
        row.try_get_by_index(0).unwrap()
    };
    let before = place().await;
    let lines = LogLines::of(Level::DEBUG);
    let claimed = {
        let _guard = tracing::subscriber::set_default(lines.clone());
        let claimed = store.claim(&claim_request(1, 10, at(9))).await.unwrap();
        assert!(
            store
                .claim(&claim_request(1, 100, at(9)))
                .await
                .unwrap()
                .is_empty()
        );
        claimed
    };
    let ids: Vec<_> = claimed.iter().map(|it| it.job.id).collect();
    assert_eq!(ids, [job_id(1), job_id(3)]);
    assert_eq!(place().await, before);
    let runs = format!("SELECT count(*) FROM {own}.tk_job_runs");
    assert_eq!(number(&server, &runs).await, 2);
    let taken = |it: &&String| it.contains("a claimed execution cannot be read");
    assert_eq!(
        lines.lines().iter().filter(taken).count(),
        1,
        "{:?}",
        lines.lines()
    );
    store.close().await.unwrap();
    server.close().await.unwrap();
}

/// Where more are due than are taken by one statement, nothing has begun before all of them are claimed: what is committed must not wait for anything else.
#[tokio::test]
async fn nothing_is_in_flight_while_a_claim_goes_on() {
    let schema = Schema::new();
    let store = open(&schema).await;
    let jobs: Vec<_> = (1..=20).map(|it| due(once(it), at(0))).collect();
    store.submit(&jobs).await.unwrap();
    let gate = Gate::close(&schema, 1).await;
    let request = claim_request(1, 100, at(9));
    let mut claim = Box::pin(store.claim(&request));
    tokio::select! {
        () = gate.waits() => {}
        answer = &mut claim => panic!("answered by the first look: {answer:?}"),
    }
    let runs = format!("SELECT count(*) FROM {}.tk_job_runs", schema.name());
    assert_eq!(number(&gate.server, &runs).await, 0);
    gate.open().await;
    assert_eq!(claim.await.unwrap().len(), 20);
    store.close().await.unwrap();
}

/// However many are due, and of however many ranks: the most urgent come first, and a full claim takes no other.
#[tokio::test]
async fn claims_of_any_size_take_the_most_urgent_in_order() {
    const PRIORITIES: [JobPriority; 3] = [JobPriority::High, JobPriority::Normal, JobPriority::Low];
    let schema = Schema::new();
    let store = open(&schema).await;
    let mut left: Vec<(i16, Timestamp, u128)> = Vec::new();
    let mut jobs = Vec::new();
    for number in 1..=150_u128 {
        let priority = PRIORITIES[(number % 3) as usize];
        let job = JobInfo {
            priority,
            node_name: (number % 7 == 0).then(|| "own".to_owned()),
            ..once(number)
        };
        let due_at = at(((number * 37) % 50) as i64);
        let first = entry(&job, due_at);
        left.push((first.rank, due_at, number));
        jobs.push(waiting(job, first));
    }
    store.submit(&jobs).await.unwrap();
    left.sort_unstable();
    // Of powers of two and others, below and above what one statement takes; the last finds less than it asks for.
    for limit in [1, 2, 3, 10, 16, 17, 33, 60, 100] {
        let request = ClaimRequest {
            lanes: vec![Lane::any_node(), Lane::node("own")],
            ..claim_request(1, limit, at(100))
        };
        let claimed = store.claim(&request).await.unwrap();
        let expected: Vec<_> = left
            .drain(..limit.min(left.len()))
            .map(|it| job_id(it.2))
            .collect();
        let ids: Vec<_> = claimed.iter().map(|it| it.job.id).collect();
        assert_eq!(ids, expected, "a claim of {limit}");
    }
    assert!(left.is_empty());
    store.close().await.unwrap();
}
