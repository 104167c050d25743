//! The figures of one backend.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Serialize};
use tasks_abstractions::JobStatus;
use tasks_abstractions::{BackgroundJobManager, BackgroundJobManagerExt, JobEvent};
use tasks_multitenancy::TenantScope;
use tokio::runtime::{Builder, Runtime};

use crate::beside;
use crate::drain::{Counter, NO_OP, NoOp};
use crate::node::Node;
use crate::{Args, Backend};

/// What was measured. Rates are jobs a second.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Figures {
    pub(crate) enqueue_one: f64,
    pub(crate) enqueue_batch: f64,
    pub(crate) drain: f64,
    pub(crate) wait_p50: Duration,
    pub(crate) wait_p99: Duration,
    pub(crate) peak_kib: u64,
}

impl Figures {
    /// The best of each figure: what disturbs a measurement only ever makes it worse.
    pub(crate) fn best(passes: &[Self]) -> Self {
        let most = |of: fn(&Self) -> f64| passes.iter().map(of).fold(0.0, f64::max);
        let least = |of: fn(&Self) -> Duration| passes.iter().map(of).min().unwrap_or_default();
        Self {
            enqueue_one: most(|it| it.enqueue_one),
            enqueue_batch: most(|it| it.enqueue_batch),
            drain: most(|it| it.drain),
            wait_p50: least(|it| it.wait_p50),
            wait_p99: least(|it| it.wait_p99),
            peak_kib: passes.iter().map(|it| it.peak_kib).min().unwrap_or_default(),
        }
    }
}

/// Measures one backend in this process.
pub(crate) fn measure(backend: Backend, args: &Args) -> Result<Figures> {
    runtime()?.block_on(all(backend, args))
}

/// Only how many jobs a second it drains.
pub(crate) fn measure_drain(backend: Backend, args: &Args) -> Result<f64> {
    Ok(runtime()?.block_on(drain(backend, args))?.1)
}

fn runtime() -> Result<Runtime> {
    Ok(Builder::new_multi_thread().enable_all().build()?)
}

async fn all(backend: Backend, args: &Args) -> Result<Figures> {
    let (enqueue_batch, drain) = drain(backend, args).await?;
    let enqueue_one = enqueue_one(backend, args).await?;
    let (wait_p50, wait_p99) = wait(backend, args).await?;
    Ok(Figures {
        enqueue_one,
        enqueue_batch,
        drain,
        wait_p50,
        wait_p99,
        peak_kib: peak_kib()?,
    })
}

/// Stores jobs in batches of 1,000 while nothing is claimed, then lets the engine loose until the store has every outcome.
async fn drain(backend: Backend, args: &Args) -> Result<(f64, f64)> {
    let counter = Arc::new(Counter::default());
    let events: Vec<Arc<dyn JobEvent>> = vec![counter.clone()];
    let node = Node::start(backend, args, &[NO_OP], events, false).await?;
    if let Some(count) = args.beside {
        beside::fill(&node, count).await?;
    }
    let began = Instant::now();
    let mut left = args.jobs;
    while left > 0 {
        let count = left.min(1_000);
        let batch = (0..count)
            .map(|_| node.jobs.prepare::<NoOp>(()))
            .collect::<Result<Vec<_>, _>>()?;
        node.jobs.submit(batch).await?;
        left -= count;
    }
    let enqueued = rate(args.jobs, began.elapsed());
    counter.expect(args.jobs);
    let began = Instant::now();
    node.engine.set_claiming(true);
    counter.reached().await;
    let drained = rate(args.jobs, began.elapsed());
    let completed = node
        .store
        .counts(TenantScope::All)
        .await?
        .of(JobStatus::Completed);
    ensure!(
        completed == args.jobs as u64,
        "{completed} of {} jobs are completed",
        args.jobs
    );
    node.stop().await?;
    Ok((enqueued, drained))
}

/// Stores jobs one by one, each in a transaction of its own, from one task.
async fn enqueue_one(backend: Backend, args: &Args) -> Result<f64> {
    let count = (args.jobs / 10).clamp(100, 5_000);
    let node = Node::start(backend, args, &[NO_OP], Vec::new(), false).await?;
    let began = Instant::now();
    for _ in 0..count {
        node.jobs.enqueue::<NoOp>(()).await?;
    }
    let figure = rate(count, began.elapsed());
    node.stop().await?;
    Ok(figure)
}

/// From the call to enqueue until the code starts, on an idle engine.
async fn wait(backend: Backend, args: &Args) -> Result<(Duration, Duration)> {
    let counter = Arc::new(Counter::default());
    let events: Vec<Arc<dyn JobEvent>> = vec![counter.clone()];
    let node = Node::start(backend, args, &[NO_OP], events, true).await?;
    let mut waits = Vec::new();
    for i in 0..220 {
        counter.expect(1);
        let began = Instant::now();
        node.jobs.enqueue::<NoOp>(()).await?;
        let started = counter.started().await;
        // The first ones warm up connections and caches.
        if i >= 20 {
            waits.push(started.saturating_duration_since(began));
        }
        counter.reached().await;
    }
    node.stop().await?;
    waits.sort();
    let at = |share: usize| {
        waits
            .get((waits.len() * share / 100).min(waits.len() - 1))
            .copied()
    };
    Ok((at(50).context("no waits")?, at(99).context("no waits")?))
}

fn rate(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64().max(f64::EPSILON)
}

/// Most memory that this process ever held.
fn peak_kib() -> Result<u64> {
    let status =
        std::fs::read_to_string("/proc/self/status").context("the peak of memory is read from /proc")?;
    let line = status
        .lines()
        .find(|it| it.starts_with("VmHWM:"))
        .context("no VmHWM in /proc/self/status")?;
    line.split_whitespace()
        .nth(1)
        .context("VmHWM without a value")?
        .parse()
        .context("VmHWM is no number")
}
