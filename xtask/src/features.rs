//! Every published crate compiles with its default features, without them, and with each feature alone; the feature of one database brings the driver of no other.

use anyhow::{Result, bail};

use crate::process::{capture, cargo, run as run_process};
use crate::workspace::{Package, Workspace};

/// Checks all combinations.
///
/// Clippy does the checking: it is `cargo check` that can be told to refuse warnings (such as code that is dead without
/// a feature) without compiler flags that would make cargo build every dependency a second time.
///
/// # Errors
/// When a combination does not compile, compiles with a warning, or brings a driver that it has no use for.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    for package in workspace.published() {
        for combination in combinations(package) {
            let mut command = cargo(workspace);
            command
                .args(["clippy", "--quiet", "--no-deps", "--package", &package.name])
                .args(&combination);
            run_process(command.args(["--", "-D", "warnings"]))?;
        }
        for (database, _) in DRIVERS
            .iter()
            .filter(|(it, _)| package.features.iter().any(|of| of == it))
        {
            let mut tree = cargo(workspace);
            tree.args(["tree", "--package", &package.name, "--edges", "normal"])
                .args([
                    "--no-default-features",
                    "--features",
                    database,
                    "--prefix",
                    "none",
                ]);
            let foreign = foreign_drivers(&capture(&mut tree)?, database);
            if !foreign.is_empty() {
                bail!(
                    "{} with the feature `{database}` alone contains {}; look for the dependency by `cargo tree --invert`",
                    package.name,
                    foreign.join(", ")
                );
            }
        }
    }
    Ok(())
}

/// The feature of each database, and the crates that only it needs.
const DRIVERS: [(&str, &[&str]); 3] = [
    ("mysql", &["sqlx-mysql"]),
    ("postgres", &["sqlx-postgres"]),
    ("sqlite", &["sqlx-sqlite", "libsqlite3-sys"]),
];

/// The crates in what `cargo tree` prints that belong to other databases.
fn foreign_drivers(tree: &str, database: &str) -> Vec<&'static str> {
    let others = DRIVERS.iter().filter(|(it, _)| *it != database);
    others
        .flat_map(|(_, crates)| *crates)
        .copied()
        .filter(|it| tree.lines().any(|line| line.split(' ').next() == Some(*it)))
        .collect()
}

/// The arguments of each combination. A crate without features has one.
fn combinations(package: &Package) -> Vec<Vec<&str>> {
    let mut all = vec![vec![]];
    if package.has_default_features || !package.features.is_empty() {
        all.push(vec!["--no-default-features"]);
    }
    for feature in &package.features {
        all.push(vec!["--no-default-features", "--features", feature]);
    }
    all
}

#[cfg(test)]
mod tests;
