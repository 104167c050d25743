//! A queue that misbehaves on demand: loses replies, holds them back, refuses rows.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tasks_abstractions::job::{InstanceId, Lane};
use tasks_abstractions::run::RunInfo;
use tasks_abstractions::store::{
    CancelRequest, ChangeAnswer, ClaimRequest, ClaimedRun, Decide, FinishAnswer, FinishRun, NodeInfo,
    PreparedJob, ProgressReport, RenewRequest, Renewal, StoreErrorKind, SubmitAnswer, TakeOver, TakenOver,
};
use tasks_abstractions::{Clock, JobQueue, StoreError, Timestamp};
use tasks_multitenancy::TenantScope;
use tokio::sync::Semaphore;

/// A method whose replies can be tampered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Call {
    /// `submit`
    Submit,
    /// `claim`
    Claim,
    /// `next_due`
    NextDue,
    /// `finish`
    Finish,
    /// `renew`
    Renew,
    /// `take_over`
    TakeOver,
    /// `unregister_node`
    Unregister,
    /// `change`
    Change,
    /// `store_progress`
    Progress,
}

#[derive(Debug, Default)]
struct Plan {
    lost: HashMap<Call, usize>,
    held: HashMap<Call, Arc<Held>>,
    refused_text: Option<String>,
    is_refusing_all: bool,
    largest_finish: usize,
    calls: HashMap<Call, usize>,
}

/// A reply that is held back until it is released.
#[derive(Debug)]
pub struct Held {
    arrived: Semaphore,
    released: Semaphore,
}

impl Held {
    /// Waits until the call was carried out and its reply is held.
    pub async fn arrived(&self) {
        // Never closed.
        let _ = self.arrived.acquire().await;
    }

    /// Lets the reply through.
    pub fn release(&self) {
        self.released.add_permits(1);
    }
}

/// A queue before a store that is well, with faults of the way between them.
pub struct FaultyQueue {
    inner: Arc<dyn JobQueue>,
    plan: Mutex<Plan>,
}

impl FaultyQueue {
    /// A queue without faults, so far.
    #[must_use]
    pub fn new(inner: Arc<dyn JobQueue>) -> Arc<Self> {
        Arc::new(Self {
            inner,
            plan: Mutex::default(),
        })
    }

    /// Carries out the next `times` calls of this method and loses their replies.
    pub fn lose(&self, call: Call, times: usize) {
        self.plan().lost.insert(call, times);
    }

    /// Carries out the next call of this method and holds its reply back.
    pub fn hold(&self, call: Call) -> Arc<Held> {
        let held = Arc::new(Held {
            arrived: Semaphore::new(0),
            released: Semaphore::new(0),
        });
        self.plan().held.insert(call, Arc::clone(&held));
        held
    }

    /// Refuses every batch of outcomes in which a message contains `text`.
    pub fn refuse_text(&self, text: &str) {
        self.plan().refused_text = Some(text.to_owned());
    }

    /// Refuses every outcome that is recorded, or none. What is given back is always taken.
    pub fn refuse_all(&self, is_refusing: bool) {
        self.plan().is_refusing_all = is_refusing;
    }

    /// Most outcomes of one call so far.
    #[must_use]
    pub fn largest_finish(&self) -> usize {
        self.plan().largest_finish
    }

    /// How often this method was called so far.
    #[must_use]
    pub fn calls(&self, call: Call) -> usize {
        self.plan().calls.get(&call).copied().unwrap_or(0)
    }

    fn plan(&self) -> MutexGuard<'_, Plan> {
        self.plan.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_refused(&self, runs: &[FinishRun]) -> bool {
        let plan = self.plan();
        let mut logs = runs.iter().filter_map(|it| it.settlement.log.as_ref());
        match &plan.refused_text {
            Some(text) => logs.any(|it| it.message.as_deref().is_some_and(|it| it.contains(text))),
            None => plan.is_refusing_all && logs.next().is_some(),
        }
    }

