//! Tenants by the names that the file of options gives them.

use std::fs;

use crate::database::Database;
use crate::program::Running;

const OPTIONS: &str = r#"
database = "jobs.db"

[tenants.acme]
name = "Acme"

[tenants.globex]
id = "0190b0c0-0000-7000-8000-00000000000a"
active = false
"#;

fn database() -> Database {
    let db = Database::new();
    fs::write(db.folder().join("tasks.toml"), OPTIONS).expect("written");
    db
}

#[test]
fn a_configured_tenant_is_named_on_the_command_line() {
    let db = database();
    let of = |tenant| ["--config", "tasks.toml", "--tenant", tenant];
    let acme = db.waiting_job(&of("ACME"));
    let globex = db.waiting_job(&of("globex"));
    assert_eq!(
        db.job(&globex)["tenant_id"],
        "0190b0c0-0000-7000-8000-00000000000a"
    );
    let id = db.job(&acme)["tenant_id"].as_str().expect("an id").to_owned();
    for tenant in ["Acme", " acme ", &id] {
        let listed = db.json(&[&["jobs", "list"][..], &of(tenant)].concat());
        assert_eq!(
            (&listed["total"], &listed["items"][0]["id"]),
            (&1.into(), &acme.as_str().into())
        );
    }
    assert_eq!(
        db.json(&[&["jobs", "list"][..], &of("host")].concat())["total"],
        0
    );
    assert_eq!(db.json(&["jobs", "list"])["total"], 2);
    let errors = db.fails(1, &[&["jobs", "show", &globex][..], &of("acme")].concat());
    assert!(errors.contains("not found"), "{errors}");
    let exported = db.done(&[&["export"][..], &of("globex")].concat());
    assert_eq!(exported.lines().count(), 1);
}

#[test]
fn an_unknown_tenant_is_refused() {
    let db = database();
    for args in [
        &["jobs", "list", "--tenant", "acme"][..],
        &["jobs", "list", "--tenant", "initech", "--config", "tasks.toml"],
    ] {
        let errors = db.fails(2, args);
        assert!(
            errors.contains("--tenant") && errors.contains("--config"),
            "{errors}"
        );
    }
}

#[test]
fn faults_of_tenants_are_told_with_all_others() {
    let db = database();
    let wrong = "max_concurrency = 0\n[tenants.a]\nid = \"x\"\n[tenants.b]\nname = \"B\"\nactiv = false\n[tenants.c]\nname = \"b\"\n";
    fs::write(db.folder().join("wrong.toml"), wrong).expect("written");
    for args in [
        &["serve", "--config", "wrong.toml"][..],
        &["jobs", "list", "--config", "wrong.toml"],
    ] {
        let errors = db.fails(3, args);
        for expected in [
            "4 problems",
            "max_concurrency",
            "tenants.a.id",
            "tenants.b.activ",
            "same name",
        ] {
            assert!(errors.contains(expected), "{expected} is not in {errors}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_node_takes_tenants_and_database_from_its_file() {
    let db = database();
    let mut node = db.command(&["serve", "--config", "tasks.toml"]);
    // The name of a variable that others use must not take the tenants away.
    node.env_remove("TASKS_DATABASE").env("TASKS_TENANTS", "x");
    let mut node = Running::start(&mut node);
    node.wait_for("TASKS_TENANTS");
    node.wait_for("started");
    let args = [
        "jobs",
        "enqueue",
        "demo.delayed",
        "--tenant",
        "acme",
        "--config",
        "tasks.toml",
    ];
    let id = db.json(&args)["id"].as_str().expect("an id").to_owned();
    db.until("the tenant's job", |db| {
        (db.status(&id) == "Completed").then_some(())
    });
    node.signal("TERM");
    assert_eq!(node.end().0, Some(0));
}
