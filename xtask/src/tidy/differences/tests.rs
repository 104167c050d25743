//! The table of differences must be whole and name tests that exist.

use std::fmt::Write as _;

use super::{PATH, ROWS, check};
use crate::tidy::tree::{File, Tree};

const CODE: &str = "//! X.\n#[test]\nfn claim_is_fair() {}\npub async fn once_per_run<F: Fixture>(fx: &F) {}\n// fn gone() {}\n";

fn findings(table: &str) -> Vec<String> {
    let files = vec![File::new("tests/it/crash.rs", CODE), File::new(PATH, table)];
    let mut findings = Vec::new();
    check(&Tree { files }, &mut findings);
    findings.iter().map(ToString::to_string).collect()
}

/// A full table with the last cell of row 7 replaced.
fn table(seventh: &str) -> String {
    let mut table = "# Differences\n\n| # | defect | here |\n|---|---|---|\n".to_owned();
    for number in 1..=ROWS {
        let how = if number == 7 {
            seventh
        } else {
            "area: notifications"
        };
        writeln!(table, "| {number} | it | {how} |").unwrap();
    }
    table
}

fn only(seventh: &str) -> String {
    let mut findings = findings(&table(seventh));
    assert_eq!(findings.len(), 1, "{findings:?}");
    findings.remove(0)
}

#[test]
fn a_missing_file() {
    let mut findings = Vec::new();
    check(&Tree::default(), &mut findings);
    assert!(
        findings[0]
            .to_string()
            .starts_with("docs/differences.md: missing")
    );
}

#[test]
fn rows_that_say_something_true() {
    for how in [
        "`crash::claim_is_fair`",
        "both `it/crash.rs::claim_is_fair` and `JobStore::find`, see `tests::it::crash::once_per_run`",
        "cannot occur: there is no such column",
    ] {
        assert_eq!(findings(&table(how)), Vec::<String>::new(), "{how}");
    }
}

#[test]
fn tests_that_do_not_exist() {
    assert!(only("`crash::claim_is_unfair`").starts_with("docs/differences.md:11: row 7: there is no test"));
    assert!(only("`crash::claim_is`").contains("there is no test"));
    assert!(only("`crash::gone`").contains("there is no test"));
    assert!(only("`signals::claim_is_fair`").contains("but in tests/it/crash.rs"));
}

#[test]
fn rows_that_say_nothing() {
    assert!(only("done").contains("name a test"));
    assert!(only("`JobStore::find`").contains("name a test"));
    assert!(only("area:").contains("says nothing"));
    assert!(only("cannot occur: ").contains("says nothing"));
}

#[test]
fn missing_double_and_unknown_rows() {
    let without = table("area: x")
        .replace("| 7 | it | area: x |\n", "")
        .replace("| 57 |", "| 58 |");
    let findings = findings(&format!("{without}| 1 | it | area: y |\n"));
    assert!(
        findings.iter().any(|it| it.ends_with("rows are missing: 7, 57")),
        "{findings:?}"
    );
    assert!(
        findings.iter().any(|it| it.contains("row 58 is none of 1 to 57")),
        "{findings:?}"
    );
    assert!(
        findings
            .iter()
            .any(|it| it.contains("row 1 is already on line 5")),
        "{findings:?}"
    );
    assert_eq!(findings.len(), 3);
}
