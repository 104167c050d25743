//! Tests of the messages.

use super::{HostError, Problems};

#[test]
fn all_problems_are_listed() {
    let problems = Problems::from_iter(["one".to_owned(), "two".to_owned()]);
    let error = HostError::CannotStart(problems);
    assert_eq!(error.to_string(), "cannot start, 2 problems:\n  - one\n  - two");
    assert_eq!(format!("{error:?}"), error.to_string());
}

#[test]
fn causes_are_told_once() {
    let mut problems = Problems::default();
    let inner = std::io::Error::other("disk on fire");
    problems.add_error("opening", &std::io::Error::other(inner));
    assert_eq!(problems.lines(), ["opening: disk on fire"]);
}
