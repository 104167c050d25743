//! The finish step: writes outcomes in batches, and never gives one up.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use rand::RngExt;
use tasks_abstractions::run::{JobSnapshot, RunInfo};
use tasks_abstractions::store::{ClaimedRun, FinishAnswer, FinishRun, PreparedJob, Settlement};
use tasks_abstractions::{
    FollowUpRequest, JobFlags, JobInfo, JobSettled, RunId, RunOutcome, StoreError, Timestamp,
};
use tasks_multitenancy::TenantScope;
use tokio::sync::Notify;
use tracing::{debug, error, warn};

use super::execute::text_of;
use super::{DurableFinish, Engine, lock};
use crate::transition::{RunReport, SettleContext, settle};

/// Times a settlement may be found stale in a batch before it is written alone.
const STALE_IN_BATCH: u32 = 3;

/// A run that ended and whose outcome the store does not have yet.
#[derive(Debug, Clone)]
pub(super) struct Ended {
    job: Arc<JobInfo>,
    run: RunInfo,
    report: RunReport,
    stale: u32,
    is_reduced: bool,
}

/// What became of one outcome.
enum Answered {
    /// It needs nothing more.
    Settled,
    /// It must be computed anew and written again.
    Stale(Box<Ended>),
    /// The store must be asked again what became of it.
    Unknown(Box<Ended>, StoreError),
}

/// Outcomes on their way to the store, oldest first. Several batches may be on their way at once; what is left of one comes back to the front.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    kept: Mutex<VecDeque<Ended>>,
    arrived: Notify,
    piled_up: Notify,
    /// Nothing is worth waiting for: enough is there, or no more is to be expected soon.
    lull: Notify,
}

impl Inbox {
    /// `pile`: from how many on a second batch is worth its transaction.
    fn push(&self, it: Ended, pile: usize) {
        let mut kept = lock(&self.kept);
        kept.push_back(it);
        let count = kept.len();
        drop(kept);
        if count == 1 {
            self.arrived.notify_one();
        }
        if count == pile {
            self.piled_up.notify_one();
            self.lull.notify_one();
        }
    }

    fn len(&self) -> usize {
        lock(&self.kept).len()
    }

    fn take(&self, most: usize) -> Vec<Ended> {
        let mut kept = lock(&self.kept);
        // One that is stale again and again is written alone, so that it is computed and written with nothing between.
        let is_alone = kept.front().is_some_and(|it| it.stale >= STALE_IN_BATCH);
        let count = if is_alone { 1 } else { most.min(kept.len()) };
        let batch = kept.drain(..count).collect();
        if !kept.is_empty() {
            self.arrived.notify_one();
            self.piled_up.notify_one();
        }
        batch
    }

    fn put_back(&self, again: Vec<Ended>) {
        if again.is_empty() {
            return;
        }
        let mut kept = lock(&self.kept);
        for it in again.into_iter().rev() {
            kept.push_front(it);
        }
        self.arrived.notify_one();
        self.piled_up.notify_one();
    }
}

impl Engine {
    /// Hands an outcome to the finish loops. It must have been marked as ended on the board.
    pub(super) fn send_ended(&self, claimed: ClaimedRun, report: RunReport) {
        let it = Ended {
            job: claimed.job,
            run: claimed.run,
            report,
            stale: 0,
            is_reduced: false,
        };
        self.shared.to_finish.push(it, self.pile());
    }

    /// Outcomes that no batch has taken yet.
    pub(super) fn waiting_outcomes(&self) -> usize {
        self.shared.to_finish.len()
    }

    /// Waits until there is an outcome to write.
    pub(super) async fn wait_for_ended(&self) {
        while self.shared.to_finish.len() == 0 {
            self.shared.to_finish.arrived.notified().await;
        }
    }

    /// Waits until so many outcomes are to be written that one batch at a time is not enough.
    pub(super) async fn wait_for_pile(&self) {
        while self.shared.to_finish.len() < self.pile() {
            self.shared.to_finish.piled_up.notified().await;
        }
    }

    fn pile(&self) -> usize {
        (self.options().finish_batch / 2).max(1)
    }

    /// Waits while a batch is small, and code that may end soon is running.
    pub(super) async fn wait_for_lull(&self) {
        while self.options().durable_finish == DurableFinish::Batched
            && self.shared.to_finish.len() < self.pile()
            && self.board().executing > 0
        {
            self.shared.to_finish.lull.notified().await;
        }
    }

    /// Ends the wait for more outcomes: no code is running any more.
    pub(super) fn nothing_runs(&self) {
        self.shared.to_finish.lull.notify_one();
    }

