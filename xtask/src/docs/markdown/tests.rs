//! Reading blocks, headings and text.

use super::{heading, split, without_code};

#[test]
fn blocks_and_lines_are_told_apart() {
    let (blocks, lines) = split("a\n```rust,no_run\nlet a = 1;\n```\nb\n~~~\n```\n~~~\n```a``` c\n");
    assert_eq!(blocks.len(), 2);
    assert_eq!(
        (blocks[0].line, blocks[0].tags.as_str(), blocks[0].code.as_str()),
        (2, "rust,no_run", "let a = 1;\n")
    );
    assert_eq!(blocks[1].code, "```\n");
    assert_eq!(
        lines.iter().map(|it| (it.number, it.text)).collect::<Vec<_>>(),
        [(1, "a"), (5, "b"), (9, "```a``` c")]
    );
}

#[test]
fn longer_fences_hold_shorter_ones_and_indents_are_removed() {
    let (blocks, _) = split("````text\n```\n````\n- x\n  ```rust\n    a\n  ```\n");
    assert_eq!(blocks[0].code, "```\n");
    assert_eq!(blocks[1].code, "  a\n");
}

#[test]
fn an_open_block_ends_with_the_document() {
    assert_eq!(split("```rust\nx\n").0[0].code, "x\n");
}

#[test]
fn code_spans_are_blanked() {
    assert_eq!(without_code("a `[x](y)` b"), "a          b");
    assert_eq!(without_code("``a`b`` c"), "        c");
    assert_eq!(without_code("a ` b"), "a ` b");
}

#[test]
fn headings() {
    assert_eq!(heading("## The engine ##"), Some("The engine"));
    assert_eq!(heading("#tag"), None);
    assert_eq!(heading("text"), None);
}
