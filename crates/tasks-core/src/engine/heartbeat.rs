//! The heartbeat step: keeps the lease, brings back cancel requests, and finds runs of lost replies.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tasks_abstractions::job::InstanceId;
use tasks_abstractions::run::RunInfo;
use tasks_abstractions::store::{ClaimedRun, NodeInfo, NodeState, RenewRequest, Renewal};
use tasks_abstractions::{CancelReason, RunId, RunOutcome, StoreError};
use tasks_multitenancy::TenantScope;
use tokio::time::Instant;
use tracing::{error, info, warn};

use super::lanes::Lanes;
use super::{Engine, lock};
use crate::transition::RunReport;

/// This node's membership, by its own monotonic clock.
#[derive(Debug, Default)]
pub(super) struct Lease {
    is_registered: bool,
    /// Send time of the last renewal that was answered well.
    renewed_at: Option<Instant>,
    /// Since when every renewal was answered well.
    healthy_since: Option<Instant>,
    is_self_fenced: bool,
    /// The lanes that the store knows of.
    told_lanes: Option<Arc<Lanes>>,
}

impl Engine {
    /// Makes this engine a living member, unless it is one.
    ///
    /// # Errors
    /// Where the store failed.
    pub async fn register_step(&self) -> Result<(), StoreError> {
        if lock(&self.shared.lease).is_registered {
            return Ok(());
        }
        let sent = Instant::now();
        let queue = &self.parts().queue;
        let store_now = self.parts().clock.ask(queue.as_ref()).await?;
        let instance = self.instance();
        let served = self.lanes();
        let node = NodeInfo {
            instance,
            name: self.options().node_name.clone(),
            state: NodeState::Alive,
            started_at: store_now,
            heartbeat_at: store_now,
            capacity: u32::try_from(self.options().max_concurrency).unwrap_or(u32::MAX),
            running: u32::try_from(self.executing()).unwrap_or(u32::MAX),
            lanes: served.all(self.options().is_execution_enabled),
            version: self.parts().version.clone(),
        };
        queue.register_node(&node).await?;
        *lock(&self.shared.lease) = Lease {
            is_registered: true,
            renewed_at: Some(sent),
            healthy_since: Some(sent),
            is_self_fenced: false,
            told_lanes: Some(served),
        };
        info!(node = %node.name, %instance, "registered");
        self.signals().rescue();
        self.signals().work();
        Ok(())
    }

    /// Renews the lease, delivers cancel requests, and gives back runs that this process does not know.
    ///
    /// # Errors
    /// Where the store failed; when that lasts for a lease, the runs here are cancelled, because others may have taken them over.
    pub async fn heartbeat_step(&self) -> Result<(), StoreError> {
        self.register_step().await.inspect_err(|_| self.self_fence())?;
        let sent = Instant::now();
        let (instance, running, cleared) = {
            let mut board = self.board();
            (
                board.instance,
                board.executing,
                std::mem::take(&mut board.cleared_suspects),
            )
        };
        let served = self.lanes();
        let is_told = lock(&self.shared.lease)
            .told_lanes
            .as_ref()
            .is_some_and(|it| Arc::ptr_eq(it, &served));
        let request = RenewRequest {
            instance,
            running: u32::try_from(running).unwrap_or(u32::MAX),
            lanes: (!is_told).then(|| served.all(self.options().is_execution_enabled)),
            cleared_suspects: cleared.clone(),
            now: self.authoritative_now(),
        };
        match self.parts().queue.renew(&request).await {
            Ok(Renewal::Alive { now, cancels }) => {
                self.parts().clock.answered(sent, now);
                {
                    let mut lease = lock(&self.shared.lease);
                    // A process that slept saw nobody renew meanwhile, and must not conclude anything from it.
                    if lease
                        .renewed_at
                        .is_some_and(|it| sent.saturating_duration_since(it) > self.longest_gap())
                    {
                        lease.healthy_since = None;
                    }
                    lease.renewed_at = Some(sent);
                    lease.healthy_since.get_or_insert(sent);
                    lease.is_self_fenced = false;
                    lease.told_lanes = Some(served);
                }
                self.release_suspect(&cleared);
                self.deliver(&cancels);
                self.reconcile(instance).await
            }
            Ok(Renewal::Fenced) => {
                self.fenced(instance).await;
                Ok(())
            }
            Err(error) => {
                self.board().cleared_suspects.extend(cleared);
                lock(&self.shared.lease).healthy_since = None;
                self.self_fence();
                Err(error)
            }
        }
    }

    /// Looks for cancel requests now, because somebody said that there are some.
    ///
    /// # Errors
    /// Where the store failed; the next heartbeat brings them.
    pub async fn cancel_step(&self) -> Result<(), StoreError> {
        if self.board().runs.is_empty() {
            return Ok(());
        }
        let instance = self.instance();
        let cancels = self.parts().queue.cancel_requests(instance).await?;
        self.deliver(&cancels);
        let running = self.board().running(instance);
        let rows = self.parts().queue.runs_of(instance).await?;
        self.cancel_deleted(running, &rows);
        Ok(())
    }

    /// Asks runs to end that were running here before the rows were read, and have none: their jobs were deleted under them.
    fn cancel_deleted(&self, running: Vec<RunId>, rows: &[RunInfo]) {
        let held: HashSet<RunId> = rows.iter().map(|it| it.run_id).collect();
        let mut board = self.board();
        for run in running.into_iter().filter(|it| !held.contains(it)) {
            board.cancel(run, CancelReason::Deleted);
        }
    }