    /// Writes one batch of outcomes; answers how many runs were settled. Outcomes that could not be written are kept. May be called while other batches are on
    /// their way.
    ///
    /// # Errors
    /// Where the store is away. Nothing is lost: call it again later.
    pub async fn finish_step(&self) -> Result<usize, StoreError> {
        let most = match self.options().durable_finish {
            DurableFinish::Batched => self.options().finish_batch,
            DurableFinish::Each => 1,
        };
        let batch = self.shared.to_finish.take(most);
        if batch.is_empty() {
            return Ok(0);
        }
        self.offer_slots();
        let mut again = Vec::new();
        let mut settled = 0;
        let outcome = self.write(batch, &mut again, &mut settled).await;
        self.shared
            .is_store_away
            .store(outcome.is_err(), Ordering::Release);
        self.shared.to_finish.put_back(again);
        outcome.map(|()| settled)
    }

    /// Writes a batch. Where the store will not take it, halves are tried until the one bad row is found, which is then written in a
    /// reduced form.
    async fn write(
        &self,
        batch: Vec<Ended>,
        again: &mut Vec<Ended>,
        settled: &mut usize,
    ) -> Result<(), StoreError> {
        let mut parts = VecDeque::from([batch]);
        while let Some(mut part) = parts.pop_front() {
            let now = self.now();
            let runs: Vec<FinishRun> = part.iter().map(|it| self.finish_of(it, now)).collect();
            match self.parts().queue.finish(&runs).await {
                Ok(answers) => {
                    let is_applied = |answer: &FinishAnswer| matches!(answer, FinishAnswer::Applied);
                    let applied = part.iter().zip(&answers).filter(|(_, answer)| is_applied(answer));
                    self.forget(applied.map(|(it, _)| it.run.run_id));
                    let mut unknown = None;
                    for ((it, run), answer) in part.into_iter().zip(&runs).zip(answers) {
                        match self.answered(it, &run.settlement, answer).await {
                            Answered::Settled => *settled += 1,
                            Answered::Stale(it) => again.push(*it),
                            Answered::Unknown(it, error) => {
                                again.push(*it);
                                unknown = Some(error);
                            }
                        }
                    }
                    if let Some(error) = unknown {
                        again.extend(parts.into_iter().flatten());
                        return Err(error);
                    }
                }
                Err(error) if error.is_unavailable() => {
                    again.extend(part);
                    again.extend(parts.into_iter().flatten());
                    return Err(error);
                }
                #[cfg(feature = "chaos-mutants")]
                Err(_) if part.len() > 1 && crate::mutants::is("lost-bisect") => {}
                Err(error) if part.len() > 1 => {
                    warn!(error = %error, rows = part.len(), "outcomes were refused; looking for the one that is bad");
                    let rest = part.split_off(part.len() / 2);
                    parts.push_front(rest);
                    parts.push_front(part);
                }
                Err(error) => self.refused(part, &error, again),
            }
        }
        Ok(())
    }

    /// One outcome that the store will not take: written without its texts, and if even that is refused, left to the lease.
    fn refused(&self, part: Vec<Ended>, error: &StoreError, again: &mut Vec<Ended>) {
        for mut it in part {
            if it.is_reduced {
                error!(job = %it.job.id, run = %it.run.run_id, error = %error,
                    "the store refuses this outcome even without its texts; the run stays as it is until this process ends and another takes it over");
                if self.board().keep_refused(it.run.run_id) {
                    self.signals().work();
                }
                self.offer_slots();
                continue;
            }
            error!(job = %it.job.id, run = %it.run.run_id, error = %error, "outcome refused; storing it without its texts");
            it.is_reduced = true;
            it.report.message = Some("the outcome's texts could not be stored".to_owned());
            it.report.error = None;
            again.push(it);
        }
    }

    fn finish_of(&self, it: &Ended, now: Timestamp) -> FinishRun {
        let flags = self
            .parts()
            .registry
            .get(&it.job.type_name)
            .map_or(JobFlags::NONE, |it| it.flags);
        let ctx = SettleContext {
            now,
            chance: rand::rng().random::<f64>(),
            node_name: &self.options().node_name,
            instance: it.run.instance,
            flags,
            kept: self.parts().retention.kept_of(&it.job.type_name),
        };
        let mut settlement = settle(&it.job, &it.run, &it.report, &ctx);
        if it.report.outcome != RunOutcome::Returned && !it.is_reduced {
            settlement.follow_ups = self.follow_ups(it, &settlement, flags, now);
        }
        FinishRun {
            job_id: it.job.id,
            run_id: it.run.run_id,
            job_version: it.job.version,
            settlement,
        }
    }

