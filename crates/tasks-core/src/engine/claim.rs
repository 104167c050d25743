//! The claim step: takes due executions and starts them.

use std::sync::atomic::Ordering;
use std::time::Duration;

use chrono::TimeDelta;
use tasks_abstractions::job::{ClaimId, Lane};
use tasks_abstractions::run::RunKind;
use tasks_abstractions::store::{ClaimFloor, ClaimRequest, ClaimedRun, StoreErrorKind};
use tasks_abstractions::{JobType, MisfirePolicy, RunOutcome, StoreError};
use tokio::time::Instant;
use tracing::{debug, warn};

use super::board::Board;
use super::{Engine, lock};
use crate::transition::RunReport;

/// How often lanes beside the main ones are looked at while the main ones keep the node busy.
const SIDE_LOOK: Duration = Duration::from_secs(1);
/// One in so many free slots is theirs then.
const SIDE_SHARE: usize = 4;
/// So many slots may go to one claim, however few there are.
const FEW_SLOTS: usize = 100;
/// Nothing is claimed while as many outcomes as jobs may run at once wait for a batch to take them, but at least so many: quick jobs are written down together.
const LEAST_AHEAD: usize = 50;

/// What a claim step did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClaimStep {
    /// Executions taken.
    pub claimed: usize,
    /// Whether more may be due at once. Also where there was no slot to look for it.
    pub may_have_more: bool,
    /// What is due next, where this was looked at after the last execution was taken.
    pub next: Option<NextDue>,
}

/// When something is due that a node would run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextDue {
    /// Nothing waits.
    Never,
    /// In so long. Zero where it is due now.
    In(Duration),
}

impl Engine {
    /// Takes up to *free slots* due executions and starts them.
    ///
    /// # Errors
    /// Where the store failed. Executions whose reply was lost are found by the next heartbeat.
    pub async fn claim_step(&self) -> Result<ClaimStep, StoreError> {
        let limit = self.free_slots().min(self.most_of_a_claim());
        // While the lease is over nothing would be started of what is claimed.
        if limit == 0 || !self.is_claiming() || self.is_lease_over() {
            return Ok(ClaimStep {
                claimed: 0,
                may_have_more: limit == 0,
                next: None,
            });
        }
        // Now and then the other lanes come first: behind a backlog that takes every slot they would never have a turn. Where there is none, they come after.
        let share = limit.div_ceil(SIDE_SHARE);
        let is_backlog = self.shared.is_backlog.load(Ordering::Relaxed);
        let looks_first = is_backlog && self.is_side_look_due();
        let mut claimed = if looks_first {
            self.claim_beside(share).await?
        } else {
            0
        };
        let may_be_more_beside = !looks_first || claimed >= share;
        if claimed < limit {
            let main = self.lanes().main.clone();
            claimed += self.claim_main(main, limit - claimed).await?;
        }
        let is_full = claimed >= limit;
        self.shared.is_backlog.store(is_full, Ordering::Relaxed);
        let mut next = None;
        if !is_full && may_be_more_beside {
            // One look at everything, which nearly always says that nothing is left.
            let due = self.next_due().await?;
            if due == NextDue::In(Duration::ZERO) {
                claimed += self.claim_beside(limit - claimed).await?;
            } else {
                self.looked_beside();
                next = Some(due);
            }
        }
        Ok(ClaimStep {
            claimed,
            may_have_more: is_full,
            next,
        })
    }

    /// When something is due in a lane that this node would serve now.
    ///
    /// # Errors
    /// Where the store failed.
    pub async fn next_due(&self) -> Result<NextDue, StoreError> {
        let lanes = self.lanes();
        let mut all = [&lanes.main[..], &lanes.types].concat();
        if self.board().suspect.is_none() {
            all.extend_from_slice(&lanes.suspects);
        }
        let due = self
            .parts()
            .queue
            .next_due(&all, self.authoritative_now())
            .await?;
        Ok(due.map_or(NextDue::Never, NextDue::In))
    }

    /// A claim leaves half of all slots, so that the next one can be on its way with it; not where there are few, for each is a transaction.
    fn most_of_a_claim(&self) -> usize {
        let half = (self.options().max_concurrency / 2).max(FEW_SLOTS);
        half.min(self.options().claim_batch)
    }

