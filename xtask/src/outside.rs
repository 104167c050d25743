//! Programs outside the workspace that use single crates, as users do.
//!
//! Each folder in `xtask/outside` has a `Cargo.toml.in`, where `{crates}` stands for the folder of the crates, and a
//! `main.rs`. It is copied into a temporary folder and built there. Its manifest says in `[package.metadata.outside]`:
//! `run = true` to run the program (it must end well by itself), `absent = [..]` for packages that must not be in its
//! dependency tree: a name, or the beginning of one followed by `*`.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use crate::process::{capture, cargo, run as run_process};
use crate::report::say;
use crate::workspace::Workspace;

/// What a program's manifest says about its check.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Plan {
    run: bool,
    absent: Vec<String>,
}

/// Builds the named programs, or all of them.
///
/// # Errors
/// When a name is unknown, a program does not build or fails, or its tree has a package that must be absent.
pub(crate) fn run(workspace: &Workspace, names: &[String]) -> Result<()> {
    let programs = programs(workspace)?;
    let name = |program: &Path| {
        program
            .file_name()
            .map(|it| it.to_string_lossy().into_owned())
            .unwrap_or_default()
    };
    if let Some(unknown) = names
        .iter()
        .find(|it| !programs.iter().any(|program| name(program) == **it))
    {
        let known: Vec<String> = programs.iter().map(|it| name(it)).collect();
        bail!(
            "there is no outside program `{unknown}`; there are: {}",
            known.join(", ")
        );
    }
    for program in programs
        .iter()
        .filter(|it| names.is_empty() || names.contains(&name(it)))
    {
        say(format_args!("--- {}", name(program)));
        check(workspace, program).with_context(|| format!("outside program `{}`", name(program)))?;
    }
    Ok(())
}

/// The source files of all programs, for the formatter.
///
/// # Errors
/// When the folder of the programs cannot be read.
pub(crate) fn sources(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    Ok(programs(workspace)?
        .into_iter()
        .map(|it| it.join("main.rs"))
        .collect())
}

/// The folders of the programs, sorted.
fn programs(workspace: &Workspace) -> Result<Vec<PathBuf>> {
    let folder = workspace.root.join("xtask/outside");
    let entries = fs::read_dir(&folder).with_context(|| format!("cannot list {}", folder.display()))?;
    let mut programs = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.is_dir() {
            programs.push(path);
        }
    }
    programs.sort();
    Ok(programs)
}

fn check(workspace: &Workspace, program: &Path) -> Result<()> {
    let folder = tempfile::tempdir().context("cannot create a temporary folder")?;
    copy(workspace, program, folder.path())?;
    let in_folder = |subcommand: &str| -> Result<Command> {
        let mut command = cargo(workspace);
        command
            .current_dir(folder.path())
            .env("CARGO_TARGET_DIR", &workspace.target)
            .arg(subcommand);
        command.arg("--config").arg(workspace.profiles()?);
        Ok(command)
    };
    let plan = plan(&capture(in_folder("metadata")?.args([
        "--no-deps",
        "--format-version",
        "1",
    ]))?)?;
    let tree =
        capture(in_folder("tree")?.args(["--edges", "normal,build", "--prefix", "none", "--format", "{p}"]))?;
    let present = unwanted(&tree, &plan.absent);
    ensure!(
        present.is_empty(),
        "its dependency tree must not have: {}",
        present.join(", ")
    );
    run_process(in_folder(if plan.run { "run" } else { "build" })?.arg("--quiet"))
}

fn copy(workspace: &Workspace, program: &Path, folder: &Path) -> Result<()> {
    let template = program.join("Cargo.toml.in");
    let manifest =
        fs::read_to_string(&template).with_context(|| format!("cannot read {}", template.display()))?;
    let crates = workspace
        .root
        .join("crates")
        .display()
        .to_string()
        .replace('\\', "/");
    fs::write(folder.join("Cargo.toml"), manifest.replace("{crates}", &crates))?;
    fs::create_dir(folder.join("src"))?;
    fs::copy(program.join("main.rs"), folder.join("src/main.rs")).context("the program has no main.rs")?;
    // The same versions as in the workspace: what is built for it is used again.
    fs::copy(workspace.root.join("Cargo.lock"), folder.join("Cargo.lock"))
        .context("cannot copy Cargo.lock")?;
    Ok(())
}

/// Reads `[package.metadata.outside]` from the output of `cargo metadata`.
fn plan(metadata: &str) -> Result<Plan> {
    let metadata: serde_json::Value = serde_json::from_str(metadata)?;
    match metadata.pointer("/packages/0/metadata/outside") {
        Some(plan) => serde_json::from_value(plan.clone()).context("[package.metadata.outside] is wrong"),
        None => Ok(Plan::default()),
    }
}

/// The packages of a tree that match one of the patterns.
fn unwanted<'a>(tree: &'a str, patterns: &[String]) -> Vec<&'a str> {
    let matches = |name: &str, pattern: &str| match pattern.strip_suffix('*') {
        Some(beginning) => name.starts_with(beginning),
        None => name == pattern,
    };
    let mut names: Vec<&str> = tree
        .lines()
        .filter_map(|it| it.split_whitespace().next())
        .collect();
    names.sort_unstable();
    names.dedup();
    names.retain(|name| patterns.iter().any(|pattern| matches(name, pattern)));
    names
}

#[cfg(test)]
mod tests;
