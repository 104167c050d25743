//! Every published crate can be packaged, and builds from nothing but its package.

use anyhow::Result;

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
    let mut command = cargo(workspace);
    command.args(["package", "--workspace", "--allow-dirty", "--quiet"]);
    for package in workspace.packages.iter().filter(|it| !it.published) {
        command.args(["--exclude", &package.name]);
    }
    run_process(command.arg("--config").arg(workspace.profiles()?))
}
