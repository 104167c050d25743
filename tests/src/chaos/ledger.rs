//! What really happened, outside of the database: one append-only file for each process of a node.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use super::{Moment, Work};

/// One line of a ledger.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "line")]
pub enum Line {
    /// The code of a job starts. On the disk before it does anything.
    Start {
        /// The run.
        run: String,
        /// The job.
        job: String,
        /// Its type.
        type_name: String,
        /// The instance of the engine.
        instance: String,
        /// When.
        at: Moment,
        /// Which try it is.
        attempt: u32,
        /// How often a process died under this job since its last settled run.
        interruptions: u32,
    },
    /// The code of a job has ended. On the disk before the engine knows.
    End {
        /// The run.
        run: String,
        /// When.
        at: Moment,
        /// How.
        how: EndKind,
        /// Why it was asked to end, if it was.
        reason: Option<String>,
    },
    /// Which execution it was. On the disk before its outcome is stored.
    Due {
        /// The run.
        run: String,
        /// When it was due, in microseconds of wall time.
        at: i64,
    },
    /// A run has a lock. On the disk before it does anything with it.
    Held {
        /// The run.
        run: String,
        /// The lock, with the tenant to which it belongs.
        key: String,
        /// When.
        at: Moment,
    },
    /// A run is about to give its lock back. On the disk before it does.
    Freed {
        /// The run.
        run: String,
        /// When.
        at: Moment,
    },
    /// The store has accepted a job that another one enqueued. On the disk before the other ends.
    Child {
        /// The job.
        job: String,
        /// What it does.
        work: Work,
    },
    /// The lease was renewed after half of it had passed, or more.
    Late {
        /// When the renewal before was sent.
        since: Moment,
        /// When this one was answered.
        at: Moment,
        /// How long answers of renewals were waited for meanwhile.
        calls: Duration,
        /// The longest time meanwhile for which a thread that does nothing else could not run.
        stall: Duration,
    },
    /// The store has answered for an outcome. May be missing where the process died.
    Settled {
        /// The run.
        run: String,
        /// The job.
        job: String,
        /// When.
        at: Moment,
        /// The outcome.
        outcome: String,
        /// Whether the store took it.
        applied: bool,
    },
}

/// How the code of a job ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndKind {
    /// It is done.
    Done,
    /// It failed.
    Failed,
    /// It ended because it was asked to.
    Cancelled,
}

/// All whole lines of a file; none where there is no file. The last line may be cut where its process died.
///
/// # Errors
/// Where the file cannot be read, or a whole line is not one.
pub fn read_lines<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<Vec<T>> {
    let mut from = 0;
    read_more(path, &mut from)
}

/// The whole lines after the byte `from`, which is moved behind them.
///
/// # Errors
/// As [`read_lines`].
pub fn read_more<T: for<'de> Deserialize<'de>>(path: &Path, from: &mut u64) -> Result<Vec<T>> {
    let shown = path.display();
    let mut file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| format!("cannot open {shown}")),
    };
    file.seek(SeekFrom::Start(*from))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    let Some(last) = bytes.iter().rposition(|it| *it == b'\n') else {
        return Ok(Vec::new());
    };
    *from += last as u64 + 1;
    let text = std::str::from_utf8(&bytes[..last]).with_context(|| format!("{shown} is no text"))?;
    text.lines()
        .map(|it| serde_json::from_str(it).with_context(|| format!("cannot read the line `{it}` of {shown}")))
        .collect()
}

#[cfg(test)]
mod tests;
