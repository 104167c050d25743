//! What agrees with a pattern and what does not.

use super::difference;

fn agrees(expected: &str, printed: &str) -> bool {
    difference(expected, printed).is_none()
}

#[test]
fn equal_texts_agree_whatever_white_space_ends_them() {
    assert!(agrees("a\nb\n", "a  \nb"));
    assert!(agrees("", "\n"));
    assert!(!agrees("a", "a\nb"));
    assert!(!agrees("a\nb", "a"));
    assert!(!agrees("a\nb", "b\na"));
    assert!(!agrees("a", " a"));
}

#[test]
fn a_mark_inside_a_line_stands_for_any_characters() {
    assert!(agrees("id …, run …", "id 0192-ab, run 7"));
    assert!(agrees("…c…", "abcd"));
    assert!(agrees("a…", "a"));
    assert!(!agrees("a…b", "ba"));
    assert!(!agrees("ab…ba", "aba"));
    assert!(!agrees("id …", "no id"));
}

#[test]
fn a_mark_alone_stands_for_any_number_of_lines() {
    assert!(agrees("a\n…\nz", "a\nz"));
    assert!(agrees("a\n…\nz", "a\nb\nz\ny\nz"));
    assert!(agrees("…", ""));
    assert!(agrees("…\nx\n…", "a\nx"));
    assert!(!agrees("a\n…\nz", "a\nb"));
    assert!(!agrees("…\nx\n…", "a\nb"));
}

#[test]
fn a_difference_shows_both_texts() {
    let text = difference("one", "two").unwrap();
    assert_eq!(text, "\n  expected:\n    one\n  printed:\n    two");
}
