//! The program on a database server: what must hold on each kind, and a database of its own for each test.

use std::fs;
use std::process::Stdio;

use sea_orm::ConnectionTrait as _;
use serde_json::Value;
use uuid::Uuid;

use crate::database::Database;
use crate::demo::{check_sums, files};
use crate::program::{Running, shown, text};

/// A part of a server that is there while this is.
pub(crate) struct Server {
    pub(crate) db: Database,
    /// With the password of the server's user.
    url: String,
    /// What says where the tables are, beside the URL.
    place: Vec<String>,
    /// Where the server is asked to remove it, and how.
    remove: (String, String),
}

impl Server {
    /// A schema that is not there yet.
    pub(crate) fn postgres() -> Self {
        let url = given("TASKS_TEST_POSTGRES_URL");
        let name = format!("tasks_{}", Uuid::new_v4().simple());
        Self {
            db: Database::on(vec![
                ("TASKS_DATABASE", url.clone()),
                ("TASKS_SCHEMA", name.clone()),
            ]),
            place: vec!["--schema".to_owned(), name.clone()],
            remove: (url.clone(), format!("DROP SCHEMA IF EXISTS {name} CASCADE")),
            url,
        }
    }

    /// An empty database.
    pub(crate) fn mysql() -> Self {
        let server = given("TASKS_TEST_MYSQL_URL");
        let name = format!("tasks_{}", Uuid::new_v4().simple());
        execute(&server, &format!("CREATE DATABASE {name}"));
        let (before, after) = server.rsplit_once('/').expect("the URL names a database");
        let parameters = after.split_once('?').map_or("", |it| it.1);
        let url = format!("{before}/{name}?{parameters}");
        Self {
            db: Database::on(vec![("TASKS_DATABASE", url.clone())]),
            place: Vec::new(),
            remove: (server, format!("DROP DATABASE IF EXISTS {name}")),
            url,
        }
    }

    /// Scheme, user, password, and the rest from the host on.
    fn parts(&self) -> (&str, &str, &str, &str) {
        let (scheme, rest) = self.url.split_once("://").expect("a URL");
        let (account, rest) = rest.rsplit_once('@').expect("a URL with a user");
        let (user, password) = account.split_once(':').unwrap_or((account, ""));
        (scheme, user, password, rest)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        execute(&self.remove.0, &self.remove.1);
    }
}

fn given(variable: &str) -> String {
    let url = std::env::var(variable).unwrap_or_default();
    assert!(
        !url.is_empty(),
        "this test needs a server: run `cargo xtask test`, or `eval \"$(cargo xtask db up)\"` first ({variable})"
    );
    url
}

fn execute(url: &str, statement: &str) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let done = runtime.block_on(async {
        let connection = sea_orm::Database::connect(url).await?;
        connection.execute_unprepared(statement).await?;
        connection.close().await
    });
    done.expect("the server does it");
}

/// Makes a test of every case, each on a server's part of its own.
macro_rules! server_cases {
    ($server:path) => {
        $crate::server::server_cases! { $server:
            every_command_works
            a_look_makes_no_tables
            passwords_are_never_told
            two_nodes_share_a_demo_and_one_is_killed
        }
    };
    ($server:path: $($case:ident)+) => {
        $(
            #[cfg(unix)]
            #[test]
            fn $case() {
                $crate::server::$case(&$server());
            }
        )+
    };
}
pub(crate) use server_cases;

fn applied(changes: &Value) -> Vec<bool> {
    let changes = changes.as_array().expect("a list").iter();
    changes
        .map(|it| it["applied"].as_bool().expect("a flag"))
        .collect()
}

