//! Tests of naming databases.

use std::path::{Path, PathBuf};

use tasks_host::{HostExit, HostOptions};

use super::Database;
use crate::args::DatabaseArgs;

fn args(database: Option<&str>, schema: Option<&str>) -> DatabaseArgs {
    DatabaseArgs {
        database: database.map(str::to_owned),
        schema: schema.map(str::to_owned),
        config: None,
    }
}

fn options(database: Option<&str>, schema: Option<&str>) -> HostOptions {
    let mut options = HostOptions::default();
    options.database = database.map(str::to_owned);
    options.schema = schema.map(str::to_owned);
    options
}

fn of(text: &str) -> Database {
    Database::of(&args(Some(text), None), &options(Some("configured.db"), None)).expect("a database")
}

fn url(url: &str, schema: Option<&str>) -> Database {
    Database::Url {
        url: url.to_owned(),
        schema: schema.map(str::to_owned),
    }
}

#[test]
fn names_are_told_apart() {
    assert_eq!(of("memory"), Database::Memory);
    assert_eq!(of("x.db"), Database::File(PathBuf::from("x.db")));
    assert_eq!(of("a/b c.db"), Database::File(PathBuf::from("a/b c.db")));
    assert_eq!(of("sqlite://x.db"), url("sqlite://x.db", None));
    assert_eq!(of("sqlite://x.db?mode=rwc").file(), Some(PathBuf::from("x.db")));
    assert_eq!(of("sqlite::memory:").file(), None);
    for (configured, expected) in [(Some("c.db"), "c.db"), (None, "tasks-demo.db")] {
        let found = Database::of(&args(None, None), &options(configured, None)).expect("a database");
        assert_eq!(found, Database::File(PathBuf::from(expected)));
    }
}

#[test]
fn a_schema_is_one_of_postgresql() {
    let server = "postgres://host/db";
    for (said, configured, expected) in [
        (Some("a"), Some("b"), Some("a")),
        (None, Some("b"), Some("b")),
        (None, None, None),
    ] {
        let found = Database::of(&args(Some(server), said), &options(None, configured)).expect("a database");
        assert_eq!(found, url(server, expected));
    }
    for elsewhere in ["x.db", "memory"] {
        let refused = Database::of(&args(Some(elsewhere), Some("a")), &options(None, None));
        let failure = refused.expect_err("no schema there");
        assert_eq!(failure.exit(), HostExit::Usage, "{failure}");
        assert!(failure.to_string().contains("schema `a`"), "{failure}");
    }
}

#[test]
fn passwords_are_not_shown() {
    assert_eq!(of("postgres://u:secret@host/db").shown(), "postgres://host/db");
    assert_eq!(
        url("postgres://u:secret@host/db?a=b", Some("jobs")).shown(),
        "postgres://host/db, schema jobs"
    );
}

#[test]
fn a_database_owns_the_files_beside_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().canonicalize().expect("exists");
    let database = Database::File(root.join("x.db"));
    for own in ["x.db", "x.db-wal", "x.db-nodes/a.lock"] {
        assert!(database.owns(&root.join(own)), "{own}");
    }
    for other in ["x.dbs", "y.db", "sub/x.db"] {
        assert!(!database.owns(&root.join(other)), "{other}");
    }
    assert!(!Database::Memory.owns(Path::new("/x.db")));
}
