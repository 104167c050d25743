//! Signals between the parts of one process: work was added, commands were given, slots were freed.

use std::sync::{Arc, Mutex, OnceLock};

use async_trait::async_trait;
use tasks_abstractions::store::{PreparedJob, SubmitAnswer};
use tasks_abstractions::{
    JobCommand, JobDispatcher, JobId, JobNotifier, JobPublisher, Notification, StoreError, WakeHint,
};
use tasks_multitenancy::TenantId;
use tokio::sync::Notify;

use super::born::Starter;
use super::floors::Floors;
use super::lock;

/// Wakes the loops of this process' engine. Cheap to clone. A signal that comes before its loop waits is kept.
#[derive(Debug, Clone, Default)]
pub struct Signals {
    inner: Arc<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    work: Notify,
    commands: Notify,
    watch: Notify,
    rescue: Notify,
    beat: Notify,
    progress: Notify,
    heard_work: Notify,
    heard_commands: Notify,
    notifier: OnceLock<Arc<dyn JobNotifier>>,
    floors: Floors,
    starter: Mutex<Starter>,
}

impl Signals {
    /// Signals of a new engine.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// From now on the engines of other processes are told and heard, too. The first notifier stays: false where there is one already.
    #[must_use]
    pub fn connect(&self, notifier: Arc<dyn JobNotifier>) -> bool {
        self.inner.notifier.set(notifier).is_ok()
    }

    pub(super) fn notifier(&self) -> Option<&Arc<dyn JobNotifier>> {
        self.inner.notifier.get()
    }

    /// Tells the engines of other processes, where they can be told.
    pub(super) fn tell(&self, notification: impl FnOnce() -> Notification) {
        if let Some(notifier) = self.notifier() {
            notifier.notify(notification());
        }
    }

    /// There may be work to claim, or a slot to put it into.
    pub fn work(&self) {
        self.inner.work.notify_one();
    }

    /// There may be cancel requests.
    pub fn commands(&self) {
        self.inner.commands.notify_one();
    }

    /// Deadlines of runs changed.
    pub fn watch(&self) {
        self.inner.watch.notify_one();
    }

    /// There may be runs to rescue.
    pub fn rescue(&self) {
        self.inner.rescue.notify_one();
    }

    /// The lease should be renewed now, because the store must learn something.
    pub fn beat(&self) {
        self.inner.beat.notify_one();
    }

    /// A run has said how far it has come.
    pub fn progress(&self) {
        self.inner.progress.notify_one();
    }

    /// From now on that engine may start what is stored in this process.
    pub(super) fn start_with(&self, starter: Starter) {
        *lock(&self.inner.starter) = starter;
    }

    /// From where on claims look.
    pub(super) fn floors(&self) -> &Floors {
        &self.inner.floors
    }

    /// Where work came in; without a place, anywhere.
    pub(super) fn came_in(&self, hints: &[WakeHint]) {
        if hints.is_empty() {
            self.inner.floors.drop_all();
        }
        for it in hints {
            self.inner.floors.lower(it.rank, it.due_at);
        }
    }

    pub(super) fn heard_work(&self) {
        self.inner.heard_work.notify_one();
    }

    pub(super) fn heard_commands(&self) {
        self.inner.heard_commands.notify_one();
    }

    pub(super) async fn wait_to_hear_of_work(&self) {
        self.inner.heard_work.notified().await;
    }

    pub(super) async fn wait_to_hear_of_commands(&self) {
        self.inner.heard_commands.notified().await;
    }

    pub(super) async fn wait_for_progress(&self) {
        self.inner.progress.notified().await;
    }

    pub(super) async fn wait_for_beat(&self) {
        self.inner.beat.notified().await;
    }

    pub(super) async fn wait_for_work(&self) {
        self.inner.work.notified().await;
    }

    pub(super) async fn wait_for_commands(&self) {
        self.inner.commands.notified().await;
    }

    pub(super) async fn wait_for_watch(&self) {
        self.inner.watch.notified().await;
    }

    pub(super) async fn wait_for_rescue(&self) {
        self.inner.rescue.notified().await;
    }
}

/// Wakes the engine of this process, and those of others where there is a [`JobNotifier`]; else they find the work by polling.
#[derive(Debug, Clone)]
pub struct EngineJobPublisher(Signals);

impl EngineJobPublisher {
    /// A publisher to the engine that listens to these signals.
    #[must_use]
    pub fn new(signals: Signals) -> Self {
        Self(signals)
    }
}

#[async_trait]
impl JobPublisher for EngineJobPublisher {
    async fn publish(&self, hints: &[WakeHint]) {
        self.0.came_in(hints);
        self.0.work();
        self.0.tell(|| Notification::Work(hints.to_vec()));
    }

    async fn store_and_start(&self, job: &PreparedJob) -> Option<Result<SubmitAnswer, StoreError>> {
        let engine = lock(&self.0.inner.starter).engine()?;
        engine.store_and_start(job).await
    }
}

/// Tells the engine of this process of commands, and those of others where there is a [`JobNotifier`]; else they find them with their next heartbeat.
#[derive(Debug, Clone)]
pub struct EngineJobDispatcher(Signals);

impl EngineJobDispatcher {
    /// A dispatcher to the engine that listens to these signals.
    #[must_use]
    pub fn new(signals: Signals) -> Self {
        Self(signals)
    }
}

#[async_trait]
impl JobDispatcher for EngineJobDispatcher {
    async fn dispatch(&self, _: JobCommand, _: TenantId, _: &[JobId]) {
        self.0.commands();
        // A command may have brought something forward.
        self.0.came_in(&[]);
        self.0.work();
        self.0.tell(|| Notification::Commands);
    }
}