    fn follow_ups(
        &self,
        it: &Ended,
        settlement: &Settlement,
        flags: JobFlags,
        now: Timestamp,
    ) -> Vec<PreparedJob> {
        let parts = self.parts();
        let is_abandoned = settlement.update.is_abandoned && !it.job.is_abandoned;
        let is_engines = crate::abandonment::is_reported(&it.run, it.report.outcome, is_abandoned);
        let asks_users = !parts.follow_ups.is_empty() && !flags.disable_job_action;
        if !is_engines && !asks_users {
            return Vec::new();
        }
        let request = FollowUpRequest {
            job: Arc::clone(&it.job),
            run: it.run.clone(),
            outcome: it.report.outcome,
            message: it.report.message.clone(),
            is_abandoned,
            now,
        };
        let mut jobs = Vec::new();
        if is_engines {
            jobs.extend(crate::abandonment::notifications(
                &request,
                settlement,
                &parts.channels,
            ));
        }
        if asks_users {
            for source in &parts.follow_ups {
                match std::panic::catch_unwind(AssertUnwindSafe(|| source.follow_ups(&request))) {
                    Ok(more) => jobs.extend(more),
                    Err(panic) => error!(job = %it.job.id, panic = %text_of(panic.as_ref()),
                        "a source of follow-ups panicked; the outcome is stored without them"),
                }
            }
        }
        jobs
    }

    /// Takes the store's answer for one outcome. One that was applied is off the board already.
    async fn answered(&self, mut it: Ended, settlement: &Settlement, answer: FinishAnswer) -> Answered {
        let is_applied = match answer {
            FinishAnswer::Applied => true,
            FinishAnswer::Stale(snapshot) => {
                let JobSnapshot { job, run, .. } = *snapshot;
                debug!(job = %job.id, run = %it.run.run_id, "a command changed the job during its run");
                it.job = Arc::new(job);
                if let Some(run) = run.filter(|run| run.run_id == it.run.run_id) {
                    // A run that is given back may carry another lane and due time than its row.
                    it.run = RunInfo {
                        suspect: it.run.suspect,
                        entry: it.run.entry,
                        ..run
                    };
                }
                it.stale += 1;
                return Answered::Stale(Box::new(it));
            }
            FinishAnswer::Gone => match self.was_applied_before(&it, settlement).await {
                Ok(was_applied) => {
                    self.forget([it.run.run_id].into_iter());
                    was_applied
                }
                Err(error) => return Answered::Unknown(Box::new(it), error),
            },
        };
        let abandoned = settlement.update.is_abandoned && !it.job.is_abandoned;
        if is_applied {
            if abandoned {
                error!(job = %it.job.id, r#type = %it.job.type_name, run = %it.run.run_id, tenant = %it.job.tenant_id,
                    attempt = it.run.entry.attempt, "given up: {}", it.report.message.as_deref().unwrap_or_default());
            }
            if settlement.next.is_some() || !settlement.follow_ups.is_empty() {
                self.signals().work();
            }
            if let Some(next) = &settlement.next {
                self.hand_over(next);
            }
            for first in settlement.follow_ups.iter().filter_map(|it| it.first.as_ref()) {
                self.signals().floors().lower(first.rank, first.due_at);
            }
        } else {
            warn!(job = %it.job.id, run = %it.run.run_id, outcome = %it.report.outcome,
                "the run had been taken over or deleted; its outcome is dropped");
        }
        if it.report.outcome != RunOutcome::Returned {
            self.tell_settled(&JobSettled {
                job_id: it.job.id,
                run_id: it.run.run_id,
                outcome: it.report.outcome,
                is_applied,
                is_abandoned: is_applied && abandoned,
            });
        }
        Answered::Settled
    }

    /// Takes runs off the board, and lets the claim loop know what that makes room for.
    fn forget(&self, runs: impl Iterator<Item = RunId>) {
        let mut board = self.board();
        let mut was_suspect = false;
        for run in runs {
            was_suspect |= board.settle(run);
        }
        let offers = self.offers_slots(&mut board);
        drop(board);
        if was_suspect || offers {
            self.signals().work();
        }
    }

    /// Whether an outcome that the store no longer knows as in flight is there already: from a call whose reply was lost.
    async fn was_applied_before(&self, it: &Ended, settlement: &Settlement) -> Result<bool, StoreError> {
        let store = &self.parts().store;
        let found = if settlement.is_removed && settlement.log.is_none() {
            // It was to leave nothing. Had somebody deleted the job instead, the same would be left.
            let job = store.find(TenantScope::All, it.job.id).await;
            job.map(|job| job.is_none())
        } else {
            let log = store.find_log(it.job.id, it.run.run_id).await;
            log.map(|log| log.is_some_and(|log| log.outcome == it.report.outcome))
        };
        match found {
            Ok(was_applied) => Ok(was_applied),
            Err(error) if error.is_unavailable() => Err(error),
            Err(error) => {
                warn!(run = %it.run.run_id, error = %error, "could not look whether the outcome is stored already");
                Ok(false)
            }
        }
    }
}
