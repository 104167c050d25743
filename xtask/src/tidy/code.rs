//! Rules about code: nothing unfinished, no silenced lint without a reason, no test that does not run.

use super::Finding;
use super::tree::File;

/// Checks one Rust file; other files are left alone.
pub(crate) fn check(file: &File, findings: &mut Vec<Finding>) {
    if !file.has_ending("rs") {
        return;
    }
    for (at, line) in file.code.lines().enumerate() {
        let dense: String = line.chars().filter(|it| !it.is_whitespace()).collect();
        if dense.contains("#[ignore") || dense.contains(",ignore)]") || dense.contains(",ignore=") {
            findings.push(Finding::at(
                &file.path,
                at + 1,
                "ignored test; make it run or remove it",
            ));
        }
        if dense.contains("todo!(") || dense.contains("unimplemented!(") {
            findings.push(Finding::at(
                &file.path,
                at + 1,
                "unfinished code; write it or leave the feature out",
            ));
        }
    }
    bare_allows(file, findings);
    ignored_doctests(file, findings);
}

/// `#[allow(..)]` and `#![allow(..)]` without `reason = ..`, also over several lines.
fn bare_allows(file: &File, findings: &mut Vec<Finding>) {
    for opening in ["#[allow(", "#![allow("] {
        for (at, _) in file.code.match_indices(opening) {
            let attribute = file.code[at..].split(']').next().unwrap_or_default();
            if !attribute.contains("reason") {
                let line =
                    file.code[..at].lines().count().max(1) + usize::from(file.code[..at].ends_with('\n'));
                let message = "bare `allow`; use `#[expect(lint, reason = \"..\")]`";
                findings.push(Finding::at(&file.path, line, message));
            }
        }
    }
}

fn ignored_doctests(file: &File, findings: &mut Vec<Finding>) {
    for (at, line) in file.text.lines().enumerate() {
        let line = line.trim_start();
        let Some(doc) = line.strip_prefix("///").or_else(|| line.strip_prefix("//!")) else {
            continue;
        };
        let Some(tags) = doc.trim_start().strip_prefix("```") else {
            continue;
        };
        if tags.split([',', ' ']).any(|it| it.trim().starts_with("ignore")) {
            let message = "ignored doctest; make it compile (`no_run`) or mark it `text`";
            findings.push(Finding::at(&file.path, at + 1, message));
        }
    }
}

#[cfg(test)]
mod tests;
