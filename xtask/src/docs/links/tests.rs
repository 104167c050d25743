//! Broken links are found, good ones are not.

use std::fs;

use super::{anchors, check, targets};
use crate::docs::Document;

const ROOT: &str = "# Title\n\n## The `engine`, in short\n\n## Twice\n## Twice\n<a id=\"mark\"></a>\n";

/// The findings of a document `docs/guide.md` beside a `README.md`.
fn findings(text: &str) -> Vec<String> {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join("README.md"), ROOT).unwrap();
    fs::create_dir(root.path().join("docs")).unwrap();
    fs::write(root.path().join("docs/other.md"), "# Other\n").unwrap();
    let documents = [Document {
        path: "docs/guide.md".to_owned(),
        text: text.to_owned(),
    }];
    check(root.path(), &documents)
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn good_links() {
    let text = "# Here\n[a](../README.md) [b](other.md#other) [c](#here) ![d](/README.md#twice-1)\n\
                [e](https://example.org/x#y) [f](../docs) [g](../README.md#the-engine-in-short)\n[h]: ../README.md#mark\n";
    assert_eq!(findings(text), Vec::<String>::new());
}

#[test]
fn broken_files_and_anchors() {
    assert_eq!(
        findings("\n[a](gone.md)"),
        ["docs/guide.md:2: `gone.md`: there is no such file"]
    );
    assert_eq!(
        findings("[a](../README.md#x)"),
        ["docs/guide.md:1: `../README.md#x`: there is no heading for #x"]
    );
    assert_eq!(
        findings("[a](#x)"),
        ["docs/guide.md:1: `#x`: there is no heading for #x"]
    );
    assert_eq!(
        findings("[a](../../x.md)"),
        ["docs/guide.md:1: `../../x.md` leads out of the project"]
    );
    assert_eq!(
        findings("[a]: gone.md"),
        ["docs/guide.md:1: `gone.md`: there is no such file"]
    );
}

#[test]
fn links_in_code_are_no_links() {
    assert_eq!(
        findings("`[a](gone.md)`\n```text\n[a](gone.md)\n```\n"),
        Vec::<String>::new()
    );
}

#[test]
fn targets_with_titles_and_brackets() {
    assert_eq!(
        targets("[a](x.md \"title\") [b](<y.md>) [c](z(1).md)"),
        ["x.md", "y.md", "z(1).md"]
    );
    assert_eq!(targets("[^1]: a note"), Vec::<String>::new());
}

#[test]
fn anchors_of_headings() {
    assert_eq!(
        anchors(ROOT),
        ["title", "the-engine-in-short", "twice", "twice-1", "mark"]
    );
    assert_eq!(anchors("# See [this](x.md) & that"), ["see-this--that"]);
}
