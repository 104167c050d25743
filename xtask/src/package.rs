//! Every published crate can be packaged, and builds from nothing but its package.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::process::{cargo, run as run_process};
use crate::workspace::Workspace;

/// Packages the published crates together and builds each package.
///
/// cargo puts the packages of one call into a registry of its own, so crates that need each other resolve before the
/// first of them is published. Building them finds files that are used but lie outside of their crate. With the
/// workspace's profiles the dependencies are those that other steps have built already.
///
/// # Errors
/// When a crate cannot be packaged or its package does not build.
pub(crate) fn run(workspace: &Workspace) -> Result<()> {
    if let Some(home) = cargo_home() {
        forget_former(workspace, &home.join("registry").join("src"))?;
    }
    let mut command = cargo(workspace);
    command.args(["package", "--workspace", "--allow-dirty", "--quiet"]);
    for package in workspace.packages.iter().filter(|it| !it.published) {
        command.args(["--exclude", &package.name]);
    }
    run_process(command.arg("--config").arg(workspace.profiles()?))
}

fn cargo_home() -> Option<PathBuf> {
    let given = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    given.or_else(|| std::env::home_dir().map(|it| it.join(".cargo")))
}

/// Removes what cargo has unpacked from packages of before. It unpacks a package of one name and version once, and would build the others against what this one was
/// when the step ran last. The registry of one call has no host, so the name of its folder begins with `-`; nothing else is touched.
fn forget_former(workspace: &Workspace, sources: &Path) -> Result<()> {
    let doing = || format!("cannot look for packages of before in {}", sources.display());
    let registries = match sources.read_dir() {
        Ok(registries) => registries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error).with_context(doing),
    };
    for registry in registries {
        let registry = registry.with_context(doing)?;
        if !registry.file_name().to_string_lossy().starts_with('-') {
            continue;
        }
        for package in registry.path().read_dir().with_context(doing)? {
            let package = package.with_context(doing)?;
            if is_one_of(workspace, &package.file_name().to_string_lossy()) {
                std::fs::remove_dir_all(package.path()).with_context(doing)?;
            }
        }
    }
    Ok(())
}

/// Whether a folder is named as one of the published packages, with a version.
fn is_one_of(workspace: &Workspace, folder: &str) -> bool {
    workspace.packages.iter().any(|it| {
        let version = folder
            .strip_prefix(it.name.as_str())
            .and_then(|it| it.strip_prefix('-'));
        it.published && version.is_some_and(|it| it.starts_with(|it: char| it.is_ascii_digit()))
    })
}

#[cfg(test)]
mod tests;
