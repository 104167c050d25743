//! Servers that stay after the command: `up`, `down` and `status`.

use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use anyhow::{Context, Result};

use super::programs::Programs;
use super::supervised::{Ready, spawn};
use crate::db::Server;
use crate::report::say;
use crate::workspace::Workspace;

/// Starts the servers that do not run yet, and prints how a shell tells the tests of all.
///
/// # Errors
/// Where a server's programs are missing, or it does not start.
pub(crate) fn up(workspace: &Workspace, servers: &[Server], install: bool) -> Result<()> {
    let install = install || std::env::var("CI").is_ok_and(|it| it == "true");
    let wanted = if servers.is_empty() { &Server::ALL } else { servers };
    for server in wanted {
        let ready = match running(workspace, *server)? {
            Some(ready) => ready,
            None => {
                Programs::find(*server, install).with_context(|| format!("cannot start {server}"))?;
                let (_, ready) = spawn(*server, true).with_context(|| format!("cannot start {server}"))?;
                fs::write(file(workspace, *server)?, serde_json::to_string(&ready)?)?;
                ready
            }
        };
        say(format_args!("export {}='{}'", server.variable(), ready.url));
    }
    Ok(())
}

/// Stops what `up` started, and waits until it is gone.
///
/// # Errors
/// Where a server runs and cannot be told.
pub(crate) fn down(workspace: &Workspace) -> Result<()> {
    for server in Server::ALL {
        if let Some(ready) = running(workspace, server)? {
            let mut stream =
                connect(&ready).with_context(|| format!("cannot reach the supervisor of {server}"))?;
            stream.write_all(b"stop\n")?;
            // Closed by the other side when the server and its folder are gone.
            stream.read_to_end(&mut Vec::new())?;
            fs::remove_file(file(workspace, server)?)?;
            say(format_args!("{server}: stopped"));
        }
    }
    Ok(())
}

/// Says for each server where the tests would find it.
///
/// # Errors
/// Where the notes about running servers cannot be read.
pub(crate) fn status(workspace: &Workspace) -> Result<()> {
    for server in Server::ALL {
        if std::env::var_os(server.variable()).is_some_and(|it| !it.is_empty()) {
            say(format_args!("{server}: given by {}", server.variable()));
        }
        match running(workspace, server)? {
            Some(ready) => say(format_args!("{server}: runs at {}, {}", ready.url, ready.version)),
            None => match Programs::find(server, false).and_then(|it| it.version()) {
                Ok(version) => say(format_args!("{server}: not started, {version}")),
                Err(why) => say(format_args!("{server}: {why:#}")),
            },
        }
    }
    Ok(())
}

/// The server that `up` started, if its supervisor still answers.
fn running(workspace: &Workspace, server: Server) -> Result<Option<Ready>> {
    let file = file(workspace, server)?;
    let Ok(text) = fs::read_to_string(&file) else {
        return Ok(None);
    };
    let ready: Ready =
        serde_json::from_str(&text).with_context(|| format!("cannot read {}; remove it", file.display()))?;
    if connect(&ready).is_some() {
        return Ok(Some(ready));
    }
    fs::remove_file(&file)?;
    Ok(None)
}

fn connect(ready: &Ready) -> Option<UnixStream> {
    UnixStream::connect(&ready.control).ok()
}

fn file(workspace: &Workspace, server: Server) -> Result<PathBuf> {
    Ok(workspace.scratch("db")?.join(format!("{}.json", server.key())))
}
