//! The lock file must exist and be known to git.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::check;
use crate::process::works;

fn findings(root: &Path) -> Vec<String> {
    let mut findings = Vec::new();
    check(root, &mut findings).unwrap();
    findings.iter().map(ToString::to_string).collect()
}

#[test]
fn a_missing_lock_file() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(
        findings(folder.path()),
        ["Cargo.lock: missing; build once and commit it"]
    );
    fs::write(folder.path().join("Cargo.lock"), "").unwrap();
    assert!(findings(folder.path()).is_empty());
}

#[test]
fn a_lock_file_that_git_does_not_know() {
    let folder = tempfile::tempdir().unwrap();
    let git = |arguments: &[&str]| works(Command::new("git").args(arguments).current_dir(folder.path()));
    let has_git = git(&["init", "--quiet"]);
    fs::write(folder.path().join("Cargo.lock"), "").unwrap();
    // Without git the rule has nothing to ask; the finding comes exactly when there is one to ask.
    assert_eq!(findings(folder.path()).len(), usize::from(has_git));
    assert!(
        findings(folder.path())
            .iter()
            .all(|it| it == "Cargo.lock: not committed; `git add Cargo.lock`")
    );
    assert_eq!(git(&["add", "Cargo.lock"]), has_git);
    assert!(findings(folder.path()).is_empty());
}
