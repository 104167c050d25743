//! Members of the cluster and the runs that they hold.

use tasks_abstractions::job::InstanceId;
use tasks_abstractions::run::RunInfo;
use tasks_abstractions::store::{CancelRequest, NodeInfo, NodeState, RenewRequest, Renewal, StoreErrorKind};
use tasks_abstractions::{StoreError, Timestamp};

use super::rows::Rows;

impl Rows {
    pub(super) fn is_alive(&self, instance: InstanceId) -> bool {
        self.nodes
            .get(&instance)
            .is_some_and(|it| it.state == NodeState::Alive)
    }

    /// Only living members may take executions: others cannot be seen to die, so what they took would be lost.
    pub(super) fn require_alive(&self, instance: InstanceId) -> Result<(), StoreError> {
        if self.is_alive(instance) {
            return Ok(());
        }
        Err(StoreError::new(
            StoreErrorKind::Fenced,
            format!("instance `{instance}` is no living member; cancel its runs and register anew"),
        ))
    }

    pub(super) fn register_node(&mut self, node: &NodeInfo) {
        let node = NodeInfo {
            state: NodeState::Alive,
            ..node.clone()
        };
        self.nodes.insert(node.instance, node);
    }

    pub(super) fn renew(&mut self, request: &RenewRequest, now: Timestamp) -> Renewal {
        let Some(node) = self
            .nodes
            .get_mut(&request.instance)
            .filter(|it| it.state == NodeState::Alive)
        else {
            return Renewal::Fenced;
        };
        node.heartbeat_at = now;
        node.running = request.running;
        if let Some(lanes) = &request.lanes {
            node.lanes.clone_from(lanes);
        }
        for run_id in &request.cleared_suspects {
            if let Some(job) = self.runs().job_of(*run_id)
                && let Some(run) = self.job_mut(job).and_then(|it| it.run_mut())
                && run.instance == request.instance
            {
                run.suspect = false;
            }
        }
        Renewal::Alive {
            now,
            cancels: self.cancel_requests(request.instance),
        }
    }

    /// Runs of an instance that should end, by job id.
    pub(super) fn cancel_requests(&self, instance: InstanceId) -> Vec<CancelRequest> {
        self.runs_of(instance)
            .filter_map(|it| {
                Some(CancelRequest {
                    job_id: it.job_id,
                    run_id: it.run_id,
                    reason: it.cancel?,
                })
            })
            .collect()
    }

    /// Runs in flight of an instance, by job id.
    pub(super) fn runs_of(&self, instance: InstanceId) -> impl Iterator<Item = &RunInfo> {
        self.runs().held_by(instance).filter_map(|it| self.job(it)?.run())
    }

    /// All nodes, by start.
    pub(super) fn nodes_by_start(&self) -> Vec<NodeInfo> {
        let mut nodes: Vec<_> = self.nodes.values().cloned().collect();
        nodes.sort_by_key(|it| (it.started_at, it.instance));
        nodes
    }

    /// False where the heartbeat moved since it was seen, or where there was nobody alive.
    pub(super) fn declare_dead(&mut self, instance: InstanceId, seen: Timestamp) -> bool {
        match self.nodes.get_mut(&instance) {
            Some(node) if node.state == NodeState::Alive && node.heartbeat_at == seen => {
                node.state = NodeState::Dead;
                true
            }
            _ => false,
        }
    }

    /// Ends a membership. One that was declared dead stays so.
    pub(super) fn unregister_node(&mut self, instance: InstanceId) {
        if let Some(node) = self.nodes.get_mut(&instance)
            && node.state == NodeState::Alive
        {
            node.state = NodeState::Stopped;
        }
    }
}
