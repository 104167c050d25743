//! The claim on MariaDB and MySQL: what it reads, what it sorts, and what it locks.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DbBackend, Statement};
use serde_json::Value;
use tasks_abstractions::JobQueue;
use tasks_abstractions::job::Lane;
use tasks_abstractions::store::{ClaimRequest, SubmitAnswer};
use tasks_store_seaorm::SeaOrmStore;
use tasks_testing::ManualClock;
use tasks_testing::samples::{at, claim_request, due, job_id, node, once};

use crate::mysql_database::OwnDatabase;
use crate::proxy::Proxy;

/// The store behind a network that remembers what was sent and can lose it.
async fn behind(database: &OwnDatabase) -> (SeaOrmStore, Proxy) {
    let (options, proxy) = Proxy::before(database.options()).await;
    let store = SeaOrmStore::connect(options, Arc::new(ManualClock::new()))
        .await
        .unwrap();
    store.register_node(&node(1)).await.unwrap();
    (store, proxy)
}

fn request(lanes: &[Lane], limit: usize) -> ClaimRequest {
    ClaimRequest {
        lanes: lanes.to_vec(),
        ..claim_request(1, limit, at(1_000_000))
    }
}

/// The texts of all messages that prepared a statement.
fn prepared(proxy: &Proxy) -> Vec<String> {
    const PREPARE: u8 = 0x16;
    let mut found = Vec::new();
    for sent in proxy.sent() {
        let mut rest = sent.as_slice();
        // Three bytes of length, a number, and the message.
        while let [a, b, c, _, after @ ..] = rest {
            let length = usize::from(*a) | usize::from(*b) << 8 | usize::from(*c) << 16;
            let (message, next) = after.split_at(length.min(after.len()));
            if let [PREPARE, text @ ..] = message {
                found.push(String::from_utf8_lossy(text).into_owned());
            }
            rest = next;
        }
    }
    found
}

/// The statement that takes waiting rows, as it was last sent.
fn claiming(proxy: &Proxy, lanes: usize) -> String {
    let takes = |it: &String| {
        it.starts_with("SELECT")
            && it.contains("SKIP LOCKED")
            && it.matches("tk_job_queue_claim").count() == lanes
    };
    prepared(proxy)
        .into_iter()
        .rfind(takes)
        .expect("a claim was sent")
}

/// The statement with these values, which the store sends apart from it.
fn filled(statement: &str, values: &[i64]) -> String {
    let mut parts = statement.split('?');
    let mut text = parts.next().unwrap_or_default().to_owned();
    let mut values = values.iter();
    for part in parts {
        text.push_str(&values.next().expect("a value").to_string());
        text.push_str(part);
    }
    assert!(values.next().is_none(), "{statement}");
    text
}

async fn text(on: &impl ConnectionTrait, sql: &str) -> String {
    let statement = Statement::from_string(DbBackend::MySql, sql);
    let row = on.query_one_raw(statement).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}

/// A table as a plan reads it.
#[derive(Debug, PartialEq)]
struct Reading {
    /// `None` for rows that the statement made itself.
    table: Option<String>,
    key: Option<String>,
    /// Whether what is read is sorted afterwards.
    is_sorted: bool,
    /// How many rows were read, where the plan tells that: MySQL's does not.
    rows: Option<i64>,
}

fn readings(plan: &Value, is_sorted: bool, found: &mut Vec<Reading>) {
    match plan {
        Value::Array(parts) => parts.iter().for_each(|it| readings(it, is_sorted, found)),
        Value::Object(fields) => {
            let sorts_here = fields.get("using_filesort") == Some(&Value::Bool(true));
            if let Some(Value::String(name)) = fields.get("table_name") {
                let key = fields.get("key").and_then(Value::as_str);
                found.push(Reading {
                    table: (name == "tk_job_queue").then(|| name.clone()),
                    key: key.map(str::to_owned),
                    is_sorted,
                    rows: fields.get("r_rows").and_then(Value::as_f64).map(|it| it as i64),
                });
            }
            for (name, part) in fields {
                // A block within a block is sorted by itself.
                let sorted = name != "query_block" && (is_sorted || sorts_here || name == "filesort");
                readings(part, sorted, found);
            }
        }
        _ => {}
    }
}

