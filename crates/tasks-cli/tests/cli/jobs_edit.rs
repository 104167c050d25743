//! `tasks jobs create`, `enqueue`, `update`, `show`: the definition and settings of a job.

use serde_json::{Value, json};

use crate::database::Database;

const ID: &str = "0190b0c0-0000-7000-8000-000000000001";

#[test]
fn a_job_is_enqueued_once() {
    let db = Database::new();
    let enqueue = [
        "jobs",
        "enqueue",
        "demo.delayed",
        "--id",
        ID,
        "--args",
        "{\"a\": 1}",
        "--delay",
        "1d",
    ];
    assert_eq!(db.json(&enqueue), json!({ "id": ID, "new": true }));
    assert_eq!(db.json(&enqueue), json!({ "id": ID, "new": false }));
    assert!(db.done(&enqueue).contains("exists"));
    let job = db.job(ID);
    assert_eq!(job["type_name"], "demo.delayed");
    assert_eq!(job["args"], json!({ "a": 1 }));
    assert_eq!(job["source"], 0, "a person made it");
    assert_eq!(job["status"], 5);
    assert!(
        job["next_run_time"].as_str() > job["creation_time"].as_str(),
        "{job}"
    );
}

#[test]
fn every_setting_of_a_new_job_is_stored() {
    let db = Database::new();
    let args_file = db.folder().join("args.json");
    std::fs::write(&args_file, "{\"from\": \"a file\"}").expect("written");
    let made = db.json(&[
        "jobs",
        "create",
        "app.report",
        "--id",
        ID,
        "--name",
        "report",
        "--group",
        "reports",
        "--description",
        "for people",
        "--args",
        "@args.json",
        "--priority",
        "High",
        "--begin",
        "2027-01-01T00:00:00Z",
        "--end",
        "1900000000",
        "--retry",
        "30s,factor=2,cap=1h,jitter=0",
        "--max-tries",
        "7",
        "--timeout",
        "90s",
        "--node",
        "batch-1",
        "--cron",
        "0 0 9 ? * MON-FRI",
        "--zone",
        "Europe/London",
        "--misfire",
        "fire-all=5",
        "--max-runs",
        "100",
        "--max-interruptions",
        "9",
        "--lock-timeout",
        "2m",
        "--failover",
        "true",
        "--tenant",
        "0190b0c0-0000-7000-8000-00000000000a",
    ]);
    let expected = json!({
        "id": ID, "tenant_id": "0190b0c0-0000-7000-8000-00000000000a", "name": "report", "group": "reports",
        "type_name": "app.report", "source": 0, "args": { "from": "a file" }, "status": 5, "is_enabled": true,
        "description": "for people", "begin_time": "2027-01-01T00:00:00Z", "end_time": "2030-03-17T17:46:40Z",
        "next_run_time": "2027-01-01T09:00:00Z", "job_type": 1, "cron": "0 0 9 ? * MON-FRI", "time_zone": "Europe/London",
        "misfire_policy": { "fire_all": { "max": 5 } }, "max_try_count": 7, "max_count": 100, "max_interruptions": 9,
        "retry_policy": { "base": 30_000, "factor": 2.0, "cap": 3_600_000, "jitter": 0.0 }, "priority": 25,
        "timeout": 90_000, "lock_timeout": 120_000, "node_name": "batch-1", "failover": true, "version": 1,
    });
    for (field, value) in expected.as_object().expect("an object") {
        assert_eq!(&made[field], value, "{field}");
    }
    assert_eq!(db.job(ID), made);
    let shown = db.done(&["jobs", "show", ID]);
    for text in [
        "0 0 9 ? * MON-FRI (Europe/London)",
        "batch-1",
        "1m 30s",
        "0 of 100",
        "0 of 7",
        "a file",
    ] {
        assert!(shown.contains(text), "no {text} in {shown}");
    }
}

#[test]
fn a_new_job_repeats_as_asked() {
    let db = Database::new();
    let once = db.json(&["jobs", "create", "demo.delayed"]);
    assert_eq!((&once["job_type"], &once["status"]), (&json!(0), &json!(5)));
    let every = db.json(&["jobs", "create", "demo.delayed", "--every", "1h30m"]);
    assert_eq!(
        (&every["job_type"], &every["interval"]),
        (&json!(2), &json!(5_400_000))
    );
    let disabled = db.json(&["jobs", "create", "demo.delayed", "--cron", "@daily", "--disabled"]);
    assert_eq!(
        (&disabled["is_enabled"], &disabled["next_run_time"]),
        (&json!(false), &Value::Null)
    );
    assert!(db.done(&["jobs", "list"]).contains("(disabled)"));
}

