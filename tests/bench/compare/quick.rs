//! The short comparison of the test command: that everything runs and counts, and that the engine is not far slower than its own statements.

use anyhow::{Result, bail};

use crate::drain::Keep;
use crate::frame::backend::Backend;
use crate::frame::report::{Cell, Report};
use crate::frame::samples::Samples;
use crate::frame::settings::Settings;
use crate::{bare, drain, enqueue, latency};

/// Jobs of a pass: half a second or less.
const JOBS: usize = 10_000;

/// What the drain must at least be of the bare SQL beside it: a bound that noise does not reach.
const LEAST: f64 = 0.4;

/// Passes of a backend that is too slow before it is called so.
const PASSES: usize = 5;

/// Runs every backend that is there.
///
/// # Errors
/// Where a count is not right, or the engine is slower than [`LEAST`] of the bare SQL in the median of several passes; never for an absolute figure.
pub(crate) fn run(settings: &Settings) -> Result<()> {
    let backends = settings.backends(drain::BACKENDS)?;
    let jobs = settings.jobs_or(JOBS);
    let mut report = Report::new(
        "quick",
        format!("{jobs} no-op jobs; the ratio must be at least {LEAST}"),
        ["backend", "drain /s", "bare SQL /s", "ratio"],
    );
    let mut slow = Vec::new();
    for backend in &backends {
        let ours = || drain::Pass::alone(*backend, jobs, settings.concurrency).in_own_process();
        // Their figures are of no interest here, but that they count what they stored, and that something starts.
        let _: enqueue::Figures = enqueue::Pass {
            backend: *backend,
            jobs: jobs / 10,
        }
        .in_own_process()?;
        let _: latency::Figures = latency::Pass::new(*backend, false, Some(5)).in_own_process()?;
        if !bare::BACKENDS.contains(backend) {
            let drained: Samples = [ours()?.drain].into_iter().collect();
            report.row([
                Cell::text(backend.name()),
                Cell::rate(drained),
                Cell::Nothing,
                Cell::Nothing,
            ]);
            continue;
        }
        let (mut our, mut their) = (Samples::default(), Samples::default());
        // Enough as soon as it is fast enough; one slow pass on a busy machine says nothing.
        while our.all().is_empty() || (our.all().len() < PASSES && our.median()? < LEAST * their.median()?) {
            our.add(ours()?.drain);
            their.add(bare_drain(*backend, jobs)?);
        }
        let ratio = our.median()? / their.median()?;
        if ratio < LEAST {
            slow.push(format!("{} at {ratio:.2}", backend.name()));
        }
        report.row([
            Cell::text(backend.name()),
            Cell::rate(our),
            Cell::rate(their),
            Cell::Number(ratio, 2),
        ]);
    }
    report.finish(&backends)?;
    if slow.is_empty() {
        return Ok(());
    }
    bail!(
        "the engine drains less than {LEAST} of what bare SQL does on the same tables: {}; profile what the hot path does since it was faster",
        slow.join(", ")
    )
}

fn bare_drain(backend: Backend, jobs: usize) -> Result<f64> {
    let pass = bare::Pass {
        backend,
        jobs,
        keep: Keep::History,
    };
    Ok(pass.in_own_process()?.drain)
}
