//! Which blocks are compiled, and as what.

use super::{is_compiled, manifest, module_name, source, unseen};
use crate::docs::markdown::{Block, split};
use crate::workspace::Workspace;

fn block(tags: &str) -> Block {
    with(tags, "")
}

fn with(tags: &str, code: &str) -> Block {
    Block {
        line: 3,
        tags: tags.to_owned(),
        code: code.to_owned(),
    }
}

#[test]
fn rust_blocks_are_compiled() {
    for (tags, compiled) in [
        ("rust", true),
        ("rust,no_run", true),
        ("rust ignore", false),
        ("rust,text", false),
        ("toml", false),
        ("", false),
    ] {
        assert_eq!(is_compiled("a.md", &block(tags)).unwrap(), compiled, "{tags}");
    }
    assert!(
        is_compiled("a.md", &block("rust,compile_fail"))
            .unwrap_err()
            .to_string()
            .starts_with("a.md:3")
    );
}

#[test]
fn a_block_with_main_stays_as_it_is() {
    let code = "# use a::B;\nfn main() {}\n";
    assert_eq!(source(&with("rust", code)), "use a::B;\nfn main() {}\n");
    let test = "#[tokio::test]\nasync fn a() {}\n";
    assert_eq!(source(&with("rust", test)), test);
}

#[test]
fn a_block_without_main_becomes_a_function() {
    let source = source(&with("rust", "#[derive(Debug)]\n# struct A;\n#\nf()?"));
    assert!(source.starts_with("async fn guide() -> Result<"), "{source}");
    assert!(
        source.ends_with("{\n#[derive(Debug)]\nstruct A;\n\nf()?\n;Ok(())\n}\n"),
        "{source}"
    );
}

#[test]
fn a_block_that_is_marked_is_run() {
    assert!(!source(&with("rust", "f()?")).contains("tokio::test"));
    let source = source(&with("rust,run", "f()?"));
    assert!(source.ends_with("{ guide().await }\n"), "{source}");
}

#[test]
fn a_comment_before_a_block_is_compiled_with_it() {
    let of_first = |text: &str| {
        let (blocks, lines) = split(text);
        unseen(&lines, blocks.last().unwrap().line)
    };
    assert_eq!(
        of_first("<!-- rust\nuse a;\nuse b;\n-->\n\n```rust\nf()\n```\n"),
        "use a;\nuse b;\n"
    );
    assert_eq!(of_first("<!-- rust\nuse a;\n-->\nwords\n```rust\n```\n"), "");
    assert_eq!(of_first("<!-- note\nwords\n-->\n```rust\n```\n"), "");
    assert_eq!(
        of_first("<!-- rust\nuse a;\n-->\n```rust\n```\n```rust\n```\n"),
        ""
    );
}

#[test]
fn modules_are_named_after_their_place() {
    assert_eq!(module_name("docs/first-steps.md", 12), "docs_first_steps_l12");
}

#[test]
fn the_manifest_offers_the_crates_and_what_they_use() {
    let manifest = manifest(&Workspace::load().unwrap());
    assert!(manifest.contains("tasks-core = { path = '"), "{manifest}");
    assert!(manifest.contains("\nserde = { version = \""), "{manifest}");
    assert!(!manifest.contains("xtask"), "{manifest}");
}
