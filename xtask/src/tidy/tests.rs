//! The workspace itself keeps the rules.

use super::tree::Tree;
use super::{Finding, check};
use crate::workspace::Workspace;

#[test]
fn the_workspace_is_tidy() {
    let workspace = Workspace::load().unwrap();
    let tree = Tree::read(&workspace.root).unwrap();
    let findings = check(&workspace, &tree).unwrap();
    let lines: Vec<String> = findings.iter().map(ToString::to_string).collect();
    assert!(
        findings.is_empty(),
        "{} rules broken:\n{}",
        lines.len(),
        lines.join("\n")
    );
}

#[test]
fn a_finding_names_file_and_line() {
    assert_eq!(Finding::at("a.rs", 3, "wrong").to_string(), "a.rs:3: wrong");
    assert_eq!(Finding::file("a.rs", "wrong").to_string(), "a.rs: wrong");
}
