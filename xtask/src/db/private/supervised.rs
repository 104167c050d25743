//! A private server from the outside: its supervisor is a process whose standard input this one holds.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use super::programs::Programs;
use crate::db::Server;
use crate::report::say;

/// A server that ends when this is dropped. It also ends when this process does, however that ends: the supervisor reads the end of its input.
#[derive(Debug)]
pub(crate) struct Supervised {
    server: Server,
    ready: Ready,
    supervisor: Child,
}

/// What a supervisor says when its server takes connections, or cannot: one line of JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Reply {
    Ready(Ready),
    Failed(String),
}

/// A server that takes connections.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Ready {
    pub(super) url: String,
    /// The socket for commands.
    pub(super) control: PathBuf,
    pub(super) version: String,
}

impl Supervised {
    pub(crate) fn url(&self) -> &str {
        &self.ready.url
    }

    /// The socket for commands.
    pub(crate) fn control(&self) -> &Path {
        &self.ready.control
    }

    pub(crate) fn version(&self) -> &str {
        &self.ready.version
    }
}

impl Drop for Supervised {
    fn drop(&mut self) {
        drop(self.supervisor.stdin.take());
        match self.supervisor.wait() {
            Ok(status) if status.success() => {}
            Ok(status) => say(format_args!(
                "{}: its supervisor ended with {status}",
                self.server
            )),
            Err(error) => say(format_args!("{}: its supervisor was lost: {error}", self.server)),
        }
    }
}

/// Starts a server that ends with this process.
///
/// # Errors
/// Where its programs are missing, or it does not start.
pub(crate) fn start(server: Server, install: bool) -> Result<Supervised> {
    Programs::find(server, install)?;
    let (supervisor, ready) = spawn(server, false)?;
    Ok(Supervised {
        server,
        ready,
        supervisor,
    })
}

/// Starts a supervisor and waits until its server is ready.
pub(super) fn spawn(server: Server, background: bool) -> Result<(Child, Ready)> {
    let mut command = Command::new(own_program()?);
    command.arg0("xtask").args(["db", "supervise", server.key()]);
    if background {
        // It outlives this command, so it must hold nothing of its terminal.
        command
            .arg("--background")
            .stdin(Stdio::null())
            .stderr(Stdio::null());
    } else {
        command.stdin(Stdio::piped());
    }
    // A process group of its own: Ctrl-C at the terminal must end the tests first, and the server then by the end of the input.
    let mut child = command
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .context("cannot start the supervisor of a server")?;
    let mut line = String::new();
    if let Some(output) = child.stdout.take() {
        BufReader::new(output).read_line(&mut line)?;
    }
    let why = match serde_json::from_str(&line) {
        Ok(Reply::Ready(ready)) => return Ok((child, ready)),
        Ok(Reply::Failed(why)) => why,
        Err(_) => "its supervisor ended without a word".to_owned(),
    };
    drop(child.stdin.take());
    child.wait()?;
    bail!("{why}")
}

/// This very program, also where a build has replaced its file meanwhile.
fn own_program() -> Result<PathBuf> {
    let running = Path::new("/proc/self/exe");
    if running.exists() {
        return Ok(running.to_owned());
    }
    std::env::current_exe().context("cannot find this program")
}
