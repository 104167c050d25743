//! How many jobs a second come in bulk and are done: 1,000 at once stored while nothing is claimed, then let loose until the store has every outcome.

mod around;
mod kept;

use std::ops::Range;
use std::time::Instant;

use anyhow::Result;
use clap::Args;
use serde::{Deserialize, Serialize};
use tasks_abstractions::BackgroundJobManagerExt as _;

pub(crate) use around::Around;
pub(crate) use kept::{Keep, Kept, moving};

use crate::frame::backend::Backend;
use crate::frame::ledger::{Ledger, NO_OP, NoOp};
use crate::frame::node::{Node, Parts};
use crate::frame::pass::{self, peak_memory};
use crate::frame::processors::Ticks;
use crate::frame::report::{Cell, Report};
use crate::frame::samples::{Samples, rate};
use crate::frame::settings::Settings;

pub(crate) const BACKENDS: &[Backend] = &[
    Backend::Memory,
    Backend::SqliteFull,
    Backend::SqliteNormal,
    Backend::Postgres,
    Backend::Mysql,
];

/// Options of this bench.
#[derive(Debug, Clone, Args)]
pub(crate) struct Options {
    /// What is left of a job that is done.
    #[arg(long, default_value = "history")]
    keep: Keep,
}

/// Jobs of a pass.
pub(crate) const JOBS: usize = 50_000;

/// Jobs that are stored in one call.
pub(crate) const BULK: usize = 1_000;

/// One measurement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Pass {
    pub(crate) backend: Backend,
    pub(crate) jobs: usize,
    pub(crate) concurrency: usize,
    /// What else there is.
    pub(crate) around: Around,
    /// What is left of what is done.
    pub(crate) keep: Keep,
}

/// What was measured. Rates are jobs a second.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(crate) bulk: f64,
    pub(crate) drain: f64,
    /// Most memory that the process held, in bytes.
    pub(crate) peak: u64,
    /// Processor time of the whole machine for a job that is drained, in microseconds.
    pub(crate) cost: f64,
    /// Share of the drain in which the processors were busy.
    pub(crate) busy: f64,
}

impl Pass {
    /// A drain with nothing else in the database, after which everything is left.
    pub(crate) const fn alone(backend: Backend, jobs: usize, concurrency: usize) -> Self {
        Self {
            backend,
            jobs,
            concurrency,
            around: Around::Nothing,
            keep: Keep::History,
        }
    }

    /// Measures it in a process of its own.
    pub(crate) fn in_own_process(&self) -> Result<Figures> {
        pass::Pass::Drain(self.clone()).in_own_process()
    }

    pub(crate) async fn measure(self) -> Result<Figures> {
        let place = self.around.place(self.backend).await?;
        let ledger = Ledger::open(self.jobs)?;
        let mut parts = Parts::new(&place, self.concurrency, &[NO_OP]);
        parts.event = Some(ledger.clone());
        parts.keep = self.keep;
        let node = parts.start().await?;
        node.claims(false);
        let surroundings = self.around.make(&place, &node).await?;
        let before = Kept::of(&place, &node).await?;
        let began = Instant::now();
        enqueue_all(&node, self.jobs).await?;
        let bulk = rate(self.jobs, began.elapsed());

        let (began, ticks) = (Instant::now(), Ticks::now()?);
        node.claims(true);
        ledger.reached().await;
        let took = began.elapsed();
        let (seconds, busy) = ticks.since()?;
        ledger.each_ran_once()?;
        surroundings.end().await?;
        Kept::of(&place, &node)
            .await?
            .has_more(&before, self.jobs, self.keep)?;
        node.stop().await?;
        place.close()?;
        Ok(Figures {
            bulk,
            drain: rate(self.jobs, took),
            peak: peak_memory()?,
            cost: seconds * 1e6 / self.jobs as f64,
            busy,
        })
    }
}

/// Stores jobs with the numbers from zero on, 1,000 in one call.
pub(crate) async fn enqueue_all(node: &Node, count: usize) -> Result<()> {
    let mut from = 0;
    while from < count {
        let to = count.min(from + BULK);
        enqueue_numbers(node, from..to).await?;
        from = to;
    }
    Ok(())
}

/// Stores jobs with these numbers in one call.
pub(crate) async fn enqueue_numbers(node: &Node, numbers: Range<usize>) -> Result<()> {
    let jobs = node.jobs();
    let batch = numbers
        .map(|number| jobs.prepare::<NoOp>(number))
        .collect::<Result<Vec<_>, _>>()?;
    jobs.submit(batch).await?;
    Ok(())
}

/// Drains every backend and shows the medians.
pub(crate) fn run(settings: &Settings, options: &Options) -> Result<()> {
    let backends = settings.backends(BACKENDS)?;
    let jobs = settings.jobs_or(JOBS);
    let mut report = Report::new(
        "drain",
        format!(
            "{jobs} no-op jobs, stored {BULK} at once and then drained, {} at once, {}; processors: of the whole machine during the drain; \
             median (least–most) of {} passes",
            settings.concurrency,
            options.keep.in_words(),
            settings.passes
        ),
        [
            "backend",
            "bulk enqueue /s",
            "drain /s",
            "processor µs a job",
            "busy %",
            "peak MB",
        ],
    );
    for backend in &backends {
        let (mut bulk, mut drain, mut peak) = (Samples::default(), Samples::default(), Samples::default());
        let (mut cost, mut busy) = (Samples::default(), Samples::default());
        for _ in 0..settings.passes {
            let pass = Pass {
                keep: options.keep,
                ..Pass::alone(*backend, jobs, settings.concurrency)
            };
            let figures = pass.in_own_process()?;
            bulk.add(figures.bulk);
            drain.add(figures.drain);
            peak.add(figures.peak as f64 / 1e6);
            cost.add(figures.cost);
            busy.add(figures.busy * 100.0);
        }
        report.row([
            Cell::text(backend.name()),
            Cell::rate(bulk),
            Cell::rate(drain),
            Cell::Figure(cost, 1),
            Cell::Figure(busy, 0),
            Cell::Figure(peak, 0),
        ]);
    }
    report.finish(&backends)
}
