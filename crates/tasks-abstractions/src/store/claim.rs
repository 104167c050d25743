//! Taking executions out of the queue, and over from dead nodes.

use std::sync::Arc;

use crate::job::{ClaimId, InstanceId, Lane};
use crate::run::RunInfo;
use crate::{JobInfo, RunId, Timestamp};

/// A request for due executions.
#[derive(Debug, Clone)]
pub struct ClaimRequest {
    /// Who asks. Must be registered and alive.
    pub instance: InstanceId,
    /// The claim's id, registered in the asking process before the request.
    pub claim_id: ClaimId,
    /// Lanes that the node serves.
    pub lanes: Vec<Lane>,
    /// At most this many.
    pub limit: usize,
    /// The present instant; `None` = the store's clock.
    pub now: Option<Timestamp>,
    /// Where not empty: it is enough to look there. A store may look everywhere, in which case it claims what is most urgent.
    pub floors: Vec<ClaimFloor>,
}

/// A place in a lane from which on a claim looks. What lies before it was taken: on a server its dead index entries would be walked over again with every claim.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimFloor {
    /// The lane, one of those of the request.
    pub lane: Lane,
    /// The rank there.
    pub rank: i16,
    /// The earliest due time that is looked for.
    pub due_at: Timestamp,
}

/// An execution that now is in flight, with its job.
#[derive(Debug, Clone)]
pub struct ClaimedRun {
    /// The job as it was when claimed.
    pub job: Arc<JobInfo>,
    /// The run.
    pub run: RunInfo,
}

/// A request for runs whose node is gone.
#[derive(Debug, Clone)]
pub struct TakeOver {
    /// Who asks. Must be registered and alive.
    pub instance: InstanceId,
    /// The claim's id, registered in the asking process before the request.
    pub claim_id: ClaimId,
    /// At most this many.
    pub limit: usize,
    /// The present instant; `None` = the store's clock.
    pub now: Option<Timestamp>,
}

/// A run that was taken over: it has a new run id, so whatever its former holder still sends changes nothing.
#[derive(Debug, Clone)]
pub struct TakenOver {
    /// The run under its new id, held by the asking node; `suspect`, `after`, `cancel` and `entry` are those of the former run.
    pub claimed: ClaimedRun,
    /// Its former id.
    pub former_run: RunId,
    /// Who held it.
    pub former_instance: InstanceId,
    /// Name of the node that held it, if its row is still there.
    pub former_node: Option<String>,
}
