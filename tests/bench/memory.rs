//! The peak of memory of a node that drains very many jobs.

use anyhow::Result;

use crate::drain::{self, Pass};
use crate::frame::backend::Backend;
use crate::frame::report::{Cell, Report};
use crate::frame::samples::Samples;
use crate::frame::settings::Settings;

/// A store in memory holds the jobs themselves, which says nothing of the engine.
const BACKENDS: &[Backend] = &[
    Backend::SqliteFull,
    Backend::SqliteNormal,
    Backend::Postgres,
    Backend::Mysql,
];

/// Jobs of a pass.
const JOBS: usize = 1_000_000;

pub(crate) fn run(settings: &Settings) -> Result<()> {
    let backends = settings.backends(BACKENDS)?;
    let jobs = settings.jobs_or(JOBS);
    let mut report = Report::new(
        "memory",
        format!(
            "the peak of a process that stores {jobs} jobs, {} at once, and drains them, {} at once (a byte a job of it counts the runs); \
             median (least–most) of {} passes",
            drain::BULK,
            settings.concurrency,
            settings.passes
        ),
        ["backend", "peak MB", "drain /s"],
    );
    for backend in &backends {
        let (mut peak, mut drain) = (Samples::default(), Samples::default());
        for _ in 0..settings.passes {
            let figures = Pass::alone(*backend, jobs, settings.concurrency).in_own_process()?;
            peak.add(figures.peak as f64 / 1e6);
            drain.add(figures.drain);
        }
        report.row([
            Cell::text(backend.name()),
            Cell::Figure(peak, 0),
            Cell::rate(drain),
        ]);
    }
    report.finish(&backends)
}
