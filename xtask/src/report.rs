//! What xtask says: progress on standard output, the reason of a failure on standard error.

use std::fmt::Display;

/// Prints one line of progress.
#[expect(clippy::print_stdout, reason = "a development command talks to its terminal")]
pub(crate) fn say(line: impl Display) {
    println!("{line}");
}

/// Prints why the command failed, with its causes.
#[expect(clippy::print_stderr, reason = "a development command talks to its terminal")]
pub(crate) fn fail(error: &anyhow::Error) {
    eprintln!("xtask: {error:#}");
}
