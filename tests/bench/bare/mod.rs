//! The yardstick: the steps of the protocol as bare SQL on the store's own tables, without an engine.
//!
//! What a claim and a finish do to the rows is done here by hand-written statements over the driver, as fast as that goes: a claim locks due queue rows, reads
//! their jobs, removes the queue rows and inserts run rows; a finish locks the job rows in the order of their ids, compares versions, arms what repeats, removes
//! run rows by job and run id, updates the job rows and writes the log rows. Each is one transaction for a batch. Nothing happens for the sake of a job: no
//! code, no scope, no events. What the engine does on top of that is what the comparison shows.

mod batch;
mod drive;
mod mysql;
mod postgres;
mod sqlite;

use std::sync::Arc;

use anyhow::{Result, bail};
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::drain::{self, Keep};
use crate::frame::backend::Backend;
use crate::frame::ledger::Ledger;
use crate::frame::pass;
use crate::frame::place::Place;
use crate::frame::report::{Cell, Report};
use crate::frame::samples::Samples;
use crate::frame::settings::Settings;

/// The databases that have statements.
pub(crate) const BACKENDS: &[Backend] = &[
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

/// One measurement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Pass {
    pub(crate) backend: Backend,
    pub(crate) jobs: usize,
    pub(crate) keep: Keep,
}

/// What was measured, in jobs a second.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// Both rows of 1,000 jobs in one transaction.
    pub(crate) bulk: f64,
    /// Both rows of one job in one transaction, one after the other.
    pub(crate) single: f64,
    pub(crate) drain: f64,
}

/// Rows of one claim and of one finish.
const BATCH: usize = 500;

impl Pass {
    /// Measures it in a process of its own.
    pub(crate) fn in_own_process(&self) -> Result<Figures> {
        pass::Pass::Bare(self.clone()).in_own_process()
    }

    pub(crate) async fn measure(self) -> Result<Figures> {
        let place = Place::empty(self.backend).await?;
        place.make_tables().await?;
        let ledger = Arc::new(Ledger::new(self.jobs));
        let figures = match self.backend {
            Backend::Postgres => drive::measure::<postgres::Postgres>(&place, &self, &ledger).await?,
            Backend::SqliteFull | Backend::SqliteNormal => {
                drive::measure::<sqlite::Sqlite>(&place, &self, &ledger).await?
            }
            Backend::Mysql => drive::measure::<mysql::Mysql>(&place, &self, &ledger).await?,
            Backend::Memory => bail!("the store in memory has no SQL"),
        };
        ledger.each_ran_once()?;
        place.close()?;
        Ok(figures)
    }

    /// Jobs that are inserted one by one.
    fn singles(&self) -> usize {
        (self.jobs / 20).clamp(100, 5_000)
    }
}

/// Measures the yardstick alone.
pub(crate) fn run(settings: &Settings, options: &Options) -> Result<()> {
    let backends = settings.backends(BACKENDS)?;
    let jobs = settings.jobs_or(drain::JOBS);
    let mut report = Report::new(
        "bare",
        format!(
            "{jobs} jobs through the store's tables by bare SQL, {BATCH} a transaction, {}; median (least–most) of {} passes",
            options.keep.in_words(),
            settings.passes
        ),
        ["backend", "drain /s", "bulk insert /s", "single insert /s"],
    );
    for backend in &backends {
        let (mut drain, mut bulk, mut single) = (Samples::default(), Samples::default(), Samples::default());
        let pass = Pass {
            backend: *backend,
            jobs,
            keep: options.keep,
        };
        for _ in 0..settings.passes {
            let figures = pass.in_own_process()?;
            drain.add(figures.drain);
            bulk.add(figures.bulk);
            single.add(figures.single);
        }
        report.row([
            Cell::text(backend.name()),
            Cell::rate(drain),
            Cell::rate(bulk),
            Cell::rate(single),
        ]);
    }
    report.finish(&backends)
}
