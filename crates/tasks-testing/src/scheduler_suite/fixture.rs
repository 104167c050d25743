//! What the suite stands on: a store and paused time.

use std::future::pending;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use tasks_abstractions::{Clock, JobQueue, JobResult, JobRunnableContext, Outcome, Timestamp};
use tasks_core::{Engine, MemoryStore};
use tokio::sync::Semaphore;

use super::faulty_queue::FaultyQueue;
use super::suite_store::SuiteStore;
use crate::store_suite::FullStore;
use crate::{PausedClock, TestHost, TestHostBuilder};

/// How long a case waits for something that must happen. Virtual time: a vain wait ends at once.
pub const LIMIT: Duration = Duration::from_secs(3600);

/// A fresh scheduler for one case: nodes over one store, on one paused clock.
pub trait SchedulerFixture: Send + Sync {
    /// The store, whose faults a case may switch.
    fn store(&self) -> &Arc<SuiteStore>;

    /// The clock of all nodes.
    fn clock(&self) -> &PausedClock;

    /// Starts to describe a node of this name over the store.
    fn node(&self, name: &str) -> TestHostBuilder {
        TestHost::builder(self.store(), Arc::new(self.clock().clone()) as Arc<dyn Clock>).node_name(name)
    }

    /// As [`node`](Self::node), but it asks its store seldom: for cases in which hours pass. What is due, and what it is told itself, it knows
    /// all the same; what other nodes do it notices late.
    fn patient_node(&self, name: &str) -> TestHostBuilder {
        self.node(name).options(|it| {
            it.poll_interval = secs(300);
            it.heartbeat = secs(300);
            it.lease = secs(1_200);
        })
    }

    /// A queue before the store that misbehaves on demand.
    fn faulty_queue(&self) -> Arc<FaultyQueue> {
        FaultyQueue::new(Arc::clone(self.store()) as Arc<dyn JobQueue>)
    }

    /// The present instant.
    fn now(&self) -> Timestamp {
        self.clock().now()
    }
}

/// The engine of tasks-core over the store in memory.
#[derive(Debug)]
pub struct MemoryScheduler {
    store: Arc<SuiteStore>,
    clock: PausedClock,
}

impl MemoryScheduler {
    /// An empty store. Call it inside of a runtime whose time is paused.
    #[must_use]
    pub fn new() -> Self {
        let clock = PausedClock::new();
        let memory = Arc::new(MemoryStore::new(Arc::new(clock.clone())));
        Self {
            store: Arc::new(SuiteStore::direct(memory, clock.clone())),
            clock,
        }
    }
}

impl Default for MemoryScheduler {
    fn default() -> Self {
        Self::new()
    }
}

impl SchedulerFixture for MemoryScheduler {
    fn store(&self) -> &Arc<SuiteStore> {
        &self.store
    }

    fn clock(&self) -> &PausedClock {
        &self.clock
    }
}

/// The engine of tasks-core over a store in a database.
#[derive(Debug)]
pub struct DatabaseScheduler {
    store: Arc<SuiteStore>,
    clock: PausedClock,
}

impl DatabaseScheduler {
    /// Opens a store, whose database should be empty. `connect` runs in real time and gets the clock that the store must have. Call it inside of
    /// a runtime of one thread whose time is paused.
    ///
    /// # Panics
    /// With the panic of `connect`.
    pub fn open<F>(connect: impl FnOnce(Arc<dyn Clock>) -> F) -> Self
    where
        F: Future<Output = Arc<dyn FullStore>> + Send,
    {
        let clock = PausedClock::new();
        Self {
            store: Arc::new(SuiteStore::outside(clock.clone(), connect)),
            clock,
        }
    }
}

impl SchedulerFixture for DatabaseScheduler {
    fn store(&self) -> &Arc<SuiteStore> {
        &self.store
    }

    fn clock(&self) -> &PausedClock {
        &self.clock
    }
}

/// A node that asks seldom for work that nobody announced to it, and renews its lease and looks after others as often as any.
pub(super) fn seldom_asking(fx: &impl SchedulerFixture, name: &str) -> TestHostBuilder {
    fx.node(name).options(|it| it.poll_interval = secs(20))
}

/// Lets virtual time pass, with every timer on the way. For "and nothing happens until then".
pub(super) async fn pass(time: Duration) {
    let waited = tokio::time::timeout(time, pending::<()>()).await;
    debug_assert!(waited.is_err(), "pending ended");
}

/// Seconds.
pub(super) const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Job code that is done at once.
pub(super) async fn done(_: JobRunnableContext) -> JobResult {
    Ok(Outcome::Done)
}

/// Job code that goes on for ever, whatever it is told: as the code of a process that is about to be killed.
pub(super) async fn endless(_: JobRunnableContext) -> JobResult {
    pending().await
}

/// Job code that goes on until it is told to end, and says that it was not done.
pub(super) async fn until_cancelled(ctx: JobRunnableContext) -> JobResult {
    ctx.cancellation().cancelled().await;
    Err(tasks_abstractions::JobError::msg("told to end"))
}

/// A gate in job code that a case opens.
#[derive(Debug, Clone)]
pub(super) struct Gate(Arc<Semaphore>);

impl Gate {
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }

    /// Lets this many waiting or coming runs through.
    pub(super) fn open(&self, runs: usize) {
        self.0.add_permits(runs);
    }

    pub(super) async fn pass(&self) {
        if let Ok(permit) = self.0.acquire().await {
            permit.forget();
        }
    }

    /// Job code that waits for the gate and then is done, deaf to cancellation.
    pub(super) fn job(&self) -> impl Fn(JobRunnableContext) -> BoxFuture<'static, JobResult> + use<> {
        let gate = self.clone();
        move |_| {
            let gate = gate.clone();
            Box::pin(async move {
                gate.pass().await;
                Ok(Outcome::Done)
            })
        }
    }
}

/// Waits until `engine` has written every outcome, which takes a few milliseconds after the last one.
pub(super) async fn all_written(engine: &Engine) {
    let written = async {
        while engine.unsettled() > 0 {
            pass(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(LIMIT, written)
        .await
        .expect("every outcome is written in time");
}
