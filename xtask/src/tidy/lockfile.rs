//! `Cargo.lock` belongs to the project: the same versions for everybody who builds the programs.

use std::path::Path;
use std::process::Command;

use anyhow::Result;

use super::Finding;
use crate::process::{capture, works};

const NAME: &str = "Cargo.lock";

/// Checks that the lock file exists and that git has it. In an unpacked archive without git, existing is enough.
pub(crate) fn check(root: &Path, findings: &mut Vec<Finding>) -> Result<()> {
    if !root.join(NAME).is_file() {
        findings.push(Finding::file(NAME, "missing; build once and commit it"));
        return Ok(());
    }
    let git = || {
        let mut command = Command::new("git");
        command.current_dir(root);
        command
    };
    let in_repository = root.join(".git").exists() && works(git().args(["rev-parse", "--git-dir"]));
    if in_repository && capture(git().args(["ls-files", "--", NAME]))?.trim().is_empty() {
        findings.push(Finding::file(NAME, "not committed; `git add Cargo.lock`"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;
