//! The engine's seam: which file does what.

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

use crate::store::SeaOrmStore;

#[async_trait]
impl JobQueue for SeaOrmStore {
    fn clock(&self) -> Option<Arc<dyn Clock>> {
        let handles = self.handles();
        handles
            .open
            .dialect
            .sql()
            .clock
            .is_none()
            .then(|| Arc::clone(&handles.clock))
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        self.now_on(self.reading(), None).await
    }

    async fn submit(&self, jobs: &[PreparedJob]) -> Result<Vec<SubmitAnswer>, StoreError> {
        match jobs {
            [job] => Ok(vec![self.submit_one(job).await?]),
            _ => self.again(|| self.submit_jobs(jobs)).await,
        }
    }

    async fn submit_claimed(
        &self,
        job: &PreparedJob,
        request: &ClaimRequest,
    ) -> Result<(SubmitAnswer, Option<ClaimedRun>), StoreError> {
        self.submit_and_claim_one(job, request).await
    }

    async fn claim(&self, request: &ClaimRequest) -> Result<Vec<ClaimedRun>, StoreError> {
        self.again(|| self.claim_due(request)).await
    }

    async fn next_due(&self, lanes: &[Lane], now: Option<Timestamp>) -> Result<Option<Duration>, StoreError> {
        self.time_to_next(lanes, now).await
    }

    async fn waiting_lanes(&self) -> Result<Vec<Lane>, StoreError> {
        self.lanes_with_work().await
    }

    async fn waiting_in(
        &self,
        lane: &Lane,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<JobId>, StoreError> {
        self.jobs_in_lane(lane, after, limit).await
    }

    async fn finish(&self, runs: &[FinishRun]) -> Result<Vec<FinishAnswer>, StoreError> {
        self.again(|| self.finish_runs(runs)).await
    }

    async fn change(
        &self,
        scope: TenantScope,
        ids: &[JobId],
        now: Option<Timestamp>,
        decide: Decide<'_>,
    ) -> Result<Vec<ChangeAnswer>, StoreError> {
        self.change_jobs(scope, ids, now, decide).await
    }

    async fn register_node(&self, node: &NodeInfo) -> Result<(), StoreError> {
        self.again(|| self.register(node)).await
    }

    async fn renew(&self, request: &RenewRequest) -> Result<Renewal, StoreError> {
        self.again(|| self.renew_lease(request)).await
    }

    async fn cancel_requests(&self, instance: InstanceId) -> Result<Vec<CancelRequest>, StoreError> {
        self.cancel_requests_of(instance).await
    }

    async fn runs_of(&self, instance: InstanceId) -> Result<Vec<RunInfo>, StoreError> {
        self.runs_held_by(instance).await
    }

    async fn store_progress(
        &self,
        reports: &[ProgressReport],
        now: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.again(|| self.write_progress(reports, now)).await
    }

    async fn nodes(&self) -> Result<Vec<NodeInfo>, StoreError> {
        self.all_nodes().await
    }

    async fn declare_dead(&self, instance: InstanceId, seen: Timestamp) -> Result<bool, StoreError> {
        self.again(|| self.declare_dead_if_seen(instance, seen)).await
    }

    async fn declare_gone_processes(&self, instance: InstanceId) -> Result<Vec<InstanceId>, StoreError> {
        self.again(|| self.declare_gone(instance)).await
    }

    async fn take_over(&self, request: &TakeOver) -> Result<Vec<TakenOver>, StoreError> {
        self.again(|| self.take_over_runs(request)).await
    }

    async fn unregister_node(&self, instance: InstanceId) -> Result<(), StoreError> {
        self.again(|| self.unregister(instance)).await
    }
}
