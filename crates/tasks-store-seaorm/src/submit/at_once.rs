//! New jobs on connections that are kept for them, in as few statements as the database lets them be.

#[cfg(feature = "postgres")]
use std::collections::HashSet;

use tasks_abstractions::StoreError;
#[cfg(feature = "postgres")]
use tasks_abstractions::job::Lane;
#[cfg(feature = "postgres")]
use tasks_abstractions::store::StoreErrorKind;
use tasks_abstractions::store::{ClaimRequest, ClaimedRun, PreparedJob, SubmitAnswer};

#[cfg(feature = "postgres")]
use super::{DOING, ensure_lanes, new_row, refuse_job_nul};
#[cfg(feature = "postgres")]
use crate::connect::Seats;
#[cfg(feature = "postgres")]
use crate::dialect::postgres;
#[cfg(feature = "postgres")]
use crate::row::JobRow;
use crate::store::SeaOrmStore;

impl SeaOrmStore {
    /// Stores jobs none of which is there yet. `None` where one is, or may be, and nothing was stored.
    #[cfg(feature = "postgres")]
    pub(super) async fn insert_new(
        &self,
        seats: &Seats,
        jobs: &[PreparedJob],
        lanes: &HashSet<&Lane>,
    ) -> Result<Option<Vec<SubmitAnswer>>, StoreError> {
        jobs.iter().try_for_each(|it| refuse_job_nul(&it.job))?;
        let mut seen = HashSet::with_capacity(jobs.len());
        if !jobs.iter().all(|it| seen.insert(it.job.id)) {
            return Ok(None);
        }
        let mut rows: Vec<JobRow<'_>> = jobs.iter().map(new_row).collect();
        // In the one order in which all write them.
        rows.sort_unstable_by_key(|it| it.job.id);
        let first: Vec<_> = jobs
            .iter()
            .filter_map(|it| Some((it.job.id, it.first.as_ref()?)))
            .collect();
        let seat = self.on_seat(DOING, seats.begin()).await?;
        let on = self.on(&seat);
        ensure_lanes(on, lanes).await?;
        match postgres::insert::insert_new(on, &rows, &first).await {
            Ok(true) => {
                self.on_seat(DOING, seat.commit()).await?;
                Ok(Some(vec![SubmitAnswer::Inserted; jobs.len()]))
            }
            Err(error) if error.kind() != StoreErrorKind::Rejected => Err(error),
            Ok(false) | Err(_) => {
                self.on_seat(DOING, seat.rollback()).await?;
                Ok(None)
            }
        }
    }

    /// Stores one new job in one statement, where the database has one for it. `None` where it was not stored, for whatever reason.
    #[cfg(feature = "postgres")]
    pub(super) async fn submit_at_once(
        &self,
        job: &PreparedJob,
        claim: Option<&ClaimRequest>,
    ) -> Result<Option<(SubmitAnswer, Option<ClaimedRun>)>, StoreError> {
        let (Some(seats), Some(first)) = (self.seats(), &job.first) else {
            return Ok(None);
        };
        if !self.unknown_lanes([&first.lane].into_iter()).is_empty() {
            return Ok(None);
        }
        refuse_job_nul(&job.job)?;
        let seat = self.on_seat(DOING, seats.take()).await?;
        postgres::insert::insert_one(self.on(&seat), &new_row(job), first, claim, || self.new_run()).await
    }

    #[cfg(not(feature = "postgres"))]
    pub(super) async fn submit_at_once(
        &self,
        _: &PreparedJob,
        _: Option<&ClaimRequest>,
    ) -> Result<Option<(SubmitAnswer, Option<ClaimedRun>)>, StoreError> {
        Ok(None)
    }
}
