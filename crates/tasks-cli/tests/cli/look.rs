//! The commands that look at the whole: `workers`, `runs`, `nodes`, `stats`, `watch`, `check`.

use std::fs;

use serde_json::{Value, json};

use crate::database::Database;
use crate::demo::{SHOWS_PROGRESS, files};
use crate::program::Running;

/// A demo that reads a file for hours.
fn busy_node(db: &Database) -> Running {
    fs::create_dir(db.folder().join("data")).expect("made");
    let huge = fs::File::create(db.folder().join("data/huge")).expect("made");
    huge.set_len(1 << 40).expect("sparse");
    let mut demo = db.command(&[
        "demo",
        "--path",
        "data",
        "--node-name",
        "busy",
        "--log",
        SHOWS_PROGRESS,
    ]);
    let mut demo = Running::start(&mut demo);
    demo.wait_for("engine: progress job=");
    demo
}

#[test]
fn runs_in_flight_are_shown_with_node_and_progress() {
    let db = Database::new();
    assert!(db.done(&["runs"]).contains("0 runs"));
    assert!(db.done(&["nodes"]).contains("0 nodes"));
    let node = busy_node(&db);
    let run = db.until("the run says how far it has come", |db| {
        let runs = db.json(&["runs"])["items"].as_array().expect("a list").clone();
        runs.into_iter()
            .find(|it| it["run"]["progress"]["done"].as_u64() > Some(0))
    });
    assert_eq!(run["job"]["type_name"], "demo.checksum");
    let id = run["job"]["id"].as_str().expect("an id").to_owned();
    let nodes = db.json(&["nodes"])["items"].clone();
    assert_eq!(
        (&nodes[0]["name"], &nodes[0]["instance"]),
        (&json!("busy"), &run["run"]["instance"])
    );
    let table = db.done(&["runs"]);
    for text in [&id, "demo.checksum", "busy", "%)"] {
        assert!(table.contains(text), "no {text} in {table}");
    }
    assert_eq!(
        db.json(&["runs", "--tenant", "0190b0c0-0000-7000-8000-00000000000a"])["items"],
        json!([])
    );
    // The job that fails may be in the middle of a try.
    let view = db.until("the file is alone at work", |db| {
        let view = db.json(&["watch", "--once"]);
        (view["jobs"]["Running"] == json!(1)).then_some(view)
    });
    assert_eq!(view["nodes"][0]["name"], "busy");
    let view = db.until("the file is alone at work", |db| {
        let view = db.done(&["watch", "--once"]);
        view.contains("Running 1").then_some(view)
    });
    for text in [
        "living nodes",
        "busy",
        "runs in flight",
        "demo.checksum",
        "last runs",
    ] {
        assert!(view.contains(text), "no {text} in {view}");
    }
    db.done(&["jobs", "cancel", &id]);
    db.until("the run has ended", |db| {
        (db.json(&["runs"])["items"] == json!([])).then_some(())
    });
    let log = db.json(&["jobs", "logs", &id]);
    assert_eq!(log["items"][0]["outcome"], 4, "cancelled: {log}");
    let stats = db.json(&["stats"]);
    let cancelled = stats["runs"]
        .as_array()
        .expect("a list")
        .iter()
        .find(|it| it["outcome"] == 4);
    assert_eq!(cancelled.map(|it| &it["runs"]), Some(&json!(1)), "{stats}");
    drop(node);
    let table = db.done(&["nodes", "--all"]);
    assert!(table.contains("busy") && table.contains("1 nodes"), "{table}");
}

#[test]
fn workers_are_listed_with_what_people_changed() {
    let db = Database::new();
    files(&db.folder().join("data"), 1);
    db.done(&["demo", "--path", "data"]);
    let workers = db.json(&["workers", "--filter", "demo-"]);
    assert_eq!(workers["total"], 1, "{workers}");
    let worker = &workers["items"][0];
    assert_eq!(
        (&worker["name"], &worker["job_type"]),
        (&json!("demo-progress"), &json!(2))
    );
    let id = worker["id"].as_str().expect("an id");
    let changed = db.json(&["jobs", "update", id, "--every", "1h"]);
    assert_eq!(changed["overrides"], json!(["interval"]));
    let table = db.done(&["workers", "--filter", "progress"]);
    for text in ["demo-progress", "1h after each run", "interval", "1 workers"] {
        assert!(table.contains(text), "no {text} in {table}");
    }
    assert_eq!(db.json(&["workers", "--filter", "nothing"])["total"], 0);
    let reset = db.json(&["jobs", "reset", id]);
    assert_eq!(reset["overrides"], json!([]));
    files(&db.folder().join("more"), 1);
    db.done(&["demo", "--path", "more"]);
    assert_eq!(
        db.job(id)["interval"],
        2_000,
        "the program's definition counts again"
    );
}

