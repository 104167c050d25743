//! `tasks jobs list` and `logs`: filters, order, pages.

use serde_json::Value;

use crate::database::Database;

fn names(listed: &Value) -> Vec<&str> {
    let items = listed["items"].as_array().expect("a list");
    items
        .iter()
        .map(|it| it["name"].as_str().expect("a name"))
        .collect()
}

#[test]
fn every_filter_is_applied() {
    let db = Database::new();
    db.waiting_job(&[
        "--name",
        "a",
        "--group",
        "reports",
        "--priority",
        "High",
        "--node",
        "n9",
    ]);
    db.waiting_job(&[
        "--name",
        "b",
        "--cron",
        "@daily",
        "--description",
        "Quarterly figures",
    ]);
    db.json(&[
        "jobs",
        "create",
        "app.other",
        "--name",
        "c",
        "--disabled",
        "--begin",
        "2100-01-01T00:00:00Z",
    ]);
    db.done(&[
        "jobs",
        "pause",
        db.json(&["jobs", "list", "--name", "b"])["items"][0]["id"]
            .as_str()
            .expect("an id"),
    ]);
    for (filters, expected) in [
        (&[][..], &["a", "b", "c"][..]),
        (&["--filter", "Quarterly"], &["b"]),
        (&["--type", "app."], &["c"]),
        (&["--type", "delayed"], &["a", "b"]),
        (&["--name", "a"], &["a"]),
        (&["--name", "A"], &[]),
        (&["--group", "reports"], &["a"]),
        (&["--node", "n9"], &["a"]),
        (&["--status", "Paused"], &["b"]),
        (&["--status", "20"], &["b"]),
        (&["--repeats", "Period"], &["b"]),
        (&["--priority", "high"], &["a"]),
        (&["--source", "User"], &["a", "b", "c"]),
        (&["--source", "System"], &[]),
        (&["--is-enabled", "false"], &["c"]),
        (&["--abandoned"], &[]),
        (&["--created-from", "2100-01-01T00:00:00Z"], &[]),
        (&["--created-to", "2100-01-01T00:00:00Z"], &["a", "b", "c"]),
        (&["--last-run-from", "0"], &[]),
        (&["--group", "reports", "--type", "app."], &[]),
    ] {
        let listed = db.json(&[&["jobs", "list", "--sort", "name", "--ascending"], filters].concat());
        assert_eq!(names(&listed), expected, "{filters:?}");
        assert_eq!(listed["total"], expected.len(), "{filters:?}");
    }
}

#[test]
fn lists_are_sorted_and_paged() {
    let db = Database::new();
    for name in ["a", "b", "c", "d"] {
        db.waiting_job(&["--name", name]);
    }
    assert_eq!(
        names(&db.json(&["jobs", "list"])),
        ["d", "c", "b", "a"],
        "newest first"
    );
    let page = [
        "jobs",
        "list",
        "--sort",
        "name",
        "--ascending",
        "--skip",
        "1",
        "--take",
        "2",
    ];
    assert_eq!(names(&db.json(&page)), ["b", "c"]);
    let table = db.done(&page);
    assert!(table.contains("2 of 4 jobs") && !table.contains(" a "), "{table}");
    db.fails(2, &["jobs", "list", "--sort", "nonsense"]);
    db.fails(2, &["jobs", "list", "--take", "-1"]);
}

#[test]
fn finished_runs_are_listed_by_job_outcome_and_time() {
    let db = Database::new();
    let enqueue = |type_name: &str, args: &[&str]| {
        let made = db.json(&[&["jobs", "enqueue", type_name], args].concat());
        made["id"].as_str().expect("an id").to_owned()
    };
    let good = enqueue("demo.delayed", &[]);
    let bad = enqueue("demo.hopeless", &["--max-tries", "2", "--retry", "1ms,jitter=0"]);
    let node = db.serve();
    db.until("both are settled", |db| {
        (db.status(&good) == "Completed" && db.status(&bad) == "Stopped").then_some(())
    });
    drop(node);
    assert_eq!(db.json(&["jobs", "list", "--abandoned"])["items"][0]["id"], *bad);
    let total = |filters: &[&str]| db.json(&[&["jobs", "logs"], filters].concat())["total"].clone();
    assert_eq!(total(&[&good]), 1);
    assert_eq!(total(&[&bad]), 2);
    assert_eq!(total(&["--type", "demo.hopeless", "--outcome", "Failed"]), 2);
    assert_eq!(total(&["--type", "demo.hopeless", "--outcome", "Succeeded"]), 0);
    assert_eq!(total(&["--type", "demo.", "--errors"]), 2);
    assert_eq!(total(&["--type", "demo.", "--since", "1h"]), 3);
    assert_eq!(total(&["--type", "demo.", "--until", "1h"]), 0);
    assert_eq!(
        total(&[
            "--type",
            "demo.",
            "--until",
            "2100-01-01T00:00:00Z",
            "--take",
            "1"
        ]),
        3
    );
    let newest = db.json(&["jobs", "logs", &bad])["items"][0].clone();
    assert_eq!(
        (&newest["attempt"], &newest["node_name"]),
        (&2.into(), &"n1".into())
    );
    let table = db.done(&["jobs", "logs", &bad, "--errors"]);
    assert!(
        table.contains("always fails") && table.contains("2 of 2 runs"),
        "{table}"
    );
    let shown = db.done(&["jobs", "show", &bad, "--runs", "1"]);
    assert!(
        shown.contains("given up") && shown.contains("1 of 2 runs"),
        "{shown}"
    );
    db.fails(1, &["jobs", "logs", "0190b0c0-0000-7000-8000-000000000001"]);
    db.fails(2, &["jobs", "logs", "--since", "1234567890"]);
}