    /// The store knows that these runs are no suspects any more: the next suspect may be claimed.
    fn release_suspect(&self, cleared: &[RunId]) {
        let mut board = self.board();
        if board.suspect.is_some_and(|it| cleared.contains(&it)) {
            board.suspect = None;
            drop(board);
            self.signals().work();
        }
    }

    fn deliver(&self, cancels: &[tasks_abstractions::store::CancelRequest]) {
        let mut board = self.board();
        for cancel in cancels {
            board.cancel(cancel.run_id, cancel.reason);
        }
    }

    /// Since when every renewal went well, if it did for at least a lease.
    pub(super) fn has_been_healthy(&self) -> bool {
        let lease = lock(&self.shared.lease);
        lease.is_registered
            && lease
                .renewed_at
                .is_some_and(|it| it.elapsed() <= self.longest_gap())
            && lease
                .healthy_since
                .is_some_and(|it| it.elapsed() >= self.options().lease)
    }

    /// Between two renewals of a node that renews without a gap.
    fn longest_gap(&self) -> Duration {
        self.options().lease / 2
    }

    pub(super) fn is_registered(&self) -> bool {
        lock(&self.shared.lease).is_registered
    }

    pub(super) fn forget_membership(&self) {
        lock(&self.shared.lease).is_registered = false;
    }

    /// Whether no renewal went well for a lease: others may have taken this node for dead.
    pub(super) fn is_lease_over(&self) -> bool {
        self.is_over(&lock(&self.shared.lease))
    }

    fn is_over(&self, lease: &Lease) -> bool {
        let is_long_ago = |it: Instant| it.elapsed() >= self.options().lease;
        lease.is_registered && lease.renewed_at.is_some_and(is_long_ago)
    }

    /// No renewal went well for a lease: others may run these jobs already.
    ///
    /// Asked by the watch loop as well as after a failed renewal: a renewal may hang instead of failing.
    pub(super) fn self_fence(&self) {
        let is_first = {
            let mut lease = lock(&self.shared.lease);
            if !self.is_over(&lease) {
                return;
            }
            !std::mem::replace(&mut lease.is_self_fenced, true)
        };
        if is_first {
            warn!("the lease could not be renewed in time: runs of this node are cancelled");
        }
        self.board().cancel_all(CancelReason::Fenced);
    }

    /// The store says that this node is no living member: its runs are cancelled and it registers anew, under a new instance.
    /// What was said of an earlier instance is known already.
    pub(super) async fn fenced(&self, instance: InstanceId) {
        #[cfg(feature = "chaos-mutants")]
        if crate::mutants::is("heartbeat-without-fencing") {
            return;
        }
        {
            let mut board = self.board();
            let was_registered =
                instance == board.instance && std::mem::take(&mut *lock(&self.shared.lease)).is_registered;
            if !was_registered {
                return;
            }
            error!(%instance, "fenced: another node took this one for dead; runs are cancelled");
            board.cancel_all(CancelReason::Fenced);
            board.instance = InstanceId::generate(self.parts().guids.as_ref());
        }
        if let Err(error) = self.register_step().await {
            warn!(error = %error, "could not register anew; the next heartbeat tries again");
        }
    }

    /// Gives back runs of this instance that this process does not know: of claims whose reply was lost. Rows are read first, the
    /// board is looked at after that, so that a claim which is answered meanwhile is known.
    async fn reconcile(&self, instance: InstanceId) -> Result<(), StoreError> {
        #[cfg(feature = "chaos-mutants")]
        if crate::mutants::is("claim-not-reconciled") {
            return Ok(());
        }
        let running = self.board().running(instance);
        let rows = self.parts().queue.runs_of(instance).await?;
        self.cancel_deleted(running, &rows);
        let unknown: Vec<_> = {
            let board = self.board();
            rows.into_iter()
                .filter(|row| !board.runs.contains_key(&row.run_id) && !board.claims.contains(&row.claim_id))
                .collect()
        };
        if unknown.is_empty() {
            return Ok(());
        }
        let ids: Vec<_> = unknown.iter().map(|it| it.job_id).collect();
        let snapshots = self.parts().store.snapshots(TenantScope::All, &ids).await?;
        // What is not there any more was settled between the look at the rows and the look at the board.
        let left: Vec<_> = snapshots
            .into_iter()
            .filter_map(|it| {
                let run = it.run?;
                let is_unknown = unknown.iter().any(|it| it.run_id == run.run_id);
                is_unknown.then(|| ClaimedRun {
                    job: Arc::new(it.job),
                    run,
                })
            })
            .collect();
        if !left.is_empty() {
            warn!(
                runs = left.len(),
                "giving back runs whose claim was never answered"
            );
        }
        for claimed in left {
            let outcome = if self.board().lost_take_overs.contains(&claimed.run.claim_id) {
                RunOutcome::Interrupted
            } else {
                RunOutcome::Returned
            };
            let mut report = RunReport::new(outcome, claimed.run.claimed_at, Duration::ZERO);
            if outcome == RunOutcome::Interrupted {
                report = report.message("interrupted: its node ended under it");
            }
            {
                let mut board = self.board();
                if board.runs.contains_key(&claimed.run.run_id) {
                    continue;
                }
                drop(board.add(&claimed));
                board.end(claimed.run.run_id);
            }
            self.send_ended(claimed, report);
        }
        Ok(())
    }
}
