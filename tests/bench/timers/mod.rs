//! How exactly jobs start at their time by the clock of the database, with many others that are due later.

mod clock;
mod timer;

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;
use rand::RngExt as _;
use serde::{Deserialize, Serialize};
use tasks_abstractions::{BackgroundJobManagerExt as _, Clock, SystemClock};

use crate::drain;
use crate::frame::backend::Backend;
use crate::frame::ledger::{NO_OP, NoOp};
use crate::frame::node::{Node, Parts};
use crate::frame::pass;
use crate::frame::place::Place;
use crate::frame::report::{Cell, Report};
use crate::frame::settings::Settings;
pub(crate) use clock::Offset;
pub(crate) use timer::{Lateness, TIMER, Timer, listen};

/// Jobs that are due, one after the other.
const JOBS: usize = 500;

/// Mean time between two of them.
const BETWEEN: Duration = Duration::from_millis(20);

/// Time before the first one, in which they are stored.
const LEAD: Duration = Duration::from_secs(3);

/// Options of this bench.
#[derive(Debug, Clone, Args)]
pub(crate) struct Options {
    /// Jobs that are due in an hour or later.
    #[arg(long, default_value_t = 1_000_000)]
    others: usize,
}

/// One measurement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Pass {
    backend: Backend,
    jobs: usize,
    others: usize,
}

/// What was measured, in milliseconds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Figures {
    p50: f64,
    p99: f64,
    most: f64,
    /// How well the clock of the database is known.
    uncertainty: f64,
}

impl Pass {
    pub(crate) async fn measure(self) -> Result<Figures> {
        let place = Place::empty(self.backend).await?;
        let (module, mut heard) = listen();
        let mut parts = Parts::new(&place, 1_000, &[TIMER, NO_OP]);
        parts.module = Some(Box::new(module));
        let node = parts.start().await?;
        later(&node, self.others).await?;
        let offset = Offset::of(&place).await?;
        let mut late = Lateness::default();
        let first = SystemClock.now() + LEAD;
        let span = BETWEEN * u32::try_from(self.jobs)?;
        let batch = (0..self.jobs)
            .map(|_| {
                let at = first + span.mul_f64(rand::rng().random_range(0.0..1.0));
                node.jobs()
                    .enqueue::<Timer>(at.timestamp_micros())
                    .at(at)
                    .prepare()
            })
            .collect::<Result<Vec<_>, _>>()?;
        node.jobs().submit(batch).await?;
        for _ in 0..self.jobs {
            late.add(heard.next().await?, &offset)?;
        }
        node.stop().await?;
        place.close()?;
        Ok(Figures {
            p50: late.percentile(50)?,
            p99: late.percentile(99)?,
            most: late.percentile(100)?,
            uncertainty: offset.uncertainty().as_secs_f64() * 1e3,
        })
    }
}

/// Stores jobs that are due when all is over.
async fn later(node: &Node, count: usize) -> Result<()> {
    let jobs = node.jobs();
    let mut left = count;
    while left > 0 {
        let part = left.min(drain::BULK);
        let one = || {
            let delay = Duration::from_secs(3_600).mul_f64(rand::rng().random_range(1.0..2.0));
            jobs.enqueue::<NoOp>(usize::MAX).delay(delay).prepare()
        };
        let batch = (0..part).map(|_| one()).collect::<Result<Vec<_>, _>>()?;
        jobs.submit(batch).await?;
        left -= part;
    }
    Ok(())
}

/// Measures every backend.
pub(crate) fn run(settings: &Settings, options: &Options) -> Result<()> {
    let backends = settings.backends(drain::BACKENDS)?;
    let jobs = settings.jobs_or(JOBS);
    ensure!(jobs > 1, "one job has no percentiles");
    let mut report = Report::new(
        "timers",
        format!(
            "{jobs} jobs, each at its own time, about {} ms from one to the next, beside {} others that are due later; how late they start by the \
             clock of the database, in ms; none may be early; median (least–most) of {} passes",
            BETWEEN.as_millis(),
            options.others,
            settings.passes
        ),
        [
            "backend",
            "late p50",
            "late p99",
            "late at most",
            "clock known to",
        ],
    );
    for backend in &backends {
        let pass = pass::Pass::Timers(Pass {
            backend: *backend,
            jobs,
            others: options.others,
        });
        let mut figures = Vec::<Figures>::new();
        for _ in 0..settings.passes {
            figures.push(
                pass.in_own_process()
                    .with_context(|| format!("timers on {}", backend.name()))?,
            );
        }
        let all = |of: fn(&Figures) -> f64| Cell::millis(figures.iter().map(of).collect());
        report.row([
            Cell::text(backend.name()),
            all(|it| it.p50),
            all(|it| it.p99),
            all(|it| it.most),
            all(|it| it.uncertainty),
        ]);
    }
    report.finish(&backends)
}
