//! Members of the cluster: running instances of programs.

use serde::{Deserialize, Serialize};

use crate::job::enums::coded_enum;
use crate::job::{InstanceId, Lane};
use crate::run::CancelReason;
use crate::{JobId, RunId, Timestamp};

coded_enum! {
    /// Condition of a node.
    NodeState {
        /// It renews its lease.
        Alive = 0,
        /// It ended by itself and gave its work back.
        Stopped = 1,
        /// Another node or its successor found it gone. It may still be there: then it is fenced.
        Dead = 2,
    }
}

/// One running instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NodeInfo {
    /// Generated at start.
    pub instance: InstanceId,
    /// Name that jobs can be pinned to. Two instances may share one.
    pub name: String,
    /// Condition.
    pub state: NodeState,
    /// When it registered.
    pub started_at: Timestamp,
    /// When it last renewed.
    pub heartbeat_at: Timestamp,
    /// Jobs that it runs at once.
    pub capacity: u32,
    /// Jobs that it runs now.
    pub running: u32,
    /// Lanes that it serves: what it may run and which types it knows. None for a node that runs nothing.
    pub lanes: Vec<Lane>,
    /// Version of its program.
    pub version: String,
}

/// A renewal of the lease.
#[derive(Debug, Clone)]
pub struct RenewRequest {
    /// Who renews.
    pub instance: InstanceId,
    /// Jobs that it runs now.
    pub running: u32,
    /// The lanes that it serves now, where they changed since it registered or renewed last.
    pub lanes: Option<Vec<Lane>>,
    /// Its runs that were claimed as suspects and have run long enough to be none any more.
    pub cleared_suspects: Vec<RunId>,
    /// The present instant; `None` = the store's clock.
    pub now: Option<Timestamp>,
}

/// A run that should end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CancelRequest {
    /// The job.
    pub job_id: JobId,
    /// The run.
    pub run_id: RunId,
    /// Why.
    pub reason: CancelReason,
}

/// Answer to a renewal.
#[derive(Debug, Clone)]
pub enum Renewal {
    /// The lease is renewed.
    Alive {
        /// The store's present instant.
        now: Timestamp,
        /// Runs of this node that should end.
        cancels: Vec<CancelRequest>,
    },
    /// The node is no longer a living member. Nothing was renewed.
    Fenced,
}
