//! Starting programs: failures are errors with the command in them.

use std::process::Command;
use std::time::Duration;

use super::{capture, is_option, limited, run, shown, within, works};

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

#[test]
fn a_limited_program_gives_everything_that_it_wrote() {
    let ended = limited(Command::new("sh").args(["-c", "echo out; echo err >&2; exit 3"])).unwrap();
    assert_eq!(ended.status.code(), Some(3));
    assert_eq!((ended.stdout.as_str(), ended.stderr.as_str()), ("out\n", "err\n"));
}

#[test]
#[cfg(unix)]
fn a_program_that_does_not_end_is_ended_with_what_it_started() {
    let mut shell = Command::new("sh");
    shell.args(["-c", "tail -f /dev/null & tail -f /dev/null"]);
    let error = within(&mut shell, Duration::from_millis(50))
        .unwrap_err()
        .to_string();
    assert!(error.contains("did not end within"), "{error}");
}

#[test]
fn variables_that_a_program_of_the_workspace_reads_are_options() {
    assert!(is_option("TASKS_DATABASE") && is_option("RUST_LOG"));
    assert!(!is_option("PATH") && !is_option("HOME"));
}
