//! What the table of failures names must exist.

use super::{KINDS, PATH, check};
use crate::tidy::tree::{File, Tree};

const HEAD: &str = "| what happens | work | see | how long | shown by |\n|---|---|---|---|---|\n";

fn findings(shown_by: &str) -> Vec<String> {
    let table = format!("# Failures\n\n{HEAD}| it | it | it | it | {shown_by} |\n| other | table |\n");
    let code = "//! X.\n#[test]\nfn work_is_kept() {}\n";
    let kinds = "//! X.\nenum Kind {\n    /// Ends.\n    Kill,\n}\n";
    let files = vec![
        File::new("tests/it/crash.rs", code),
        File::new(KINDS, kinds),
        File::new(PATH, &table),
    ];
    let mut findings = Vec::new();
    check(&Tree { files }, &mut findings);
    findings.iter().map(ToString::to_string).collect()
}

#[test]
fn what_exists_may_be_named() {
    for shown_by in [
        "`crash::work_is_kept`",
        "`--faults kill`",
        "`crash::work_is_kept`, by `TypeName::method`, `--faults kill` (SQLite)",
        "the example `backup`",
    ] {
        assert!(findings(shown_by).is_empty(), "{shown_by}");
    }
}

#[test]
fn what_does_not_exist_is_reported_with_its_line() {
    for (shown_by, expected) in [
        ("`crash::work_is_lost`", "there is no test `work_is_lost`"),
        ("`other::work_is_kept`", "not in a file or folder `other`"),
        ("`--faults flood`", "no fault `flood`"),
        ("–", "names no test"),
        ("common sense", "names no test"),
    ] {
        let found = findings(shown_by);
        assert_eq!(found.len(), 1, "{shown_by}: {found:?}");
        assert!(
            found[0].starts_with("docs/failures.md:5") && found[0].contains(expected),
            "{found:?}"
        );
    }
}