#[test]
fn statistics_count_jobs_and_outcomes() {
    let db = Database::new();
    let done = db.json(&["jobs", "enqueue", "demo.delayed"])["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let paused = db.waiting_job(&[]);
    db.done(&["jobs", "pause", &paused]);
    let node = db.serve();
    db.until("the job is done", |db| {
        (db.status(&done) == "Completed").then_some(())
    });
    drop(node);
    let stats = db.json(&["stats"]);
    assert_eq!(
        (
            &stats["jobs"]["Completed"],
            &stats["jobs"]["Paused"],
            &stats["jobs"]["abandoned"]
        ),
        (&json!(1), &json!(1), &json!(0))
    );
    assert_eq!(
        (
            &stats["runs"][0]["type_name"],
            &stats["runs"][0]["outcome"],
            &stats["runs"][0]["runs"]
        ),
        (&json!("demo.delayed"), &json!(0), &json!(1))
    );
    assert_eq!(
        db.json(&["stats", "--since", "2100-01-01T00:00:00Z"])["runs"],
        json!([])
    );
    let table = db.done(&["stats", "--since", "1h"]);
    assert!(
        table.contains("Completed") && table.contains("Succeeded"),
        "{table}"
    );
    db.fails(2, &["stats", "--since", "soon"]);
}

#[cfg(unix)]
#[test]
fn where_no_terminal_is_a_line_is_printed_each_time() {
    use std::io::{BufRead as _, BufReader};
    use std::process::Stdio;

    let db = Database::new();
    db.waiting_job(&[]);
    for (form, signal) in [("table", "INT"), ("json", "TERM")] {
        let mut child = db
            .command(&["watch", "--every", "100ms", "--output", form])
            .stdout(Stdio::piped())
            .spawn()
            .expect("starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        for _ in 0..3 {
            let line = lines.next().expect("a line").expect("readable");
            if form == "json" {
                let view: Value = serde_json::from_str(&line).expect("JSON");
                assert_eq!(view["jobs"]["Queuing"], 1);
            } else {
                assert!(line.contains("Queuing 1"), "{line}");
            }
        }
        let sent = std::process::Command::new("kill")
            .args([format!("-{signal}"), child.id().to_string()])
            .status()
            .expect("kill runs");
        assert!(sent.success());
        assert_eq!(child.wait().expect("ended").code(), Some(0), "{signal}");
    }
    db.fails(2, &["watch", "--every", "1ms"]);
}

#[cfg(target_os = "linux")]
#[test]
fn a_terminal_is_watched_until_somebody_ends_it() {
    use crate::terminal::Terminal;

    let db = Database::new();
    for end in ["q", "\u{3}", "\u{1b}"] {
        let mut terminal = Terminal::start(&db, "watch --every 100ms");
        terminal.wait_for("q ends");
        let id = db.waiting_job(&[]);
        terminal.wait_for("Queuing 1");
        terminal.type_in("x");
        terminal.type_in(end);
        let (code, seen) = terminal.end();
        assert_eq!(code, Some(0), "{seen}");
        assert!(seen.ends_with("\u{1b}[?25h"), "the cursor is back: {seen}");
        assert!(
            seen.contains("\u{1b}[?1049l"),
            "the former screen is back: {seen}"
        );
        db.done(&["jobs", "delete", &id, "--yes"]);
    }
}

#[test]
fn a_check_arms_what_should_be_armed() {
    let db = Database::new();
    let (lost, sound) = (db.waiting_job(&[]), db.waiting_job(&[]));
    assert_eq!(
        db.json(&["check"]),
        json!({ "looked_at": 2, "rearmed": [], "completed": [] })
    );
    db.sql(&format!(
        "delete from tk_job_queue where hex(job_id) = upper(replace('{lost}', '-', ''))"
    ));
    let output = db.run(&["check", "--output", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let found: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        found,
        json!({ "looked_at": 2, "rearmed": [lost], "completed": [] })
    );
    assert_eq!(db.job(&lost)["next_run_time"], db.job(&sound)["next_run_time"]);
    assert!(db.done(&["check"]).contains("2 jobs looked at, 0 repaired"));
}
