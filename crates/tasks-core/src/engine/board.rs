//! What this process has in flight.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use foldhash::{HashMap, HashMapExt as _};
use tasks_abstractions::job::{ClaimId, InstanceId};
use tasks_abstractions::run::Progress;
use tasks_abstractions::store::ClaimedRun;
use tasks_abstractions::{CancelReason, JobId, RunId};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

/// Ends a run, with the reason told first.
#[derive(Debug, Clone, Default)]
pub(super) struct RunCancel {
    pub(super) token: CancellationToken,
    pub(super) reason: Arc<OnceLock<CancelReason>>,
}

impl RunCancel {
    /// Asks the run to end. The first reason stays.
    pub(super) fn cancel(&self, reason: CancelReason) {
        // A second reason changes nothing: the run is ending already.
        let _ = self.reason.set(reason);
        self.token.cancel();
    }
}

/// One run of this process, from its claim until the store has its outcome.
#[derive(Debug)]
pub(super) struct InFlight {
    pub(super) claimed: ClaimedRun,
    pub(super) cancel: RunCancel,
    /// When its code was started; `None` before and for runs that never start.
    pub(super) began: Option<Instant>,
    pub(super) is_code_running: bool,
    /// Whether its outcome is on the way to the store.
    pub(super) has_ended: bool,
    /// Whether that outcome has found its end: the store has it, or will never take it.
    is_settled: bool,
    pub(super) timeout_at: Option<Instant>,
    pub(super) lock_ends_at: Option<Instant>,
    pub(super) cancelled_at: Option<Instant>,
    pub(super) is_reported_stuck: bool,
    pub(super) progress: Option<Progress>,
    /// Whether the store does not have it yet.
    pub(super) is_progress_new: bool,
}

/// All runs of this process, with the claims whose replies are on the way.
#[derive(Debug)]
pub(super) struct Board {
    pub(super) instance: InstanceId,
    /// Boxed: the table is moved when it grows.
    pub(super) runs: HashMap<RunId, Box<InFlight>>,
    /// Jobs whose code runs here, also where the run was given up already: such a job is not started a second time.
    pub(super) code: HashMap<JobId, RunId>,
    pub(super) claims: HashSet<ClaimId>,
    /// Take-overs of which it is unknown whether they were carried out.
    pub(super) lost_take_overs: HashSet<ClaimId>,
    /// Runs that hold a slot.
    pub(super) executing: usize,
    /// Slots that are kept for claims whose replies are on the way.
    pub(super) reserved: usize,
    /// Free slots that the claim loop waits for; 0 while it does not. Without it every ending run would wake the loop for one slot.
    pub(super) wanted_slots: usize,
    /// Runs whose outcome waits for the store.
    pub(super) unsettled: usize,
    /// The one run that was claimed as a suspect and still is one.
    pub(super) suspect: Option<RunId>,
    /// Types of claimed jobs that are not registered here, each of which was told of once.
    pub(super) unknown_types: HashSet<String>,
    /// Runs that stopped being suspects and whose rows do not say so yet.
    pub(super) cleared_suspects: Vec<RunId>,
}

impl Board {
    pub(super) fn new(instance: InstanceId) -> Self {
        Self {
            instance,
            runs: HashMap::new(),
            code: HashMap::new(),
            claims: HashSet::new(),
            lost_take_overs: HashSet::new(),
            executing: 0,
            reserved: 0,
            wanted_slots: 0,
            unsettled: 0,
            suspect: None,
            unknown_types: HashSet::new(),
            cleared_suspects: Vec::new(),
        }
    }

    /// Adds a claimed run and answers what ends it.
    pub(super) fn add(&mut self, claimed: &ClaimedRun) -> RunCancel {
        let cancel = RunCancel::default();
        if claimed.run.suspect {
            self.suspect = Some(claimed.run.run_id);
        }
        self.runs.insert(
            claimed.run.run_id,
            Box::new(InFlight {
                claimed: claimed.clone(),
                cancel: cancel.clone(),
                began: None,
                is_code_running: false,
                has_ended: false,
                is_settled: false,
                timeout_at: None,
                lock_ends_at: None,
                cancelled_at: None,
                is_reported_stuck: false,
                progress: None,
                is_progress_new: false,
            }),
        );
        cancel
    }

    /// Notes that the outcome of a run is on the way to the store. False where it was before.
    pub(super) fn end(&mut self, run: RunId) -> bool {
        let Some(it) = self.runs.get_mut(&run) else {
            return false;
        };
        if std::mem::replace(&mut it.has_ended, true) {
            return false;
        }
        self.unsettled += 1;
        true
    }

    /// Notes that the code of a run has returned, which frees its slot.
    pub(super) fn code_returned(&mut self, job: JobId, run: RunId) {
        self.executing = self.executing.saturating_sub(1);
        if self.code.get(&job) == Some(&run) {
            self.code.remove(&job);
        }
        if let Some(it) = self.runs.get_mut(&run) {
            it.is_code_running = false;
            if it.is_settled {
                self.runs.remove(&run);
            }
        }
    }

    /// Takes away a run whose outcome the store has; where it was given up and its code still runs, it stays to be watched until that returns.
    /// Answers whether the next suspect may come.
    pub(super) fn settle(&mut self, run: RunId) -> bool {
        let was_suspect = self.close(run);
        if self.runs.get(&run).is_some_and(|it| !it.is_code_running) {
            self.runs.remove(&run);
        }
        was_suspect
    }

    /// Keeps a run whose outcome the store will not take in any form: it stays known here, so that it is neither given back nor run again while
    /// this process lives. Answers whether the next suspect may come.
    pub(super) fn keep_refused(&mut self, run: RunId) -> bool {
        self.close(run)
    }

    fn close(&mut self, run: RunId) -> bool {
        let Some(it) = self.runs.get_mut(&run) else {
            return false;
        };
        if it.has_ended && !std::mem::replace(&mut it.is_settled, true) {
            self.unsettled = self.unsettled.saturating_sub(1);
        }
        let was_suspect = self.suspect == Some(run);
        if was_suspect {
            self.suspect = None;
        }
        was_suspect
    }

    /// Runs of this instance whose code has not ended.
    pub(super) fn running(&self, instance: InstanceId) -> Vec<RunId> {
        self.runs
            .iter()
            .filter(|(_, it)| !it.has_ended && it.claimed.run.instance == instance)
            .map(|(run, _)| *run)
            .collect()
    }

    /// Asks a run to end, if it is here and its code has not ended.
    pub(super) fn cancel(&mut self, run: RunId, reason: CancelReason) {
        if let Some(it) = self.runs.get_mut(&run)
            && !it.has_ended
        {
            it.cancelled_at.get_or_insert_with(Instant::now);
            it.cancel.cancel(reason);
        }
    }

    /// Asks every run to end.
    pub(super) fn cancel_all(&mut self, reason: CancelReason) {
        let runs: Vec<RunId> = self.runs.keys().copied().collect();
        for run in runs {
            self.cancel(run, reason);
        }
    }
}