#[test]
fn wrong_settings_are_all_named_and_nothing_is_stored() {
    let db = Database::new();
    for (args, named) in [
        (&["--cron", "0 0 24 * * ?"][..], &["hour"][..]),
        (&["--cron", "@daily", "--zone", "Mars/Olympus"], &["time_zone"]),
        (&["--zone", "Europe/London"], &["--zone"]),
        (&["--cron", "@daily", "--every", "1h"], &["--every"]),
        (&["--every", "1h", "--once"], &["--once"]),
        (
            &["--name", " ", "--retry", "1s,factor=0.5", "--timeout", "0s"],
            &["name", "factor", "timeout"],
        ),
        (&["--end", "2020-01-01T00:00:00Z"], &["end_time"]),
        (&["--args", "{"], &["--args"]),
        (&["--priority", "Highest"], &["--priority"]),
        (&["--id", "1"], &["--id"]),
        (&["--tenant", "acme"], &["--tenant"]),
    ] {
        let errors = db.fails(2, &[&["jobs", "create", "demo.delayed"], args].concat());
        for name in named {
            assert!(errors.contains(name), "{args:?}: no {name} in {errors}");
        }
        assert!(!errors.contains("caused by"), "said twice: {errors}");
    }
    let errors = db.fails(2, &["jobs", "create", "demo.delayed", "--cron", "0 0 0 30 2 ?"]);
    assert!(errors.contains("never"), "{errors}");
    assert_eq!(db.json(&["jobs", "list"])["total"], 0);
}

#[test]
fn names_and_ids_are_taken_once() {
    let db = Database::new();
    let first = db.waiting_job(&["--name", "report"]);
    for action in ["create", "enqueue"] {
        let errors = db.fails(1, &["jobs", action, "demo.delayed", "--name", "report"]);
        assert!(errors.contains("report") && errors.contains(&first), "{errors}");
    }
    let errors = db.fails(1, &["jobs", "create", "demo.delayed", "--id", &first]);
    assert!(errors.contains(&first), "{errors}");
    db.waiting_job(&["--name", "report", "--group", "other"]);
    db.waiting_job(&[
        "--name",
        "report",
        "--tenant",
        "0190b0c0-0000-7000-8000-00000000000a",
    ]);
    assert_eq!(db.json(&["jobs", "list", "--name", "report"])["total"], 3);
}

#[test]
fn an_update_changes_what_is_named_and_no_more() {
    let db = Database::new();
    let id = db.waiting_job(&[
        "--description",
        "old",
        "--timeout",
        "5s",
        "--node",
        "n9",
        "--args",
        "{\"a\": 1}",
    ]);
    let before = db.job(&id);
    let after = db.json(&["jobs", "update", &id, "--priority", "Low", "--description", "new"]);
    let mut expected = before.clone();
    expected["priority"] = json!(5);
    expected["description"] = json!("new");
    expected["version"] = json!(2);
    assert_eq!(after, expected);

    let after = db.json(&[
        "jobs",
        "update",
        &id,
        "--clear",
        "timeout,node",
        "--clear",
        "args",
    ]);
    assert_eq!(
        (&after["timeout"], &after["node_name"], &after["args"]),
        (&Value::Null, &Value::Null, &json!({}))
    );
    let after = db.json(&[
        "jobs",
        "update",
        &id,
        "--cron",
        "0 30 9 * * ?",
        "--zone",
        "Asia/Tokyo",
        "--type",
        "app.other",
    ]);
    assert_eq!(
        (&after["job_type"], &after["time_zone"]),
        (&json!(1), &json!("Asia/Tokyo"))
    );
    assert_eq!(after["next_run_time"], "2100-01-01T00:30:00Z", "armed anew");
    let after = db.json(&["jobs", "update", &id, "--every", "2h"]);
    assert_eq!(
        (&after["job_type"], &after["cron"], &after["time_zone"]),
        (&json!(2), &Value::Null, &Value::Null)
    );
    assert!(
        db.done(&["jobs", "update", &id, "--every", "2h"])
            .contains("already")
    );
}

#[test]
fn an_update_of_a_changed_job_is_refused() {
    let db = Database::new();
    let id = db.waiting_job(&[]);
    db.done(&["jobs", "update", &id, "--priority", "Low", "--version", "1"]);
    let errors = db.fails(
        1,
        &["jobs", "update", &id, "--priority", "High", "--version", "1"],
    );
    assert!(errors.contains("changed meanwhile"), "{errors}");
    assert_eq!(db.job(&id)["priority"], 5);
    assert!(
        db.fails(1, &["jobs", "update", ID, "--priority", "High"])
            .contains("not found")
    );
    let errors = db.fails(2, &["jobs", "update", &id, "--cron", "nonsense"]);
    assert!(errors.contains("cron"), "{errors}");
}

#[test]
fn a_tenant_sees_and_changes_only_its_own() {
    let db = Database::new();
    let (a, b) = (
        "0190b0c0-0000-7000-8000-00000000000a",
        "0190b0c0-0000-7000-8000-00000000000b",
    );
    let id = db.waiting_job(&["--tenant", a]);
    assert_eq!(db.json(&["jobs", "list", "--tenant", a])["total"], 1);
    assert_eq!(db.json(&["jobs", "list"])["total"], 1);
    for other in [b, "host"] {
        assert_eq!(db.json(&["jobs", "list", "--tenant", other])["total"], 0);
        for args in [
            &["jobs", "show", &id][..],
            &["jobs", "update", &id, "--priority", "Low"],
            &["jobs", "logs", &id],
        ] {
            let errors = db.fails(1, &[args, &["--tenant", other]].concat());
            assert!(errors.contains("not found"), "{args:?}: {errors}");
        }
    }
    assert_eq!(db.job(&id)["version"], 1);
}
