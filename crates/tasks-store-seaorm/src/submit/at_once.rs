//! New jobs on connections that are kept for them, in as few statements as the database lets them be.

use std::collections::HashSet;

use tasks_abstractions::StoreError;
use tasks_abstractions::job::Lane;
use tasks_abstractions::store::{ClaimRequest, ClaimedRun, PreparedJob, StoreErrorKind, SubmitAnswer};

use super::{DOING, ensure_lanes, new_row, refuse_job_nul};
#[cfg(feature = "postgres")]
use crate::connect::Seats;
#[cfg(feature = "postgres")]
use crate::dialect::postgres;
use crate::row::{JobRow, Place, PlainRow};
use crate::store::SeaOrmStore;

impl SeaOrmStore {
    /// Stores plain jobs none of which is there yet, with nothing in the statement for those that are. `None` where one is, or may be, and nothing was stored.
    pub(super) async fn insert_plain(
        &self,
        jobs: &[PreparedJob],
        lanes: &HashSet<&Lane>,
    ) -> Result<Option<Vec<SubmitAnswer>>, StoreError> {
        let sql = self.handles().open.dialect.sql();
        let Some(insert) = sql.insert_new_jobs else {
            return Ok(None);
        };
        jobs.iter().try_for_each(|it| refuse_job_nul(&it.job))?;
        let mut rows: Vec<JobRow<'_>> = jobs.iter().map(new_row).collect();
        let mut seen = HashSet::with_capacity(jobs.len());
        if !rows.iter().all(|it| it.is_plain() && seen.insert(it.job.id)) {
            return Ok(None);
        }
        // In the one order in which all write them.
        rows.sort_unstable_by_key(|it| it.job.id);
        let rows = insert.with(rows.iter().map(PlainRow))?;
        let first = jobs
            .iter()
            .filter_map(|it| Some(Place::new(it.job.id, it.first.as_ref()?)));
        let places = sql.put_queue.with(first)?;
        let tx = self.begin(DOING).await?;
        let on = self.on(&tx);
        ensure_lanes(on, lanes).await?;
        match on.write(rows, &[], DOING).await {
            Ok(_) => {}
            Err(error) if error.kind() == StoreErrorKind::Rejected => {
                self.rollback(tx, DOING).await?;
                return Ok(None);
            }
            Err(error) => return Err(error),
        }
        on.write(places, &[], DOING).await?;
        self.commit(tx, DOING).await?;
        Ok(Some(vec![SubmitAnswer::Inserted; jobs.len()]))
    }

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
