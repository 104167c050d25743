//! What follows a run: jobs that are stored in the same transaction as its outcome.

use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tasks_multitenancy::TenantId;
use thiserror::Error;

use crate::run::RunInfo;
use crate::store::PreparedJob;
use crate::{JobId, JobInfo, RunId, RunOutcome, Timestamp};

/// A run whose outcome is about to be stored.
#[derive(Debug, Clone)]
pub struct FollowUpRequest {
    /// The job as it was claimed.
    pub job: Arc<JobInfo>,
    /// The run.
    pub run: RunInfo,
    /// How it ended.
    pub outcome: RunOutcome,
    /// Result, or message of the innermost error.
    pub message: Option<String>,
    /// Whether the job is given up by it.
    pub is_abandoned: bool,
    /// The engine's present instant.
    pub now: Timestamp,
}

/// Says which jobs follow a run. A pure function: the same request gives jobs with the same ids
/// ([`JobId::from_run`]), so that a repeated attempt to store an outcome stores them once.
pub trait RunFollowUps: Send + Sync {
    /// The jobs that follow. A panic is caught and logged; the outcome is then stored without them.
    fn follow_ups(&self, request: &FollowUpRequest) -> Vec<PreparedJob>;
}

/// What an administrator is told about a job that was given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AbandonedNotice {
    /// The job.
    pub job_id: JobId,
    /// The run that was its last.
    pub run_id: RunId,
    /// The job's tenant.
    pub tenant_id: TenantId,
    /// The job's name.
    pub name: String,
    /// The job's group.
    pub group: String,
    /// The job's type.
    pub type_name: String,
    /// How the last run ended.
    pub outcome: RunOutcome,
    /// Message of the innermost error.
    pub message: Option<String>,
    /// Failures in a row.
    pub try_count: u32,
    /// Interruptions since the last settled run.
    pub interruptions: u32,
    /// When it was given up.
    pub at: Timestamp,
}

/// A channel could not deliver.
#[derive(Debug, Error)]
#[error("channel `{channel}` could not deliver: {reason}")]
pub struct ChannelError {
    /// The channel's name.
    pub channel: String,
    /// Why.
    pub reason: String,
}

/// Reaches the administrator. Called by a durable job, so a failed delivery is tried again; the delivery is at-least-once.
#[async_trait]
pub trait AdministratorChannel: Send + Sync {
    /// Name of the channel, for logs.
    fn name(&self) -> &str;

    /// Delivers a notice.
    async fn notify(&self, notice: &AbandonedNotice) -> Result<(), ChannelError>;
}
