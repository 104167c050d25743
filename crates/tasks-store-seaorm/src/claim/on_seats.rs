//! Claims on connections that are kept for them.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tasks_abstractions::StoreError;
use tasks_abstractions::store::{ClaimRequest, ClaimedRun, StoreErrorKind};

use super::CLAIMING;
use crate::connect::Seats;
use crate::dialect::postgres;
use crate::store::SeaOrmStore;

/// How long claims begin nothing that they have not read, after a job that could not be read.
const WARY: Duration = Duration::from_secs(60);

/// When a job was last seen that cannot be read.
#[derive(Debug, Default)]
pub(crate) struct Unreadable(Mutex<Option<Instant>>);

impl Unreadable {
    fn seen(&self, now: Instant) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
    }

    fn is_recent(&self, now: Instant) -> bool {
        let seen = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        seen.is_some_and(|it| now.saturating_duration_since(it) < WARY)
    }
}

impl SeaOrmStore {
    /// A few by one statement, or as many as there may be. What was committed is answered before anything else is claimed: it is to be run.
    pub(super) async fn claim_on(
        &self,
        seats: &Seats,
        request: &ClaimRequest,
    ) -> Result<Vec<ClaimedRun>, StoreError> {
        if postgres::few::may_be_few(request) && !self.handles().unreadable.is_recent(Instant::now()) {
            let seat = self.on_seat(CLAIMING, seats.take()).await?;
            match postgres::few::claim_few(self.on(&seat), request, || self.new_run()).await {
                Ok(few) if few.is_more => {}
                Ok(few) if few.unreadable.is_empty() => return Ok(few.claimed),
                Ok(few) => {
                    self.handles().unreadable.seen(Instant::now());
                    let put_back = postgres::few::put_back(self.on(&seat), request, &few.unreadable).await;
                    if let Err(error) = put_back {
                        tracing::error!(%error, jobs = few.unreadable.len(), "jobs that cannot be read are in flight; the next heartbeat looks at them again");
                    }
                    if !few.claimed.is_empty() {
                        return Ok(few.claimed);
                    }
                }
                Err(error) if error.kind() != StoreErrorKind::Rejected => return Err(error),
                Err(error) => tracing::debug!(%error, "a claim of few was refused"),
            }
        }
        self.claim_many(seats, request).await
    }

    async fn claim_many(&self, seats: &Seats, request: &ClaimRequest) -> Result<Vec<ClaimedRun>, StoreError> {
        let seat = self.on_seat(CLAIMING, seats.begin()).await?;
        match postgres::claim::claim(self.on(&seat), request, || self.new_run()).await {
            Ok(Some(claimed)) if !claimed.is_empty() => {
                self.on_seat(CLAIMING, seat.commit()).await?;
                return Ok(claimed);
            }
            Ok(Some(none)) => {
                self.on_seat(CLAIMING, seat.rollback()).await?;
                return Ok(none);
            }
            Err(error) if error.kind() != StoreErrorKind::Rejected => return Err(error),
            // A row that cannot be read, or should not be: one by one, so that all others are claimed.
            Ok(None) => self.on_seat(CLAIMING, seat.rollback()).await?,
            Err(error) => {
                tracing::debug!(%error, "a claim was refused");
                self.on_seat(CLAIMING, seat.rollback()).await?;
            }
        }
        tracing::debug!(claim = %request.claim_id, "claiming row by row");
        self.claim_row_by_row(request).await
    }
}
