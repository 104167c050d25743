//! This project beside its yardsticks, in turn: ours, theirs, ours, theirs.

mod peers;
mod quick;

use anyhow::Result;
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::drain::Keep;
use crate::frame::backend::Backend;
use crate::frame::report::{Cell, Report};
use crate::frame::samples::Samples;
use crate::frame::settings::Settings;
use crate::{bare, drain, enqueue, latency};

pub(crate) use quick::run as run_quick;

/// Options of the comparison.
#[derive(Debug, Clone, Args)]
pub(crate) struct Options {
    /// Also beside other job queues from crates.io, which are built for it.
    #[arg(long)]
    peers: bool,
}

/// What every side is measured by. Rates are jobs a second, waits are milliseconds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(crate) drain: f64,
    /// The drain where nothing is left of what is done.
    pub(crate) unkept: Option<f64>,
    pub(crate) bulk: f64,
    pub(crate) single: f64,
    /// From the commit to the start of the code on an idle worker in the same process.
    pub(crate) start_p50: Option<f64>,
    pub(crate) start_p99: Option<f64>,
}

/// What stands beside this project.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Yardstick {
    /// The same steps on the same tables without an engine.
    Bare,
    Peer(peers::Peer),
}

impl Yardstick {
    /// Those of a backend.
    fn of(backend: Backend, with_peers: bool) -> Vec<Self> {
        let mut all = vec![Self::Bare];
        if with_peers {
            all.extend(peers::on(backend).iter().copied().map(Self::Peer));
        }
        all
    }

    fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare SQL",
            Self::Peer(peer) => peer.name(),
        }
    }

    fn measure(self, backend: Backend, jobs: usize) -> Result<Figures> {
        match self {
            Self::Peer(peer) => peer.measure(jobs),
            Self::Bare => {
                let pass = |keep| bare::Pass { backend, jobs, keep };
                let figures = pass(Keep::History).in_own_process()?;
                Ok(Figures {
                    drain: figures.drain,
                    unkept: Some(pass(Keep::Nothing).in_own_process()?.drain),
                    bulk: figures.bulk,
                    single: figures.single,
                    start_p50: None,
                    start_p99: None,
                })
            }
        }
    }
}

/// The same of this project.
fn ours(backend: Backend, jobs: usize, concurrency: usize) -> Result<Figures> {
    let drained = drain::Pass::alone(backend, jobs, concurrency).in_own_process()?;
    let unkept = drain::Pass {
        keep: Keep::Nothing,
        ..drain::Pass::alone(backend, jobs, concurrency)
    };
    let unkept = unkept.in_own_process()?;
    let enqueued = enqueue::Pass { backend, jobs }.in_own_process()?;
    let waited = latency::Pass::new(backend, false, None).in_own_process()?;
    Ok(Figures {
        drain: drained.drain,
        unkept: Some(unkept.drain),
        bulk: drained.bulk,
        single: enqueued.single,
        start_p50: Some(waited.commit_p50),
        start_p99: Some(waited.commit_p99),
    })
}

/// One figure of both sides.
type Of = fn(&Figures) -> Option<f64>;

/// The figures in the order of the table, with the digits of each.
const FIGURES: [(&str, Of, usize); 6] = [
    ("drain /s", |it| Some(it.drain), 0),
    ("drain, nothing kept /s", |it| it.unkept, 0),
    ("bulk enqueue /s", |it| Some(it.bulk), 0),
    ("single enqueue /s", |it| Some(it.single), 0),
    ("commit → start p50 ms", |it| it.start_p50, 2),
    ("commit → start p99 ms", |it| it.start_p99, 2),
];

/// Measures every backend beside its yardsticks.
pub(crate) fn run(settings: &Settings, options: &Options) -> Result<()> {
    let backends = settings.backends(bare::BACKENDS)?;
    let jobs = settings.jobs_or(drain::JOBS);
    let mut report = Report::new(
        "compare",
        format!(
            "{jobs} no-op jobs on each side, in turn; median (least–most) of {} passes; a ratio above 1 is better for rates, below 1 for waits",
            settings.passes
        ),
        ["backend", "figure", "ours", "beside", "theirs", "ours / theirs"],
    );
    for backend in &backends {
        let yardsticks = Yardstick::of(*backend, options.peers);
        let mut our_figures = Vec::new();
        let mut their_figures = vec![Vec::new(); yardsticks.len()];
        for _ in 0..settings.passes {
            our_figures.push(ours(*backend, jobs, settings.concurrency)?);
            for (yardstick, figures) in yardsticks.iter().zip(&mut their_figures) {
                figures.push(yardstick.measure(*backend, jobs)?);
            }
        }
        for (yardstick, figures) in yardsticks.iter().zip(&their_figures) {
            for (name, of, digits) in FIGURES {
                let samples = |it: &[Figures]| it.iter().filter_map(of).collect::<Samples>();
                let (our, their) = (samples(&our_figures), samples(figures));
                if their.all().is_empty() {
                    continue;
                }
                let ratio = Cell::ratio(&our, &their)?;
                report.row([
                    Cell::text(backend.name()),
                    Cell::text(name),
                    Cell::Figure(our, digits),
                    Cell::text(yardstick.name()),
                    Cell::Figure(their, digits),
                    ratio,
                ]);
            }
        }
    }
    report.finish(&backends)
}
