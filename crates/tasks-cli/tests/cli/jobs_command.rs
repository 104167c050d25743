//! The commands on jobs: by id and by filter, dry runs, confirmations, and what a node makes of them.

use serde_json::{Value, json};

use crate::database::Database;

const MISSING: &str = "0190b0c0-0000-7000-8000-0000000000ff";

fn answers(printed: &Value) -> Vec<&str> {
    let answers = printed["answers"].as_array().expect("a list");
    answers
        .iter()
        .map(|it| it["answer"].as_str().expect("a word"))
        .collect()
}

#[test]
fn each_command_does_what_it_says() {
    let db = Database::new();
    let id = db.waiting_job(&[]);
    for (command, answer, status) in [
        ("pause", "changed", "Paused"),
        ("pause", "unchanged", "Paused"),
        ("resume", "changed", "Queuing"),
        ("stop", "changed", "Stopped"),
        ("start", "changed", "Queuing"),
        ("cancel", "unchanged", "Queuing"),
        ("disable", "changed", "Queuing"),
        ("enable", "changed", "Queuing"),
        ("trigger", "changed", "Queuing"),
    ] {
        let printed = db.json(&["jobs", command, &id]);
        assert_eq!(answers(&printed), [answer], "{command}");
        assert_eq!(
            (&printed["command"], &printed["dry_run"]),
            (&json!(command), &json!(false))
        );
        assert_eq!(db.status(&id), status, "{command}");
    }
    let job = db.job(&id);
    assert!(
        job["next_run_time"].as_str() < Some("2100"),
        "a trigger brings it forward: {job}"
    );
    let deleted = db.json(&["jobs", "delete", &id, "--yes"]);
    assert_eq!(answers(&deleted), ["changed"]);
    assert!(db.fails(1, &["jobs", "show", &id]).contains("not found"));
}

#[test]
fn refused_and_missing_jobs_make_it_fail_and_the_others_are_done() {
    let db = Database::new();
    let (good, bad) = (db.waiting_job(&[]), db.waiting_job(&["--disabled"]));
    let args = ["jobs", "trigger", &good, MISSING, &bad, "--output", "json"];
    let output = db.run(&args);
    assert_eq!(output.status.code(), Some(1));
    let printed: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(answers(&printed), ["changed", "not found", "refused"]);
    assert!(
        printed["answers"][2]["reason"]
            .as_str()
            .expect("a reason")
            .contains("disabled"),
        "{printed}"
    );
    let table = db.run(&["jobs", "trigger", &bad]);
    let table = crate::program::text(&table.stdout);
    assert!(
        table.contains(&bad) && table.contains("refused") && table.contains("enable it first"),
        "{table}"
    );
}

#[test]
fn a_dry_run_changes_nothing() {
    let db = Database::new();
    let id = db.waiting_job(&["--group", "g"]);
    for command in ["pause", "stop", "trigger", "disable", "delete"] {
        let printed = db.json(&["jobs", command, &id, "--dry-run"]);
        assert_eq!(answers(&printed), ["would change"], "{command}");
        let printed = db.json(&["jobs", command, "--all-matching", "--group", "g", "--dry-run"]);
        assert_eq!(
            (&printed["matched"], &printed["changed"], &printed["dry_run"]),
            (&json!(1), &json!(1), &json!(true)),
            "{command}"
        );
    }
    assert!(
        db.done(&["jobs", "stop", "--all-matching", "--group", "g", "--dry-run"])
            .contains("would be")
    );
    let job = db.job(&id);
    assert_eq!((&job["version"], &job["status"]), (&json!(1), &json!(5)));
}

