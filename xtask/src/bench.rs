//! The bench program of the package `tests`, built for release.

use std::process::ExitCode;

use anyhow::Result;
use clap::ValueEnum as _;

use crate::db::{Server, Supply};
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

/// A tenth of the work in one pass: every backend that is there drains, whatever the time it takes. An absent server is in the summary already.
///
/// # Errors
/// When the program fails or leaves jobs behind.
pub(crate) fn smoke(workspace: &Workspace, servers: Option<&Supply>) -> Result<()> {
    let mut command = cargo(workspace);
    for server in Server::value_variants() {
        match servers.and_then(|it| it.find(*server)) {
            Some((url, _)) => command.env(server.variable(), url),
            // One that is not to be tested is left alone, too.
            None => command.env_remove(server.variable()),
        };
    }
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