    /// Free slots worth a claim while more work is waiting: a claim for each single slot would cost a transaction a job.
    pub(super) fn worthwhile_slots(&self) -> usize {
        (self.options().max_concurrency / 4).clamp(1, self.options().claim_batch)
    }

    /// Notes how many slots the claim loop waits for; answers whether they are free already.
    pub(super) fn want_slots(&self, slots: usize) -> bool {
        self.board().wanted_slots = slots;
        slots <= self.free_slots()
    }

    /// Wakes the claim loop if it waits for slots and enough are free, or no run is left that could free more.
    pub(super) fn offer_slots(&self) {
        let offers = self.offers_slots(&mut self.board());
        if offers {
            self.signals().work();
        }
    }

    /// Whether the claim loop is to be woken for free slots; notes that it is.
    pub(super) fn offers_slots(&self, board: &mut Board) -> bool {
        let wanted = board.wanted_slots;
        if wanted == 0 || (self.free_slots_on(board) < wanted && board.executing > 0) {
            return false;
        }
        board.wanted_slots = 0;
        true
    }

    pub(super) fn free_slots(&self) -> usize {
        self.free_slots_on(&self.board())
    }

    pub(super) fn free_slots_on(&self, board: &Board) -> usize {
        // What has ended and is not written down would be repeated after a crash: claims do not run far ahead of it.
        let most = self.options().max_concurrency.max(LEAST_AHEAD);
        if board.unsettled >= self.options().max_unsettled || self.waiting_outcomes() >= most {
            return 0;
        }
        self.options()
            .max_concurrency
            .saturating_sub(board.executing + board.reserved)
    }

    fn looked_beside(&self) {
        *lock(&self.shared.last_side_look) = Some(Instant::now());
    }

    fn is_side_look_due(&self) -> bool {
        lock(&self.shared.last_side_look).is_none_or(|it| it.elapsed() >= SIDE_LOOK)
    }

    /// Lanes of types that some node did not know, and suspects one at a time. Looking is cheap, so that these lanes cost nothing while they
    /// are empty.
    async fn claim_beside(&self, room: usize) -> Result<usize, StoreError> {
        self.looked_beside();
        let (queue, now) = (&self.parts().queue, self.authoritative_now());
        let lanes = self.lanes();
        let mut claimed = 0;
        let is_alone = self.board().suspect.is_none();
        if is_alone && room > 0 && queue.next_due(&lanes.suspects, now).await? == Some(Duration::ZERO) {
            claimed += self.claim_from(lanes.suspects.clone(), 1, None).await?;
        }
        if claimed < room && queue.next_due(&lanes.types, now).await? == Some(Duration::ZERO) {
            claimed += self.claim_from(lanes.types.clone(), room - claimed, None).await?;
        }
        Ok(claimed)
    }

    /// The main lanes, from the floors on while there is more than can be taken. After a short claim under a floor everything is looked at: nothing sleeps over
    /// what may lie before it.
    async fn claim_main(&self, lanes: Vec<Lane>, limit: usize) -> Result<usize, StoreError> {
        let floors = self.signals().floors().for_next_claim();
        let has_floors = !floors.is_empty();
        let claimed = self.claim_from(lanes.clone(), limit, Some(floors)).await?;
        if claimed >= limit || !has_floors {
            return Ok(claimed);
        }
        self.signals().floors().drop_all();
        let floors = self.signals().floors().for_next_claim();
        Ok(claimed + self.claim_from(lanes, limit - claimed, Some(floors)).await?)
    }

