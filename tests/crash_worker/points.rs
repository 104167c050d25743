//! The places at which the process kills itself: around the calls that move work.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use clap::ValueEnum;
use tasks_abstractions::job::{InstanceId, Lane};
use tasks_abstractions::run::RunInfo;
use tasks_abstractions::store::{
    CancelRequest, ChangeAnswer, ClaimRequest, ClaimedRun, Decide, FinishAnswer, FinishRun, NodeInfo,
    PreparedJob, ProgressReport, RenewRequest, Renewal, SubmitAnswer, TakeOver, TakenOver,
};
use tasks_abstractions::{Clock, JobId, JobQueue, StoreError, Timestamp};
use tasks_multitenancy::TenantScope;

/// Where the process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CrashPoint {
    /// The jobs are stored; nobody was told.
    AfterStore,
    /// The claim is committed; no job was started.
    AfterClaim,
    /// The code has returned; its outcome was not handed on.
    AfterRun,
    /// The outcome is about to be written.
    BeforeFinish,
    /// The outcome is committed; the engine does not know it.
    AfterFinish,
    /// Runs of a dead node were taken over; they are not settled.
    AfterTakeOver,
}

/// Counts how often its point is reached.
#[derive(Debug)]
pub(crate) struct Fuse {
    point: CrashPoint,
    left: AtomicUsize,
}

impl Fuse {
    pub(crate) fn new(point: CrashPoint, on: usize) -> Self {
        Self {
            point,
            left: AtomicUsize::new(on),
        }
    }
}

/// Kills the process if this is the point, and the time that it was set for.
pub(crate) fn burn(fuse: Option<&Fuse>, point: CrashPoint) {
    let Some(fuse) = fuse.filter(|it| it.point == point) else {
        return;
    };
    if fuse.left.fetch_sub(1, Ordering::AcqRel) != 1 {
        return;
    }
    let killed = Command::new("kill")
        .args(["-KILL", &std::process::id().to_string()])
        .status();
    // Only where there is no `kill` program does this go on; then an abort must do.
    drop(killed);
    std::process::abort();
}

/// The real store, with a fuse at the calls that move work.
#[derive(Debug)]
pub(crate) struct CrashingQueue {
    inner: Arc<dyn JobQueue>,
    fuse: Option<Arc<Fuse>>,
}

impl CrashingQueue {
    pub(crate) fn new(inner: Arc<dyn JobQueue>, fuse: Option<Arc<Fuse>>) -> Self {
        Self { inner, fuse }
    }

    fn burn(&self, point: CrashPoint) {
        burn(self.fuse.as_deref(), point);
    }
}

#[async_trait]
impl JobQueue for CrashingQueue {
    fn clock(&self) -> Option<Arc<dyn Clock>> {
        self.inner.clock()
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        self.inner.now().await
    }

    async fn submit(&self, jobs: &[PreparedJob]) -> Result<Vec<SubmitAnswer>, StoreError> {
        let answers = self.inner.submit(jobs).await?;
        self.burn(CrashPoint::AfterStore);
        Ok(answers)
    }

    async fn submit_claimed(
        &self,
        job: &PreparedJob,
        request: &ClaimRequest,
    ) -> Result<(SubmitAnswer, Option<ClaimedRun>), StoreError> {
        let (answer, claimed) = self.inner.submit_claimed(job, request).await?;
        self.burn(CrashPoint::AfterStore);
        if claimed.is_some() {
            self.burn(CrashPoint::AfterClaim);
        }
        Ok((answer, claimed))
    }

    async fn claim(&self, request: &ClaimRequest) -> Result<Vec<ClaimedRun>, StoreError> {
        let runs = self.inner.claim(request).await?;
        if !runs.is_empty() {
            self.burn(CrashPoint::AfterClaim);
        }
        Ok(runs)
    }

    async fn next_due(&self, lanes: &[Lane], now: Option<Timestamp>) -> Result<Option<Duration>, StoreError> {
        self.inner.next_due(lanes, now).await
    }

    async fn waiting_lanes(&self) -> Result<Vec<Lane>, StoreError> {
        self.inner.waiting_lanes().await
    }

    async fn waiting_in(
        &self,
        lane: &Lane,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<JobId>, StoreError> {
        self.inner.waiting_in(lane, after, limit).await
    }

    async fn finish(&self, runs: &[FinishRun]) -> Result<Vec<FinishAnswer>, StoreError> {
        self.burn(CrashPoint::BeforeFinish);
        let answers = self.inner.finish(runs).await?;
        self.burn(CrashPoint::AfterFinish);
        Ok(answers)
    }

    async fn change(
        &self,
        scope: TenantScope,
        ids: &[JobId],
        now: Option<Timestamp>,
        decide: Decide<'_>,
    ) -> Result<Vec<ChangeAnswer>, StoreError> {
        self.inner.change(scope, ids, now, decide).await
    }

    async fn register_node(&self, node: &NodeInfo) -> Result<(), StoreError> {
        self.inner.register_node(node).await
    }

    async fn renew(&self, request: &RenewRequest) -> Result<Renewal, StoreError> {
        self.inner.renew(request).await
    }

    async fn cancel_requests(&self, instance: InstanceId) -> Result<Vec<CancelRequest>, StoreError> {
        self.inner.cancel_requests(instance).await
    }

    async fn runs_of(&self, instance: InstanceId) -> Result<Vec<RunInfo>, StoreError> {
        self.inner.runs_of(instance).await
    }

    async fn store_progress(
        &self,
        reports: &[ProgressReport],
        now: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.inner.store_progress(reports, now).await
    }

    async fn nodes(&self) -> Result<Vec<NodeInfo>, StoreError> {
        self.inner.nodes().await
    }

    async fn declare_dead(&self, instance: InstanceId, seen: Timestamp) -> Result<bool, StoreError> {
        self.inner.declare_dead(instance, seen).await
    }

    async fn declare_gone_processes(&self, instance: InstanceId) -> Result<Vec<InstanceId>, StoreError> {
        self.inner.declare_gone_processes(instance).await
    }

    async fn take_over(&self, request: &TakeOver) -> Result<Vec<TakenOver>, StoreError> {
        let taken = self.inner.take_over(request).await?;
        if !taken.is_empty() {
            self.burn(CrashPoint::AfterTakeOver);
        }
        Ok(taken)
    }

    async fn unregister_node(&self, instance: InstanceId) -> Result<(), StoreError> {
        self.inner.unregister_node(instance).await
    }
}