    async fn reply<T>(&self, call: Call, reply: Result<T, StoreError>) -> Result<T, StoreError> {
        let held = {
            let mut plan = self.plan();
            *plan.calls.entry(call).or_default() += 1;
            plan.held.remove(&call)
        };
        if let Some(held) = held {
            held.arrived.add_permits(1);
            // Never closed.
            let _ = held.released.acquire().await;
        }
        let reply = reply?;
        if let Some(left) = self.plan().lost.get_mut(&call).filter(|it| **it > 0) {
            *left -= 1;
            return Err(StoreError::new(StoreErrorKind::Unavailable, "the reply was lost"));
        }
        Ok(reply)
    }
}

#[async_trait]
impl JobQueue for FaultyQueue {
    fn clock(&self) -> Option<Arc<dyn Clock>> {
        self.inner.clock()
    }

    async fn now(&self) -> Result<Timestamp, StoreError> {
        self.inner.now().await
    }

    async fn submit(&self, jobs: &[PreparedJob]) -> Result<Vec<SubmitAnswer>, StoreError> {
        self.reply(Call::Submit, self.inner.submit(jobs).await).await
    }

    async fn submit_claimed(
        &self,
        job: &PreparedJob,
        request: &ClaimRequest,
    ) -> Result<(SubmitAnswer, Option<ClaimedRun>), StoreError> {
        self.reply(Call::Submit, self.inner.submit_claimed(job, request).await)
            .await
    }

    async fn claim(&self, request: &ClaimRequest) -> Result<Vec<ClaimedRun>, StoreError> {
        self.reply(Call::Claim, self.inner.claim(request).await).await
    }

    async fn next_due(&self, lanes: &[Lane], now: Option<Timestamp>) -> Result<Option<Duration>, StoreError> {
        self.reply(Call::NextDue, self.inner.next_due(lanes, now).await)
            .await
    }

    async fn waiting_lanes(&self) -> Result<Vec<Lane>, StoreError> {
        self.inner.waiting_lanes().await
    }

    async fn waiting_in(
        &self,
        lane: &Lane,
        after: Option<tasks_abstractions::JobId>,
        limit: usize,
    ) -> Result<Vec<tasks_abstractions::JobId>, StoreError> {
        self.inner.waiting_in(lane, after, limit).await
    }

    async fn finish(&self, runs: &[FinishRun]) -> Result<Vec<FinishAnswer>, StoreError> {
        {
            let mut plan = self.plan();
            plan.largest_finish = plan.largest_finish.max(runs.len());
        }
        if self.is_refused(runs) {
            return Err(StoreError::new(
                StoreErrorKind::Rejected,
                "a row of the batch was refused",
            ));
        }
        self.reply(Call::Finish, self.inner.finish(runs).await).await
    }

    async fn change(
        &self,
        scope: TenantScope,
        ids: &[tasks_abstractions::JobId],
        now: Option<Timestamp>,
        decide: Decide<'_>,
    ) -> Result<Vec<ChangeAnswer>, StoreError> {
        let answers = self.inner.change(scope, ids, now, decide).await;
        self.reply(Call::Change, answers).await
    }

    async fn register_node(&self, node: &NodeInfo) -> Result<(), StoreError> {
        self.inner.register_node(node).await
    }

    async fn renew(&self, request: &RenewRequest) -> Result<Renewal, StoreError> {
        self.reply(Call::Renew, self.inner.renew(request).await).await
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
        let reply = self.inner.store_progress(reports, now).await;
        self.reply(Call::Progress, reply).await
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
        self.reply(Call::TakeOver, self.inner.take_over(request).await)
            .await
    }

    async fn unregister_node(&self, instance: InstanceId) -> Result<(), StoreError> {
        self.reply(Call::Unregister, self.inner.unregister_node(instance).await)
            .await
    }
}

impl fmt::Debug for FaultyQueue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FaultyQueue")
            .field("plan", &self.plan())
            .finish_non_exhaustive()
    }
}
