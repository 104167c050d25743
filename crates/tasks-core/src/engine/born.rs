//! Jobs that are born claimed: stored and started in one step by the node that was asked to store them, while it has nothing else to do.
//!
//! It saves such a job the way through the queue, and the node a claim. Everything else is as after a claim: the run row is there with the job, so a crash, a fence or
//! a lost reply leaves a run that is rescued or given back.

use std::sync::Weak;
use std::sync::atomic::Ordering;

use tasks_abstractions::job::{ClaimId, InstanceId};
use tasks_abstractions::store::{ClaimRequest, PreparedJob, StoreErrorKind, SubmitAnswer};
use tasks_abstractions::{StoreError, WakeHint};

use super::{Engine, Shared};

/// The engine of this process, as those who store jobs know it.
#[derive(Debug, Clone, Default)]
pub(super) struct Starter(Weak<Shared>);

impl Starter {
    pub(super) fn engine(&self) -> Option<Engine> {
        self.0.upgrade().map(|shared| Engine { shared })
    }
}

/// A slot and a claim id that are kept for one job. Given up when it is dropped: should the job have been stored by then, the next heartbeat finds its run
/// unknown here, and gives it back.
struct Kept<'e> {
    engine: &'e Engine,
    instance: InstanceId,
    claim: ClaimId,
}

impl Drop for Kept<'_> {
    fn drop(&mut self) {
        let mut board = self.engine.board();
        board.reserved -= 1;
        board.claims.remove(&self.claim);
        // The claim loop may have waited for just this slot.
        let offers = self.engine.offers_slots(&mut board);
        drop(board);
        if offers {
            self.engine.signals().work();
        }
    }
}

impl Engine {
    pub(super) fn starter(&self) -> Starter {
        Starter(std::sync::Arc::downgrade(&self.shared))
    }

    /// Says whether the claim loop sleeps because nothing is due that this node might run.
    pub(super) fn set_idle(&self, is_idle: bool) {
        self.shared.is_idle.store(is_idle, Ordering::Release);
    }

    /// Stores a job and starts it here. `None` where it is to be stored as any other: it is not due, not for this node, or there is other work.
    pub(super) async fn store_and_start(
        &self,
        job: &PreparedJob,
    ) -> Option<Result<SubmitAnswer, StoreError>> {
        let first = job.first.as_ref().filter(|it| it.due_at <= self.now())?;
        let lanes = self.lanes();
        let is_for_me =
            lanes.main.contains(&first.lane) && self.parts().registry.get(&job.job.type_name).is_some();
        let is_free = self.shared.is_idle.load(Ordering::Acquire)
            && self.is_claiming()
            && self.is_registered()
            && !self.is_lease_over()
            && !self.shared.is_store_away.load(Ordering::Acquire);
        if !is_for_me || !is_free {
            return None;
        }
        let kept = self.keep_slot()?;
        let request = ClaimRequest {
            instance: kept.instance,
            claim_id: kept.claim,
            lanes: lanes.main.clone(),
            limit: 1,
            now: self.authoritative_now(),
            floors: Vec::new(),
        };
        let stored = self.parts().queue.submit_claimed(job, &request).await;
        Some(match stored {
            Ok((answer, Some(claimed))) => {
                // Before the slot that was kept for it is given up.
                self.accept(vec![claimed]);
                Ok(answer)
            }
            Ok((answer, None)) => {
                // It waits, so it is announced as any other.
                if answer == SubmitAnswer::Inserted {
                    self.announce(&WakeHint::from(first));
                }
                Ok(answer)
            }
            Err(error) => {
                if error.kind() == StoreErrorKind::Fenced {
                    self.fenced(kept.instance).await;
                }
                Err(error)
            }
        })
    }

    fn keep_slot(&self) -> Option<Kept<'_>> {
        let claim = ClaimId::generate(self.parts().guids.as_ref());
        let mut board = self.board();
        if self.free_slots_on(&board) == 0 {
            return None;
        }
        board.reserved += 1;
        // Registered before the job is sent: from now on its run is ours to look after.
        board.claims.insert(claim);
        Some(Kept {
            engine: self,
            instance: board.instance,
            claim,
        })
    }

    fn announce(&self, hint: &WakeHint) {
        self.signals().came_in(std::slice::from_ref(hint));
        self.signals().work();
        self.signals()
            .tell(|| tasks_abstractions::Notification::Work(vec![hint.clone()]));
    }
}
