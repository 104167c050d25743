//! Tests of naming databases.

use std::path::{Path, PathBuf};

use super::Database;
use crate::args::DatabaseArgs;

fn of(text: &str) -> Database {
    let args = DatabaseArgs {
        database: Some(text.to_owned()),
    };
    Database::of(&args, Some("configured.db"))
}

#[test]
fn names_are_told_apart() {
    assert_eq!(of("memory"), Database::Memory);
    assert_eq!(of("x.db"), Database::File(PathBuf::from("x.db")));
    assert_eq!(of("a/b c.db"), Database::File(PathBuf::from("a/b c.db")));
    assert_eq!(of("sqlite://x.db"), Database::Url("sqlite://x.db".to_owned()));
    assert_eq!(of("sqlite://x.db?mode=rwc").file(), Some(PathBuf::from("x.db")));
    assert_eq!(of("sqlite::memory:").file(), None);
    let nothing = DatabaseArgs { database: None };
    assert_eq!(
        Database::of(&nothing, Some("c.db")),
        Database::File(PathBuf::from("c.db"))
    );
    assert_eq!(
        Database::of(&nothing, None),
        Database::File(PathBuf::from("tasks-demo.db"))
    );
}

#[test]
fn passwords_are_not_shown() {
    assert_eq!(of("postgres://u:secret@host/db").shown(), "postgres://host/db");
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