    /// Looks everywhere in `lanes`, or from floors on, which then are raised.
    async fn claim_from(
        &self,
        lanes: Vec<Lane>,
        limit: usize,
        floors: Option<Vec<ClaimFloor>>,
    ) -> Result<usize, StoreError> {
        let has_floors = floors.is_some();
        let claim_id = ClaimId::generate(self.parts().guids.as_ref());
        let instance = {
            let mut board = self.board();
            // Registered before the request is sent: from now on a run of this claim is ours to look after.
            board.claims.insert(claim_id);
            board.reserved += limit;
            board.instance
        };
        let request = ClaimRequest {
            instance,
            claim_id,
            lanes,
            limit,
            now: self.authoritative_now(),
            floors: floors.unwrap_or_default(),
        };
        let reply = self.parts().queue.claim(&request).await;
        let runs = match reply {
            Ok(runs) => runs,
            Err(error) => {
                // Should the claim have been carried out, its runs are unknown here and the next heartbeat gives them back.
                {
                    let mut board = self.board();
                    board.claims.remove(&claim_id);
                    board.reserved -= limit;
                }
                // What it had locked may be free again, before the floors that other claims have set meanwhile.
                self.signals().floors().drop_all();
                if error.kind() == StoreErrorKind::Fenced {
                    self.fenced(instance).await;
                }
                return Err(error);
            }
        };
        let count = runs.len();
        if has_floors && count >= limit {
            let places = runs.iter().map(|it| (it.run.entry.rank, it.run.entry.due_at));
            self.signals().floors().raise(&request.lanes, places);
        }
        self.accept(runs);
        let mut board = self.board();
        board.claims.remove(&claim_id);
        board.reserved -= limit;
        drop(board);
        if count < limit {
            self.offer_slots();
        }
        Ok(count)
    }

    /// Starts claimed runs, or settles those that must not start.
    pub(super) fn accept(&self, runs: Vec<ClaimedRun>) {
        let now = self.now();
        // A process that stood still wakes with the reply in its hands: others may run these jobs already.
        let is_leaving = !self.is_claiming() || self.is_lease_over();
        let mut to_start = Vec::with_capacity(runs.len());
        let mut board = self.board();
        for mut claimed in runs {
            let run_id = claimed.run.run_id;
            let cancel = board.add(&claimed);
            let job = &claimed.job;
            let report = |outcome| RunReport::new(outcome, claimed.run.claimed_at, Duration::ZERO);
            // A claim that is answered after its instance was fenced: others may run these jobs already.
            let is_former = claimed.run.instance != board.instance;
            let unstarted = if is_leaving || is_former {
                Some(report(RunOutcome::Returned))
            } else if let Some(other) = board.code.get(&job.id) {
                // Its former run was given up, but the code still runs here.
                debug!(job = %job.id, run = %run_id, former = %other, "given back: former code still runs");
                claimed.run.entry.due_at = now + later(self.options().heartbeat);
                Some(report(RunOutcome::Returned))
            } else if job.end_time.is_some_and(|end| now > end) {
                Some(report(RunOutcome::Expired).message("due after the job's end time"))
            } else if self.is_skipped(&claimed, now) {
                Some(report(RunOutcome::Skipped).message("missed its time"))
            } else if self.parts().registry.get(&job.type_name).is_none() {
                // Once a type: a deploy may leave thousands of such jobs.
                if board.unknown_types.insert(job.type_name.clone()) {
                    warn!(job = %job.id, r#type = %job.type_name, "type is not registered here: its jobs are left for other nodes");
                }
                let lane = Lane::unknown_type(job.node_name.as_deref(), &job.type_name);
                let was_suspect = claimed.run.entry.is_suspect();
                claimed.run.entry.lane = if was_suspect { lane.suspect() } else { lane };
                Some(report(RunOutcome::Returned))
            } else {
                None
            };
            match unstarted {
                Some(report) => {
                    board.end(run_id);
                    self.send_ended(claimed, report);
                }
                None => {
                    board.executing += 1;
                    board.code.insert(claimed.job.id, run_id);
                    to_start.push((claimed, cancel));
                }
            }
        }
        drop(board);
        self.start_all(to_start);
    }

    fn is_skipped(&self, claimed: &ClaimedRun, now: tasks_abstractions::Timestamp) -> bool {
        let job = &claimed.job;
        job.job_type == JobType::Period
            && job.misfire_policy == MisfirePolicy::Skip
            && claimed.run.entry.kind == RunKind::Schedule
            // The fire was not missed: it began, and its process died under it.
            && !claimed.run.entry.is_suspect()
            && now - claimed.run.entry.due_at > later(self.options().misfire_threshold)
    }
}

fn later(wait: Duration) -> TimeDelta {
    TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX)
}
