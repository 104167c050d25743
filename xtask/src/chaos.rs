//! The chaos kit of the package `tests`: nodes under faults, and the question what became of the work.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result, ensure};
use clap::ValueEnum as _;

use crate::db::{self, Server, Supply};
use crate::process::{cargo, run as run_process, status};
use crate::workspace::Workspace;

/// Minutes on each server with every test run, besides one on SQLite.
const ON_SERVERS: [(Server, &str); 2] = [(Server::Postgres, "2"), (Server::Mysql, "1")];

/// The kit's exit code where a kind of fault met nobody at work.
const PROVES_NOTHING: i32 = 2;

/// Builds the kit and runs it; its exit code is the command's. A server that no URL names is started privately.
///
/// # Errors
/// When it cannot be built or started.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode> {
    let has_mutants = arguments.iter().any(|it| it == "--mutants");
    let mut command = Command::new(build(workspace, has_mutants)?);
    command.args(arguments);
    let server = value(arguments, "--backend").and_then(|it| Server::from_str(it, true).ok());
    let supply = match server {
        Some(server) if value(arguments, "--url").is_none() => {
            let supply = Supply::of(&[server], db::may_install())?;
            tell(&mut command, &supply, server).with_context(|| {
                format!("there is no {server}: {}", supply.untested().collect::<String>())
            })?;
            Some(supply)
        }
        _ => None,
    };
    let code = status(&mut command)?.code().and_then(|it| u8::try_from(it).ok());
    // The server ends with it.
    drop(supply);
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// A short run on each database, each with a seed of its own; it says how to repeat it.
///
/// # Errors
/// When a check fails or a run proves nothing.
pub(crate) fn smoke(workspace: &Workspace, servers: Option<&Supply>) -> Result<()> {
    let program = build(workspace, false)?;
    until_it_proves_something(Command::new(&program).args(["--backend", "sqlite", "--minutes", "1"]))?;
    for (server, minutes) in ON_SERVERS {
        let mut command = Command::new(&program);
        command.args(["--backend", &name(server), "--minutes", minutes]);
        // An absent server is in the summary already, with all that cannot be tested without it.
        if servers.is_some_and(|it| tell(&mut command, it, server).is_some()) {
            until_it_proves_something(&mut command)?;
        }
    }
    Ok(())
}

/// A short run may draw its faults so that one kind meets nobody at work. Then another one is made, with a seed of its own.
fn until_it_proves_something(command: &mut Command) -> Result<()> {
    let first = status(command)?;
    if first.code() == Some(PROVES_NOTHING) {
        return run_process(command);
    }
    ensure!(first.success(), "the chaos kit failed with {first}");
    Ok(())
}

/// Tells the kit where a server is. `None` where it is nowhere.
fn tell(command: &mut Command, supply: &Supply, server: Server) -> Option<()> {
    let (url, control) = supply.find(server)?;
    command.args(["--url", url]);
    if let Some(control) = control {
        command.arg("--control").arg(control);
    }
    Some(())
}

fn name(server: Server) -> String {
    server
        .to_possible_value()
        .map(|it| it.get_name().to_owned())
        .unwrap_or_default()
}

/// The value of an option, written with a space or with `=`.
fn value<'a>(arguments: &'a [String], option: &str) -> Option<&'a str> {
    let mut all = arguments.iter();
    while let Some(it) = all.next() {
        if it == option {
            return all.next().map(String::as_str);
        }
        if let Some(value) = it.strip_prefix(option).and_then(|it| it.strip_prefix('=')) {
            return Some(value);
        }
    }
    None
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

#[cfg(test)]
mod tests;