/// Beside 10,000 waiting rows in each lane, a lane costs as many rows as are asked for, read in the order of the index. Only what the lanes gave is sorted.
#[tokio::test]
async fn a_claim_reads_by_the_index_and_sorts_no_more_than_it_read() {
    const LIMIT: i64 = 7;
    let database = OwnDatabase::new().await;
    let (store, proxy) = behind(&database).await;
    let db = store.connection();
    for sql in [
        "INSERT INTO tk_lanes (name) VALUES ('node:a'), ('node:b')",
        "INSERT INTO tk_job_queue (job_id, lane_id, `rank`, due_at, kind, attempt) \
         WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < 500) \
         SELECT UNHEX(LPAD(HEX(l.id * 1000000 + a.n * 1000 + b.n), 32, '0')), l.id, 10, a.n * 1000 + b.n, 0, 1 \
         FROM tk_lanes l JOIN g a ON a.n <= 20 JOIN g b",
    ] {
        db.execute_unprepared(sql).await.unwrap();
    }
    let ids: Vec<i64> = text(db, "SELECT CAST(JSON_ARRAYAGG(id) AS CHAR) FROM tk_lanes")
        .await
        .trim_matches(['[', ']'])
        .split(',')
        .map(|it| it.trim().parse().unwrap())
        .collect();
    // Only MariaDB says how many rows were read.
    let explain = if text(db, "SELECT VERSION()").await.contains("MariaDB") {
        "ANALYZE"
    } else {
        "EXPLAIN"
    };
    let now = at(1_000_000).timestamp_micros();
    for lanes in [
        vec![Lane::any_node()],
        vec![Lane::any_node(), Lane::node("a"), Lane::node("b")],
    ] {
        store.claim(&request(&lanes, 7)).await.unwrap();
        let mut values = Vec::new();
        for id in &ids[..lanes.len()] {
            values.extend([*id, 10, now, LIMIT]);
        }
        if lanes.len() > 1 {
            values.push(LIMIT);
        }
        let statement = filled(&claiming(&proxy, lanes.len()), &values);
        let plan = text(db, &format!("{explain} FORMAT=JSON {statement}")).await;
        let mut found = Vec::new();
        readings(&serde_json::from_str(&plan).unwrap(), false, &mut found);
        let (queue, made): (Vec<_>, Vec<_>) = found.into_iter().partition(|it| it.table.is_some());
        let told = |rows: i64| (explain == "ANALYZE").then_some(rows);
        let branch = || Reading {
            table: Some("tk_job_queue".to_owned()),
            key: Some("tk_job_queue_claim".to_owned()),
            is_sorted: false,
            rows: told(LIMIT),
        };
        let branches: Vec<_> = lanes.iter().map(|_| branch()).collect();
        assert_eq!(queue, branches, "{plan}");
        match &made[..] {
            [] => assert_eq!(lanes.len(), 1, "{plan}"),
            [united] => {
                assert!(united.is_sorted && lanes.len() > 1, "{plan}");
                assert_eq!(united.rows, told(LIMIT * lanes.len() as i64), "{plan}");
            }
            more => panic!("{more:?} in {plan}"),
        }
    }
}

/// To find out where something is due, when the next is, and which lanes are in use, costs as many rows as there are lanes with ranks, not as many as wait.
#[tokio::test]
async fn what_waits_is_looked_for_without_reading_it() {
    const WAITING: i64 = 20_000;
    const MOST: i64 = 100;
    let database = OwnDatabase::new().await;
    let (store, proxy) = behind(&database).await;
    let db = store.connection();
    db.execute_unprepared(&format!(
        "INSERT INTO tk_job_queue (job_id, lane_id, `rank`, due_at, kind, attempt) \
         WITH RECURSIVE g(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM g WHERE n < 200) \
         SELECT UNHEX(LPAD(HEX(a.n * 1000 + b.n), 32, '0')), l.id, a.n % 3, 9000000000000000, 0, 1 FROM tk_lanes l JOIN g a ON a.n <= {} JOIN g b",
        WAITING / 200
    ))
    .await
    .unwrap();
    let lanes = [Lane::any_node(), Lane::node("a")];
    let names = "[\"default\",\"node:a\"]";
    assert!(store.claim(&request(&lanes, 7)).await.unwrap().is_empty());
    assert!(store.next_due(&lanes, Some(at(0))).await.unwrap().is_some());
    assert_eq!(store.waiting_lanes().await.unwrap(), [Lane::any_node()]);
    let looks: BTreeSet<String> = prepared(&proxy)
        .into_iter()
        .filter(|it| it.contains("FROM tk_job_queue FORCE INDEX") && !it.contains("SKIP LOCKED"))
        .collect();
    assert_eq!(looks.len(), 3, "{looks:?}");
    // One connection, whose reading is counted.
    let mut alone = ConnectOptions::new(database.options().url);
    alone.max_connections(1);
    let session = Database::connect(alone).await.unwrap();
    let read = async || -> i64 {
        let sql = "SELECT CAST(SUM(VARIABLE_VALUE) AS CHAR) FROM information_schema.session_status WHERE VARIABLE_NAME LIKE 'HANDLER\\_READ\\_%'";
        text(&session, sql)
            .await
            .trim_end_matches(".0")
            .parse::<f64>()
            .unwrap() as i64
    };
    for look in looks {
        // Lanes in use; lanes with their first rank; behind the rank 0 of the first lane.
        let values = match look.matches('?').count() {
            0 => Vec::new(),
            1 => vec![names.into()],
            _ => vec![2.into(), 1.into(), 0.into()],
        };
        let before = read().await;
        session
            .query_all_raw(Statement::from_sql_and_values(DbBackend::MySql, &look, values))
            .await
            .unwrap();
        let count = read().await - before;
        assert!(count < MOST, "{count} rows were read of {WAITING}: {look}");
    }
}

