//! Benches: what the whole engine does on each backend, beside bare SQL on the same tables and beside other job queues.
//!
//! Each module is a bench with a subcommand of its name; what they stand on is in `frame`. A measurement runs in a process of its own. The figures depend on the
//! machine; the conditions are printed with them, and written with them under `target/bench`.

mod bare;
mod beside;
mod churn;
mod compare;
mod drain;
mod enqueue;
mod flat;
mod frame;
mod held;
mod idle;
mod instructions;
mod latency;
mod memory;
mod ratio;
mod sleeps;
mod timers;

use anyhow::{Result, bail};
use clap::{Parser, Subcommand};

use crate::frame::pass::Pass;
use crate::frame::report::print_line;
use crate::frame::settings::Settings;

/// Benches of the engine. Without a name, all of them one after the other, which takes hours with the counts as they are.
#[derive(Debug, Clone, Parser)]
#[command(name = "cargo xtask bench", bin_name = "cargo xtask bench")]
struct Args {
    #[command(flatten)]
    settings: Settings,
    /// Small counts on every backend, for the tests: fails where jobs are not counted once, or where the engine drains far less than bare SQL beside it; never for
    /// an absolute figure.
    #[arg(long)]
    quick: bool,
    #[command(subcommand)]
    bench: Option<Bench>,
}

#[derive(Debug, Clone, Subcommand)]
enum Bench {
    /// Jobs a second in bulk and done, and the memory for it.
    Drain(drain::Options),
    /// Jobs a second accepted: one by one, in bulk, inside the caller's transaction, from 16 callers.
    Enqueue,
    /// How soon a job starts on an idle node: the same one, and another one; how soon another one hears of a cancellation. `--jobs` are the rounds.
    Latency,
    /// How exactly jobs start at their time, with many others that are due later.
    Timers(timers::Options),
    /// The drain beside much history and many jobs of more urgent rank that are due later.
    Flat(flat::Options),
    /// The drain while another client holds a transaction open.
    Held,
    /// Many jobs through the queue: sizes at the end, and whether the rate holds.
    Churn,
    /// What an idle node costs: processor, memory, statements.
    Idle(idle::Options),
    /// The peak of memory while a million jobs are drained.
    Memory,
    /// Jobs that sleep, 10,000 at once, and jobs that keep their threads busy.
    Sleeps(sleeps::Options),
    /// The drain beside waiting jobs that nobody here may take.
    Beside(beside::Options),
    /// The yardstick alone: the steps of claim and finish as bare SQL.
    Bare(bare::Options),
    /// Instructions of single pieces, counted by valgrind, beside those that were recorded.
    Instructions,
    /// This project beside its yardsticks, in turn.
    Compare(compare::Options),
    /// One measurement in this process; prints its figures as JSON.
    #[command(hide = true)]
    Pass { pass: String },
}

fn main() -> Result<()> {
    let args = Args::parse();
    let settings = &args.settings;
    settings.check()?;
    if args.quick {
        if args.bench.is_some() {
            bail!("--quick stands alone: it has a choice of benches of its own");
        }
        return compare::run_quick(settings);
    }
    match args.bench {
        None => all(settings),
        Some(bench) => run(bench, settings),
    }
}

fn run(bench: Bench, settings: &Settings) -> Result<()> {
    match bench {
        Bench::Drain(options) => drain::run(settings, &options),
        Bench::Enqueue => enqueue::run(settings),
        Bench::Latency => latency::run(settings),
        Bench::Timers(options) => timers::run(settings, &options),
        Bench::Flat(options) => flat::run(settings, &options),
        Bench::Held => held::run(settings),
        Bench::Churn => churn::run(settings),
        Bench::Idle(options) => idle::run(settings, &options),
        Bench::Memory => memory::run(settings),
        Bench::Sleeps(options) => sleeps::run(settings, &options),
        Bench::Beside(options) => beside::run(settings, &options),
        Bench::Bare(options) => bare::run(settings, &options),
        Bench::Instructions => instructions::run(),
        Bench::Compare(options) => compare::run(settings, &options),
        Bench::Pass { pass } => print_line(&serde_json::from_str::<Pass>(&pass)?.measure()?),
    }
}

/// Every bench with its defaults. One that is not made for the backend that was chosen, or has no server, is left out, and it is said.
fn all(settings: &Settings) -> Result<()> {
    for name in [
        "compare", "drain", "enqueue", "latency", "timers", "beside", "held", "churn", "memory", "idle",
        "sleeps", "flat",
    ] {
        let Args { bench, .. } = Args::parse_from(["bench", name]);
        let Some(bench) = bench else {
            bail!("there is no bench `{name}`");
        };
        if let Err(error) = run(bench, settings) {
            match error.downcast_ref::<frame::settings::LeftOut>() {
                Some(it) => print_line(&format!("\n{name}: left out, {it}"))?,
                None => return Err(error.context(format!("bench `{name}`"))),
            }
        }
    }
    Ok(())
}
