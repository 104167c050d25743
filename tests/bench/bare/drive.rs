//! Driving the statements of one database: single inserts, bulk inserts, and then the drain.

use std::sync::Arc;
use std::time::Instant;

use anyhow::{Result, ensure};
use tokio::sync::mpsc;
use uuid::Uuid;

use super::batch::{self, Claimed, NewJob};
use super::{Figures, Pass};
use crate::drain::BULK;
use crate::drain::Keep;
use crate::frame::ledger::Ledger;
use crate::frame::place::Place;
use crate::frame::samples::rate;

/// Batches that are claimed before they are finished.
const AHEAD: usize = 2;

/// One connection with the statements of its database.
pub(super) trait Statements: Sized + Send + 'static {
    /// Whether one connection claims while another one finishes; else one does both in turn.
    const CLAIMS_APART: bool;

    fn connect(place: &Place) -> impl Future<Output = Result<Self>> + Send;

    /// Both rows of each job, in one transaction.
    fn insert(&mut self, jobs: &[NewJob]) -> impl Future<Output = Result<()>> + Send;

    /// Removes all jobs.
    fn clear(&mut self) -> impl Future<Output = Result<()>> + Send;

    /// Moves a batch of due executions to the runs, from the due time `floor` on; answers them by ascending id of their jobs.
    fn claim(&mut self, instance: Uuid, floor: i64) -> impl Future<Output = Result<Vec<Claimed>>> + Send;

    /// Settles a batch of runs.
    fn finish(
        &mut self,
        instance: Uuid,
        keep: Keep,
        claimed: &[Claimed],
    ) -> impl Future<Output = Result<()>> + Send;

    /// Jobs that are done, jobs with a log row, jobs that wait or run.
    fn kept(&mut self) -> impl Future<Output = Result<(i64, i64, i64)>> + Send;

    fn close(self) -> impl Future<Output = Result<()>> + Send;
}

/// Measures all of it.
pub(super) async fn measure<S: Statements>(
    place: &Place,
    pass: &Pass,
    ledger: &Arc<Ledger>,
) -> Result<Figures> {
    let mut first = S::connect(place).await?;

    let began = Instant::now();
    for number in (pass.jobs..).take(pass.singles()) {
        // Numbers beyond the ledger: these are removed again.
        first.insert(&batch::new_jobs(number..number + 1)).await?;
    }
    let single = rate(pass.singles(), began.elapsed());
    first.clear().await?;

    let began = Instant::now();
    let mut from = 0;
    while from < pass.jobs {
        let to = pass.jobs.min(from + BULK);
        first.insert(&batch::new_jobs(from..to)).await?;
        from = to;
    }
    let bulk = rate(pass.jobs, began.elapsed());

    let second = match S::CLAIMS_APART {
        true => Some(S::connect(place).await?),
        false => None,
    };
    let began = Instant::now();
    let (done, mut last) = match second {
        Some(second) => drain_with_two(first, second, pass, ledger).await?,
        None => drain_with_one(first, pass, ledger).await?,
    };
    let drain = rate(pass.jobs, began.elapsed());
    ensure!(done == pass.jobs, "{done} of {} jobs were claimed", pass.jobs);
    batch::check_kept(pass, last.kept().await?)?;
    last.close().await?;
    Ok(Figures { bulk, single, drain })
}

async fn drain_with_one<S: Statements>(mut only: S, pass: &Pass, ledger: &Ledger) -> Result<(usize, S)> {
    let instance = Uuid::now_v7();
    let mut done = 0;
    let mut floor = i64::MIN;
    loop {
        let claimed = only.claim(instance, floor).await?;
        if claimed.is_empty() {
            return Ok((done, only));
        }
        floor = batch::floor_after(&claimed, floor);
        batch::execute(&claimed, ledger)?;
        only.finish(instance, pass.keep, &claimed).await?;
        done += claimed.len();
    }
}

async fn drain_with_two<S: Statements>(
    mut claiming: S,
    mut finishing: S,
    pass: &Pass,
    ledger: &Ledger,
) -> Result<(usize, S)> {
    let instance = Uuid::now_v7();
    let (sender, mut batches) = mpsc::channel::<Vec<Claimed>>(AHEAD);
    let claims = tokio::spawn(async move {
        let mut floor = i64::MIN;
        loop {
            let claimed = claiming.claim(instance, floor).await?;
            floor = batch::floor_after(&claimed, floor);
            // Where the other side has ended with an error, that one is told.
            if claimed.is_empty() || sender.send(claimed).await.is_err() {
                return claiming.close().await;
            }
        }
    });
    let mut done = 0;
    while let Some(claimed) = batches.recv().await {
        batch::execute(&claimed, ledger)?;
        finishing.finish(instance, pass.keep, &claimed).await?;
        done += claimed.len();
    }
    claims.await??;
    Ok((done, finishing))
}
