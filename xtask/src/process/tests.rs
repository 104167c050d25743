//! Starting programs: failures are errors with the command in them.

use std::process::Command;

use super::{capture, run, shown, works};

#[test]
fn a_failing_program_is_an_error_that_names_the_command() {
    let error = run(Command::new("sh").args(["-c", "exit 3"]))
        .unwrap_err()
        .to_string();
    assert!(error.contains("sh -c exit 3") && error.contains('3'), "{error}");
}

#[test]
fn a_failed_capture_shows_what_the_program_said() {
    let error = capture(Command::new("sh").args(["-c", "echo broken >&2; exit 1"]))
        .unwrap_err()
        .to_string();
    assert!(error.contains("broken"), "{error}");
}

#[test]
fn a_missing_program_does_not_work() {
    assert!(!works(&mut Command::new("no-such-program-here")));
    assert!(works(Command::new("sh").args(["-c", "true"])));
}

#[test]
fn the_directory_of_the_program_is_not_shown() {
    assert_eq!(shown(Command::new("/usr/bin/cargo").arg("fmt")), "cargo fmt");
}
