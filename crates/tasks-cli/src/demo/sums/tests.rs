//! Tests of the lines.

use std::path::Path;

use super::{is_sum, line, temporary};

#[test]
fn names_are_escaped_as_sha256sum_does() {
    assert_eq!(line("ab", b"./a b"), b"ab  ./a b\n");
    assert_eq!(line("ab", b"./a\\b"), b"\\ab  ./a\\\\b\n");
    assert_eq!(line("ab", b"./a\nb\r"), b"\\ab  ./a\\nb\\r\n");
    assert_eq!(line("ab", b"./\xff"), b"ab  ./\xff\n");
}

#[test]
fn only_checksums_are_written() {
    assert!(is_sum(&"0f".repeat(32)));
    assert!(!is_sum("ran after its delay"));
    assert!(!is_sum(&"0g".repeat(32)));
}

#[test]
fn the_temporary_file_lies_beside() {
    assert_eq!(
        temporary(Path::new("/x/checksums.sha256")),
        Path::new("/x/checksums.sha256.tmp")
    );
}
