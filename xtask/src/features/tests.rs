//! Which combinations of features are checked.

use std::path::PathBuf;

use super::{combinations, foreign_drivers};
use crate::workspace::Package;

fn package(features: &[&str], has_default_features: bool) -> Package {
    Package {
        name: "a".to_owned(),
        folder: PathBuf::from("/w/crates/a"),
        published: true,
        has_library: true,
        features: features.iter().map(|it| (*it).to_owned()).collect(),
        has_default_features,
        dependencies: Vec::new(),
    }
}

#[test]
fn default_none_and_each_alone() {
    let package = package(&["mysql", "sqlite"], true);
    let lines: Vec<String> = combinations(&package).iter().map(|it| it.join(" ")).collect();
    assert_eq!(
        lines,
        [
            "",
            "--no-default-features",
            "--no-default-features --features mysql",
            "--no-default-features --features sqlite"
        ]
    );
}

#[test]
fn a_crate_without_features_is_checked_once() {
    assert_eq!(combinations(&package(&[], false)).len(), 1);
}

#[test]
fn drivers_of_other_databases_are_found() {
    let tree = "tasks-cli v0.1.0 (/w/crates/tasks-cli)\nsqlx-core v0.9.0\nsqlx-postgres v0.9.0 (*)\nlibsqlite3-sys v0.37.0\nsqlx-mysql-like v1.0.0\n";
    assert_eq!(foreign_drivers(tree, "postgres"), ["libsqlite3-sys"]);
    assert_eq!(foreign_drivers(tree, "sqlite"), ["sqlx-postgres"]);
    assert_eq!(
        foreign_drivers(tree, "mysql"),
        ["sqlx-postgres", "libsqlite3-sys"]
    );
}
