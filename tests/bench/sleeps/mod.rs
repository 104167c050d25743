//! Jobs that do work: many that sleep at once, and some that keep their threads busy while others have their time and the node its heartbeat.

mod busy;
mod jobs;

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use clap::Args;
use serde::{Deserialize, Serialize};
use tasks_abstractions::BackgroundJobManagerExt as _;

use crate::drain::BULK;
use crate::frame::backend::Backend;
use crate::frame::node::Parts;
use crate::frame::pass;
use crate::frame::place::Place;
use crate::frame::report::{Cell, Report};
use crate::frame::settings::Settings;
use jobs::{AWAKE, SLEEP, Sleep};

const BACKENDS: &[Backend] = &[
    Backend::Memory,
    Backend::SqliteFull,
    Backend::Postgres,
    Backend::Mysql,
];

/// Jobs that sleep at once.
const JOBS: usize = 10_000;

/// How long each of them sleeps.
const NAP: Duration = Duration::from_secs(1);

/// Options of this bench.
#[derive(Debug, Clone, Args)]
pub(crate) struct Options {
    /// Seconds for which jobs keep threads busy.
    #[arg(long, default_value_t = 10)]
    busy: u64,
}

/// One measurement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) enum Pass {
    /// So many jobs that sleep at once.
    Sleeping { backend: Backend, jobs: usize },
    /// Jobs that never yield, for so many seconds, on all threads but one.
    Busy { backend: Backend, seconds: u64 },
}

/// What was measured.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// Most jobs that slept at the same time.
    at_once: u64,
    /// Seconds until the last one was done.
    took: f64,
    /// How late jobs with a time of their own started beside busy threads, in milliseconds.
    late_p99: f64,
    late_most: f64,
    /// Longest time between two heartbeats over the interval between them, in milliseconds.
    heartbeat: f64,
}

impl Pass {
    pub(crate) async fn measure(self) -> Result<Figures> {
        match self {
            Self::Sleeping { backend, jobs } => sleeping(backend, jobs).await,
            Self::Busy { backend, seconds } => busy::measure(backend, Duration::from_secs(seconds)).await,
        }
    }
}

async fn sleeping(backend: Backend, jobs: usize) -> Result<Figures> {
    let place = Place::empty(backend).await?;
    let node = Parts::new(&place, jobs, &[SLEEP]).start().await?;
    node.claims(false);
    let mut from = 0;
    while from < jobs {
        let to = jobs.min(from + BULK);
        let batch = (from..to)
            .map(|_| node.jobs().prepare::<Sleep>(NAP.as_millis()))
            .collect::<Result<Vec<_>, _>>()?;
        node.jobs().submit(batch).await?;
        from = to;
    }
    let began = Instant::now();
    node.claims(true);
    AWAKE.reached(jobs).await;
    let took = began.elapsed().as_secs_f64();
    ensure!(AWAKE.done() == jobs, "{} of {jobs} jobs slept", AWAKE.done());
    node.stop().await?;
    place.close()?;
    Ok(Figures {
        at_once: u64::try_from(AWAKE.most_at_once())?,
        took,
        ..Figures::default()
    })
}

/// Measures every backend.
pub(crate) fn run(settings: &Settings, options: &Options) -> Result<()> {
    let backends = settings.backends(BACKENDS)?;
    let jobs = settings.jobs_or(JOBS);
    let mut report = Report::new(
        "sleeps",
        format!(
            "{jobs} jobs that sleep {NAP:?}, all at once; then, for {} s, jobs that never yield on all threads but one, beside jobs that start at their \
             time: how late these are by the clock of the database, and what is between two heartbeats beyond their interval, in ms; \
             median (least–most) of {} passes",
            options.busy, settings.passes
        ),
        [
            "backend",
            "slept at once",
            "all done after s",
            "late p99",
            "late at most",
            "heartbeat late",
        ],
    );
    for backend in &backends {
        let (mut slept, mut busy) = (Vec::<Figures>::new(), Vec::<Figures>::new());
        for _ in 0..settings.passes {
            let pass = Pass::Sleeping {
                backend: *backend,
                jobs,
            };
            slept.push(pass::Pass::Sleeps(pass).in_own_process()?);
            let pass = Pass::Busy {
                backend: *backend,
                seconds: options.busy,
            };
            let figures = pass::Pass::Sleeps(pass).in_own_process();
            busy.push(figures.with_context(|| format!("busy threads on {}", backend.name()))?);
        }
        let all = |figures: &[Figures], of: fn(&Figures) -> f64, digits| {
            Cell::Figure(figures.iter().map(of).collect(), digits)
        };
        report.row([
            Cell::text(backend.name()),
            all(&slept, |it| it.at_once as f64, 0),
            all(&slept, |it| it.took, 2),
            all(&busy, |it| it.late_p99, 2),
            all(&busy, |it| it.late_most, 2),
            match *backend {
                // Nobody else can look.
                Backend::Memory => Cell::Nothing,
                _ => all(&busy, |it| it.heartbeat, 1),
            },
        ]);
    }
    report.finish(&backends)
}
