//! Starting other programs: always shown, never silent about a failure.

use std::process::{Command, ExitStatus, Stdio};

use anyhow::{Context, Result, bail};

use crate::report::say;
use crate::workspace::Workspace;

/// A cargo command in the workspace root.
///
/// `cargo run` describes xtask to its child in variables like `CARGO_PKG_NAME`. Some build scripts watch those, so
/// they are removed: otherwise `cargo build` and `cargo xtask` would rebuild each other's dependencies in turns.
pub(crate) fn cargo(workspace: &Workspace) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(&workspace.root);
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_", "CARGO_CRATE_"]
            .iter()
            .any(|it| text.starts_with(it))
        {
            command.env_remove(&name);
        }
    }
    command
}

/// Runs a command with its output on the terminal.
///
/// # Errors
/// When the program cannot be started or ends with a failure.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = status(command)?;
    if !status.success() {
        bail!("`{}` failed with {status}", shown(command));
    }
    Ok(())
}

/// Runs a command with its output on the terminal and gives its exit status.
///
/// # Errors
/// When the program cannot be started.
pub(crate) fn status(command: &mut Command) -> Result<ExitStatus> {
    say(format_args!("$ {}", shown(command)));
    command
        .status()
        .with_context(|| format!("cannot start `{}`", shown(command)))
}

/// Runs a command quietly and gives its standard output; standard error goes into the message of a failure.
///
/// # Errors
/// When the program cannot be started, ends with a failure, or writes something that is not UTF-8.
pub(crate) fn capture(command: &mut Command) -> Result<String> {
    let output = command
        .output()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    if !output.status.success() {
        let error = String::from_utf8_lossy(&output.stderr);
        bail!(
            "`{}` failed with {}:\n{}",
            shown(command),
            output.status,
            error.trim_end()
        );
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("`{}` wrote text that is not UTF-8", shown(command)))
}

/// Whether a command can be started and ends well; used to look for optional tools.
pub(crate) fn works(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|it| it.success())
}

/// The command as one would type it.
fn shown(command: &Command) -> String {
    let program = std::path::Path::new(command.get_program())
        .file_name()
        .unwrap_or(command.get_program());
    let mut text = program.to_string_lossy().into_owned();
    for argument in command.get_args() {
        text.push(' ');
        text.push_str(&argument.to_string_lossy());
    }
    text
}

#[cfg(test)]
mod tests;
