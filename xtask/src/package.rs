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

/// Removes what is left of packages of before: cargo unpacks and builds a package of one name and version once, and would build the others against what this one was
/// when the step ran last. The registry of one call has no host, so the name of its folder begins with `-`; nothing else is touched.
fn forget_former(workspace: &Workspace, sources: &Path) -> Result<()> {
    for registry in entries(sources)? {
        if !name_of(&registry).starts_with('-') {
            continue;
        }
        for package in entries(&registry)? {
            if is_one_of(workspace, &name_of(&package)) {
                remove(&package)?;
            }
        }
    }
    let built = workspace.target.join("debug");
    let mark = format!("{}{}-", sources.display(), std::path::MAIN_SEPARATOR);
    for list in entries(&built.join("deps"))? {
        // `tasks_core-0123456789abcdef.d` lists the sources of one build of a crate, and `tasks-core-0123456789abcdef` says that it is fresh.
        let Some((library, hash)) = name_of(&list)
            .strip_suffix(".d")
            .and_then(|it| it.rsplit_once('-'))
            .map(|(library, hash)| (library.to_owned(), hash.to_owned()))
        else {
            continue;
        };
        let package = workspace
            .packages
            .iter()
            .find(|it| it.published && it.name.replace('-', "_") == library);
        let Some(package) = package else { continue };
        let text =
            std::fs::read_to_string(&list).with_context(|| format!("cannot read {}", list.display()))?;
        if text.contains(&mark) {
            remove(
                &built
                    .join(".fingerprint")
                    .join(format!("{}-{hash}", package.name)),
            )?;
        }
    }
    Ok(())
}

/// What is in a folder; nothing where there is none.
fn entries(folder: &Path) -> Result<Vec<PathBuf>> {
    let doing = || format!("cannot read the folder {}", folder.display());
    match folder.read_dir() {
        Ok(entries) => entries
            .map(|it| it.map(|it| it.path()))
            .collect::<Result<_, _>>()
            .with_context(doing),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error).with_context(doing),
    }
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .map(|it| it.to_string_lossy().into_owned())
        .unwrap_or_default()
}

/// Removes a folder that may be gone already.
fn remove(folder: &Path) -> Result<()> {
    match std::fs::remove_dir_all(folder) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(error).with_context(|| format!("cannot remove {}", folder.display()))
        }
        _ => Ok(()),
    }
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
