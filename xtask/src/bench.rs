//! The bench program of the package `tests`, built for release, and beside it the one that measures other job queues.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use clap::ValueEnum as _;
use walkdir::WalkDir;

use crate::db::{Server, Supply};
use crate::process::{cargo, status};
use crate::workspace::Workspace;

/// The package of the other job queues. It is no member of the workspace, so that nobody builds it who does not ask for it.
const PEERS: &str = "tests/peers";

/// Tells the bench program where the other one is.
const PEERS_PROGRAM: &str = "TASKS_BENCH_PEERS";

/// Builds and runs the bench program; its exit code is the command's. Where the arguments ask for other job queues, those are built, too.
///
/// # Errors
/// When cargo cannot be started, or the other job queues cannot be built.
pub(crate) fn run(workspace: &Workspace, arguments: &[String]) -> Result<ExitCode> {
    let mut command = bench(workspace, &[]);
    if arguments.iter().any(|it| it == "--peers") {
        command.env(PEERS_PROGRAM, build_peers(workspace)?);
    }
    command.args(arguments);
    let code = status(&mut command)?.code().and_then(|it| u8::try_from(it).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// Small counts on every backend that is there, beside bare SQL on the same tables. An absent server is in the summary already.
///
/// # Errors
/// When jobs are not counted once, or the engine is far slower than the bare SQL beside it.
pub(crate) fn quick(workspace: &Workspace, servers: Option<&Supply>) -> Result<()> {
    let mut command = bench(workspace, &["--quiet"]);
    for server in Server::value_variants() {
        match servers.and_then(|it| it.find(*server)) {
            Some((url, _)) => command.env(server.variable(), url),
            // One that is not to be tested is left alone, too.
            None => command.env_remove(server.variable()),
        };
    }
    command.arg("--quick");
    crate::process::run(&mut command)
}

/// The Rust files of the package of the other job queues, for the formatter.
///
/// # Errors
/// When its folder cannot be read.
pub(crate) fn peers_sources(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let mut sources = Vec::new();
    for entry in WalkDir::new(workspace.root.join(PEERS).join("src")).sort_by_file_name() {
        let path = entry
            .context("cannot list the files of the other job queues")?
            .into_path();
        if path.extension().is_some_and(|it| it == "rs") {
            sources.push(path);
        }
    }
    Ok(sources)
}

/// The bench program, built with these options of cargo.
fn bench(workspace: &Workspace, options: &[&str]) -> Command {
    let mut command = cargo(workspace);
    command
        .args(["run", "--release", "--package", "tests", "--bin", "bench"])
        .args(options)
        .arg("--");
    command
}

/// Builds the program that measures other job queues, with the profile of the workspace; answers where it is.
fn build_peers(workspace: &Workspace) -> Result<PathBuf> {
    let target = workspace.target.join("peers");
    let mut command = cargo(workspace);
    command
        .current_dir(workspace.root.join(PEERS))
        .args(["build", "--release", "--quiet", "--locked", "--target-dir"])
        .arg(&target)
        .arg("--config")
        .arg(workspace.profiles()?);
    crate::process::run(&mut command)?;
    let program = format!("peers{}", std::env::consts::EXE_SUFFIX);
    Ok(Path::new(&target).join("release").join(program))
}
