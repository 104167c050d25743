//! The one place that writes to standard output and standard error, so that a progress bar and lines do not run into each other.

use std::io::{self, IsTerminal, Write};
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::ProgressBar;

use crate::failure::Failure;

static BAR: Mutex<Option<ProgressBar>> = Mutex::new(None);

fn current() -> MutexGuard<'static, Option<ProgressBar>> {
    BAR.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs `write` while no bar is on the screen.
fn without_bar<T>(write: impl FnOnce() -> T) -> T {
    let bar = current().clone();
    match bar {
        Some(bar) => bar.suspend(write),
        None => write(),
    }
}

/// Writes a line to standard output.
///
/// # Errors
/// Where it cannot be written, such as to a pipe that nobody reads any more.
pub(crate) fn line(text: &str) -> io::Result<()> {
    without_bar(|| writeln!(io::stdout().lock(), "{text}"))
}

/// As [`line()`], as the last thing that a command does or that it cannot go on without.
///
/// # Errors
/// As [`line()`].
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    line(text).map_err(|error| Failure::because("standard output", error))
}

/// Prints a value as JSON over several lines.
///
/// # Errors
/// As [`line()`].
pub(crate) fn json(value: &serde_json::Value) -> Result<(), Failure> {
    print(&format!("{value:#}"))
}

/// Writes a question to standard error, without an end of line.
pub(crate) fn prompt(text: &str) {
    let _ = without_bar(|| {
        let mut errors = io::stderr().lock();
        write!(errors, "{text}").and_then(|()| errors.flush())
    });
}

/// Writes a line to standard error. A standard error that is gone has no place to complain to.
pub(crate) fn error(text: &str) {
    let _ = without_bar(|| writeln!(io::stderr().lock(), "{text}"));
}

/// Whether a bar can be shown.
pub(crate) fn is_terminal() -> bool {
    io::stderr().is_terminal()
}

/// Shows this bar below all lines, or none.
pub(crate) fn show(bar: Option<ProgressBar>) {
    if let Some(former) = std::mem::replace(&mut *current(), bar) {
        former.finish_and_clear();
    }
}

/// Writes log lines to standard error, around the bar.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LogWriter;

impl Write for LogWriter {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        without_bar(|| io::stderr().lock().write(text))
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}
