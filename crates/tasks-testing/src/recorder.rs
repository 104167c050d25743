//! A listener that writes down what happens, and lets a test wait for it.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tasks_abstractions::{JobEvent, JobEventData, JobId, JobRunnableContext, JobSettled, RunId, RunOutcome};
use thiserror::Error;
use tokio::sync::watch;

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Recorded {
    /// The code of a run was about to start.
    Started {
        /// The job.
        job: JobId,
        /// The run.
        run: RunId,
        /// Which try it is.
        attempt: u32,
    },
    /// The code of a run ended. The store does not know it yet.
    Ended {
        /// The job.
        job: JobId,
        /// The run.
        run: RunId,
        /// How it ended.
        outcome: RunOutcome,
        /// Its result or error message.
        message: Option<String>,
    },
    /// The store answered for a run's outcome.
    Settled(JobSettled),
}

impl Recorded {
    /// The job that it is about.
    #[must_use]
    pub const fn job(&self) -> JobId {
        match self {
            Self::Started { job, .. } | Self::Ended { job, .. } => *job,
            Self::Settled(it) => it.job_id,
        }
    }
}

/// Everything recorded so far.
#[derive(Debug, Default)]
pub struct Record {
    events: Vec<Recorded>,
    started: HashMap<JobId, usize>,
    ended: HashMap<JobId, usize>,
    settled: HashMap<(JobId, RunOutcome), usize>,
    started_in_all: usize,
    ended_in_all: usize,
    settled_in_all: usize,
    outcomes: HashMap<RunOutcome, usize>,
}

impl Record {
    /// Everything, in order.
    #[must_use]
    pub fn events(&self) -> &[Recorded] {
        &self.events
    }

    /// Runs whose code was started.
    #[must_use]
    pub const fn started(&self) -> usize {
        self.started_in_all
    }

    /// Runs whose code ended.
    #[must_use]
    pub const fn ended(&self) -> usize {
        self.ended_in_all
    }

    /// Runs for which the store answered, given-back ones not counted.
    #[must_use]
    pub const fn settled(&self) -> usize {
        self.settled_in_all
    }

    /// Runs of one job whose code was started.
    #[must_use]
    pub fn started_of(&self, job: JobId) -> usize {
        self.started.get(&job).copied().unwrap_or(0)
    }

    /// Runs of one job whose code ended.
    #[must_use]
    pub fn ended_of(&self, job: JobId) -> usize {
        self.ended.get(&job).copied().unwrap_or(0)
    }

    /// Outcomes of one job which the store took.
    #[must_use]
    pub fn settled_of(&self, job: JobId, outcome: RunOutcome) -> usize {
        self.settled.get(&(job, outcome)).copied().unwrap_or(0)
    }

    /// Outcomes which the store took.
    #[must_use]
    pub fn count(&self, outcome: RunOutcome) -> usize {
        self.outcomes.get(&outcome).copied().unwrap_or(0)
    }

    fn add(&mut self, event: Recorded) {
        match &event {
            Recorded::Started { job, .. } => {
                *self.started.entry(*job).or_default() += 1;
                self.started_in_all += 1;
            }
            Recorded::Ended { job, .. } => {
                *self.ended.entry(*job).or_default() += 1;
                self.ended_in_all += 1;
            }
            Recorded::Settled(it) => {
                self.settled_in_all += 1;
                if it.is_applied {
                    *self.settled.entry((it.job_id, it.outcome)).or_default() += 1;
                    *self.outcomes.entry(it.outcome).or_default() += 1;
                }
            }
        }
        self.events.push(event);
    }
}

/// What a test waited for did not happen in time.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("waited {limit:?} in vain for {what}; recorded so far: {recorded}")]
pub struct NotInTime {
    /// What was waited for.
    pub what: String,
    /// How long.
    pub limit: Duration,
    /// The last things that happened instead.
    pub recorded: String,
}

