//! The rescue step: finds dead nodes and takes over their runs.

use std::collections::HashMap;
use std::time::Duration;

use tasks_abstractions::job::{ClaimId, InstanceId};
use tasks_abstractions::store::{NodeState, StoreErrorKind, TakeOver};
use tasks_abstractions::{RunOutcome, StoreError, Timestamp};
use tokio::time::Instant;
use tracing::{debug, info, warn};

use super::{Engine, lock};
use crate::transition::RunReport;

/// Most runs of one take-over.
const BATCH: usize = 500;

/// What this node saw of others, by its own monotonic clock.
#[derive(Debug, Default)]
pub(super) struct Watched(HashMap<InstanceId, (Timestamp, Instant)>);

impl Engine {
    /// Declares nodes dead that are, and takes over every run that no living node holds. Answers how many were taken over; they are settled as Interrupted.
    ///
    /// A node is dead when the operating system proves its process gone, or when its heartbeat stood still for a whole lease during which
    /// this node itself renewed without a gap: an outage of the store, which stops everybody's heartbeat, kills nobody.
    ///
    /// # Errors
    /// Where the store failed.
    pub async fn rescue_step(&self) -> Result<usize, StoreError> {
        if !self.is_registered() {
            return Ok(0);
        }
        let instance = self.instance();
        let queue = &self.parts().queue;
        for gone in queue.declare_gone_processes(instance).await? {
            info!(instance = %gone, "a former process on this machine is gone");
        }
        let nodes = queue.nodes().await?;
        // Every start of a program is another instance: those that are gone are not kept.
        lock(&self.shared.watched).0.retain(|it, _| {
            nodes
                .iter()
                .any(|node| node.instance == *it && node.state == NodeState::Alive)
        });
        for node in nodes {
            if node.state != NodeState::Alive || node.instance == instance {
                continue;
            }
            if self.stands_still(node.instance, node.heartbeat_at)
                && queue.declare_dead(node.instance, node.heartbeat_at).await?
            {
                warn!(node = %node.name, instance = %node.instance, "declared dead: no heartbeat for a lease");
            }
        }
        let mut rescued = 0;
        loop {
            let taken = self.take_over(instance).await?;
            rescued += taken;
            if taken < BATCH {
                return Ok(rescued);
            }
        }
    }

    fn stands_still(&self, instance: InstanceId, heartbeat: Timestamp) -> bool {
        let mut watched = lock(&self.shared.watched);
        let (seen, since) = watched
            .0
            .entry(instance)
            .or_insert_with(|| (heartbeat, Instant::now()));
        if *seen != heartbeat {
            (*seen, *since) = (heartbeat, Instant::now());
            return false;
        }
        let stood = since.elapsed();
        drop(watched);
        stood >= self.options().lease && self.has_been_healthy()
    }

    async fn take_over(&self, instance: InstanceId) -> Result<usize, StoreError> {
        let claim_id = ClaimId::generate(self.parts().guids.as_ref());
        self.board().claims.insert(claim_id);
        let request = TakeOver {
            instance,
            claim_id,
            limit: BATCH,
            now: self.authoritative_now(),
        };
        let reply = self.parts().queue.take_over(&request).await;
        let taken = match reply {
            Ok(taken) => taken,
            Err(error) => {
                {
                    let mut board = self.board();
                    board.claims.remove(&claim_id);
                    // Should it have been carried out, its runs are found by a heartbeat and must still be known as interrupted.
                    if error.is_unavailable() {
                        board.lost_take_overs.insert(claim_id);
                    }
                }
                if error.kind() == StoreErrorKind::Fenced {
                    self.fenced(instance).await;
                }
                return Err(error);
            }
        };
        let count = taken.len();
        for it in taken {
            let node = it.former_node.as_deref().unwrap_or("unknown");
            debug!(job = %it.claimed.job.id, run = %it.claimed.run.run_id, former_run = %it.former_run, node, "interrupted run taken over");
            let report = RunReport::new(RunOutcome::Interrupted, it.claimed.run.claimed_at, Duration::ZERO)
                .message(format!("interrupted: node {node} ended under it"));
            {
                let mut board = self.board();
                let is_busy_with_suspect = board.suspect;
                drop(board.add(&it.claimed));
                // A rescued run is settled, not run: it does not take the suspect's place here.
                board.suspect = is_busy_with_suspect;
                board.end(it.claimed.run.run_id);
            }
            self.send_ended(it.claimed, report);
        }
        self.board().claims.remove(&claim_id);
        if count > 0 {
            // One line for all of them: a killed process leaves hundreds. Each has its log row.
            warn!(
                runs = count,
                "took over interrupted runs of nodes that ended under them"
            );
        }
        Ok(count)
    }
}
