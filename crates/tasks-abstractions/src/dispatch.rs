//! Telling nodes that something is there to do. Only a hint: the rows decide, so a lost message loses no work.

use std::fmt::Debug;
use std::sync::Arc;

use async_trait::async_trait;
use tasks_multitenancy::TenantId;

use crate::job::Lane;
use crate::run::QueueEntry;
use crate::store::{PreparedJob, SubmitAnswer};
use crate::{JobCommand, JobId, StoreError, Timestamp};

/// Where new work waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WakeHint {
    /// Its lane.
    pub lane: Lane,
    /// Its rank there.
    pub rank: i16,
    /// When it is due.
    pub due_at: Timestamp,
}

impl From<&QueueEntry> for WakeHint {
    fn from(it: &QueueEntry) -> Self {
        Self {
            lane: it.lane.clone(),
            rank: it.rank,
            due_at: it.due_at,
        }
    }
}

/// Wakes nodes that may run new work.
#[async_trait]
pub trait JobPublisher: Send + Sync + Debug {
    /// Says that work waits. May be lost, repeated or late without loss of work. Must be called after the commit, never before.
    async fn publish(&self, hints: &[WakeHint]);

    /// Stores a job and starts it in this process at once, where the engine of this process may run it now and has nothing else to do; `None` where not: then
    /// the job is still to be stored, and its work to be published. The default never starts anything.
    async fn store_and_start(&self, _job: &PreparedJob) -> Option<Result<SubmitAnswer, StoreError>> {
        None
    }
}

/// Passes commands on to nodes which may run the jobs. The rows carry the command already; this makes it quick.
#[async_trait]
pub trait JobDispatcher: Send + Sync + Debug {
    /// Says that `command` was carried out on these jobs of `tenant`. May be lost without loss of the command.
    async fn dispatch(&self, command: JobCommand, tenant: TenantId, jobs: &[JobId]);
}

/// What is left to do after a caller's own transaction was committed: waking the nodes. Dropping it loses no work, only time.
#[derive(Debug)]
#[must_use = "call `wake` after the commit, else the jobs wait for the next poll"]
pub struct WakeHandle {
    publisher: Option<Arc<dyn JobPublisher>>,
    hints: Vec<WakeHint>,
}

impl WakeHandle {
    /// A handle that publishes these hints.
    pub fn new(publisher: Option<Arc<dyn JobPublisher>>, hints: Vec<WakeHint>) -> Self {
        Self { publisher, hints }
    }

    /// Takes over the hints of another handle.
    pub fn merge(&mut self, other: Self) {
        self.hints.extend(other.hints);
        if self.publisher.is_none() {
            self.publisher = other.publisher;
        }
    }

    /// Wakes the nodes. Call it after the commit.
    pub async fn wake(self) {
        if let Some(publisher) = self.publisher
            && !self.hints.is_empty()
        {
            publisher.publish(&self.hints).await;
        }
    }
}
