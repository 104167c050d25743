//! What is counted.

use std::hint::black_box;

use anyhow::{Context, Result};
use chrono::TimeDelta;
use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use tasks_abstractions::services::ServiceRegistry;
use tasks_abstractions::{BackgroundJob as _, Clock as _, SystemClock};
use tasks_core::JobRegistry;
use tasks_core::cron::CronSchedule;

use super::queue::Queue;
use crate::frame::ledger::{NO_OP, NoOp};

/// Something that is done for every job or every fire.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
pub(super) enum Piece {
    Settle,
    CronNext,
    Scope,
    MemoryClaim,
    MemoryFinish,
    SqliteClaim,
    SqliteFinish,
}

impl Piece {
    pub(super) const fn in_words(self) -> &'static str {
        match self {
            Self::Settle => "what a finished run leads to",
            Self::CronNext => "the next fire of a cron in Europe/London",
            Self::Scope => "the scope of a run, and the job in it",
            Self::MemoryClaim => "a job claimed, of 100 at once, in memory",
            Self::MemoryFinish => "an outcome written, of 100 at once, in memory",
            Self::SqliteClaim => "a job claimed, of 100 at once, on SQLite",
            Self::SqliteFinish => "an outcome written, of 100 at once, on SQLite",
        }
    }

    /// What was counted when this was last looked at.
    pub(super) const fn recorded(self) -> f64 {
        match self {
            Self::Settle => 1_281.0,
            Self::CronNext => 4_777.0,
            Self::Scope => 369.0,
            Self::MemoryClaim => 2_844.0,
            Self::MemoryFinish => 10_627.0,
            Self::SqliteClaim => 83_398.0,
            Self::SqliteFinish => 87_131.0,
        }
    }

    /// Prepares it, and does it where that is wanted.
    pub(super) async fn run(self, times: usize, is_done: bool) -> Result<usize> {
        let rounds = if is_done { times } else { 0 };
        match self {
            Self::Settle => {
                let queue = Queue::in_memory(times).await?;
                let claimed = queue.claim(1).await?;
                let run = claimed.first().context("a job was stored")?;
                for _ in 0..rounds {
                    black_box(queue.settled(black_box(run)));
                }
            }
            Self::CronNext => {
                let cron = CronSchedule::parse("0 30 9 ? * MON-FRI", Some("Europe/London"))?;
                let mut after = SystemClock.now();
                for _ in 0..rounds {
                    // From all days of the week.
                    after += TimeDelta::hours(13);
                    black_box(cron.next_after(black_box(after)));
                }
            }
            Self::Scope => {
                let mut registry = JobRegistry::new();
                registry.add_job(&NO_OP)?;
                let services = ServiceRegistry::new().finish();
                for _ in 0..rounds {
                    let scope = services.scope();
                    let job = registry.get(NoOp::NAME).context("it is registered")?;
                    black_box(job.build(&scope)?);
                }
            }
            Self::MemoryClaim => drop(Queue::in_memory(times).await?.claim(rounds).await?),
            Self::SqliteClaim => drop(Queue::on_sqlite(times).await?.claim(rounds).await?),
            Self::MemoryFinish => finish(Queue::in_memory(times).await?, times, rounds).await?,
            Self::SqliteFinish => finish(Queue::on_sqlite(times).await?, times, rounds).await?,
        }
        Ok(rounds)
    }
}

async fn finish(queue: Queue, times: usize, rounds: usize) -> Result<()> {
    let claimed = queue.claim(times).await?;
    let ended = claimed.iter().take(rounds).map(|it| queue.settled(it)).collect();
    queue.finish(ended).await
}
