//! What the driver tells this node through its standard input.

use std::io::BufRead as _;
use std::sync::Arc;

use anyhow::{Context, Result};
use tracing::{error, info};

use crate::clock::ShiftedClock;
use crate::lossy::Cut;

/// Listens on a thread of its own. The process ends with its driver.
pub(crate) fn listen(clock: Arc<ShiftedClock>, cut: Arc<Cut>) -> Result<()> {
    std::thread::Builder::new()
        .name("control".to_owned())
        .spawn(move || {
            for line in std::io::stdin().lock().lines() {
                let Ok(line) = line else { break };
                match obey(&line, &clock, &cut) {
                    Ok(()) => info!(line, "was told"),
                    Err(error) => error!(line, error = format!("{error:#}"), "cannot do what it was told"),
                }
            }
            std::process::abort();
        })?;
    Ok(())
}

fn obey(line: &str, clock: &ShiftedClock, cut: &Cut) -> Result<()> {
    match line.split_once(' ').context("expected two words")? {
        ("clock", ahead) => clock.shift(ahead.parse()?),
        ("cut", on) => cut.set(on == "on"),
        (other, _) => anyhow::bail!("`{other}` is no order"),
    }
    Ok(())
}
