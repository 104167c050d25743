//! `docs/failures.md`: what happens when something fails, and what shows it.
//!
//! A row has five cells; the last one names tests as `` `file::test_name` `` or kinds of faults of the chaos kit as `` `--faults kind` ``. Each that it
//! names exists, and a row that names none says which example shows it.

use super::Finding;
use super::differences::{test_name, unknown};
use super::tree::Tree;

const PATH: &str = "docs/failures.md";
/// Where the kinds of faults are.
const KINDS: &str = "tests/chaos/fault.rs";
const CELLS: usize = 5;

/// Checks what the last cell of each row names.
pub(crate) fn check(tree: &Tree, findings: &mut Vec<Finding>) {
    let Some(file) = tree.find(PATH) else { return };
    for (at, line) in file.text.lines().enumerate() {
        let Some(shown_by) = shown_by(line) else { continue };
        for message in wrong(tree, shown_by) {
            findings.push(Finding::at(PATH, at + 1, message));
        }
    }
}

/// The last cell of a row that is neither the head of a table nor the line below it.
fn shown_by(line: &str) -> Option<&str> {
    let cells = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    let cells: Vec<&str> = cells.split('|').map(str::trim).collect();
    let last = cells.last().copied().filter(|_| cells.len() == CELLS)?;
    (last != "shown by" && !last.starts_with("---")).then_some(last)
}

/// What is wrong with what a row names.
fn wrong(tree: &Tree, shown_by: &str) -> Vec<String> {
    let quoted = || shown_by.split('`').skip(1).step_by(2);
    let tests = quoted()
        .filter_map(test_name)
        .map(|(file, name)| unknown(tree, file, name));
    let faults = quoted()
        .filter_map(|it| it.strip_prefix("--faults "))
        .map(|it| unknown_fault(tree, it));
    let named: Vec<Option<String>> = tests.chain(faults).collect();
    if named.is_empty() && !shown_by.starts_with("the example ") {
        return vec![
            "the last cell names no test as `file::test_name`, no fault as `--faults kind` and no example"
                .to_owned(),
        ];
    }
    named.into_iter().flatten().collect()
}

/// Why a kind of fault does not exist as named.
fn unknown_fault(tree: &Tree, kind: &str) -> Option<String> {
    let mut letters = kind.chars();
    let variant: String = letters
        .next()
        .map(|it| it.to_ascii_uppercase())
        .into_iter()
        .chain(letters)
        .collect();
    let exists = tree.find(KINDS).is_some_and(|it| {
        it.code
            .lines()
            .any(|line| line.trim().strip_suffix(',') == Some(&variant))
    });
    (!exists).then(|| format!("the chaos kit has no fault `{kind}`"))
}

#[cfg(test)]
mod tests;
