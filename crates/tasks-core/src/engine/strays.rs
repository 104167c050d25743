//! The stray step: work that waits where no node serves it, and work that need not wait apart any more.

use std::collections::HashMap;

use tasks_abstractions::job::Lane;
use tasks_abstractions::run::{JobSnapshot, QueueEntry};
use tasks_abstractions::store::{
    ChangeAnswer, Decision, JobChange, NodeInfo, NodeState, RunChange, WaitingChange,
};
use tasks_abstractions::{JobId, JobInfo, StoreError};
use tasks_multitenancy::TenantScope;
use tokio::time::Instant;
use tracing::{info, warn};

use super::{Engine, lock};

/// Most jobs of one lane that are looked at in one step.
const BATCH: usize = 500;

/// What this node knows of lanes whose node is gone.
#[derive(Debug, Default)]
pub(super) struct Strays(HashMap<Lane, Stray>);

#[derive(Debug)]
struct Stray {
    /// Since when nobody serves it, by this node's monotonic clock.
    since: Instant,
    is_reported: bool,
    /// Where the walk over its jobs was.
    after: Option<JobId>,
}

impl Engine {
    /// Looks at what waits in lanes of single nodes and of unknown types; answers how many jobs were moved.
    ///
    /// Work that is pinned to a node which nobody has been for a lease is reported; it is moved to every node's lane where its job says
    /// [`failover`](JobInfo::failover). Work that waits apart because some node did not know its type goes back to its own lane once every node that may run it
    /// knows the type. Several nodes may do this at once.
    ///
    /// # Errors
    /// Where the store failed.
    pub async fn stray_step(&self) -> Result<usize, StoreError> {
        let waiting = self.parts().queue.waiting_lanes().await?;
        let apart: Vec<&Lane> = waiting
            .iter()
            .filter(|it| it.pin().is_some() || it.needed_type().is_some())
            .collect();
        lock(&self.shared.strays)
            .0
            .retain(|lane, _| waiting.contains(lane));
        if apart.is_empty() {
            return Ok(0);
        }
        let nodes: Vec<NodeInfo> = self
            .parts()
            .queue
            .nodes()
            .await?
            .into_iter()
            // A node without lanes runs nothing.
            .filter(|it| it.state == NodeState::Alive && !it.lanes.is_empty())
            .collect();
        let mut moved = 0;
        for lane in apart {
            let is_there = lane.pin().is_none_or(|pin| nodes.iter().any(|it| it.name == pin));
            if is_there {
                lock(&self.shared.strays).0.remove(lane);
                if lane.needed_type().is_some() && is_known_everywhere(lane, &nodes) {
                    moved += self
                        .move_some(lane, |_| true, None, |job, _| Lane::of(job))
                        .await?
                        .0;
                }
            } else {
                moved += self.abandoned_lane(lane).await?;
            }
        }
        Ok(moved)
    }

    /// A lane whose node nobody is.
    async fn abandoned_lane(&self, lane: &Lane) -> Result<usize, StoreError> {
        let after = {
            let mut strays = lock(&self.shared.strays);
            let stray = strays.0.entry(lane.clone()).or_insert_with(|| Stray {
                since: Instant::now(),
                is_reported: false,
                after: None,
            });
            // A node that is started anew, or renamed, needs a moment.
            if stray.since.elapsed() < self.options().lease {
                return Ok(0);
            }
            if !std::mem::replace(&mut stray.is_reported, true) {
                warn!(%lane, node = lane.pin(), "work is pinned to a node that nobody is; it waits until there is one, unless its job may fail over");
            }
            stray.after
        };
        let everywhere = |_: &JobInfo, entry: &QueueEntry| match entry.lane.needed_type() {
            Some(type_name) => Lane::unknown_type(None, type_name),
            None => Lane::any_node(),
        };
        let (moved, last) = self.move_some(lane, |it| it.failover, after, everywhere).await?;
        if let Some(stray) = lock(&self.shared.strays).0.get_mut(lane) {
            stray.after = last;
        }
        if moved > 0 {
            info!(%lane, jobs = moved, "moved work of a node that is gone to all nodes");
        }
        Ok(moved)
    }

    /// Moves the next jobs that wait in a lane, of those that are wanted; answers how many, and where to go on.
    async fn move_some(
        &self,
        lane: &Lane,
        is_wanted: impl Fn(&JobInfo) -> bool + Send + Sync,
        after: Option<JobId>,
        to: impl Fn(&JobInfo, &QueueEntry) -> Lane + Send + Sync,
    ) -> Result<(usize, Option<JobId>), StoreError> {
        let (queue, store) = (&self.parts().queue, &self.parts().store);
        let ids = queue.waiting_in(lane, after, BATCH).await?;
        let last = ids.last().copied().filter(|_| ids.len() == BATCH);
        // Read first: most jobs of such a lane are not to be moved, and locking all of them would hold up others.
        let found = store.snapshots(TenantScope::All, &ids).await?;
        let wanted: Vec<JobId> = found
            .iter()
            .filter(|it| is_wanted(&it.job))
            .map(|it| it.job.id)
            .collect();
        if wanted.is_empty() {
            return Ok((0, last));
        }
        let decide = |it: &JobSnapshot, _| match &it.waiting {
            Some(entry) if entry.lane == *lane && is_wanted(&it.job) => {
                let new = to(&it.job, entry);
                let lane = if entry.is_suspect() { new.suspect() } else { new };
                Decision::Change(Box::new(JobChange {
                    job: it.job.clone(),
                    waiting: WaitingChange::Set(QueueEntry {
                        lane,
                        ..entry.clone()
                    }),
                    run: RunChange::default(),
                }))
            }
            _ => Decision::Keep,
        };
        let now = self.authoritative_now();
        let answers = queue.change(TenantScope::All, &wanted, now, &decide).await?;
        let moved = answers
            .iter()
            .filter(|it| matches!(it, ChangeAnswer::Changed(_)))
            .count();
        if moved > 0 {
            self.signals().work();
        }
        Ok((moved, last))
    }
}

/// Whether every node that may run work of this lane knows its type.
fn is_known_everywhere(lane: &Lane, nodes: &[NodeInfo]) -> bool {
    let Some(type_name) = lane.needed_type() else {
        return false;
    };
    let mut candidates = nodes
        .iter()
        .filter(|it| lane.pin().is_none_or(|pin| it.name == pin))
        .peekable();
    candidates.peek().is_some()
        && candidates.all(|it| it.lanes.contains(&Lane::unknown_type(None, type_name)))
}
