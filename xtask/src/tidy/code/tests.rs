//! Each rule about code finds what breaks it and nothing else.

use super::check;
use crate::tidy::tree::File;

fn findings(text: &str) -> Vec<String> {
    let mut findings = Vec::new();
    check(&File::new("a.rs", text), &mut findings);
    findings.iter().map(ToString::to_string).collect()
}

fn only(text: &str) -> String {
    let mut findings = findings(text);
    assert_eq!(findings.len(), 1, "{findings:?}");
    findings.remove(0)
}

#[test]
fn ignored_tests() {
    assert!(only("x\n  #[ignore]\n").starts_with("a.rs:2: ignored test"));
    assert!(only("#[ignore = \"slow\"]").contains("ignored test"));
    assert!(only("#[cfg_attr(windows, ignore)]").contains("ignored test"));
    assert!(findings("// #[ignore]\nlet a = \"#[ignore]\";").is_empty());
}

#[test]
fn unfinished_code() {
    assert!(only("fn a() {\n    todo!()\n}").starts_with("a.rs:2: unfinished"));
    assert!(only("unimplemented!(\"later\")").contains("unfinished"));
    assert!(findings("/// Not a `todo!()`.\nlet a = \"todo!()\";").is_empty());
}

#[test]
fn allows_without_a_reason() {
    assert!(only("\n#[allow(dead_code)]\nfn a() {}").starts_with("a.rs:2: bare `allow`"));
    assert!(only("#![allow(\n    dead_code\n)]").starts_with("a.rs:1: bare `allow`"));
    assert!(findings("#[allow(dead_code, reason = \"x\")]\n#[expect(unused, reason = \"y\")]").is_empty());
}

#[test]
fn ignored_doctests() {
    assert!(only("/// ```ignore\n/// x\n/// ```").starts_with("a.rs:1: ignored doctest"));
    assert!(only("    //! ```rust,ignore").contains("ignored doctest"));
    assert!(findings("/// ```no_run\n/// ```\n/// ```text\n/// ```").is_empty());
}
