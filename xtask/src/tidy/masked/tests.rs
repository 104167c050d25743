//! What counts as code.

use super::masked;

#[test]
fn comments_are_blanked_and_lines_stay() {
    assert_eq!(masked("a // b\nc"), "a     \nc");
    assert_eq!(masked("a /* x /* y */ \n z */ b"), "a              \n      b");
}

#[test]
fn strings_are_blanked() {
    assert_eq!(masked(r#"f("a\"b", c)"#), "f(      , c)");
    assert_eq!(
        masked("g(r#\"a\"b\"#, br\"x\") r#type"),
        "g(        , b    ) r#type"
    );
    assert_eq!(masked("for\"x\""), "for   ");
}

#[test]
fn characters_are_blanked_and_lifetimes_are_not() {
    assert_eq!(masked("'\"' 'a '\\'' x"), "    'a      x");
    assert_eq!(masked("&'a str, 'b'"), "&'a str,    ");
}

#[test]
fn an_open_literal_ends_with_the_file() {
    assert_eq!(masked("\"abc"), "    ");
    assert_eq!(masked("/* abc"), "      ");
    assert_eq!(masked("'\\"), "  ");
}
