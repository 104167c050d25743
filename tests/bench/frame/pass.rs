//! One measurement in a process of its own, so that nothing that was measured before it is in its way and the peak of memory is its own.

use std::process::Command;

use anyhow::{Context, Result, bail};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tokio::runtime::{Builder, Runtime};

use crate::{bare, churn, drain, enqueue, idle, instructions, latency, sleeps, timers};

/// What a process is to measure.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Pass {
    Bare(bare::Pass),
    Drain(drain::Pass),
    Enqueue(enqueue::Pass),
    Latency(latency::Pass),
    Timers(timers::Pass),
    Churn(churn::Pass),
    Idle(idle::Pass),
    Sleeps(sleeps::Pass),
    Instructions(instructions::Pass),
}

impl Pass {
    /// Measures it in a process of its own.
    ///
    /// # Errors
    /// Where that process fails, with what it says.
    pub(crate) fn in_own_process<T: DeserializeOwned>(&self) -> Result<T> {
        let output = Command::new(std::env::current_exe()?)
            .arg("pass")
            .arg(serde_json::to_string(self)?)
            .output()?;
        figures(&output, &format!("{self:?}"))
    }

    /// Measures it in this process; answers the figures as JSON.
    pub(crate) fn measure(self) -> Result<String> {
        let runtime = runtime()?;
        Ok(match self {
            Self::Bare(it) => serde_json::to_string(&runtime.block_on(it.measure())?)?,
            Self::Drain(it) => serde_json::to_string(&runtime.block_on(it.measure())?)?,
            Self::Enqueue(it) => serde_json::to_string(&runtime.block_on(it.measure())?)?,
            Self::Timers(it) => serde_json::to_string(&runtime.block_on(it.measure())?)?,
            Self::Churn(it) => serde_json::to_string(&runtime.block_on(it.measure())?)?,
            Self::Idle(it) => serde_json::to_string(&runtime.block_on(it.measure())?)?,
            Self::Sleeps(it) => serde_json::to_string(&runtime.block_on(it.measure())?)?,
            Self::Instructions(it) => serde_json::to_string(&runtime.block_on(it.measure())?)?,
            Self::Latency(it) => serde_json::to_string(&runtime.block_on(it.measure())?)?,
        })
    }
}

/// The runtime of an application.
pub(crate) fn runtime() -> Result<Runtime> {
    Ok(Builder::new_multi_thread().enable_all().build()?)
}

/// What a program printed as JSON in the last line of its output.
pub(crate) fn figures<T: DeserializeOwned>(output: &std::process::Output, what: &str) -> Result<T> {
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("{what} failed with {}: {}", output.status, said.trim_end());
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let last = text.lines().last().unwrap_or_default();
    serde_json::from_str(last).with_context(|| format!("{what} printed no figures: {text}{said}"))
}

/// Most memory that this process ever held, in bytes.
pub(crate) fn peak_memory() -> Result<u64> {
    let status =
        std::fs::read_to_string("/proc/self/status").context("the peak of memory is read from /proc")?;
    let line = status
        .lines()
        .find_map(|it| it.strip_prefix("VmHWM:"))
        .context("no VmHWM in /proc/self/status")?;
    let kibibytes: u64 = line
        .split_whitespace()
        .next()
        .context("VmHWM without a value")?
        .parse()
        .context("VmHWM is no number")?;
    Ok(kibibytes * 1024)
}
