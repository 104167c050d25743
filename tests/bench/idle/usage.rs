//! What this process has used, by the kernel's account.

use std::time::Duration;

use anyhow::{Context, Result};

/// Time on processors of all threads that live.
pub(crate) fn processor() -> Result<Duration> {
    let mut nanos = 0;
    for thread in std::fs::read_dir("/proc/self/task").context("the processor time is read from /proc")? {
        let Ok(text) = std::fs::read_to_string(thread?.path().join("schedstat")) else {
            // A thread that has just ended.
            continue;
        };
        let first = text.split_whitespace().next().unwrap_or_default();
        nanos += first
            .parse::<u64>()
            .with_context(|| format!("the processor time is `{text}`"))?;
    }
    Ok(Duration::from_nanos(nanos))
}

/// Memory in use, in bytes.
pub(crate) fn memory() -> Result<u64> {
    let text =
        std::fs::read_to_string("/proc/self/status").context("the memory in use is read from /proc")?;
    let line = text
        .lines()
        .find_map(|it| it.strip_prefix("VmRSS:"))
        .context("no VmRSS in /proc/self/status")?;
    let kibibytes: u64 = line
        .split_whitespace()
        .next()
        .context("VmRSS without a value")?
        .parse()
        .context("VmRSS is no number")?;
    Ok(kibibytes * 1024)
}
