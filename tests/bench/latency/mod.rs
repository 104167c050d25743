//! How soon a job starts on an idle node after it was committed: by the same node, and by another one that has to hear of it.

mod stamp;

use std::time::{Duration, Instant};

use anyhow::Result;
use rand::RngExt as _;
use serde::{Deserialize, Serialize};
use tasks_abstractions::{BackgroundJobManagerExt, JobCommand};
use tasks_multitenancy::TenantScope;

use crate::drain::BACKENDS;
use crate::frame::backend::Backend;
use crate::frame::node::{Node, Parts};
use crate::frame::pass;
use crate::frame::pause::pause;
use crate::frame::place::Place;
use crate::frame::report::{Cell, Report};
use crate::frame::samples::{Samples, percentile};
use crate::frame::settings::Settings;
use stamp::{Heard, STAMP, Stamp, Telling, channel};

/// Rounds of a pass where a node hears of work, and where it finds it by polling.
const HEARD: usize = 200;
const POLLED: usize = 20;

/// Rounds before the first one that counts: connections and caches get warm.
const WARMING: usize = 10;

/// One measurement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Pass {
    pub(crate) backend: Backend,
    /// Whether another node runs the jobs than the one that accepts them.
    pub(crate) other: bool,
    pub(crate) rounds: usize,
}

/// What was measured, in milliseconds.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// From the answer to the caller, which is after the commit; nothing where the code was faster.
    pub(crate) commit_p50: f64,
    pub(crate) commit_p99: f64,
    /// From the call.
    pub(crate) call_p50: f64,
    pub(crate) call_p99: f64,
    /// From a command on the other node to the token of the run.
    pub(crate) cancel_p50: Option<f64>,
    pub(crate) cancel_p99: Option<f64>,
}

impl Pass {
    /// One with as many rounds as the way takes time for.
    pub(crate) fn new(backend: Backend, other: bool, rounds: Option<usize>) -> Self {
        let rounds = rounds.unwrap_or(if other && is_polled(backend) {
            POLLED
        } else {
            HEARD
        });
        Self {
            backend,
            other,
            rounds,
        }
    }

    /// Measures it in a process of its own.
    pub(crate) fn in_own_process(&self) -> Result<Figures> {
        pass::Pass::Latency(self.clone()).in_own_process()
    }

    pub(crate) async fn measure(self) -> Result<Figures> {
        let place = Place::empty(self.backend).await?;
        let (told, mut starts) = channel();
        let (settled, mut outcomes) = channel();
        let mut worker = Parts::new(&place, 100, &[STAMP]);
        worker.module = Some(Box::new(Telling(told)));
        worker.event = Some(settled);
        let worker = worker.start().await?;
        let office = match self.other {
            true => {
                let mut office = Parts::new(&place, 0, &[STAMP]);
                office.name = "office";
                // It runs none, but checks what they need.
                office.module = Some(Box::new(Telling(channel().0)));
                Some(office.start().await?)
            }
            false => None,
        };
        let caller = office.as_ref().unwrap_or(&worker);
        let mut waits = Waits::default();
        for round in 0..self.rounds + WARMING {
            pause(self.gap(&worker)).await;
            if round == WARMING {
                waits = Waits::default();
            }
            waits.start(caller, &mut starts).await?;
            outcomes.next().await?;
        }
        let mut cancels = Vec::new();
        if self.other && !is_polled(self.backend) {
            for _ in 0..self.rounds {
                cancels.push(cancel(caller, &mut starts).await?);
                outcomes.next().await?;
            }
        }
        if let Some(office) = office {
            office.stop().await?;
        }
        worker.stop().await?;
        place.close()?;
        let has_cancels = !cancels.is_empty();
        let mut of_cancels = |share| -> Result<Option<f64>> {
            has_cancels.then(|| percentile(&mut cancels, share)).transpose()
        };
        Ok(Figures {
            commit_p50: percentile(&mut waits.from_commit, 50)?,
            commit_p99: percentile(&mut waits.from_commit, 99)?,
            call_p50: percentile(&mut waits.from_call, 50)?,
            call_p99: percentile(&mut waits.from_call, 99)?,
            cancel_p50: of_cancels(50)?,
            cancel_p99: of_cancels(99)?,
        })
    }

    /// How long the node is left idle before a round: where it polls, any part of the interval, else until nothing of the last round is left.
    fn gap(&self, worker: &Node) -> Duration {
        if self.other && is_polled(self.backend) {
            worker
                .host
                .options()
                .engine
                .poll_interval
                .mul_f64(rand::rng().random_range(0.0..1.0))
        } else {
            Duration::from_millis(10)
        }
    }
}

/// Whether another node finds work by polling only.
fn is_polled(backend: Backend) -> bool {
    backend != Backend::Postgres
}

#[derive(Debug, Default)]
struct Waits {
    from_call: Vec<Duration>,
    from_commit: Vec<Duration>,
}

impl Waits {
    async fn start(&mut self, caller: &Node, starts: &mut Heard) -> Result<()> {
        let called = Instant::now();
        caller.jobs().enqueue::<Stamp>(false).await?;
        let committed = Instant::now();
        let started = starts.next().await?;
        self.from_call.push(started.saturating_duration_since(called));
        self.from_commit
            .push(started.saturating_duration_since(committed));
        Ok(())
    }
}

/// From a command to the run's token.
async fn cancel(caller: &Node, starts: &mut Heard) -> Result<Duration> {
    let id = caller.jobs().enqueue::<Stamp>(true).await?;
    starts.next().await?;
    let commanded = Instant::now();
    caller
        .host
        .management()
        .command(TenantScope::All, id, JobCommand::Cancel)
        .await?;
    Ok(starts.next().await?.saturating_duration_since(commanded))
}

/// Measures every backend, the same node and another one.
pub(crate) fn run(settings: &Settings) -> Result<()> {
    let backends = settings.backends(BACKENDS)?;
    let rounds = settings.given_jobs();
    let mut report = Report::new(
        "latency",
        format!(
            "jobs one after the other on an idle node ({} a pass; {} where another node finds them by polling, which it does each second); milliseconds, \
             median (least–most) of {} passes; the other node runs in the same process, with connections of its own",
            rounds.unwrap_or(HEARD),
            rounds.unwrap_or(POLLED),
            settings.passes
        ),
        [
            "backend",
            "run by",
            "commit → start p50",
            "commit → start p99",
            "call → start p50",
            "call → start p99",
            "cancel → asked to end p50",
            "cancel → asked to end p99",
        ],
    );
    for backend in &backends {
        for other in [false, true] {
            if other && *backend == Backend::Memory {
                continue;
            }
            let pass = Pass::new(*backend, other, rounds);
            let mut figures = Vec::new();
            for _ in 0..settings.passes {
                figures.push(pass.in_own_process()?);
            }
            let all = |of: fn(&Figures) -> Option<f64>| {
                let samples: Samples = figures.iter().filter_map(of).collect();
                match samples.all() {
                    [] => Cell::Nothing,
                    _ => Cell::millis(samples),
                }
            };
            report.row([
                Cell::text(backend.name()),
                Cell::text(if other { "another node" } else { "the same node" }),
                all(|it| Some(it.commit_p50)),
                all(|it| Some(it.commit_p99)),
                all(|it| Some(it.call_p50)),
                all(|it| Some(it.call_p99)),
                all(|it| it.cancel_p50),
                all(|it| it.cancel_p99),
            ]);
        }
    }
    report.finish(&backends)
}
