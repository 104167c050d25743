//! Every case of a conformance suite is in the suite's list: a case nobody runs proves nothing.
//!
//! A case is a `pub async fn` whose first parameter is a fixture. The list is the part of the suite's `mod.rs` or
//! `list.rs` between the comments `cases:begin` and `cases:end`; the compiler checks that what it names exists.

use super::Finding;
use super::tree::{File, Tree};

const SUITES: [&str; 2] = [
    "crates/tasks-testing/src/store_suite",
    "crates/tasks-testing/src/scheduler_suite",
];
const BEGIN: &str = "// cases:begin";
const END: &str = "// cases:end";

/// Checks both suites.
pub(crate) fn check(tree: &Tree, findings: &mut Vec<Finding>) {
    for folder in SUITES {
        suite(tree, folder, findings);
    }
}

fn suite(tree: &Tree, folder: &str, findings: &mut Vec<Finding>) {
    let single = format!("{folder}.rs");
    let inside = format!("{folder}/");
    let files: Vec<&File> = tree
        .rust()
        .filter(|it| it.path == single || it.path.starts_with(&inside))
        .collect();
    if files.is_empty() {
        findings.push(Finding::file(folder, "the suite is missing"));
        return;
    }
    let may_list = [single, format!("{folder}/mod.rs"), format!("{folder}/list.rs")];
    let lists: Vec<&str> = files
        .iter()
        .filter(|it| may_list.contains(&it.path))
        .filter_map(|it| list(it))
        .collect();
    let [list] = lists.as_slice() else {
        let message = format!(
            "{} lists of cases between `{BEGIN}` and `{END}`, one is needed",
            lists.len()
        );
        findings.push(Finding::file(folder, message));
        return;
    };
    let listed: Vec<&str> = words(list).collect();
    for file in files {
        for (line, name) in cases(&file.code) {
            if !listed.contains(&name) {
                let message = format!("case `{name}` is not in the list of its suite, so nothing runs it");
                findings.push(Finding::at(&file.path, line, message));
            }
        }
    }
}

/// The code between the two markers.
fn list(file: &File) -> Option<&str> {
    let begin = file.text.find(BEGIN)?;
    let end = begin + file.text[begin..].find(END)?;
    // Masking keeps lines, not bytes: a comment may hold characters of several bytes.
    let line_of = |at: usize| file.text[..at].matches('\n').count();
    let starts: Vec<usize> = std::iter::once(0)
        .chain(file.code.match_indices('\n').map(|(at, _)| at + 1))
        .collect();
    file.code
        .get(*starts.get(line_of(begin))?..*starts.get(line_of(end))?)
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|c: char| !c.is_alphanumeric() && c != '_')
        .filter(|it| !it.is_empty())
}

/// Lines and names of the functions whose first parameter is a fixture.
fn cases(code: &str) -> Vec<(usize, &str)> {
    const OPENING: &str = "pub async fn ";
    let mut cases = Vec::new();
    for (at, _) in code.match_indices(OPENING) {
        let rest = &code[at + OPENING.len()..];
        let Some(name) = words(rest).next() else { continue };
        if first_parameter(rest).contains("Fixture") {
            cases.push((code[..at].matches('\n').count() + 1, name));
        }
    }
    cases
}

/// A signature up to the end of its first parameter, bounds of type parameters included.
fn first_parameter(signature: &str) -> &str {
    let (mut depth, mut angles) = (0_i32, 0_i32);
    for (at, c) in signature.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth -= 1,
            '<' => angles += 1,
            '>' => angles -= 1,
            ',' if depth == 1 && angles == 0 => return &signature[..at],
            _ => {}
        }
        if c == '{' || (c == ')' && depth == 0) {
            return &signature[..at];
        }
    }
    signature
}

#[cfg(test)]
mod tests;
