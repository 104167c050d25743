//! A drain in some surroundings over one with nothing else, both in turn.

use anyhow::Result;

use crate::drain::{Around, Pass};
use crate::frame::backend::Backend;
use crate::frame::report::{Cell, Report};
use crate::frame::samples::Samples;
use crate::frame::settings::Settings;

/// What the drain is compared with.
pub(crate) struct Compared {
    pub(crate) mode: &'static str,
    pub(crate) around: Around,
    /// The surroundings in words.
    pub(crate) what: String,
}

/// Drains with and without, in turn, and shows the medians and their ratio.
pub(crate) fn ratio_of_drains(
    settings: &Settings,
    backends: &[Backend],
    jobs: usize,
    compared: &Compared,
) -> Result<()> {
    let jobs = settings.jobs_or(jobs);
    let mut report = Report::new(
        compared.mode,
        format!(
            "{jobs} no-op jobs, {} at once, drained alone and {}, in turn; median (least–most) of {} passes",
            settings.concurrency, compared.what, settings.passes
        ),
        ["backend", "alone /s", "so /s", "ratio"],
    );
    for backend in backends {
        let (mut alone, mut so) = (Samples::default(), Samples::default());
        let pass = |around| Pass {
            around,
            ..Pass::alone(*backend, jobs, settings.concurrency)
        };
        for _ in 0..settings.passes {
            alone.add(pass(Around::Nothing).in_own_process()?.drain);
            so.add(pass(compared.around).in_own_process()?.drain);
        }
        let ratio = Cell::ratio(&so, &alone)?;
        report.row([
            Cell::text(backend.name()),
            Cell::rate(alone),
            Cell::rate(so),
            ratio,
        ]);
    }
    report.finish(backends)
}
