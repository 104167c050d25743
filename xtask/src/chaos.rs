//! The chaos kit of the package `tests`: nodes under faults, and the question what became of the work.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::Result;

use crate::process::{cargo, run as run_process, status};
use crate::workspace::Workspace;

/// Minutes on each database with every test run.
const SMOKE: [(&str, &str); 1] = [("sqlite", "1")];

/// Builds the kit and runs it; its exit code is the command's.
///
/// # Errors
/// When it cannot be built or started.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode> {
    let has_mutants = arguments.iter().any(|it| it == "--mutants");
    let mut command = Command::new(build(workspace, has_mutants)?);
    let code = status(command.args(arguments))?
        .code()
        .and_then(|it| u8::try_from(it).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// A short run on each database, each with a seed of its own; it says how to repeat it.
///
/// # Errors
/// When a check fails or a run proves nothing.
pub(crate) fn smoke(workspace: &Workspace) -> Result<()> {
    let program = build(workspace, false)?;
    for (backend, minutes) in SMOKE {
        run_process(Command::new(&program).args(["--backend", backend, "--minutes", minutes]))?;
    }
    Ok(())
}

/// Builds driver and node; answers where the driver is.
///
/// With the features of the whole workspace, as the tests after it, so that nothing is built twice.
fn build(workspace: &Workspace, has_mutants: bool) -> Result<PathBuf> {
    let mut command = cargo(workspace);
    command.args([
        "build",
        "--quiet",
        "--workspace",
        "--bin",
        "chaos",
        "--bin",
        "chaos_node",
    ]);
    if has_mutants {
        command.args(["--features", "tests/chaos-mutants"]);
    }
    run_process(&mut command)?;
    let program = format!("chaos{}", std::env::consts::EXE_SUFFIX);
    Ok(workspace.target.join("debug").join(program))
}
