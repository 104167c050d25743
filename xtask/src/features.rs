//! Every published crate compiles with its default features, without them, and with each feature alone.

use anyhow::Result;

use crate::process::{cargo, run as run_process};
use crate::workspace::{Package, Workspace};

/// Checks all combinations.
///
/// Clippy does the checking: it is `cargo check` that can be told to refuse warnings (such as code that is dead without
/// a feature) without compiler flags that would make cargo build every dependency a second time.
///
/// # Errors
/// When a combination does not compile, or compiles with a warning.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    for package in workspace.published() {
        for combination in combinations(package) {
            let mut command = cargo(workspace);
            command
                .args(["clippy", "--quiet", "--no-deps", "--package", &package.name])
                .args(&combination);
            run_process(command.args(["--", "-D", "warnings"]))?;
        }
    }
    Ok(())
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
