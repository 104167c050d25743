//! Instructions of the pieces that every job goes through, as valgrind counts them: nearly the same from run to run, whatever else the machine does.
//!
//! Each piece is counted as the difference of two processes, of which one does everything but the piece.

mod pieces;
mod queue;

use std::process::Command;

use anyhow::{Context, Result, bail};
use clap::ValueEnum as _;
use serde::{Deserialize, Serialize};

use crate::frame::pass;
use crate::frame::report::{Cell, Report};
use pieces::Piece;

/// Times that a piece is done.
const TIMES: usize = 2_000;

/// One count.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Pass {
    piece: Piece,
    /// Whether the piece itself is done, or only what comes before it.
    is_done: bool,
}

impl Pass {
    /// Does what is to be counted; answers how often.
    pub(crate) async fn measure(self) -> Result<usize> {
        self.piece.run(TIMES, self.is_done).await
    }
}

/// Counts every piece.
pub(crate) fn run() -> Result<()> {
    let mut report = Report::new(
        "instructions",
        format!(
            "instructions of each of {TIMES}, counted by callgrind; recorded: on x86-64, with the compiler of `rust-toolchain.toml`"
        ),
        ["piece", "instructions", "recorded", "ratio"],
    );
    for piece in Piece::value_variants() {
        let count = |is_done| {
            counted(&Pass {
                piece: *piece,
                is_done,
            })
        };
        let each = (count(true)? - count(false)?) / TIMES as f64;
        let recorded = piece.recorded();
        report.row([
            Cell::text(piece.in_words()),
            Cell::Number(each, 0),
            Cell::Number(recorded, 0),
            Cell::Number(each / recorded, 2),
        ]);
    }
    report.finish(&[])
}

/// Instructions of a process that does this.
fn counted(it: &Pass) -> Result<f64> {
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(std::env::current_exe()?)
        .arg("pass")
        .arg(serde_json::to_string(&pass::Pass::Instructions(it.clone()))?)
        .output()
        .context("valgrind cannot be started; on Debian it is the package of that name")?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!("{it:?} failed with {}: {}", output.status, said.trim_end());
    }
    let count = said
        .lines()
        .find_map(|line| line.split_once("Collected :"))
        .and_then(|(_, count)| count.trim().parse().ok());
    count.with_context(|| format!("valgrind counted nothing: {said}"))
}
