//! What the processors of the whole machine do meanwhile: the node, its database and whatever else there is.

use anyhow::{Context, Result};

/// Ticks of all processors since the machine started, by the kernel's account.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ticks {
    busy: u64,
    idle: u64,
}

/// Ticks a second, as the kernel tells them to programs on every architecture that Linux runs on.
const A_SECOND: f64 = 100.0;

impl Ticks {
    pub(crate) fn now() -> Result<Self> {
        let text =
            std::fs::read_to_string("/proc/stat").context("the use of processors is read from /proc")?;
        let line = text.lines().next().unwrap_or_default();
        let ticks = line
            .split_whitespace()
            .skip(1)
            .map(str::parse)
            .collect::<Result<Vec<u64>, _>>()
            .with_context(|| format!("the use of processors is `{line}`"))?;
        // user, nice, system, idle, waiting for a disk, interrupts (two kinds); then what is counted twice or taken by others.
        let [user, nice, system, idle, waiting, hard, soft, ..] = ticks[..] else {
            anyhow::bail!("the use of processors is `{line}`");
        };
        Ok(Self {
            busy: user + nice + system + hard + soft,
            idle: idle + waiting,
        })
    }

    /// Since then: busy seconds of all processors together, and the share of the time in which they were busy.
    pub(crate) fn since(self) -> Result<(f64, f64)> {
        let now = Self::now()?;
        let (busy, idle) = ((now.busy - self.busy) as f64, (now.idle - self.idle) as f64);
        Ok((busy / A_SECOND, busy / (busy + idle).max(1.0)))
    }
}
