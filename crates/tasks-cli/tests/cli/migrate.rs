//! `tasks migrate`, and a look at what a demo left.

use tempfile::TempDir;

use crate::database::Database;
use crate::demo::files;
use crate::program::{run, shown, text};

#[test]
fn migrations_and_jobs_are_shown() {
    let folder = TempDir::new().expect("a folder");
    let here = folder.path();
    let output = run(here, &["jobs", "list", "--database", "x.db"]);
    assert_eq!(output.status.code(), Some(1), "{}", shown(&output));
    assert!(!here.join("x.db").exists(), "a look creates nothing");

    let output = run(here, &["migrate", "up", "--database", "x.db"]);
    assert!(output.status.success(), "{}", shown(&output));
    assert!(text(&output.stdout).contains("applied"), "{}", shown(&output));
    let output = run(here, &["jobs", "list", "--database", "x.db"]);
    assert!(text(&output.stdout).contains("0 of 0 jobs"), "{}", shown(&output));
    let output = run(here, &["migrate", "down", "--all", "--yes", "--database", "x.db"]);
    assert!(text(&output.stdout).contains("outstanding"), "{}", shown(&output));

    files(&here.join("data"), 2);
    let output = run(here, &["demo", "--path", "data", "--database", "x.db"]);
    assert!(output.status.success(), "{}", shown(&output));
    let output = run(
        here,
        &[
            "jobs",
            "list",
            "--database",
            "x.db",
            "--abandoned",
            "--output",
            "json",
        ],
    );
    let listed: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(listed["total"], 1, "{listed}");
    let id = listed["items"][0]["id"].as_str().expect("an id");
    let output = run(here, &["jobs", "show", id, "--database", "x.db"]);
    let printed = text(&output.stdout);
    assert!(
        printed.contains("demo.hopeless") && printed.contains("3 of 3 runs"),
        "{printed}"
    );
    let output = run(
        here,
        &[
            "jobs",
            "show",
            "00000000-0000-0000-0000-000000000001",
            "--database",
            "x.db",
        ],
    );
    assert_eq!(output.status.code(), Some(1), "{}", shown(&output));
}

#[test]
fn tables_are_removed_only_when_somebody_confirms() {
    let db = Database::new();
    for args in [&["migrate", "down"][..], &["migrate", "down", "--all"]] {
        let errors = db.fails(2, args);
        assert!(errors.contains("--yes"), "{errors}");
    }
    let states = |changes: &serde_json::Value| -> Vec<bool> {
        let changes = changes.as_array().expect("a list");
        changes
            .iter()
            .map(|it| it["applied"].as_bool().expect("a flag"))
            .collect()
    };
    let before = states(&db.json(&["migrate", "status"]));
    assert!(!before.is_empty() && before.iter().all(|it| *it), "{before:?}");
    let after = states(&db.json(&["migrate", "down", "--all", "-y"]));
    assert!(after.iter().all(|it| !*it), "{after:?}");
}
