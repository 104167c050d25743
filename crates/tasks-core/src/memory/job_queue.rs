//! The store as the engine sees it. Each method is one transaction over the rows.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tasks_abstractions::job::{InstanceId, Lane};
use tasks_abstractions::run::RunInfo;
use tasks_abstractions::store::{
    CancelRequest, ChangeAnswer, ClaimRequest, ClaimedRun, Decide, FinishAnswer, FinishRun, NodeInfo,
    PreparedJob, ProgressReport, RenewRequest, Renewal, SubmitAnswer, TakeOver, TakenOver,
};
use tasks_abstractions::{Clock, JobId, JobQueue, StoreError, Timestamp};
use tasks_multitenancy::TenantScope;

use super::MemoryStore;
use super::texts::{refuse_bad_job, refuse_nul};

#[async_trait]
impl JobQueue for MemoryStore {
    fn clock(&self) -> Option<Arc<dyn Clock>> {
        Some(Arc::clone(&self.clock))
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        let now = self.instant(None);
        self.transaction(|_| Ok(now))
    }

    async fn submit(&self, jobs: &[PreparedJob]) -> Result<Vec<SubmitAnswer>, StoreError> {
        self.transaction(|rows| {
            jobs.iter().try_for_each(|it| refuse_bad_job(&it.job))?;
            Ok(jobs.iter().map(|it| rows.submit(it)).collect())
        })
    }

    async fn submit_claimed(
        &self,
        job: &PreparedJob,
        request: &ClaimRequest,
    ) -> Result<(SubmitAnswer, Option<ClaimedRun>), StoreError> {
        let now = self.instant(request.now);
        self.transaction(|rows| {
            refuse_bad_job(&job.job)?;
            let answer = rows.submit(job);
            let claimed = match (answer, &job.first) {
                (SubmitAnswer::Inserted, Some(first)) if rows.may_begin(first, request, now) => {
                    rows.start(job.job.id, request, now)
                }
                _ => None,
            };
            Ok((answer, claimed))
        })
    }

    async fn claim(&self, request: &ClaimRequest) -> Result<Vec<ClaimedRun>, StoreError> {
        let now = self.instant(request.now);
        self.transaction(|rows| rows.claim(request, now))
    }

    async fn next_due(&self, lanes: &[Lane], now: Option<Timestamp>) -> Result<Option<Duration>, StoreError> {
        let now = self.instant(now);
        // An instant that has passed has no duration to it: it is due.
        let wait = |due: Timestamp| (due - now).to_std().unwrap_or(Duration::ZERO);
        self.transaction(|rows| Ok(rows.lanes().earliest(lanes).map(wait)))
    }

    async fn waiting_lanes(&self) -> Result<Vec<Lane>, StoreError> {
        self.transaction(|rows| Ok(rows.lanes().names().cloned().collect()))
    }

    async fn waiting_in(
        &self,
        lane: &Lane,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<JobId>, StoreError> {
        self.transaction(|rows| Ok(rows.waiting_in(lane, after, limit)))
    }

    async fn finish(&self, runs: &[FinishRun]) -> Result<Vec<FinishAnswer>, StoreError> {
        self.transaction(|rows| rows.finish(runs))
    }

    async fn change(
        &self,
        scope: TenantScope,
        ids: &[JobId],
        now: Option<Timestamp>,
        decide: Decide<'_>,
    ) -> Result<Vec<ChangeAnswer>, StoreError> {
        let now = self.instant(now);
        self.transaction(|rows| rows.change(scope, ids, now, decide))
    }

    async fn register_node(&self, node: &NodeInfo) -> Result<(), StoreError> {
        self.transaction(|rows| {
            let texts = [
                ("name", Some(node.name.as_str())),
                ("version", Some(node.version.as_str())),
            ];
            refuse_nul("a node", texts)?;
            rows.register_node(node);
            Ok(())
        })
    }

    async fn renew(&self, request: &RenewRequest) -> Result<Renewal, StoreError> {
        let now = self.instant(request.now);
        self.transaction(|rows| Ok(rows.renew(request, now)))
    }

    async fn cancel_requests(&self, instance: InstanceId) -> Result<Vec<CancelRequest>, StoreError> {
        self.transaction(|rows| Ok(rows.cancel_requests(instance)))
    }

    async fn runs_of(&self, instance: InstanceId) -> Result<Vec<RunInfo>, StoreError> {
        self.transaction(|rows| Ok(rows.runs_of(instance).cloned().collect()))
    }

    async fn store_progress(
        &self,
        reports: &[ProgressReport],
        now: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        let now = self.instant(now);
        self.transaction(|rows| {
            let messages = reports
                .iter()
                .map(|it| ("message", Some(it.progress.message.as_str())));
            refuse_nul("a progress report", messages)?;
            rows.store_progress(reports, now);
            Ok(())
        })
    }

    async fn nodes(&self) -> Result<Vec<NodeInfo>, StoreError> {
        self.transaction(|rows| Ok(rows.nodes_by_start()))
    }

    async fn declare_dead(&self, instance: InstanceId, seen: Timestamp) -> Result<bool, StoreError> {
        self.transaction(|rows| Ok(rows.declare_dead(instance, seen)))
    }

    /// Nobody: every node of this store lives in the store's own process.
    async fn declare_gone_processes(&self, _instance: InstanceId) -> Result<Vec<InstanceId>, StoreError> {
        self.transaction(|_| Ok(Vec::new()))
    }

    async fn take_over(&self, request: &TakeOver) -> Result<Vec<TakenOver>, StoreError> {
        let now = self.instant(request.now);
        self.transaction(|rows| rows.take_over(request, now))
    }

    async fn unregister_node(&self, instance: InstanceId) -> Result<(), StoreError> {
        self.transaction(|rows| {
            rows.unregister_node(instance);
            Ok(())
        })
    }
}