pub(crate) fn every_command_works(server: &Server) {
    let db = &server.db;
    let up = applied(&db.json(&["migrate", "up"]));
    assert!(!up.is_empty() && up.iter().all(|it| *it), "{up:?}");

    files(&db.folder().join("data"), 40);
    // By arguments this time.
    let place: Vec<&str> = server.place.iter().map(String::as_str).collect();
    let demo = [
        &["demo", "--path", "data", "--database", server.url.as_str()],
        &place[..],
    ];
    let mut demo = crate::program::tasks(db.folder()).args(demo.concat()).output();
    let demo = demo.as_mut().expect("the program runs");
    assert!(demo.status.success(), "{}", shown(demo));
    assert_eq!(check_sums(db.folder()), 40);
    assert!(text(&demo.stderr).contains("ADMINISTRATOR: a job was given up"));
    let sums = ["jobs", "list", "--type", "demo.checksum"];
    assert_eq!(db.json(&sums)["total"], 40);
    assert_eq!(db.json(&["jobs", "list", "--abandoned"])["total"], 1);
    assert!(db.done(&["stats"]).contains("Completed"));
    assert!(db.done(&["workers"]).contains("demo-progress"));
    assert_eq!(db.json(&["runs"])["items"], Value::Array(Vec::new()));
    assert!(db.done(&["nodes", "--all"]).contains("1 nodes"));
    assert!(db.done(&["watch", "--once"]).contains("Completed"));
    assert!(db.done(&["check"]).contains("0 repaired"));
    assert_eq!(db.json(&["jobs", "logs", "--type", "demo.checksum"])["total"], 40);

    let id = db.waiting_job(&["--name", "later"]);
    for (command, status) in [("pause", "Paused"), ("resume", "Queuing"), ("stop", "Stopped")] {
        db.done(&["jobs", command, &id]);
        assert_eq!(db.status(&id), status);
    }
    let exported = db.done(&["export"]);
    fs::write(db.folder().join("jobs.jsonl"), &exported).expect("written");
    db.done(&["jobs", "delete", &id, "--yes"]);
    let imported = db.json(&["import", "jobs.jsonl"]);
    assert_eq!(
        (&imported["new"], &imported["refused"]),
        (&1.into(), &0.into()),
        "{imported}"
    );
    assert_eq!(db.status(&id), "Stopped");

    let node = db.serve();
    db.done(&["jobs", "trigger", &id]);
    db.until("the triggered run", |db| {
        (db.json(&["jobs", "logs", &id])["total"] == 1).then_some(())
    });
    node.signal("TERM");
    let (code, rest) = node.end();
    assert_eq!(code, Some(0), "{rest}");

    let down = applied(&db.json(&["migrate", "down", "--all", "--yes"]));
    assert!(down.iter().all(|it| !*it), "{down:?}");
}

pub(crate) fn a_look_makes_no_tables(server: &Server) {
    let db = &server.db;
    let errors = db.fails(3, &["jobs", "list"]);
    assert!(
        errors.contains("no tables") && errors.contains("tasks migrate"),
        "{errors}"
    );
    let states = applied(&db.json(&["migrate", "status"]));
    assert!(states.iter().all(|it| !*it), "{states:?}");
}

pub(crate) fn passwords_are_never_told(server: &Server) {
    let (scheme, user, password, rest) = server.parts();
    let (host, name) = rest.split_once('/').expect("a database");
    let wrong = "Geheim-4711";
    let joint = if server.url.contains('?') { '&' } else { '?' };
    // Trying them all on one database: what is said when it can be used, and when it cannot.
    let cases = [
        (Some(0), server.url.clone()),
        (None, format!("{scheme}://{user}:{wrong}@{rest}")),
        (
            None,
            format!("{scheme}://{user}:{password}@{host}/no_such_database"),
        ),
        (None, format!("{scheme}://{user}:{wrong}@{host}x/{name}")),
        (None, format!("{scheme}x://{user}:{wrong}@{rest}")),
        // A misspelt parameter, and a password that looks like one.
        (None, format!("{}{joint}passwort={wrong}", server.url)),
        (None, format!("{scheme}://{user}:123?{wrong}@{rest}")),
    ];
    files(&server.db.folder().join("data"), 1);
    for (expected, url) in cases {
        for args in [
            &["migrate", "up"][..],
            &["demo", "--path", "data"],
            &["jobs", "list"],
        ] {
            for by_argument in [false, true] {
                let mut command = server.db.command(args);
                command.args(["--log", "trace"]);
                if by_argument {
                    command.args(["--database", url.as_str()]);
                } else {
                    command.env("TASKS_DATABASE", &url);
                }
                let output = command.output().expect("the program runs");
                let said = shown(&output);
                assert_eq!(output.status.success(), expected == Some(0), "{said}");
                for secret in [wrong, password] {
                    let is_told = !secret.is_empty() && said.contains(secret);
                    assert!(!is_told, "{args:?} tells a password: {said}");
                }
            }
        }
    }
    // A node says where its jobs are.
    let mut node = server
        .db
        .command(&["serve", "--node-name", "n", "--log", "debug"]);
    let mut node = Running::start(&mut node);
    let line = node.wait_for("the jobs are there");
    assert!(line.contains(host) && !line.contains('@'), "{line}");
    node.wait_for("started");
    node.signal("TERM");
    assert_eq!(node.end().0, Some(0));
}

