//! The bench program of the package `tests`, built for release.

use std::process::ExitCode;

use anyhow::Result;

use crate::process::{cargo, status};
use crate::workspace::Workspace;

/// Builds and runs the bench program; its exit code is the command's.
///
/// # Errors
/// When cargo cannot be started.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode> {
    let mut command = cargo(workspace);
    command
        .args(["run", "--release", "--package", "tests", "--bin", "bench", "--"])
        .args(arguments);
    let code = status(&mut command)?.code().and_then(|it| u8::try_from(it).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// A tenth of the work in one pass: every backend drains, whatever the time it takes.
///
/// # Errors
/// When the program fails or leaves jobs behind.
pub(crate) fn smoke(workspace: &Workspace) -> Result<()> {
    let mut command = cargo(workspace);
    crate::process::run(command.args([
        "run",
        "--release",
        "--quiet",
        "--package",
        "tests",
        "--bin",
        "bench",
        "--",
        "--smoke",
    ]))
}
