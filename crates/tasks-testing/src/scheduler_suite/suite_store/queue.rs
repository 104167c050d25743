//! The store as the engine sees it.

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

use super::SuiteStore;

#[async_trait]
impl JobQueue for SuiteStore {
    /// The paused clock, also where the database has one of its own.
    fn clock(&self) -> Option<Arc<dyn Clock>> {
        self.inner.clock()
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        let now = self.clock.now();
        self.call(async { Ok(now) }).await
    }

    async fn submit(&self, jobs: &[PreparedJob]) -> Result<Vec<SubmitAnswer>, StoreError> {
        self.call(self.inner.submit(jobs)).await
    }

    async fn submit_claimed(
        &self,
        job: &PreparedJob,
        request: &ClaimRequest,
    ) -> Result<(SubmitAnswer, Option<ClaimedRun>), StoreError> {
        self.call(self.inner.submit_claimed(job, request)).await
    }

    async fn claim(&self, request: &ClaimRequest) -> Result<Vec<ClaimedRun>, StoreError> {
        self.call(self.inner.claim(request)).await
    }

    async fn next_due(&self, lanes: &[Lane], now: Option<Timestamp>) -> Result<Option<Duration>, StoreError> {
        self.call(self.inner.next_due(lanes, now)).await
    }

    async fn waiting_lanes(&self) -> Result<Vec<Lane>, StoreError> {
        self.call(self.inner.waiting_lanes()).await
    }

    async fn waiting_in(
        &self,
        lane: &Lane,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<JobId>, StoreError> {
        self.call(self.inner.waiting_in(lane, after, limit)).await
    }

    async fn finish(&self, runs: &[FinishRun]) -> Result<Vec<FinishAnswer>, StoreError> {
        self.call(self.inner.finish(runs)).await
    }

    async fn change(
        &self,
        scope: TenantScope,
        ids: &[JobId],
        now: Option<Timestamp>,
        decide: Decide<'_>,
    ) -> Result<Vec<ChangeAnswer>, StoreError> {
        self.call(self.inner.change(scope, ids, now, decide)).await
    }

    async fn register_node(&self, node: &NodeInfo) -> Result<(), StoreError> {
        self.call(self.inner.register_node(node)).await
    }

    async fn renew(&self, request: &RenewRequest) -> Result<Renewal, StoreError> {
        self.call(self.inner.renew(request)).await
    }

    async fn cancel_requests(&self, instance: InstanceId) -> Result<Vec<CancelRequest>, StoreError> {
        self.call(self.inner.cancel_requests(instance)).await
    }

    async fn runs_of(&self, instance: InstanceId) -> Result<Vec<RunInfo>, StoreError> {
        self.call(self.inner.runs_of(instance)).await
    }

    async fn store_progress(
        &self,
        reports: &[ProgressReport],
        now: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.call(self.inner.store_progress(reports, now)).await
    }

    async fn nodes(&self) -> Result<Vec<NodeInfo>, StoreError> {
        self.call(self.inner.nodes()).await
    }

    async fn declare_dead(&self, instance: InstanceId, seen: Timestamp) -> Result<bool, StoreError> {
        self.call(self.inner.declare_dead(instance, seen)).await
    }

    async fn declare_gone_processes(&self, instance: InstanceId) -> Result<Vec<InstanceId>, StoreError> {
        self.call(self.inner.declare_gone_processes(instance)).await
    }

    async fn take_over(&self, request: &TakeOver) -> Result<Vec<TakenOver>, StoreError> {
        self.call(self.inner.take_over(request)).await
    }

    async fn unregister_node(&self, instance: InstanceId) -> Result<(), StoreError> {
        self.call(self.inner.unregister_node(instance)).await
    }
}
