//! Each rule about text finds what breaks it and nothing else.

use super::{LIMIT, WORKPLACE, check, long_files};
use crate::tidy::tree::{File, Tree};

fn findings(path: &str, text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    check(&File::new(path, text), &mut findings);
    findings.iter().map(ToString::to_string).collect()
}

fn only(path: &str, text: &str) -> String {
    let mut findings = findings(path, text);
    assert_eq!(findings.len(), 1, "{findings:?}");
    findings.remove(0)
}

#[test]
fn a_good_file_has_no_findings() {
    assert_eq!(
        findings("src/claim.rs", "//! Claims.\n\nmod model;\n"),
        Vec::<String>::new()
    );
}

#[test]
fn a_rust_file_opens_with_its_purpose() {
    assert!(only("a.rs", "use x;\n").starts_with("a.rs:1: open the file"));
    assert!(only("a.rs", "").starts_with("a.rs:1: open the file"));
    assert!(findings("a.md", "# x\n").is_empty());
}

#[test]
fn white_space_at_the_end_of_a_line() {
    assert!(only("a.rs", "//! X.\nlet a; \n").starts_with("a.rs:2: white space"));
    assert!(only("a.md", "x  \n").starts_with("a.md:1: white space"));
    assert!(only("a.md", "x\r\n").starts_with("a.md:1: white space"));
    assert!(findings("run.sh", "x \n").is_empty());
}

#[test]
fn tabs() {
    assert!(only("a.toml", "\ta = 1\n").starts_with("a.toml:1: tab"));
}

#[test]
fn files_that_are_too_long() {
    let allowed = format!("//! X.\n{}", "\n".repeat(LIMIT - 1));
    assert!(findings("a.rs", &allowed).is_empty());
    assert!(only("a.rs", &format!("{allowed}\n")).contains("501 lines"));
    let tree = Tree {
        files: vec![File::new("a.rs", allowed), File::new("b.rs", "//! X.\n")],
    };
    assert_eq!(long_files(&tree), [("a.rs", LIMIT)]);
}

#[test]
fn names_that_say_nothing() {
    for path in [
        "src/utils.rs",
        "src/helpers/a.rs",
        "common/x.rs",
        "types.rs",
        "src/models/mod.rs",
    ] {
        assert!(only(path, "//! X.\n").contains("says nothing"), "{path}");
    }
    assert!(only("a.rs", "//! X.\npub(crate) mod utils;\n").starts_with("a.rs:2: module `utils`"));
    assert!(findings("a.rs", "//! X.\n// mod utils;\nmod modern; // types\n").is_empty());
}

#[test]
fn words_of_a_workplace() {
    for (a, b) in WORKPLACE {
        assert!(
            only("a.md", &format!("see {}{b}", a.to_uppercase())).contains("means nothing"),
            "{a}{b}"
        );
    }
}
