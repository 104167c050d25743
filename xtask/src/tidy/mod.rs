//! The rules of the code base that no compiler checks; run by `cargo xtask tidy` and as a test of this package.

mod code;
mod crates;
mod differences;
mod failures;
mod lockfile;
mod masked;
mod suites;
mod text;
mod tree;

use std::fmt;

use anyhow::{Result, bail};

use crate::report::say;
use crate::workspace::Workspace;
use tree::Tree;

/// One broken rule, at a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Path below the root, with `/`.
    pub(crate) path: String,
    /// Counted from one; zero when the finding is about the whole file.
    pub(crate) line: usize,
    pub(crate) message: String,
}

impl Finding {
    pub(crate) fn at(path: &str, line: usize, message: impl Into<String>) -> Self {
        Self {
            path: path.to_owned(),
            line,
            message: message.into(),
        }
    }

    pub(crate) fn file(path: &str, message: impl Into<String>) -> Self {
        Self::at(path, 0, message)
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.line == 0 {
            write!(f, "{}: {}", self.path, self.message)
        } else {
            write!(f, "{}:{}: {}", self.path, self.line, self.message)
        }
    }
}

/// Prints everything that is wrong, and what is only worth knowing.
///
/// # Errors
/// When a rule is broken.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    let tree = Tree::read(&workspace.root)?;
    let long = text::long_files(&tree);
    if !long.is_empty() {
        say(format_args!(
            "{} files have more than {} lines (allowed up to {}):",
            long.len(),
            text::AIM,
            text::LIMIT
        ));
        for (path, lines) in long {
            say(format_args!("  {path}: {lines}"));
        }
    }
    let findings = check(workspace, &tree)?;
    for finding in &findings {
        say(finding);
    }
    if !findings.is_empty() {
        bail!(
            "{} rules broken (see CONTRIBUTING.md, \"Rules of the code base\")",
            findings.len()
        );
    }
    Ok(())
}

/// Every broken rule, in the order of paths and lines.
fn check(workspace: &Workspace, tree: &Tree) -> Result<Vec<Finding>> {
    let mut findings = Vec::new();
    for file in &tree.files {
        text::check(file, &mut findings);
        code::check(file, &mut findings);
    }
    crates::check(&workspace.root, &workspace.packages, &mut findings);
    differences::check(tree, &mut findings);
    failures::check(tree, &mut findings);
    suites::check(tree, &mut findings);
    lockfile::check(&workspace.root, &mut findings)?;
    findings.sort_by(|a, b| (&a.path, a.line).cmp(&(&b.path, b.line)));
    Ok(findings)
}

#[cfg(test)]
mod tests;
