//! Starting other programs: always shown, never silent about a failure.

use std::io::Read;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

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

/// How a program ended, and what it wrote.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// Longest run of a program from the documents, on a slow and busy machine.
const LIMIT: Duration = Duration::from_secs(120);

/// Runs a command quietly, without input. It is given two minutes, together with everything that it starts and that holds its output open.
///
/// # Errors
/// When the program cannot be started or does not end.
pub(crate) fn limited(command: &mut Command) -> Result<Ended> {
    within(command, LIMIT)
}

fn within(command: &mut Command, limit: Duration) -> Result<Ended> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(command, 0);
    let end = Instant::now() + limit;
    let mut child = command
        .spawn()
        .with_context(|| format!("cannot start `{}`", shown(command)))?;
    let pipes = [
        child.stdout.take().map(|it| Box::new(it) as Box<dyn Read + Send>),
        child.stderr.take().map(|it| Box::new(it) as Box<dyn Read + Send>),
    ];
    let readers = pipes.map(|pipe| {
        let (sender, receiver) = mpsc::channel();
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let read = pipe.map_or(Ok(0), |mut it| it.read_to_end(&mut bytes));
            // Nobody listens any more when the limit has passed.
            let _ = sender.send(read.map(|_| bytes));
        });
        receiver
    });
    let mut texts = Vec::new();
    for reader in readers {
        match reader.recv_timeout(end.saturating_duration_since(Instant::now())) {
            Ok(read) => {
                let bytes = read.with_context(|| format!("cannot read what `{}` wrote", shown(command)))?;
                texts.push(String::from_utf8_lossy(&bytes).into_owned());
            }
            Err(_) => {
                end_group(&mut child)?;
                bail!("`{}` did not end within {} s", shown(command), limit.as_secs());
            }
        }
    }
    let status = child.wait().context("cannot wait for a program")?;
    let mut texts = texts.into_iter();
    Ok(Ended {
        status,
        stdout: texts.next().unwrap_or_default(),
        stderr: texts.next().unwrap_or_default(),
    })
}

/// Ends a program and what it started.
fn end_group(child: &mut Child) -> Result<()> {
    #[cfg(unix)]
    Command::new("kill")
        .args(["-KILL", "--", &format!("-{}", child.id())])
        .stderr(Stdio::null())
        .status()
        .context("cannot end a program that takes too long")?;
    #[cfg(not(unix))]
    child.kill().context("cannot end a program that takes too long")?;
    child.wait().context("cannot wait for a program")?;
    Ok(())
}

/// Takes away the variables of the caller that would change what a program of the workspace does.
pub(crate) fn without_options(command: &mut Command) {
    for (name, _) in std::env::vars_os().filter(|(name, _)| is_option(&name.to_string_lossy())) {
        command.env_remove(&name);
    }
}

fn is_option(name: &str) -> bool {
    name.starts_with("TASKS_") || name == "RUST_LOG"
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
