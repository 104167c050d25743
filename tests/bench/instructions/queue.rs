//! A queue with due jobs, without an engine around it.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use tasks_abstractions::job::{ClaimId, InstanceId, Lane, rank_of};
use tasks_abstractions::run::{QueueEntry, RunKind};
use tasks_abstractions::store::{ClaimRequest, ClaimedRun, FinishRun, NodeInfo, NodeState, PreparedJob};
use tasks_abstractions::{
    BackgroundJob as _, Clock, GuidGenerator, JobArgs, JobFlags, JobId, JobInfo, JobLimits, JobPriority,
    JobQueue, RunOutcome, SequentialGuidGenerator, SystemClock, Timestamp,
};
use tasks_core::transition::{RunReport, SettleContext, settle};
use tasks_core::{Kept, MemoryStore};
use tasks_multitenancy::TenantId;
use tasks_store_seaorm::SeaOrmStore;
use tempfile::TempDir;

use crate::frame::ledger::NoOp;

/// Jobs of one call.
const AT_ONCE: usize = 100;

const NODE: &str = "bench";

/// The queue, and the node that claims from it.
pub(super) struct Queue {
    queue: Arc<dyn JobQueue>,
    guids: SequentialGuidGenerator,
    instance: InstanceId,
    now: Timestamp,
    /// Of its files.
    _folder: Option<TempDir>,
}

impl Queue {
    pub(super) async fn in_memory(jobs: usize) -> Result<Self> {
        let store = MemoryStore::new(Arc::new(SystemClock));
        Self::filled(Arc::new(store), None, jobs).await
    }

    pub(super) async fn on_sqlite(jobs: usize) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let store = SeaOrmStore::connect_path(folder.path().join("bench.db"), Arc::new(SystemClock)).await?;
        Self::filled(Arc::new(store), Some(folder), jobs).await
    }

    async fn filled(queue: Arc<dyn JobQueue>, folder: Option<TempDir>, jobs: usize) -> Result<Self> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let now = clock.now();
        let guids = SequentialGuidGenerator::new(clock);
        let instance = InstanceId::new(guids.create());
        queue
            .register_node(&NodeInfo {
                instance,
                name: NODE.to_owned(),
                state: NodeState::Alive,
                started_at: now,
                heartbeat_at: now,
                capacity: 1,
                running: 0,
                lanes: vec![Lane::any_node()],
                version: env!("CARGO_PKG_VERSION").to_owned(),
            })
            .await?;
        let one = |number: usize| {
            let id = JobId::new(guids.create());
            let job = JobInfo::builder(id, TenantId::HOST, NoOp::NAME, now)
                .args(JobArgs::from_typed(&number)?)
                .build(&JobLimits::default())?;
            let first = QueueEntry {
                lane: Lane::of(&job),
                rank: rank_of(JobPriority::Normal),
                due_at: now,
                kind: RunKind::Schedule,
                attempt: 1,
            };
            anyhow::Ok(PreparedJob::new(job, Some(first), None))
        };
        let prepared = (0..jobs).map(one).collect::<Result<Vec<_>>>()?;
        queue.submit(&prepared).await?;
        Ok(Self {
            queue,
            guids,
            instance,
            now,
            _folder: folder,
        })
    }

    /// Claims so many jobs.
    pub(super) async fn claim(&self, jobs: usize) -> Result<Vec<ClaimedRun>> {
        let mut claimed = Vec::with_capacity(jobs);
        while claimed.len() < jobs {
            let request = ClaimRequest {
                instance: self.instance,
                claim_id: ClaimId::generate(&self.guids),
                lanes: vec![Lane::any_node()],
                limit: AT_ONCE.min(jobs - claimed.len()),
                now: Some(self.now),
                floors: Vec::new(),
            };
            let more = self.queue.claim(&request).await?;
            anyhow::ensure!(!more.is_empty(), "{} of {jobs} jobs were there", claimed.len());
            claimed.extend(more);
        }
        Ok(claimed)
    }

    /// What is written for a run that succeeded.
    pub(super) fn settled(&self, it: &ClaimedRun) -> FinishRun {
        let report = RunReport::new(RunOutcome::Succeeded, self.now, Duration::ZERO);
        let ctx = SettleContext {
            now: self.now,
            chance: 0.5,
            node_name: NODE,
            instance: self.instance,
            flags: JobFlags::NONE,
            kept: Kept::ALL,
        };
        FinishRun {
            job_id: it.job.id,
            run_id: it.run.run_id,
            job_version: it.job.version,
            settlement: settle(&it.job, &it.run, &report, &ctx),
        }
    }

    pub(super) async fn finish(&self, runs: Vec<FinishRun>) -> Result<()> {
        for part in runs.chunks(AT_ONCE) {
            self.queue.finish(part).await?;
        }
        Ok(())
    }
}
