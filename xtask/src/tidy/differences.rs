//! `docs/differences.md`: one row for each known defect of the system this one follows, and each named test exists.
//!
//! A row is `| number | defect | how it is here |`. The last cell names tests as `` `file::test_name` ``, or starts
//! with `area:` (who will do it) or `cannot occur:` (why not).

use super::Finding;
use super::tree::Tree;

const PATH: &str = "docs/differences.md";

/// How many defects are known.
const ROWS: usize = 57;

/// Checks that all rows are there, once each, and say something that can be checked.
pub(crate) fn check(tree: &Tree, findings: &mut Vec<Finding>) {
    let Some(file) = tree.find(PATH) else {
        findings.push(Finding::file(
            PATH,
            format!("missing; it has a table with {ROWS} numbered rows"),
        ));
        return;
    };
    let mut seen = [0_usize; ROWS];
    for (at, line) in file.text.lines().enumerate() {
        let Some((number, how)) = row(line) else { continue };
        match number.checked_sub(1).and_then(|it| seen.get_mut(it)) {
            Some(first) if *first > 0 => {
                findings.push(Finding::at(
                    PATH,
                    at + 1,
                    format!("row {number} is already on line {first}"),
                ));
            }
            Some(first) => *first = at + 1,
            None => findings.push(Finding::at(
                PATH,
                at + 1,
                format!("row {number} is none of 1 to {ROWS}"),
            )),
        }
        for message in wrong(tree, how) {
            findings.push(Finding::at(PATH, at + 1, format!("row {number}: {message}")));
        }
    }
    let missing: Vec<String> = seen
        .iter()
        .enumerate()
        .filter(|(_, line)| **line == 0)
        .map(|(at, _)| (at + 1).to_string())
        .collect();
    if !missing.is_empty() {
        findings.push(Finding::file(
            PATH,
            format!("rows are missing: {}", missing.join(", ")),
        ));
    }
}

/// The number and the last cell of a table row that starts with a number.
fn row(line: &str) -> Option<(usize, &str)> {
    let cells = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    let (first, rest) = cells.split_once('|')?;
    let last = rest.rsplit('|').next()?;
    Some((first.trim().parse().ok()?, last.trim()))
}

/// What is wrong with the last cell of a row.
fn wrong(tree: &Tree, how: &str) -> Vec<String> {
    for excuse in ["area:", "cannot occur:"] {
        if let Some(why) = how.strip_prefix(excuse) {
            return if why.trim().is_empty() {
                vec![format!("`{excuse}` says nothing")]
            } else {
                Vec::new()
            };
        }
    }
    let tests: Vec<(&str, &str)> = how.split('`').skip(1).step_by(2).filter_map(test_name).collect();
    if tests.is_empty() {
        return vec!["name a test as `file::test_name`, or start with `area:` or `cannot occur:`".to_owned()];
    }
    tests
        .into_iter()
        .filter_map(|(file, name)| unknown(tree, file, name))
        .collect()
}

/// `folder/file.rs::test_name` or `module::file::test_name` as file and test. Names of types are no tests.
pub(super) fn test_name(quoted: &str) -> Option<(&str, &str)> {
    let (file, name) = quoted.trim().rsplit_once("::")?;
    let file = file.rsplit(['/', ':']).next()?;
    let lower = |it: &str| it.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    (lower(file) && lower(name)).then(|| (file.strip_suffix(".rs").unwrap_or(file), name))
}

/// Why a test does not exist as named.
pub(super) fn unknown(tree: &Tree, file: &str, name: &str) -> Option<String> {
    let mut elsewhere = None;
    for candidate in tree.rust().filter(|it| defines(&it.code, name)) {
        let stem = candidate.path.strip_suffix(".rs").unwrap_or(&candidate.path);
        if stem.split('/').any(|part| part == file) {
            return None;
        }
        elsewhere = Some(&candidate.path);
    }
    Some(match elsewhere {
        Some(path) => format!("`{name}` is not in a file or folder `{file}` but in {path}"),
        None => format!("there is no test `{name}`"),
    })
}

/// Whether the code has a function of this name.
fn defines(code: &str, name: &str) -> bool {
    code.match_indices(name).any(|(at, _)| {
        let before = code[..at].strip_suffix(' ').is_some_and(|it| {
            it.strip_suffix("fn")
                .is_some_and(|it| it.is_empty() || it.ends_with(char::is_whitespace))
        });
        let after = code[at + name.len()..].starts_with(['(', '<']);
        before && after
    })
}

#[cfg(test)]
mod tests;