#[test]
fn a_filter_chooses_the_jobs() {
    let db = Database::new();
    for at in 0..5 {
        let group = if at < 3 { "in" } else { "out" };
        db.waiting_job(&["--group", group, "--name", &format!("job {at}")]);
    }
    db.waiting_job(&["--group", "in", "--disabled"]);
    let printed = db.json(&[
        "jobs",
        "pause",
        "--all-matching",
        "--group",
        "in",
        "--name",
        "job 1",
        "--yes",
    ]);
    assert_eq!((&printed["matched"], &printed["changed"]), (&json!(1), &json!(1)));
    // Not destructive, so nobody is asked.
    let printed = db.json(&["jobs", "resume", "--all-matching", "--status", "Paused"]);
    assert_eq!(printed["changed"], 1);
    let output = db.run(&[
        "jobs",
        "trigger",
        "--all-matching",
        "--group",
        "in",
        "--output",
        "json",
    ]);
    assert_eq!(output.status.code(), Some(1), "one is disabled");
    let printed: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(
        (&printed["matched"], &printed["changed"], &printed["refused"]),
        (&json!(4), &json!(3), &json!(1))
    );
    assert!(
        printed["reasons"][0]["reason"]
            .as_str()
            .expect("a reason")
            .contains("disabled"),
        "{printed}"
    );
    let printed = db.done(&["jobs", "delete", "--all-matching", "--group", "in", "-y"]);
    assert!(printed.contains("4 matching jobs: 4 changed"), "{printed}");
    assert_eq!(db.json(&["jobs", "list"])["total"], 2);
    let printed = db.json(&["jobs", "delete", "--all-matching", "--filter", "", "--yes"]);
    assert_eq!(printed["changed"], 2, "an empty text is contained in every one");
}

#[test]
fn ids_filters_and_flags_must_make_sense() {
    let db = Database::new();
    let id = db.waiting_job(&[]);
    for (args, named) in [
        (&["jobs", "pause"][..], "ID"),
        (&["jobs", "pause", "--all-matching", "--yes"], "--filter"),
        (&["jobs", "pause", &id, "--all-matching"], "--all-matching"),
        (&["jobs", "pause", &id, "--group", "g"], "--all-matching"),
        (&["jobs", "pause", "x"], "x"),
    ] {
        let errors = db.fails(2, args);
        assert!(errors.contains(named), "{args:?}: {errors}");
    }
    assert_eq!(db.job(&id)["version"], 1);
}

#[test]
fn what_destroys_is_refused_where_nobody_can_confirm() {
    let db = Database::new();
    let id = db.waiting_job(&["--group", "g"]);
    for args in [
        &["jobs", "delete", &id][..],
        &["jobs", "delete", "--all-matching", "--group", "g"],
        &["jobs", "stop", "--all-matching", "--group", "g"],
        &["jobs", "pause", "--all-matching", "--group", "g"],
        &["jobs", "cancel", "--all-matching", "--group", "g"],
        &["jobs", "disable", "--all-matching", "--group", "g"],
    ] {
        let errors = db.fails(2, args);
        assert!(errors.contains("--yes"), "{args:?}: {errors}");
    }
    assert_eq!(db.job(&id)["version"], 1);
}

#[cfg(target_os = "linux")]
#[test]
fn what_destroys_is_confirmed_on_a_terminal() {
    use crate::terminal::Terminal;

    let db = Database::new();
    let id = db.waiting_job(&["--group", "g"]);
    for no in ["n\n", "\n", "yesterday\n"] {
        let mut terminal = Terminal::start(&db, &format!("jobs delete {id}"));
        terminal.wait_for("[y/N]");
        terminal.type_in(no);
        let (code, seen) = terminal.end();
        assert_eq!(code, Some(2), "{seen}");
        assert!(seen.contains("nothing was done"), "{seen}");
    }
    assert_eq!(db.job(&id)["version"], 1);
    let mut terminal = Terminal::start(&db, "jobs delete --all-matching --group g");
    terminal.wait_for("delete 1 of 1 matching jobs? [y/N]");
    terminal.type_in("y\n");
    let (code, seen) = terminal.end();
    assert_eq!(code, Some(0), "{seen}");
    assert_eq!(db.json(&["jobs", "list"])["total"], 0);
}

#[test]
fn a_tenant_commands_only_its_own() {
    let db = Database::new();
    let (a, b) = (
        "0190b0c0-0000-7000-8000-00000000000a",
        "0190b0c0-0000-7000-8000-00000000000b",
    );
    let id = db.waiting_job(&["--tenant", a]);
    let output = db.run(&["jobs", "pause", &id, "--tenant", b, "--output", "json"]);
    assert_eq!(output.status.code(), Some(1));
    let printed: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(answers(&printed), ["not found"]);
    let filter = ["--all-matching", "--type", "demo", "--yes", "--tenant"];
    let printed = db.json(&[&["jobs", "delete"], &filter[..], &[b]].concat());
    assert_eq!(printed["matched"], 0);
    let printed = db.json(&[&["jobs", "delete"], &filter[..], &[a]].concat());
    assert_eq!(printed["matched"], 1);
}

