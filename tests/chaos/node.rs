//! One node: a child process, its orders, and what its ledger shows of the runs in flight.

use std::collections::HashSet;
use std::fs::File;
use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result};
use rustix::process::Signal;
use serde::{Deserialize, Serialize};
use tests::chaos::{Line, Moment, read_more};

use crate::settings::Settings;
use crate::watchdog::{Children, signal};

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Ending {
    /// By itself, with this code.
    Code(i32),
    /// By a signal.
    Signal(i32),
}

/// One process of a node, from its start to its end.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Life {
    pub(crate) node: usize,
    /// Counts the processes of the node.
    pub(crate) generation: u32,
    pub(crate) is_older: bool,
    pub(crate) born: Moment,
    /// When it was asked to end.
    pub(crate) asked: Option<Moment>,
    /// When its end was seen, and how it ended.
    pub(crate) died: Option<(Moment, Ending)>,
}

/// A running process.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    orders: ChildStdin,
}

/// Where a node is in its life.
#[derive(Debug)]
pub(crate) enum State {
    Down { until: Instant },
    Up(Process),
}

/// One node, over all its processes.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) number: usize,
    pub(crate) generation: u32,
    pub(crate) state: State,
    /// Whether the next process is the older program.
    pub(crate) is_older: bool,
    pub(crate) is_ending: bool,
    ledger: PathBuf,
    read: u64,
    open: HashSet<String>,
}

/// What every node is started with.
#[derive(Debug)]
pub(crate) struct Start<'a> {
    pub(crate) folder: &'a Path,
    /// What says where the database is.
    pub(crate) place: Vec<String>,
    pub(crate) settings: &'a Settings,
    pub(crate) children: &'a Children,
}

/// The ledger of one process.
pub(crate) fn ledger_of(folder: &Path, node: usize, generation: u32) -> PathBuf {
    folder.join(format!("ledger-{node}-{generation}.jsonl"))
}

impl Node {
    pub(crate) fn new(number: usize) -> Self {
        Self {
            number,
            generation: 0,
            state: State::Down {
                until: Instant::now(),
            },
            is_older: false,
            is_ending: false,
            ledger: PathBuf::new(),
            read: 0,
            open: HashSet::new(),
        }
    }

    pub(crate) fn is_up(&self) -> bool {
        matches!(self.state, State::Up(_)) && !self.is_ending
    }

    /// Runs whose code has started and not ended, as far as the ledger has been read.
    pub(crate) fn in_flight(&self) -> usize {
        self.open.len()
    }

    pub(crate) fn start(&mut self, with: &Start<'_>) -> Result<Life> {
        self.generation += 1;
        self.ledger = ledger_of(with.folder, self.number, self.generation);
        self.read = 0;
        self.open.clear();
        self.is_ending = false;
        let log = with.folder.join(format!("node-{}.log", self.number));
        let errors = File::options().create(true).append(true).open(&log)?;
        let program = std::env::current_exe()?.with_file_name("chaos_node");
        let millis = |it: std::time::Duration| it.as_millis().to_string();
        let mut command = Command::new(&program);
        command
            .args(&with.place)
            .args(["--name", &format!("n{}", self.number)])
            .arg("--ledger")
            .arg(&self.ledger)
            .arg("--log")
            .arg(&log)
            .args(["--concurrency", &with.settings.concurrency.to_string()])
            .args(["--heartbeat", &millis(with.settings.heartbeat)])
            .args(["--lease", &millis(with.settings.lease)])
            .args(["--suspect-window", &millis(with.settings.suspect_window)]);
        if self.is_older {
            command.arg("--older");
        }
        let born = Moment::now();
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(errors)
            .spawn()
            .with_context(|| {
                format!(
                    "cannot start {}; build the bin `chaos_node` first",
                    program.display()
                )
            })?;
        with.children.add(child.id());
        let orders = child.stdin.take().context("the child has no standard input")?;
        self.state = State::Up(Process { child, orders });
        Ok(Life {
            node: self.number,
            generation: self.generation,
            is_older: self.is_older,
            born,
            asked: None,
            died: None,
        })
    }

    /// Sends a signal to the process, if there is one.
    pub(crate) fn signal(&self, it: Signal) -> Result<()> {
        match &self.state {
            State::Up(process) => signal(process.child.id(), it),
            State::Down { .. } => Ok(()),
        }
    }

    /// Tells the process something. One that has ended meanwhile hears nothing.
    pub(crate) fn tell(&mut self, order: &str) {
        if let State::Up(process) = &mut self.state {
            let told = writeln!(process.orders, "{order}").and_then(|()| process.orders.flush());
            drop(told);
        }
    }

    /// How the process ended, if it has. The node is down then until it is started.
    pub(crate) fn reap(&mut self, children: &Children) -> Result<Option<Ending>> {
        let State::Up(process) = &mut self.state else {
            return Ok(None);
        };
        let Some(status) = process.child.try_wait()? else {
            return Ok(None);
        };
        children.remove(process.child.id());
        self.state = State::Down {
            until: Instant::now(),
        };
        Ok(Some(match (status.code(), status.signal()) {
            (Some(code), _) => Ending::Code(code),
            (None, signal) => Ending::Signal(signal.unwrap_or_default()),
        }))
    }

    /// Reads what the ledger shows since the last time.
    pub(crate) fn look(&mut self) -> Result<()> {
        for line in read_more::<Line>(&self.ledger, &mut self.read)? {
            match line {
                Line::Start { run, .. } => {
                    self.open.insert(run);
                }
                Line::End { run, .. } => {
                    self.open.remove(&run);
                }
                Line::Due { .. }
                | Line::Settled { .. }
                | Line::Held { .. }
                | Line::Freed { .. }
                | Line::Child { .. }
                | Line::Late { .. } => {}
            }
        }
        Ok(())
    }
}
