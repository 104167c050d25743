//! The faults of a run, and the record of them.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use anyhow::Result;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use tests::chaos::Moment;

/// What is done to nodes or to the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Kind {
    /// A node is killed (SIGKILL) and started again.
    Kill,
    /// A node is asked to end (SIGTERM), drains, and is started again.
    Term,
    /// A node stands still (SIGSTOP) for longer than its lease, and goes on.
    Stop,
    /// The clock of a node goes wrong by seconds, and right again.
    Clock,
    /// A node is replaced by an older program, which does not know a type, and back.
    Deploy,
    /// Calls of a node and their replies get lost.
    Cut,
    /// Another program holds the write lock for seconds (SQLite).
    Lock,
    /// The disk of the database is full (SQLite).
    Full,
    /// Every connection is closed at once (servers).
    Drop,
    /// Connections stay open and carry nothing (servers).
    Stall,
    /// Everything arrives late (servers).
    Delay,
    /// The server ends single sessions (servers).
    Sessions,
    /// The server restarts after it has ended its sessions (servers).
    Restart,
    /// The server is killed and restarts (servers).
    Crash,
    /// Nobody's doing: the machine was too busy, and a node or its database stood still until the lease was nearly over, or longer.
    #[value(skip)]
    Starved,
    /// The same, for half of the lease: so long that the node does not judge others for a while.
    #[value(skip)]
    Slow,
}

impl Kind {
    pub(crate) fn name(self) -> String {
        match self {
            Self::Starved => "starved".to_owned(),
            Self::Slow => "slow".to_owned(),
            _ => self
                .to_possible_value()
                .map(|it| it.get_name().to_owned())
                .unwrap_or_default(),
        }
    }

    /// Whether it is done to one node, not to the database.
    pub(crate) fn is_of_node(self) -> bool {
        matches!(
            self,
            Self::Kill
                | Self::Term
                | Self::Stop
                | Self::Clock
                | Self::Deploy
                | Self::Cut
                | Self::Starved
                | Self::Slow
        )
    }

    /// Whether it can be the reason that a run of its node was taken over while its code went on.
    pub(crate) fn explains_overlap(self) -> bool {
        matches!(
            self,
            Self::Kill | Self::Stop | Self::Cut | Self::Stall | Self::Drop | Self::Starved
        )
    }
}

/// One fault.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Fault {
    pub(crate) kind: Kind,
    /// The node that it was done to, with the generation of its process.
    pub(crate) node: Option<(usize, u32)>,
    pub(crate) begin: Moment,
    pub(crate) end: Option<Moment>,
}

impl Fault {
    /// Whether it was going on at some time between two moments of monotonic time.
    pub(crate) fn meets(&self, from: i64, to: i64) -> bool {
        let end = self.end.unwrap_or(self.begin).mono;
        self.begin.mono <= to && end >= from
    }

    /// Whether it was done to this process, or to all.
    pub(crate) fn is_of(&self, node: usize, generation: u32) -> bool {
        self.node.is_none_or(|it| it == (node, generation))
    }
}

/// All faults, in memory and, for whoever looks at a run afterwards, in a file.
#[derive(Debug)]
pub(crate) struct FaultLog {
    file: File,
    pub(crate) faults: Vec<Fault>,
}

impl FaultLog {
    pub(crate) fn create(path: &Path) -> Result<Self> {
        Ok(Self {
            file: File::create(path)?,
            faults: Vec::new(),
        })
    }

    /// Notes that a fault begins. Call it right before it does.
    pub(crate) fn begin(&mut self, kind: Kind, node: Option<(usize, u32)>) -> Result<usize> {
        self.faults.push(Fault {
            kind,
            node,
            begin: Moment::now(),
            end: None,
        });
        self.write(self.faults.len() - 1)
    }

    /// Notes that a fault is over. Call it right after it is.
    pub(crate) fn end(&mut self, at: usize) -> Result<()> {
        if let Some(it) = self.faults.get_mut(at) {
            it.end = Some(Moment::now());
        }
        self.write(at).map(drop)
    }

    fn write(&mut self, at: usize) -> Result<usize> {
        if let Some(it) = self.faults.get(at) {
            writeln!(self.file, "{}", serde_json::to_string(it)?)?;
            self.file.sync_data()?;
        }
        Ok(at)
    }
}