/// How many files a node is at work on.
fn in_flight(db: &Database, node: &str) -> usize {
    let nodes = db.json(&["nodes"]);
    let nodes = nodes["items"].as_array().expect("a list").iter();
    let instances: Vec<&Value> = nodes
        .filter(|it| it["name"] == node)
        .map(|it| &it["instance"])
        .collect();
    let runs = db.json(&["runs"]);
    let runs = runs["items"].as_array().expect("a list").iter();
    runs.filter(|it| it["job"]["type_name"] == "demo.checksum" && instances.contains(&&it["run"]["instance"]))
        .count()
}

pub(crate) fn two_nodes_share_a_demo_and_one_is_killed(server: &Server) {
    const SMALL: usize = 1_500;
    const LARGE: usize = 6;
    let db = &server.db;
    let data = db.folder().join("data");
    files(&data, SMALL);
    for at in 0..LARGE {
        let file = fs::File::create(data.join(format!("large {at}"))).expect("made");
        file.set_len(32 * 1024 * 1024).expect("sparse");
    }
    let short = |command: &[&str]| {
        let mut command = db.command(command);
        command
            .env("TASKS_HEARTBEAT", "250ms")
            .env("TASKS_LEASE", "2s")
            .env("TASKS_POLL_INTERVAL", "50ms");
        command
    };
    let node = |name| {
        let mut node = Running::start(&mut short(&["serve", "--node-name", name, "--concurrency", "20"]));
        node.wait_for("started");
        node
    };
    let (mut killed, other) = (node("killed"), node("other"));
    let demo = [
        "demo",
        "--path",
        "data",
        "--node-name",
        "demo",
        "--concurrency",
        "1",
    ];
    let demo = short(&demo)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the demo starts");
    let runs = |outcome: &str| -> Vec<Value> {
        let logs = ["jobs", "logs", "--type", "demo.checksum", "--take", "1000"];
        let logs = db.json(&[&logs[..], &["--outcome", outcome]].concat());
        logs["items"].as_array().expect("a list").clone()
    };
    // The last thousand.
    let done_by = |node: &str| {
        let runs = runs("Succeeded").into_iter();
        runs.filter(|it| it["node_name"] == node).count()
    };
    // Stopped before it dies, until it is seen at work twice: the server may still commit what the node had sent.
    db.until("the node at work", |db| {
        if in_flight(db, "killed") == 0 {
            return None;
        }
        killed.signal("STOP");
        let (first, then) = (in_flight(db, "killed"), in_flight(db, "killed"));
        if first == then && then > 0 {
            return Some(());
        }
        killed.signal("CONT");
        None
    });
    killed.child.kill().expect("killed");
    let demo = demo.wait_with_output().expect("the demo ends");
    assert!(demo.status.success(), "{}", shown(&demo));
    assert_eq!(check_sums(db.folder()), SMALL + LARGE);

    let done = db.json(&["jobs", "list", "--type", "demo.checksum", "--status", "Completed"]);
    assert_eq!(done["total"], SMALL + LARGE);
    assert!(done_by("other") > 0, "the other node went on");
    let interrupted = runs("Interrupted");
    assert!(!interrupted.is_empty(), "the node had runs when it was killed");
    for run in interrupted {
        let message = run["message"].as_str().expect("a message");
        assert!(message.contains("node killed ended"), "{message}");
    }
    other.signal("TERM");
    let (code, rest) = other.end();
    assert_eq!(code, Some(0), "{rest}");
}