/// The session of the one transaction that is open in this database.
async fn open_transaction(on: &impl ConnectionTrait) -> String {
    // The server shows its transactions as they were up to a tenth of a second ago, when somebody looked last.
    text(on, "SELECT CAST(SLEEP(0.11) AS CHAR)").await;
    let sql = "SELECT CAST(JSON_ARRAYAGG(t.trx_mysql_thread_id) AS CHAR) FROM information_schema.innodb_trx t \
               JOIN information_schema.processlist p ON p.id = t.trx_mysql_thread_id WHERE p.db = DATABASE()";
    let sessions = text(on, sql).await;
    let one = sessions.trim_matches(['[', ']']).to_owned();
    assert!(one.parse::<u64>().is_ok(), "{sessions}");
    one
}

/// A claim locks the rows that it read, and nothing between them: while it is open, work is stored right before, between and behind them.
#[tokio::test]
async fn a_claim_locks_no_gap() {
    for lanes in [vec![Lane::any_node()], vec![Lane::any_node(), Lane::node("a")]] {
        let database = OwnDatabase::new().await;
        let (held, proxy) = behind(&database).await;
        let job = |number: u128, lane: &Lane, second: i64| {
            let mut job = once(number);
            job.node_name = lane.pin().map(str::to_owned);
            due(job, at(second))
        };
        // Ten numbers a second, so that there is room before and behind each: 10, 20, …, and those of another lane from 1,000 on.
        let first = |lane: usize| 1_000 * lane as u128;
        for (place, lane) in lanes.iter().enumerate() {
            let jobs: Vec<_> = (1..=6)
                .map(|it| job(first(place) + 10 * it, lane, i64::try_from(10 * it).unwrap()))
                .collect();
            held.submit(&jobs).await.unwrap();
        }

        proxy.lose_at(b"\x03COMMIT");
        let request_of_three = request(&lanes, 3);
        let claiming = tokio::spawn({
            let held = held.clone();
            async move { held.claim(&request_of_three).await }
        });
        proxy.lost().await;

        // The server holds the claim's transaction open, with all that it has locked.
        let mut options = database.options();
        options.statement_timeout = Duration::from_secs(1);
        let other = SeaOrmStore::connect(options, Arc::new(ManualClock::new()))
            .await
            .unwrap();
        let open = open_transaction(other.connection()).await;
        for (place, lane) in lanes.iter().enumerate() {
            for (number, second) in [
                (5, 5),
                (9, 10),
                (11, 10),
                (15, 15),
                (19, 20),
                (21, 20),
                (25, 25),
                (29, 30),
                (31, 30),
                (35, 35),
                (99, 99),
            ] {
                let answers = other.submit(&[job(first(place) + number, lane, second)]).await;
                let answers = answers.unwrap_or_else(|it| panic!("{number} of {lane:?} was held up: {it}"));
                assert_eq!(answers, [SubmitAnswer::Inserted]);
            }
        }
        // What it has locked is passed over: three rows of each lane, of which it takes three in all.
        let claimed = other.claim(&request(&lanes, 1_000)).await.unwrap();
        assert_eq!(claimed.len(), 14 * lanes.len());
        let taken: HashSet<_> = claimed.iter().map(|it| it.job.id).collect();
        for place in 0..lanes.len() {
            let locked = [10, 20, 30].map(|it| job_id(first(place) + it));
            assert!(locked.iter().all(|it| !taken.contains(it)), "{taken:?}");
        }
        assert_eq!(
            open_transaction(other.connection()).await,
            open,
            "it was open all the time"
        );
        let end = format!("KILL {open}");
        other.connection().execute_unprepared(&end).await.unwrap();
        claiming.abort();
        assert!(claiming.await.unwrap_err().is_cancelled());
    }
}
