//! Whether work that nobody here may take costs the others anything.

use anyhow::{Context, Result};
use clap::ValueEnum;
use tasks_abstractions::job::Lane;
use tasks_abstractions::{BackgroundJobManager, BackgroundJobManagerExt};

use crate::drain::NoOp;
use crate::node::Node;
use crate::report::{print_table, table};
use crate::{Args, Backend, in_process_of_its_own};

const UNKNOWN: &str = "bench.unknown";

/// Stores `count` due jobs for a node that is not there, and as many of a type that no node knows.
pub(crate) async fn fill(node: &Node, count: usize) -> Result<()> {
    let mut left = count;
    while left > 0 {
        let part = left.min(1_000);
        let mut batch = Vec::with_capacity(part * 2);
        for _ in 0..part {
            let mut pinned = node.jobs.prepare::<NoOp>(())?;
            pinned.job.node_name = Some("absent".to_owned());
            let mut unknown = node.jobs.prepare::<NoOp>(())?;
            unknown.job.type_name = UNKNOWN.to_owned();
            for it in [&mut pinned, &mut unknown] {
                let lane = Lane::of(&it.job);
                it.first.as_mut().context("a job is armed")?.lane = lane;
            }
            unknown.first.as_mut().context("a job is armed")?.lane = Lane::unknown_type(None, UNKNOWN);
            batch.extend([pinned, unknown]);
        }
        node.jobs.submit(batch).await?;
        left -= part;
    }
    Ok(())
}

/// Drains with and without, in turn, and prints the medians and their ratio.
pub(crate) fn run(backends: impl Iterator<Item = Backend>, count: usize, args: &Args) -> Result<()> {
    let mut table = table(["backend", "drain /s", "beside them /s", "ratio"]);
    for backend in backends {
        let (mut alone, mut beside) = (Vec::<f64>::new(), Vec::new());
        for _ in 0..args.passes {
            for (count, rates) in [(0, &mut alone), (count, &mut beside)] {
                let args = Args {
                    beside: Some(count),
                    ..args.clone()
                };
                rates.push(in_process_of_its_own(backend, &args)?);
            }
        }
        let (alone, beside) = (median(alone)?, median(beside)?);
        let name = backend.to_possible_value().context("backend without a name")?;
        table.add_row([
            name.get_name().to_owned(),
            format!("{alone:.0}"),
            format!("{beside:.0}"),
            format!("{:.3}", beside / alone),
        ]);
    }
    print_table(
        table,
        &format!(
            "{} no-op jobs, {} at once, medians of {} passes in turn, beside {count} jobs of an absent node and {count} of an unknown type",
            args.jobs, args.concurrency, args.passes
        ),
    )
}

fn median(mut rates: Vec<f64>) -> Result<f64> {
    rates.sort_by(f64::total_cmp);
    rates.get(rates.len() / 2).copied().context("no passes")
}
