//! Reading what is passed through.

use super::value;

#[test]
fn a_value_follows_its_option_or_an_equals_sign() {
    let line: Vec<String> = ["--minutes", "2", "--backend=postgres", "--url"]
        .map(ToOwned::to_owned)
        .to_vec();
    assert_eq!(value(&line, "--minutes"), Some("2"));
    assert_eq!(value(&line, "--backend"), Some("postgres"));
    assert_eq!(value(&line, "--url"), None);
    assert_eq!(value(&line, "--seed"), None);
}
