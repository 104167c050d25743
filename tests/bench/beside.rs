//! Whether work that nobody here may take costs the others anything.

use anyhow::{Context, Result};
use clap::Args;
use tasks_abstractions::BackgroundJobManagerExt as _;
use tasks_abstractions::job::Lane;

use crate::drain::{self, Around};
use crate::frame::ledger::NoOp;
use crate::frame::node::Node;
use crate::frame::settings::Settings;
use crate::ratio::{Compared, ratio_of_drains};

const UNKNOWN: &str = "bench.unknown";

/// Options of this bench.
#[derive(Debug, Clone, Args)]
pub(crate) struct Options {
    /// Waiting jobs of an absent node, and as many of a type that nobody knows.
    #[arg(long, default_value_t = 100_000)]
    waiting: usize,
}

/// Drains with and without, in turn.
pub(crate) fn run(settings: &Settings, options: &Options) -> Result<()> {
    let count = options.waiting;
    ratio_of_drains(
        settings,
        &settings.backends(drain::BACKENDS)?,
        drain::JOBS,
        &Compared {
            mode: "beside",
            around: Around::Strays(count),
            what: format!("beside {count} jobs of an absent node and {count} of an unknown type"),
        },
    )
}

/// Stores `count` due jobs for a node that is not there, and as many of a type that no node knows.
pub(crate) async fn fill(node: &Node, count: usize) -> Result<()> {
    let jobs = node.jobs();
    let mut left = count;
    while left > 0 {
        let part = left.min(drain::BULK);
        let mut batch = Vec::with_capacity(part * 2);
        for _ in 0..part {
            // Nobody runs them, so their number is no matter.
            let mut pinned = jobs.prepare::<NoOp>(usize::MAX)?;
            pinned.job.node_name = Some("absent".to_owned());
            let mut unknown = jobs.prepare::<NoOp>(usize::MAX)?;
            unknown.job.type_name = UNKNOWN.to_owned();
            for it in [&mut pinned, &mut unknown] {
                let lane = Lane::of(&it.job);
                it.first.as_mut().context("a job is armed")?.lane = lane;
            }
            unknown.first.as_mut().context("a job is armed")?.lane = Lane::unknown_type(None, UNKNOWN);
            batch.extend([pinned, unknown]);
        }
        jobs.submit(batch).await?;
        left -= part;
    }
    Ok(())
}
