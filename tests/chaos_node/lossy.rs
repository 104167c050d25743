//! A way to the store on which calls and replies get lost, and on which one kind of result is refused.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use rand::RngExt as _;
use tasks_abstractions::job::{InstanceId, Lane};
use tasks_abstractions::run::RunInfo;
use tasks_abstractions::store::{
    CancelRequest, ChangeAnswer, ClaimRequest, ClaimedRun, Decide, FinishAnswer, FinishRun, NodeInfo,
    PreparedJob, ProgressReport, RenewRequest, Renewal, StoreErrorKind, SubmitAnswer, TakeOver, TakenOver,
};
use tasks_abstractions::{Clock, JobId, JobQueue, StoreError, Timestamp};
use tasks_multitenancy::TenantScope;
use tests::chaos::{Moment, SOUR};

use crate::pulse::Pulse;

/// Whether the way is cut.
#[derive(Debug, Default)]
pub(crate) struct Cut(AtomicBool);

impl Cut {
    pub(crate) fn set(&self, is_cut: bool) {
        self.0.store(is_cut, Ordering::Relaxed);
    }
}

/// The real store at the end of a bad way. While it is cut, of three calls one is carried out and its reply lost, one is never carried out, and one goes
/// well. A batch of outcomes with a [`SOUR`] result is refused always.
pub(crate) struct LossyQueue {
    inner: Arc<dyn JobQueue>,
    cut: Arc<Cut>,
    pulse: Pulse,
}

impl LossyQueue {
    pub(crate) fn new(inner: Arc<dyn JobQueue>, cut: Arc<Cut>, pulse: Pulse) -> Self {
        Self { inner, cut, pulse }
    }

    async fn lossy<T>(&self, call: impl Future<Output = Result<T, StoreError>>) -> Result<T, StoreError> {
        if !self.cut.0.load(Ordering::Relaxed) {
            return call.await;
        }
        let lost = |what: &str| {
            Err(StoreError::new(
                StoreErrorKind::Unavailable,
                format!("the {what} was lost"),
            ))
        };
        // Drawn here, so that the generator is not held over an await.
        let luck = rand::rng().random_range(0..3_u8);
        match luck {
            0 => {
                // Whatever it answers: nobody hears it.
                drop(call.await);
                lost("reply")
            }
            1 => lost("call"),
            _ => call.await,
        }
    }
}

impl fmt::Debug for LossyQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LossyQueue").finish_non_exhaustive()
    }
}

#[async_trait]
impl JobQueue for LossyQueue {
    fn clock(&self) -> Option<Arc<dyn Clock>> {
        self.inner.clock()
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        self.lossy(self.inner.now()).await
    }

    async fn submit(&self, jobs: &[PreparedJob]) -> Result<Vec<SubmitAnswer>, StoreError> {
        self.lossy(self.inner.submit(jobs)).await
    }

    async fn submit_claimed(
        &self,
        job: &PreparedJob,
        request: &ClaimRequest,
    ) -> Result<(SubmitAnswer, Option<ClaimedRun>), StoreError> {
        self.lossy(self.inner.submit_claimed(job, request)).await
    }

    async fn claim(&self, request: &ClaimRequest) -> Result<Vec<ClaimedRun>, StoreError> {
        self.lossy(self.inner.claim(request)).await
    }

    async fn next_due(&self, lanes: &[Lane], now: Option<Timestamp>) -> Result<Option<Duration>, StoreError> {
        self.lossy(self.inner.next_due(lanes, now)).await
    }

    async fn waiting_lanes(&self) -> Result<Vec<Lane>, StoreError> {
        self.lossy(self.inner.waiting_lanes()).await
    }

    async fn waiting_in(
        &self,
        lane: &Lane,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<JobId>, StoreError> {
        self.lossy(self.inner.waiting_in(lane, after, limit)).await
    }

    async fn finish(&self, runs: &[FinishRun]) -> Result<Vec<FinishAnswer>, StoreError> {
        let mut logs = runs.iter().filter_map(|it| it.settlement.log.as_ref());
        if logs.any(|it| it.message.as_deref() == Some(SOUR)) {
            return Err(StoreError::new(StoreErrorKind::Rejected, "a result is sour"));
        }
        self.lossy(self.inner.finish(runs)).await
    }

    async fn change(
        &self,
        scope: TenantScope,
        ids: &[JobId],
        now: Option<Timestamp>,
        decide: Decide<'_>,
    ) -> Result<Vec<ChangeAnswer>, StoreError> {
        self.lossy(self.inner.change(scope, ids, now, decide)).await
    }

    async fn register_node(&self, node: &NodeInfo) -> Result<(), StoreError> {
        let sent = Moment::now();
        let answer = self.lossy(self.inner.register_node(node)).await;
        self.pulse.renewed(sent, answer.is_ok());
        answer
    }

    async fn renew(&self, request: &RenewRequest) -> Result<Renewal, StoreError> {
        let sent = Moment::now();
        let answer = self.lossy(self.inner.renew(request)).await;
        self.pulse
            .renewed(sent, matches!(answer, Ok(Renewal::Alive { .. })));
        answer
    }

    async fn cancel_requests(&self, instance: InstanceId) -> Result<Vec<CancelRequest>, StoreError> {
        self.lossy(self.inner.cancel_requests(instance)).await
    }

    async fn runs_of(&self, instance: InstanceId) -> Result<Vec<RunInfo>, StoreError> {
        self.lossy(self.inner.runs_of(instance)).await
    }

    async fn store_progress(
        &self,
        reports: &[ProgressReport],
        now: Option<Timestamp>,
    ) -> Result<(), StoreError> {
        self.lossy(self.inner.store_progress(reports, now)).await
    }

    async fn nodes(&self) -> Result<Vec<NodeInfo>, StoreError> {
        self.lossy(self.inner.nodes()).await
    }

    async fn declare_dead(&self, instance: InstanceId, seen: Timestamp) -> Result<bool, StoreError> {
        self.lossy(self.inner.declare_dead(instance, seen)).await
    }

    async fn declare_gone_processes(&self, instance: InstanceId) -> Result<Vec<InstanceId>, StoreError> {
        self.lossy(self.inner.declare_gone_processes(instance)).await
    }

    async fn take_over(&self, request: &TakeOver) -> Result<Vec<TakenOver>, StoreError> {
        self.lossy(self.inner.take_over(request)).await
    }

    async fn unregister_node(&self, instance: InstanceId) -> Result<(), StoreError> {
        self.lossy(self.inner.unregister_node(instance)).await
    }
}
