//! Whether work that nobody here may take costs the others anything.

use anyhow::{Context, Result};
use clap::Args;
use serde::{Deserialize, Serialize};
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
    /// Waiting jobs that nobody here may take.
    #[arg(long, default_value_t = 100_000)]
    waiting: usize,
}

/// Why nobody here may take a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Stray {
    /// It belongs to a node that is not there.
    AbsentNode,
    /// Nobody knows its type.
    UnknownType,
}

/// Drains with and without, in turn, beside each kind.
pub(crate) fn run(settings: &Settings, options: &Options) -> Result<()> {
    let count = options.waiting;
    let kinds = [
        (Stray::AbsentNode, "of an absent node", "beside-absent-node"),
        (Stray::UnknownType, "of an unknown type", "beside-unknown-type"),
    ];
    for (stray, whose, mode) in kinds {
        ratio_of_drains(
            settings,
            &settings.backends(drain::BACKENDS)?,
            drain::JOBS,
            &Compared {
                mode,
                around: Around::Strays(stray, count),
                what: format!("beside {count} due jobs {whose}"),
            },
        )?;
    }
    Ok(())
}

/// Stores `count` due jobs that nobody here may take.
pub(crate) async fn fill(node: &Node, stray: Stray, count: usize) -> Result<()> {
    let jobs = node.jobs();
    let one = || {
        // Nobody runs it, so its number is no matter.
        let mut it = jobs.prepare::<NoOp>(usize::MAX)?;
        let lane = match stray {
            Stray::AbsentNode => {
                it.job.node_name = Some("absent".to_owned());
                Lane::of(&it.job)
            }
            Stray::UnknownType => {
                it.job.type_name = UNKNOWN.to_owned();
                Lane::unknown_type(None, UNKNOWN)
            }
        };
        it.first.as_mut().context("a job is armed")?.lane = lane;
        anyhow::Ok(it)
    };
    let mut left = count;
    while left > 0 {
        let part = left.min(drain::BULK);
        jobs.submit((0..part).map(|_| one()).collect::<Result<Vec<_>>>()?)
            .await?;
        left -= part;
    }
    Ok(())
}
