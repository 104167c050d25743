//! Tests of stored paths.

use std::path::Path;

use super::{StoredPath, from_hex, to_hex};

#[test]
fn text_stays_text() {
    let stored = StoredPath::new(Path::new("/a/ü b")).expect("stored");
    assert_eq!(
        serde_json::to_string(&stored).expect("json"),
        r#"{"path":"/a/ü b"}"#
    );
    assert_eq!(stored.to_path().as_deref(), Some(Path::new("/a/ü b")));
}

#[cfg(unix)]
#[test]
fn any_bytes_survive() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    let path = Path::new(OsStr::from_bytes(b"/a/\xff\xfe b"));
    let stored = StoredPath::new(path).expect("stored");
    let json = serde_json::to_string(&stored).expect("json");
    let back: StoredPath = serde_json::from_str(&json).expect("read");
    assert_eq!(back.to_path().as_deref(), Some(path));
}

#[test]
fn hexadecimal_goes_both_ways() {
    assert_eq!(to_hex(&[0, 0x7f, 0xff]), "007fff");
    assert_eq!(from_hex("007fff"), Some(vec![0, 0x7f, 0xff]));
    assert_eq!(from_hex("0"), None);
    assert_eq!(from_hex("zz"), None);
}