/// Writes down every run of the engines that it listens to, and lets tests wait for what they expect instead of sleeping.
///
/// Give one recorder to several engines to see them as one. Limits count by tokio's clock, so under paused time a wait in vain ends at once.
#[derive(Debug)]
pub struct Recorder {
    record: Mutex<Record>,
    changes: watch::Sender<u64>,
}

impl Default for Recorder {
    fn default() -> Self {
        Self::new()
    }
}

impl Recorder {
    /// Recorded events that a vain wait shows.
    const SHOWN: usize = 8;

    /// A recorder that has seen nothing.
    #[must_use]
    pub fn new() -> Self {
        Self {
            record: Mutex::default(),
            changes: watch::Sender::new(0),
        }
    }

    /// Looks at what was recorded so far.
    pub fn look<T>(&self, at: impl FnOnce(&Record) -> T) -> T {
        at(&self.lock())
    }

    /// Everything recorded so far.
    #[must_use]
    pub fn events(&self) -> Vec<Recorded> {
        self.look(|it| it.events.clone())
    }

    /// Outcomes which a store took.
    #[must_use]
    pub fn count(&self, outcome: RunOutcome) -> usize {
        self.look(|it| it.count(outcome))
    }

    /// Waits until the record is as wanted. `what` is for the message.
    ///
    /// # Errors
    /// Where it is not within `limit`.
    pub async fn wait_for(
        &self,
        what: &str,
        limit: Duration,
        wanted: impl Fn(&Record) -> bool,
    ) -> Result<(), NotInTime> {
        let mut changes = self.changes.subscribe();
        let happened = async {
            // The sender is a field of `self`, so the channel cannot close meanwhile.
            while !self.look(&wanted) && changes.changed().await.is_ok() {}
        };
        if tokio::time::timeout(limit, happened).await.is_ok() || self.look(&wanted) {
            return Ok(());
        }
        Err(NotInTime {
            what: what.to_owned(),
            limit,
            recorded: self.look(|it| {
                let from = it.events.len().saturating_sub(Self::SHOWN);
                format!("({} in all) {:?}", it.events.len(), &it.events[from..])
            }),
        })
    }

    /// Waits until the code of `job` was started `times` times in all.
    ///
    /// # Errors
    /// Where it was not within `limit`.
    pub async fn started(&self, job: JobId, times: usize, limit: Duration) -> Result<(), NotInTime> {
        let what = format!("start {times} of job {job}");
        self.wait_for(&what, limit, |it| it.started_of(job) >= times)
            .await
    }

    /// Waits until the code of `job` ended `times` times in all.
    ///
    /// # Errors
    /// Where it did not within `limit`.
    pub async fn ended(&self, job: JobId, times: usize, limit: Duration) -> Result<(), NotInTime> {
        let what = format!("end {times} of job {job}");
        self.wait_for(&what, limit, |it| it.ended_of(job) >= times).await
    }

    /// Waits until a store took this outcome of `job` `times` times in all.
    ///
    /// # Errors
    /// Where it did not within `limit`.
    pub async fn settled(
        &self,
        job: JobId,
        outcome: RunOutcome,
        times: usize,
        limit: Duration,
    ) -> Result<(), NotInTime> {
        let what = format!("outcome {outcome} {times} of job {job}");
        self.wait_for(&what, limit, |it| it.settled_of(job, outcome) >= times)
            .await
    }

    fn note(&self, event: Recorded) {
        self.lock().add(event);
        self.changes.send_modify(|it| *it = it.wrapping_add(1));
    }

    fn lock(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl JobEvent for Recorder {
    async fn before(&self, ctx: &JobRunnableContext) {
        self.note(Recorded::Started {
            job: ctx.job().id,
            run: ctx.run_id(),
            attempt: ctx.attempt(),
        });
    }

    async fn after(&self, data: &JobEventData) {
        self.note(Recorded::Ended {
            job: data.job.id,
            run: data.run.run_id,
            outcome: data.outcome,
            message: data.message.clone(),
        });
    }

    fn settled(&self, data: &JobSettled) {
        self.note(Recorded::Settled(*data));
    }
}
