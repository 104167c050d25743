//! The workers of this program: their hooks, and their jobs in the store.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;
use tasks_abstractions::run::JobSnapshot;
use tasks_abstractions::store::{ChangeAnswer, PreparedJob, SubmitAnswer};
use tasks_abstractions::worker::{WorkerDefinition, WorkerTrigger};
use tasks_abstractions::{
    BackgroundWorkerManager, BackgroundWorkerRunnable, Clock, JobInfo, JobLimits, JobPublisher, JobQueue,
    JobStatus, JobType, StoreError, Timestamp, ValidationErrors, WorkerError,
};
use tasks_multitenancy::{CurrentTenant, TenantScope};
use tokio::sync::Mutex;
use tracing::{error, info};

use crate::transition::{check_schedule, first_execution, replace_definition};

/// The worker manager over a store.
pub struct StoreBackgroundWorkerManager {
    queue: Arc<dyn JobQueue>,
    publisher: Arc<dyn JobPublisher>,
    clock: Arc<dyn Clock>,
    node_name: String,
    limits: JobLimits,
    state: Mutex<State>,
    names: std::sync::Mutex<Vec<String>>,
}

#[derive(Default)]
struct State {
    workers: BTreeMap<String, Arc<dyn BackgroundWorkerRunnable>>,
    is_started: bool,
}

impl StoreBackgroundWorkerManager {
    /// A manager that keeps the workers' jobs in `queue`. Workers of every node are pinned to `node_name`.
    #[must_use]
    pub fn new(
        queue: Arc<dyn JobQueue>,
        publisher: Arc<dyn JobPublisher>,
        clock: Arc<dyn Clock>,
        node_name: impl Into<String>,
        limits: JobLimits,
    ) -> Self {
        let node_name = node_name.into();
        let (state, names) = (Mutex::default(), std::sync::Mutex::default());
        Self {
            queue,
            publisher,
            clock,
            node_name,
            limits,
            state,
            names,
        }
    }

    /// Stores a worker's job: new ones are armed; existing ones take over the program's definition and keep everything else.
    async fn upsert(&self, definition: &WorkerDefinition) -> Result<(), WorkerError> {
        let worker = definition.name.clone();
        let invalid = |source: ValidationErrors| WorkerError::Invalid {
            worker: worker.clone(),
            source,
        };
        let failed = |source: StoreError| WorkerError::Store {
            worker: worker.clone(),
            source,
        };
        let now = self.clock.now();
        let tenant = CurrentTenant::id();
        let job = definition
            .to_job(tenant, &self.node_name, now)
            .begin_time(begin_time(definition, now))
            .build(&self.limits)
            .map_err(invalid)?;
        check_schedule(&job).map_err(invalid)?;
        let id = job.id;
        let first = first_execution(&job, now)
            .map_err(|reason| invalid(ValidationErrors::one("schedule", reason.to_string())))?;
        let stored = JobInfo {
            status: JobStatus::Queuing,
            next_run_time: Some(first.due_at),
            ..job.clone()
        };
        let prepared = PreparedJob::new(stored, Some(first), Some(Arc::clone(&self.publisher)));
        let wake = prepared.wake_handle();
        match self.queue.submit(&[prepared]).await.map_err(failed)?.first() {
            Some(SubmitAnswer::Inserted) => {
                info!(worker = %definition.name, job = %id, "worker stored");
                wake.wake().await;
                return Ok(());
            }
            Some(SubmitAnswer::NameTaken { by }) => {
                let fault = ValidationErrors::one(
                    "name",
                    format!("is taken by job {by}; rename that job or the worker"),
                );
                return Err(invalid(fault));
            }
            Some(SubmitAnswer::Exists) | None => {}
        }
        let decide = |it: &JobSnapshot, now: Timestamp| replace_definition(it, &merged(&it.job, &job), now);
        let scope = TenantScope::One(tenant);
        let answers = self
            .queue
            .change(scope, &[id], self.clock.authoritative_now(), &decide)
            .await
            .map_err(failed)?;
        if let Some(ChangeAnswer::Changed(it)) = answers.first() {
            info!(worker = %definition.name, job = %id, version = it.job.version, "worker definition changed");
            wake.wake().await;
        }
        Ok(())
    }
}

