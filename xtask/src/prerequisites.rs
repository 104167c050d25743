//! What a bare machine lacks: rustfmt, clippy and a C compiler, installed where that is possible.

use std::process::Command;

use anyhow::{Result, bail};

use crate::process::{cargo, run, works};
use crate::workspace::Workspace;

/// Makes sure that the steps have their tools. `install` allows system packages.
///
/// # Errors
/// When a tool is missing and cannot be installed; the message says what to do.
pub(crate) fn ensure(workspace: &Workspace, install: bool) -> Result<()> {
    component(workspace, "fmt", "rustfmt")?;
    component(workspace, "clippy", "clippy")?;
    compiler(install)
}

fn component(workspace: &Workspace, subcommand: &str, component: &str) -> Result<()> {
    let present = || works(cargo(workspace).args([subcommand, "--version"]));
    if present() {
        return Ok(());
    }
    if works(Command::new("rustup").arg("--version")) {
        run(Command::new("rustup")
            .args(["component", "add", component])
            .current_dir(&workspace.root))?;
    }
    if !present() {
        bail!(
            "`cargo {subcommand}` is missing and could not be installed; install {component} for this toolchain"
        );
    }
    Ok(())
}

/// The bundled SQLite is C. xtask itself may have been linked by another program, or built elsewhere.
fn compiler(install: bool) -> Result<()> {
    let present = || works(Command::new("cc").arg("--version"));
    if present() || std::env::var_os("CC").is_some() {
        return Ok(());
    }
    if install {
        crate::db::install_packages(&["gcc", "libc6-dev"])?;
    }
    if !present() {
        bail!(
            "no C compiler `cc`, which the bundled SQLite needs; install gcc, or run as root on Debian without --no-install"
        );
    }
    Ok(())
}
