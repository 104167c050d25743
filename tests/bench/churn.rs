//! Many jobs through the queue while others come: whether the tables in which rows come and go stay small, and whether the last jobs go as fast as the first.

use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::drain::{BULK, Keep, Kept, enqueue_numbers, moving};
use crate::frame::backend::Backend;
use crate::frame::ledger::{Ledger, NO_OP};
use crate::frame::node::Parts;
use crate::frame::pass;
use crate::frame::place::Place;
use crate::frame::report::{Cell, Report};
use crate::frame::samples::{Samples, rate};
use crate::frame::settings::Settings;

/// Servers: there, dead rows stay until they are cleaned away.
const BACKENDS: &[Backend] = &[Backend::Postgres, Backend::Mysql];

/// Jobs of a pass.
const JOBS: usize = 1_000_000;

/// Jobs that are stored and not done at any time.
const WAITING: usize = 20_000;

/// One measurement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Pass {
    backend: Backend,
    jobs: usize,
    concurrency: usize,
}

/// What was measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// Jobs a second that were stored and done.
    rate: f64,
    /// Rate of the last tenth of the jobs over that of the first one.
    last_to_first: f64,
    /// Bytes of the queue and the runs with their indexes, at the end.
    moving: u64,
}

impl Pass {
    pub(crate) async fn measure(self) -> Result<Figures> {
        let place = Place::empty(self.backend).await?;
        let ledger = Ledger::open(self.jobs)?;
        let mut parts = Parts::new(&place, self.concurrency, &[NO_OP]);
        parts.event = Some(ledger.clone());
        let node = parts.start().await?;
        let before = Kept::of(&place, &node).await?;
        let began = Instant::now();
        let mut from = 0;
        while from < self.jobs {
            ledger.at_least((from + BULK).saturating_sub(WAITING)).await;
            let to = self.jobs.min(from + BULK);
            enqueue_numbers(&node, from..to).await?;
            from = to;
        }
        ledger.reached().await;
        let took = began.elapsed();
        ledger.each_ran_once()?;
        let moving = moving(&place).await?.context("the size is asked of servers")?;
        Kept::of(&place, &node)
            .await?
            .has_more(&before, self.jobs, Keep::History)?;
        node.stop().await?;
        place.close()?;
        Ok(Figures {
            rate: rate(self.jobs, took),
            last_to_first: last_to_first(began, &ledger)?,
            moving,
        })
    }
}

fn last_to_first(began: Instant, ledger: &Ledger) -> Result<f64> {
    let tenths = ledger.tenths();
    let first = tenths.first().context("no tenth of the jobs was settled")?;
    let [.., before_last, last] = tenths.as_slice() else {
        anyhow::bail!("one tenth of the jobs says nothing of the others");
    };
    let seconds = |it: Duration| it.as_secs_f64().max(f64::EPSILON);
    Ok(seconds(first.duration_since(began)) / seconds(last.duration_since(*before_last)))
}

pub(crate) fn run(settings: &Settings) -> Result<()> {
    let backends = settings.backend_or(Backend::Postgres, BACKENDS)?;
    let jobs = settings.jobs_or(JOBS);
    let mut report = Report::new(
        "churn",
        format!(
            "{jobs} no-op jobs, {} at once, drained while they are stored, {WAITING} of them waiting at most; queue and runs with their \
             indexes at the end; median (least–most) of {} passes",
            settings.concurrency, settings.passes
        ),
        [
            "backend",
            "stored and done /s",
            "queue and runs MB",
            "last tenth / first tenth",
        ],
    );
    for backend in &backends {
        let (mut rates, mut size, mut ratio) = (Samples::default(), Samples::default(), Samples::default());
        let pass = pass::Pass::Churn(Pass {
            backend: *backend,
            jobs,
            concurrency: settings.concurrency,
        });
        for _ in 0..settings.passes {
            let figures: Figures = pass.in_own_process()?;
            rates.add(figures.rate);
            ratio.add(figures.last_to_first);
            size.add(figures.moving as f64 / 1e6);
        }
        report.row([
            Cell::text(backend.name()),
            Cell::rate(rates),
            Cell::Figure(size, 1),
            Cell::Figure(ratio, 2),
        ]);
    }
    report.finish(&backends)
}
