//! Rules about a file as text: how it opens, its length, white space, its name, and words that do not belong in it.

use super::Finding;
use super::tree::{File, Tree};

/// A file should be shorter than this.
pub(crate) const AIM: usize = 350;
/// A file must not be longer than this.
pub(crate) const LIMIT: usize = 500;

/// Names that say nothing about what is inside.
const EMPTY_NAMES: [&str; 9] = [
    "common",
    "helper",
    "helpers",
    "misc",
    "model_types",
    "models",
    "types",
    "util",
    "utils",
];

/// Words of somebody's workplace, which mean nothing to a reader of the project.
/// Each is written in two halves, so that this file does not match itself.
const WORKPLACE: [(&str, &str); 5] = [
    ("/wo", "rk/"),
    ("sub", "agent"),
    ("closing", " note"),
    ("shared/", "design"),
    ("shared/", "reference"),
];

/// Checks one file.
pub(crate) fn check(file: &File, findings: &mut Vec<Finding>) {
    let rust = file.has_ending("rs");
    if rust && !file.text.starts_with("//!") {
        findings.push(Finding::at(
            &file.path,
            1,
            "open the file with `//!`: what is in it, in a sentence",
        ));
    }
    if rust || file.has_ending("md") || file.has_ending("toml") {
        white_space(file, findings);
    }
    if rust {
        length(file, findings);
        name(file, findings);
    }
    workplace(file, findings);
}

/// The Rust files longer than one should aim for, with their lines.
pub(crate) fn long_files(tree: &Tree) -> Vec<(&str, usize)> {
    tree.rust()
        .map(|it| (it.path.as_str(), it.text.lines().count()))
        .filter(|(_, lines)| *lines > AIM)
        .collect()
}

fn white_space(file: &File, findings: &mut Vec<Finding>) {
    // `lines()` would take a carriage return for a part of the line break.
    for (at, line) in file.text.split('\n').enumerate() {
        if line.ends_with([' ', '\t', '\r']) {
            findings.push(Finding::at(
                &file.path,
                at + 1,
                "white space at the end of the line",
            ));
        }
        if line.contains('\t') {
            findings.push(Finding::at(
                &file.path,
                at + 1,
                "tab; indent with spaces, write `\\t` in literals",
            ));
        }
    }
}

fn length(file: &File, findings: &mut Vec<Finding>) {
    let lines = file.text.lines().count();
    if lines > LIMIT {
        findings.push(Finding::file(
            &file.path,
            format!("{lines} lines, allowed are {LIMIT}; split the file by idea"),
        ));
    }
}

/// Folder and file names, and modules declared inside a file.
fn name(file: &File, findings: &mut Vec<Finding>) {
    let stem = file.path.strip_suffix(".rs").unwrap_or(&file.path);
    for part in stem.split('/').filter(|it| EMPTY_NAMES.contains(it)) {
        findings.push(Finding::file(
            &file.path,
            format!("`{part}` says nothing; name the file or folder for its one idea"),
        ));
    }
    for (at, line) in file.code.lines().enumerate() {
        let mut words = line
            .split(|c: char| !c.is_alphanumeric() && c != '_')
            .skip_while(|it| *it != "mod")
            .skip(1);
        if let Some(module) = words.next().filter(|it| EMPTY_NAMES.contains(it)) {
            let message = format!("module `{module}` says nothing; name it for its one idea");
            findings.push(Finding::at(&file.path, at + 1, message));
        }
    }
}

fn workplace(file: &File, findings: &mut Vec<Finding>) {
    for (at, line) in file.text.lines().enumerate() {
        let line = line.to_lowercase();
        for word in WORKPLACE
            .iter()
            .map(|(a, b)| format!("{a}{b}"))
            .filter(|it| line.contains(it))
        {
            findings.push(Finding::at(
                &file.path,
                at + 1,
                format!("`{word}` means nothing to a reader of the project"),
            ));
        }
    }
}

#[cfg(test)]
mod tests;
