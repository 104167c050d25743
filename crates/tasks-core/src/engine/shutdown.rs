//! Ending a node: no more claims, a grace for what runs, then cancellation, and every outcome written.

use std::sync::atomic::Ordering;
use std::time::Duration;

use tasks_abstractions::CancelReason;
use tracing::{error, info, warn};

use super::Engine;
use super::loops::within;

impl Engine {
    /// Ends this engine's part for good. Runs in flight get [`shutdown_grace`](super::EngineOptions::shutdown_grace), then they are
    /// cancelled and given back uncounted; those that still do not end are left to the other nodes. False when it was called before.
    ///
    /// Call it while the loops run; they end with it.
    pub async fn shutdown(&self) -> bool {
        if self.shared.is_shut_down.swap(true, Ordering::AcqRel) {
            return false;
        }
        self.shared.is_claiming.store(false, Ordering::Release);
        self.signals().work();
        info!(executing = self.executing(), "draining");
        let options = self.options();
        if !within(options.shutdown_grace, self.drained()).await {
            warn!(executing = self.executing(), "grace is over: runs are cancelled");
            self.board().cancel_all(CancelReason::Shutdown);
            if !within(options.cancel_grace, self.drained()).await {
                error!(
                    executing = self.executing(),
                    "runs that do not end are left to other nodes"
                );
            }
        }
        // Outcomes are worth waiting for, but a store that is away must not hold the process for ever: whatever is left is interrupted by
        // definition, and runs again.
        if !within(
            options.cancel_grace.max(Duration::from_secs(1)),
            self.all_settled(),
        )
        .await
        {
            error!(
                unsettled = self.unsettled(),
                "the store is away: outcomes of ended runs could not be written"
            );
        }
        if self.is_registered() {
            self.forget_membership();
            if let Err(error) = self.parts().queue.unregister_node(self.instance()).await {
                warn!(error = %error, "could not unregister; other nodes take over after the lease");
            }
        }
        self.shared.is_over.send_replace(true);
        true
    }

    /// Cancels everything at once: the second signal.
    pub fn hurry(&self) {
        self.board().cancel_all(CancelReason::Shutdown);
    }

    /// Whether shutdown was asked for.
    #[must_use]
    pub fn is_shutting_down(&self) -> bool {
        self.shared.is_shut_down.load(Ordering::Acquire)
    }
}