#[test]
fn a_triggered_job_runs_on_a_node() {
    let db = Database::new();
    let id = db.waiting_job(&["--cron", "@yearly"]);
    let node = db.serve();
    let runs = |db: &Database| db.json(&["jobs", "logs", &id])["total"].as_u64();
    db.done(&["jobs", "trigger", &id]);
    db.until("the job has run", |db| (runs(db) == Some(1)).then_some(()));
    let job = db.job(&id);
    assert_eq!((&job["trigger_count"], &job["status"]), (&json!(1), &json!(5)));
    assert_eq!(
        job["next_run_time"], "2100-01-01T00:00:00Z",
        "its schedule goes on"
    );
    db.done(&["jobs", "disable", &id]);
    db.fails(1, &["jobs", "trigger", &id]);
    drop(node);
    assert_eq!(runs(&db), Some(1));
}

#[test]
fn jobs_that_were_given_up_begin_anew() {
    let db = Database::new();
    let hopeless = |name: &str| {
        let made = db.json(&[
            "jobs",
            "enqueue",
            "demo.hopeless",
            "--name",
            name,
            "--max-tries",
            "1",
            "--args",
            "{\"a\": 1}",
        ]);
        made["id"].as_str().expect("an id").to_owned()
    };
    let (first, second) = (hopeless("first"), hopeless("second"));
    let stopped = |db: &Database| {
        let abandoned = db.json(&["jobs", "list", "--abandoned", "--type", "demo."])["total"].as_u64();
        (abandoned == Some(2)).then_some(())
    };
    let node = db.serve();
    db.until("both are given up", stopped);
    drop(node);
    let dry = db.json(&[
        "jobs",
        "retry",
        "--abandoned",
        "--type",
        "demo.hopeless",
        "--dry-run",
    ]);
    assert_eq!((&dry["matched"], &dry["changed"]), (&json!(2), &json!(2)));
    assert_eq!(db.status(&first), "Stopped");
    let none = db.json(&["jobs", "retry", "--abandoned", "--type", "demo.hope"]);
    assert_eq!(none["matched"], 0, "the type must be the whole one");
    let retried = db.json(&["jobs", "retry", &first, "--args", "{\"a\": 2}"]);
    assert_eq!(answers(&retried), ["queued"]);
    let job = db.job(&first);
    assert_eq!(
        (&job["args"], &job["is_abandoned"]),
        (&json!({ "a": 2 }), &json!(false))
    );
    assert_eq!((&job["status"], &job["try_count"]), (&json!(5), &json!(0)));
    let rest = db.json(&["jobs", "retry", "--abandoned", "--type", "demo.hopeless"]);
    assert_eq!((&rest["matched"], &rest["changed"]), (&json!(1), &json!(1)));
    assert_eq!(
        (db.status(&second), &db.job(&second)["args"]),
        ("Queuing", &json!({ "a": 1 }))
    );

    let output = db.run(&["jobs", "retry", MISSING, "--output", "json"]);
    assert_eq!(output.status.code(), Some(1));
    db.fails(2, &["jobs", "retry"]);
    db.fails(2, &["jobs", "retry", &first, "--abandoned"]);
    db.fails(2, &["jobs", "retry", &first, "--type", "x"]);
}

#[test]
fn a_copy_is_a_new_job() {
    let db = Database::new();
    let id = db.waiting_job(&[
        "--cron",
        "@daily",
        "--name",
        "report",
        "--priority",
        "High",
        "--args",
        "{\"a\": 1}",
    ]);
    let copy = db.json(&[
        "jobs",
        "copy",
        &id,
        "--name",
        "another",
        "--args",
        "{\"a\": 2}",
        "--begin",
        "2101-01-01T00:00:00Z",
    ]);
    assert_ne!(copy["id"], *id);
    assert_eq!(
        (&copy["name"], &copy["args"], &copy["priority"], &copy["cron"]),
        (
            &json!("another"),
            &json!({ "a": 2 }),
            &json!(25),
            &json!("@daily")
        )
    );
    assert_eq!(copy["next_run_time"], "2101-01-01T00:00:00Z");
    assert!(
        db.fails(1, &["jobs", "copy", &id, "--name", "report"])
            .contains("taken")
    );
    assert!(db.fails(1, &["jobs", "copy", MISSING]).contains("not found"));
}
