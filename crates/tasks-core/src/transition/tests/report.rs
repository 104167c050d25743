//! Captured texts.

use crate::transition::capture;

#[test]
fn texts_within_the_limit_stay_as_they_are() {
    for text in ["", "a", "ünïcödé", "日本語", "👩‍👩‍👧"] {
        assert_eq!(capture(text, 20), text);
        assert_eq!(capture(text, text.chars().count()), text);
    }
}

#[test]
fn longer_texts_are_cut_and_marked() {
    assert_eq!(capture("abcdefghijkl", 10), "abc… [cut]");
    assert_eq!(capture("日本語日本語日本語日本語", 10), "日本語… [cut]");
}

#[test]
fn a_limit_below_the_mark_cuts_the_mark() {
    assert_eq!(capture("abcdefghijkl", 3), "… [");
    assert_eq!(capture("abc", 0), "");
}

#[test]
fn nul_characters_are_replaced_one_by_one() {
    assert_eq!(capture("a\0b\0", 4), "a␀b␀");
    assert_eq!(capture(&"\0".repeat(11), 10), "␀␀␀… [cut]");
}

#[test]
fn ten_megabytes_are_cut() {
    let cut = capture(&"é".repeat(5_000_000), 1_000);
    assert_eq!(cut.chars().count(), 1_000);
}
