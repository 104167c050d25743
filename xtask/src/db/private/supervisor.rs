//! The process that owns a private server: makes it, waits with it, ends it, and removes its folder.

use std::collections::hash_map::RandomState;
use std::fs::{self, File};
use std::hash::{BuildHasher as _, Hasher as _};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::account::Account;
use super::programs::{Place, Programs};
use super::supervised::{Ready, Reply};
use crate::db::Server;
use crate::process::works;
use crate::report::say;

/// A server that takes longer to start has failed.
const START_LIMIT: Duration = Duration::from_secs(60);
/// A server that takes longer to end in order is killed.
const STOP_LIMIT: Duration = Duration::from_secs(20);
/// How often a starting server is asked whether it is ready.
const ASK_EVERY: Duration = Duration::from_millis(50);

enum Event {
    /// The server is to end. The stream, if any, is closed when all is gone.
    Stop(Option<UnixStream>),
    /// The server is to end, with this signal, and to start again. The stream is told when it takes connections.
    Restart(&'static str, UnixStream),
    /// The server has ended.
    Ended(std::io::Result<ExitStatus>),
}

/// Runs a server until standard input ends, or, in the background, until the control socket says so; the socket also restarts it. Says on standard output when it is ready, or why
/// it never was.
///
/// # Errors
/// Where the server cannot be made or started, or ends by itself.
pub(crate) fn supervise(server: Server, background: bool) -> Result<()> {
    let mut has_spoken = false;
    let mut ready = |ready: &Ready| {
        has_spoken = true;
        say_reply(&Reply::Ready(ready.clone()))
    };
    let ended = own(server, background, &mut ready);
    if let (Err(error), false) = (&ended, has_spoken) {
        say_reply(&Reply::Failed(format!("{error:#}")))?;
    }
    ended
}

fn say_reply(reply: &Reply) -> Result<()> {
    say(serde_json::to_string(reply)?);
    Ok(())
}

fn own(server: Server, background: bool, is_ready: &mut dyn FnMut(&Ready) -> Result<()>) -> Result<()> {
    let programs = Programs::find(server, false)?;
    let account = Account::of(server)?;
    let folder = tempfile::Builder::new()
        .prefix(&format!("tasks-{}-", server.key()))
        .tempdir()
        .context("cannot make a temporary folder")?;
    // The server's user passes through to its own folder.
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o711))?;
    let place = Place {
        folder: folder.path().to_owned(),
        port: free_port()?,
        password: password(),
    };
    let (events, received) = channel();
    let control = folder.path().join("control.sock");
    listen(&control, &programs, events.clone())?;
    if !background {
        watch_input(events.clone());
    }
    programs.make(&place, &account)?;
    let ready = Ready {
        url: programs.url(&place),
        control,
        version: programs.version()?,
    };
    let asked = run(&programs, &place, &account, &events, &received, &mut || {
        is_ready(&ready)
    });
    folder.close().context("cannot remove the folder of the server")?;
    asked.map(drop)
}

/// From the start of the server to its end. Answers the stream of whoever asked for the end.
fn run(
    programs: &Programs,
    place: &Place,
    account: &Account,
    events: &Sender<Event>,
    received: &Receiver<Event>,
    when_ready: &mut dyn FnMut() -> Result<()>,
) -> Result<Option<UnixStream>> {
    let mut process = start(programs, place, account, events)?;
    let mut deadline = Instant::now() + START_LIMIT;
    let mut is_ready = false;
    let mut restarted: Option<UnixStream> = None;
    loop {
        let event = if is_ready {
            received.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            received.recv_timeout(ASK_EVERY)
        };
        match event {
            Ok(Event::Stop(asked)) => {
                end(programs.ends_by(), process, received)?;
                return Ok(asked);
            }
            Ok(Event::Restart(signal, asked)) => {
                end(signal, process, received)?;
                process = start(programs, place, account, events)?;
                deadline = Instant::now() + START_LIMIT;
                is_ready = false;
                restarted = Some(asked);
            }
            Ok(Event::Ended(status)) => bail!(
                "the server ended by itself with {}:\n{}",
                status?,
                last_lines(&place.log())
            ),
            Err(RecvTimeoutError::Disconnected) => bail!("the threads of the supervisor are gone"),
            Err(RecvTimeoutError::Timeout) if programs.is_ready(place.port) => {
                is_ready = true;
                match restarted.take() {
                    // Whoever asked may have gone.
                    Some(mut asked) => drop(asked.write_all(b"running\n")),
                    None => when_ready()?,
                }
            }
            Err(RecvTimeoutError::Timeout) if Instant::now() > deadline => {
                end(programs.ends_by(), process, received)?;
                bail!(
                    "the server was not ready after {START_LIMIT:?}:\n{}",
                    last_lines(&place.log())
                );
            }
            Err(RecvTimeoutError::Timeout) => {}
        }
    }
}

