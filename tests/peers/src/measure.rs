//! The same measurements for every queue: single enqueue, bulk enqueue, drain, and how soon a job starts on an idle worker.

use std::ops::Range;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use crate::book;

/// Jobs that are stored in one call.
const BULK: usize = 1_000;

/// Jobs one after the other on an idle worker, and those before the first one that counts.
const ROUNDS: usize = 200;
const WARMING: usize = 10;

/// Time between two of them.
const GAP: Duration = Duration::from_millis(10);

/// In which all outcomes must be stored.
const STORED: Duration = Duration::from_secs(30);

/// One queue.
pub trait Queue {
    /// A running worker.
    type Worker;

    /// Stores one job.
    async fn enqueue(&mut self, number: usize) -> Result<()>;

    /// Stores jobs in one call.
    async fn enqueue_bulk(&mut self, numbers: Range<usize>) -> Result<()>;

    /// Removes all jobs.
    async fn clear(&mut self) -> Result<()>;

    /// Jobs that are not done by what the database says.
    async fn left(&mut self) -> Result<i64>;

    async fn start(&mut self) -> Result<Self::Worker>;

    async fn stop(&mut self, worker: Self::Worker) -> Result<()>;
}

/// Rates are jobs a second, waits milliseconds.
#[derive(Debug, Serialize)]
pub struct Figures {
    drain: f64,
    bulk: f64,
    single: f64,
    start_p50: f64,
    start_p99: f64,
}

/// Measures all of it.
pub async fn measure<Q: Queue>(mut queue: Q, jobs: usize) -> Result<Figures> {
    let singles = (jobs / 20).clamp(100, 2_000);
    let began = Instant::now();
    for number in (jobs..).take(singles) {
        queue.enqueue(number).await?;
    }
    let single = rate(singles, began);
    queue.clear().await?;

    let began = Instant::now();
    let mut from = 0;
    while from < jobs {
        let to = jobs.min(from + BULK);
        queue.enqueue_bulk(from..to).await?;
        from = to;
    }
    let bulk = rate(jobs, began);

    let began = Instant::now();
    let worker = queue.start().await?;
    book::all_ran().await?;
    let drain = rate(jobs, began);
    book::each_ran_once()?;
    all_stored(&mut queue).await?;

    let mut waits = Vec::with_capacity(ROUNDS);
    for round in 0..ROUNDS + WARMING {
        pause(GAP).await;
        queue.enqueue(jobs + round).await?;
        let committed = Instant::now();
        let wait = book::started().await?.saturating_duration_since(committed);
        if round >= WARMING {
            waits.push(wait);
        }
    }
    queue.stop(worker).await?;
    book::each_ran_once()?;
    waits.sort_unstable();
    let at = |share: usize| {
        let wait = waits.get((waits.len() * share / 100).min(waits.len() - 1));
        wait.map(|it| it.as_secs_f64() * 1e3)
            .context("no waits were measured")
    };
    Ok(Figures {
        drain,
        bulk,
        single,
        start_p50: at(50)?,
        start_p99: at(99)?,
    })
}

/// Waits until the database says that all jobs are done.
async fn all_stored(queue: &mut impl Queue) -> Result<()> {
    let began = Instant::now();
    loop {
        let left = queue.left().await?;
        if left == 0 {
            return Ok(());
        }
        ensure!(
            began.elapsed() < STORED,
            "{left} jobs are not done in the database"
        );
        pause(GAP).await;
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "an idle worker is measured, and the database tells nobody that it has changed"
)]
async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

fn rate(count: usize, since: Instant) -> f64 {
    count as f64 / since.elapsed().as_secs_f64().max(f64::EPSILON)
}
