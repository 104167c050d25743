//! Every backend runs every case of both suites, and every case that a contract names exists.

use std::fs;
use std::path::Path;

use tasks_testing::store_suite::CASES;

use crate::{
    scheduler_memory, scheduler_mysql, scheduler_postgres, scheduler_sqlite, store_memory, store_mysql,
    store_postgres, store_sqlite,
};

#[test]
fn every_backend_runs_every_case() {
    let backends = [
        ("memory", store_memory::CASES),
        ("SQLite", store_sqlite::CASES),
        ("PostgreSQL", store_postgres::CASES),
        ("MariaDB or MySQL", store_mysql::CASES),
    ];
    for (name, cases) in backends {
        assert_eq!(cases.len(), CASES.len(), "{name}");
        assert_eq!(cases, CASES, "{name}");
    }
}

#[test]
fn every_backend_runs_every_case_of_the_scheduler_suite() {
    let backends = [
        ("SQLite", scheduler_sqlite::CASES),
        ("PostgreSQL", scheduler_postgres::CASES),
        ("MariaDB or MySQL", scheduler_mysql::CASES),
    ];
    assert!(scheduler_memory::CASES.len() > 150);
    for (name, cases) in backends {
        assert_eq!(cases, scheduler_memory::CASES, "{name}");
    }
}

#[test]
fn no_two_cases_have_one_name() {
    let mut names = CASES.to_vec();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), CASES.len());
}

#[test]
fn contracts_name_cases_that_exist() {
    let contracts = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/tasks-abstractions/src");
    let of_stores = ["store/job_store.rs", "store/queue.rs", "lock.rs"];
    let of_managers = ["manager.rs", "management.rs"];
    let exists = |name: &str| CASES.contains(&name);
    let exists_for_managers = |name: &str| exists(name) || scheduler_memory::CASES.contains(&name);
    for (files, exists, least) in [
        (&of_stores[..], &exists as &dyn Fn(&str) -> bool, 30),
        (&of_managers[..], &exists_for_managers, 20),
    ] {
        let mut named = 0;
        for file in files {
            let text = fs::read_to_string(contracts.join(file)).expect("a contract");
            for name in cases_named_in(&text) {
                assert!(exists(&name), "{file} names `{name}`, which is no case");
                named += 1;
            }
        }
        assert!(
            named > least,
            "only {named} names were found in {files:?}; contracts say `Conformance:` before them"
        );
    }
}

/// The names in backticks between each `Conformance:` and the full stop after it.
fn cases_named_in(text: &str) -> Vec<String> {
    let docs: Vec<&str> = text
        .lines()
        .filter_map(|it| it.trim().strip_prefix("///"))
        .collect();
    let docs = docs.join("\n");
    let lists = docs.split("Conformance:").skip(1);
    let names = lists.flat_map(|it| {
        it.split('.')
            .next()
            .unwrap_or_default()
            .split('`')
            .skip(1)
            .step_by(2)
    });
    names.map(str::to_owned).collect()
}
