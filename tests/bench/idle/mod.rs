//! What a node costs that has nothing to do: processor, memory, and statements to the database.

mod counted;
mod usage;

use std::time::{Duration, Instant};

use anyhow::Result;
use clap::Args;
use serde::{Deserialize, Serialize};

use crate::drain::BACKENDS;
use crate::frame::backend::Backend;
use crate::frame::ledger::NO_OP;
use crate::frame::node::Parts;
use crate::frame::pass;
use crate::frame::pause::pause;
use crate::frame::place::Place;
use crate::frame::report::{Cell, Report};
use crate::frame::samples::Samples;
use crate::frame::settings::Settings;
use counted::Statements;

/// Time after the start in which nothing is measured: what is done once is no cost of being idle.
const SETTLING: Duration = Duration::from_secs(10);

/// Options of this bench.
#[derive(Debug, Clone, Args)]
pub(crate) struct Options {
    /// Seconds of a pass.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
}

/// One measurement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Pass {
    backend: Backend,
    seconds: u64,
}

/// What was measured.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// Share of one core, in percent.
    processor: f64,
    /// Memory in use, in bytes.
    memory: u64,
    /// Statements a second that the server was sent.
    statements: Option<f64>,
}

impl Pass {
    pub(crate) async fn measure(self) -> Result<Figures> {
        let place = Place::empty(self.backend).await?;
        let statements = Statements::of(&place).await?;
        let place = match statements.address() {
            Some(url) => place.with(|it| it.url = url),
            None => place,
        };
        // A node as it is by default, with the system jobs.
        let mut parts = Parts::new(&place, 100, &[NO_OP]);
        parts.maintains = true;
        let node = parts.start().await?;
        pause(SETTLING).await;
        let (sent, used, began) = (statements.count().await?, usage::processor()?, Instant::now());
        pause(Duration::from_secs(self.seconds)).await;
        let (took, sent, used) = (
            began.elapsed().as_secs_f64(),
            statements.count().await? - sent,
            usage::processor()? - used,
        );
        let memory = usage::memory()?;
        node.stop().await?;
        place.close()?;
        Ok(Figures {
            processor: used.as_secs_f64() / took * 100.0,
            memory,
            statements: statements.is_counting().then_some(sent as f64 / took),
        })
    }
}

/// Measures every backend.
pub(crate) fn run(settings: &Settings, options: &Options) -> Result<()> {
    let backends = settings.backends(BACKENDS)?;
    let mut report = Report::new(
        "idle",
        format!(
            "a node with default options and nothing to do, for {} s; median (least–most) of {} passes",
            options.seconds, settings.passes
        ),
        [
            "backend",
            "% of a core",
            "memory MB",
            "statements /s",
            "of 200 nodes /s",
        ],
    );
    for backend in &backends {
        let pass = pass::Pass::Idle(Pass {
            backend: *backend,
            seconds: options.seconds,
        });
        let mut figures = Vec::<Figures>::new();
        for _ in 0..settings.passes {
            figures.push(pass.in_own_process()?);
        }
        let all = |of: fn(&Figures) -> Option<f64>, digits| {
            let samples: Samples = figures.iter().filter_map(of).collect();
            match samples.all() {
                [] => Cell::Nothing,
                _ => Cell::Figure(samples, digits),
            }
        };
        report.row([
            Cell::text(backend.name()),
            all(|it| Some(it.processor), 3),
            all(|it| Some(it.memory as f64 / 1e6), 1),
            all(|it| it.statements, 2),
            all(|it| it.statements.map(|it| it * 200.0), 0),
        ]);
    }
    report.finish(&backends)
}
