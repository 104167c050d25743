//! `tasks export` and `tasks import`: jobs move from one database to another.

use std::fs;
use std::io::Write as _;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::database::Database;
use crate::program::{shown, text};

fn exported(db: &Database, args: &[&str]) -> Vec<Value> {
    let printed = db.done(&[&["export"], args].concat());
    printed
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"))
        .collect()
}

#[test]
fn jobs_move_to_another_database_as_they_were() {
    let (from, to) = (Database::new(), Database::new());
    let cron = from.waiting_job(&[
        "--cron",
        "0 0 9 ? * MON",
        "--zone",
        "Europe/London",
        "--name",
        "weekly",
        "--tenant",
        "0190b0c0-0000-7000-8000-00000000000a",
    ]);
    let paused = from.waiting_job(&["--every", "1h", "--args", "{\"a\": [1, null]}"]);
    from.done(&["jobs", "pause", &paused]);
    let disabled = from.waiting_job(&["--disabled"]);
    let stopped = from.waiting_job(&["--retry", "30s,cap=1h"]);
    from.done(&["jobs", "stop", &stopped]);
    let done = from.json(&["jobs", "enqueue", "demo.delayed"])["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let retrying = from.json(&["jobs", "enqueue", "demo.hopeless", "--interval", "1d"])["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let node = from.serve();
    from.until("one is done and one waits for its retry", |db| {
        (db.status(&done) == "Completed" && db.status(&retrying) == "FailedRetry").then_some(())
    });
    drop(node);

    let file = to.folder().join("jobs.jsonl");
    let output = from.run(&["export", "--type", "demo.", "--to", file.to_str().expect("UTF-8")]);
    assert!(
        text(&output.stderr).contains("6 jobs exported"),
        "{}",
        shown(&output)
    );
    let dry = to.json(&["import", "jobs.jsonl", "--dry-run"]);
    assert_eq!(
        dry,
        json!({ "dry_run": true, "new": 6, "existing": 0, "refused": 0 })
    );
    assert_eq!(to.json(&["jobs", "list"])["total"], 0);
    let first = to.json(&["import", "jobs.jsonl"]);
    assert_eq!(
        first,
        json!({ "dry_run": false, "new": 6, "existing": 0, "refused": 0 })
    );
    for id in [&cron, &paused, &disabled, &stopped, &done, &retrying] {
        let (before, mut after) = (from.job(id), to.job(id));
        if *id == retrying {
            // A try that waits looks like one only once it was made here.
            assert_eq!(after["next_run_time"], before["next_run_time"]);
        }
        after["status"] = before["status"].clone();
        assert_eq!(after, before);
    }
    assert_eq!(
        [&cron, &paused, &disabled, &stopped, &done, &retrying].map(|id| to.status(id)),
        [
            "Queuing",
            "Paused",
            "Queuing",
            "Stopped",
            "Completed",
            "FailedRetry"
        ]
    );
    let second = to.json(&["import", "jobs.jsonl"]);
    assert_eq!((&second["new"], &second["existing"]), (&json!(0), &json!(6)));
    assert!(
        to.done(&["import", "jobs.jsonl"])
            .contains("0 new, 6 existing, 0 refused")
    );
    // What was done is not done again, and what waits does.
    let node = to.serve();
    let fresh = to.json(&["jobs", "enqueue", "demo.delayed"])["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    to.until("a fresh job is done", |db| {
        (db.status(&fresh) == "Completed").then_some(())
    });
    drop(node);
    assert_eq!(to.json(&["jobs", "logs", "--type", "demo."])["total"], 1);
}