/// When a worker that is new in the store runs first: after one period, unless it asks to run at once.
fn begin_time(definition: &WorkerDefinition, now: Timestamp) -> Timestamp {
    match definition.schedule.trigger {
        WorkerTrigger::Every(period) if !definition.schedule.run_on_start => TimeDelta::from_std(period)
            .ok()
            .and_then(|it| now.checked_add_signed(it))
            .unwrap_or(now),
        _ => now,
    }
}

/// The stored job with what the program's definition says. Settings that the definition does not have stay as operators made them,
/// and so does the begin time: a start of the program is no change of schedule. A new schedule begins as that of a new worker does.
fn merged(stored: &JobInfo, defined: &JobInfo) -> JobInfo {
    let is_new_schedule = stored.job_type != defined.job_type
        || stored.cron != defined.cron
        || stored.time_zone != defined.time_zone
        || (defined.job_type == JobType::Persistent && stored.interval != defined.interval);
    JobInfo {
        begin_time: if is_new_schedule {
            defined.begin_time
        } else {
            stored.begin_time
        },
        name: defined.name.clone(),
        group: defined.group.clone(),
        type_name: defined.type_name.clone(),
        source: defined.source,
        description: defined.description.clone(),
        job_type: defined.job_type,
        cron: defined.cron.clone(),
        time_zone: defined.time_zone.clone(),
        interval: if defined.is_repeating() && defined.cron.is_none() {
            defined.interval
        } else {
            stored.interval
        },
        max_try_count: defined.max_try_count,
        timeout: defined.timeout,
        node_name: defined.node_name.clone(),
        ..stored.clone()
    }
}

#[async_trait]
impl BackgroundWorkerManager for StoreBackgroundWorkerManager {
    async fn add(&self, worker: Arc<dyn BackgroundWorkerRunnable>) -> Result<(), WorkerError> {
        let mut state = self.state.lock().await;
        if state.is_started {
            begin(worker.as_ref()).await?;
            if let Some(definition) = worker.build_worker() {
                self.upsert(&definition).await?;
            }
        }
        let name = worker.name().to_owned();
        state.workers.insert(name, worker);
        self.note(&state);
        Ok(())
    }

    async fn remove(&self, name: &str) -> Result<(), WorkerError> {
        let mut state = self.state.lock().await;
        let worker = state
            .workers
            .remove(name)
            .ok_or_else(|| WorkerError::Unknown(name.to_owned()))?;
        self.note(&state);
        if state.is_started {
            end(worker.as_ref()).await
        } else {
            Ok(())
        }
    }

    async fn start(&self) -> Result<bool, WorkerError> {
        let mut state = self.state.lock().await;
        if state.is_started {
            return Ok(false);
        }
        // Marked first, so that `stop` calls the stop hooks also when a start hook fails half-way.
        state.is_started = true;
        for worker in state.workers.values() {
            begin(worker.as_ref()).await?;
            if let Some(definition) = worker.build_worker() {
                self.upsert(&definition).await?;
            }
        }
        Ok(true)
    }

    async fn stop(&self) -> Result<bool, Vec<WorkerError>> {
        let mut state = self.state.lock().await;
        if !state.is_started {
            return Ok(false);
        }
        state.is_started = false;
        let mut failures = Vec::new();
        for worker in state.workers.values().rev() {
            if let Err(failure) = end(worker.as_ref()).await {
                error!(error = %failure, "a worker did not stop well");
                failures.push(failure);
            }
        }
        if failures.is_empty() {
            Ok(true)
        } else {
            Err(failures)
        }
    }

    fn names(&self) -> Vec<String> {
        self.names
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner)
            .clone()
    }
}

impl StoreBackgroundWorkerManager {
    fn note(&self, state: &State) {
        let names = state.workers.keys().cloned().collect();
        *self
            .names
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = names;
    }
}

async fn begin(worker: &dyn BackgroundWorkerRunnable) -> Result<(), WorkerError> {
    let fault = |error| WorkerError::Hook {
        worker: worker.name().to_owned(),
        hook: "start",
        error,
    };
    worker.start().await.map_err(fault)
}

async fn end(worker: &dyn BackgroundWorkerRunnable) -> Result<(), WorkerError> {
    let fault = |error| WorkerError::Hook {
        worker: worker.name().to_owned(),
        hook: "stop",
        error,
    };
    worker.stop().await.map_err(fault)
}

impl fmt::Debug for StoreBackgroundWorkerManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreBackgroundWorkerManager")
            .field("workers", &self.names())
            .finish_non_exhaustive()
    }
}