/// Starts the server; its end is told as an event.
fn start(programs: &Programs, place: &Place, account: &Account, events: &Sender<Event>) -> Result<u32> {
    let log = File::options()
        .create(true)
        .append(true)
        .open(place.log())
        .context("cannot make the log of the server")?;
    let mut child = programs
        .serve(place, account)
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log)
        .spawn()
        .context("cannot start the server")?;
    let process = child.id();
    let ended = events.clone();
    thread::spawn(move || ended.send(Event::Ended(child.wait())));
    Ok(process)
}

/// Ends the server: by this signal, else at once. Its process is the one that was started here and has not been waited for, so the number is still its own.
fn end(by: &str, process: u32, received: &Receiver<Event>) -> Result<()> {
    for signal in [by, "KILL"] {
        // `kill` is built into every shell, but not a program everywhere.
        works(Command::new("sh").args(["-c", &format!("kill -{signal} {process}")]));
        let deadline = Instant::now() + STOP_LIMIT;
        while let Some(left) = deadline.checked_duration_since(Instant::now()) {
            match received.recv_timeout(left) {
                Ok(Event::Ended(_)) => return Ok(()),
                Ok(Event::Stop(_) | Event::Restart(..)) => {}
                Err(_) => break,
            }
        }
    }
    bail!("the server (process {process}) did not end")
}

/// Tells when whoever started this process is gone or lets go.
fn watch_input(events: Sender<Event>) {
    thread::spawn(move || {
        let mut rest = Vec::new();
        // An unreadable input has ended as well.
        let _ = std::io::stdin().read_to_end(&mut rest);
        events.send(Event::Stop(None))
    });
}

/// Takes commands, a line each: `stop` ends the server, and the connection is closed when it is gone; `restart fast` and `restart immediate` answer `running` when
/// it takes connections again.
fn listen(socket: &Path, programs: &Programs, events: Sender<Event>) -> Result<()> {
    let listener = UnixListener::bind(socket).with_context(|| format!("cannot make {}", socket.display()))?;
    fs::set_permissions(socket, fs::Permissions::from_mode(0o600))?;
    let (fast, immediate) = (programs.ends_by(), programs.crashes_by());
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut line = String::new();
            let read = BufReader::new(&stream).read_line(&mut line);
            let event = match line.trim() {
                _ if read.is_err() => continue,
                "stop" => Event::Stop(Some(stream)),
                "restart fast" => Event::Restart(fast, stream),
                "restart immediate" => Event::Restart(immediate, stream),
                _ => {
                    // Whoever asked may have gone; the next one may stay.
                    drop(stream.write_all(b"running\n"));
                    continue;
                }
            };
            if events.send(event).is_err() {
                return;
            }
        }
    });
    Ok(())
}

fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("no port is free")?;
    Ok(listener.local_addr()?.port())
}

/// 32 digits from the operating system's randomness, by way of the keys of the standard library's hash.
fn password() -> String {
    let random = || RandomState::new().build_hasher().finish();
    format!("{:016x}{:016x}", random(), random())
}

fn last_lines(log: &Path) -> String {
    let text = fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(20)..].join("\n")
}