#[test]
fn an_export_holds_what_the_filter_lets_pass_oldest_first() {
    let db = Database::new();
    for at in 0..3 {
        db.waiting_job(&[
            "--name",
            &format!("n{at}"),
            "--group",
            if at == 1 { "b" } else { "a" },
        ]);
    }
    db.waiting_job(&[
        "--name",
        "n3",
        "--group",
        "a",
        "--tenant",
        "0190b0c0-0000-7000-8000-00000000000a",
    ]);
    let names = |args: &[&str]| -> Vec<String> {
        let jobs = exported(&db, args);
        jobs.iter()
            .map(|it| it["name"].as_str().expect("a name").to_owned())
            .collect()
    };
    assert_eq!(names(&[]), ["n0", "n1", "n2", "n3"]);
    assert_eq!(names(&["--group", "a", "--tenant", "host"]), ["n0", "n2"]);
    assert_eq!(names(&["--group", "c"]), Vec::<String>::new());
    db.fails(1, &["export", "--to", "missing/jobs.jsonl"]);
}

#[test]
fn more_jobs_than_a_page_are_exported_once_each() {
    let (from, to) = (Database::new(), Database::new());
    let template = exported_template(&from);
    let mut lines = String::new();
    // Most of them made at one moment, as by a bulk enqueue.
    for at in 0..2_300 {
        let mut job = template.clone();
        let id = format!("0190b0c0-0000-7000-8000-{at:012}");
        job["name"] = json!(id);
        job["id"] = json!(id);
        job["creation_time"] = json!(if at < 2_200 {
            "2026-11-27T12:00:00Z"
        } else {
            "2026-11-27T12:00:01Z"
        });
        lines.push_str(&job.to_string());
        lines.push('\n');
    }
    fs::write(to.folder().join("many.jsonl"), lines).expect("written");
    assert_eq!(to.json(&["import", "many.jsonl"])["new"], 2_300);
    let mut ids: Vec<String> = exported(&to, &[]).iter().map(|it| it["id"].to_string()).collect();
    assert_eq!(ids.len(), 2_300);
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 2_300);
}

fn exported_template(db: &Database) -> Value {
    db.waiting_job(&[]);
    exported(db, &[]).remove(0)
}

#[test]
fn a_bad_line_is_refused_and_the_others_are_stored() {
    let (from, to) = (Database::new(), Database::new());
    let good = exported_template(&from);
    let with = |field: &str, value: Value| {
        let mut job = good.clone();
        let id = format!("0190b0c0-0000-7000-8000-{:012}", field.len());
        (job["id"], job["name"]) = (json!(id), json!(id));
        job[field] = value;
        job.to_string()
    };
    to.waiting_job(&["--name", "taken"]);
    let lines = [
        "{".to_owned(),
        String::new(),
        with("type_name", json!("")),
        with("name", json!("taken")),
        with("next_run_time", json!("+12345-01-01T00:00:00Z")),
        with("status", json!(7)),
        good.to_string(),
    ];
    let mut child = to
        .command(&["import", "-", "--output", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut input = child.stdin.take().expect("piped");
    input.write_all(lines.join("\n").as_bytes()).expect("read");
    drop(input);
    let output = child.wait_with_output().expect("ends");
    assert_eq!(output.status.code(), Some(1), "{}", shown(&output));
    let count: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        count,
        json!({ "dry_run": false, "new": 1, "existing": 0, "refused": 5 })
    );
    let errors = text(&output.stderr);
    for reason in [
        "line 1: ",
        "line 3: ",
        "type_name",
        "`taken` is taken",
        "next_run_time",
        "line 6: ",
    ] {
        assert!(errors.contains(reason), "no {reason} in {errors}");
    }
    assert_eq!(to.json(&["jobs", "list"])["total"], 2);
    assert!(
        to.fails(1, &["import", "missing.jsonl"])
            .contains("missing.jsonl")
    );
    let other = ["--tenant", "0190b0c0-0000-7000-8000-00000000000b"];
    fs::write(to.folder().join("good.jsonl"), good.to_string()).expect("written");
    let errors = to.fails(1, &[&["import", "good.jsonl"], &other[..]].concat());
    assert!(errors.contains("belongs to tenant"), "{errors}");
}
