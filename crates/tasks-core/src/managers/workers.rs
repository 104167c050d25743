//! The workers of this program: their hooks, and their jobs in the store.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;
use tasks_abstractions::run::JobSnapshot;
use tasks_abstractions::store::{ChangeAnswer, PreparedJob, SubmitAnswer};
use tasks_abstractions::worker::WorkerDefinition;
use tasks_abstractions::{
    BackgroundWorkerManager, BackgroundWorkerRunnable, Clock, JobDispatcherSelectors, JobInfo, JobLimits,
    JobPublisher, JobQueue, JobStatus, SelectedKind, SelectedType, StoreError, Timestamp, ValidationErrors,
    WakeHandle, WakeHint, WorkerError, WorkerSchedule,
};
use tasks_multitenancy::{CurrentTenant, TenantId, TenantScope};
use tokio::sync::Mutex;
use tracing::{error, info};

use crate::registry::JobRegistry;
use crate::transition::{check_schedule, first_execution, mark_of, redefine};

/// What a worker manager is made of.
#[derive(Debug, Clone)]
pub struct WorkerManagerParts {
    /// Keeps the workers' jobs.
    pub queue: Arc<dyn JobQueue>,
    /// Wakes the nodes.
    pub publisher: Arc<dyn JobPublisher>,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// What this program can run; workers that are added later are put into it.
    pub registry: Arc<JobRegistry>,
    /// Settings by type.
    pub selectors: Arc<JobDispatcherSelectors>,
    /// Name of this node, to which workers of every node are pinned.
    pub node_name: String,
    /// Limits of jobs' fields.
    pub limits: JobLimits,
    /// Version of this program, noted with the definitions that it writes.
    pub version: String,
}

/// The worker manager over a store.
///
/// A worker becomes a job in six steps: it comes as an adapter ([`BackgroundWorkerRunnable`]); `build_worker` gives its definition; name, stable id, tenant
/// and node are added; the first selector that matches gives settings; the job is stored, or the stored one takes the definition over; the
/// nodes are told.
pub struct StoreBackgroundWorkerManager {
    parts: WorkerManagerParts,
    state: Mutex<State>,
    names: std::sync::Mutex<Vec<String>>,
}

#[derive(Default)]
struct State {
    workers: BTreeMap<String, Held>,
    is_started: bool,
}

/// A worker of this program.
struct Held {
    worker: Arc<dyn BackgroundWorkerRunnable>,
    /// The tenant that was ambient when it was added, which its job belongs to.
    tenant: TenantId,
    /// A schedule that replaces its code's.
    schedule: Option<WorkerSchedule>,
}

impl Held {
    fn definition(&self) -> Option<WorkerDefinition> {
        let definition = self.worker.build_worker()?;
        Some(match &self.schedule {
            Some(schedule) => WorkerDefinition {
                schedule: schedule.clone(),
                ..definition
            },
            None => definition,
        })
    }
}

impl StoreBackgroundWorkerManager {
    /// A manager without workers.
    #[must_use]
    pub fn new(parts: WorkerManagerParts) -> Self {
        Self {
            parts,
            state: Mutex::default(),
            names: std::sync::Mutex::default(),
        }
    }

    /// The job of a worker, with everything that this program says of it.
    fn build(&self, definition: &WorkerDefinition, tenant: TenantId) -> Result<JobInfo, ValidationErrors> {
        let parts = &self.parts;
        let now = parts.clock.now();
        let of = SelectedType {
            name: &definition.name,
            kind: SelectedKind::Worker,
            rust_type: definition.rust_type,
        };
        let mut job = definition
            .to_job(tenant, &parts.node_name, now)
            .selected(&parts.selectors, &of)
            .build(&parts.limits)?;
        check_schedule(&job)?;
        job.begin_time = begin_time(&job, definition.schedule.run_on_start, now);
        job.definition = Some(mark_of(&job, &parts.version));
        Ok(job)
    }

    /// Stores a worker's job: new ones are armed; existing ones take over the program's definition and keep everything else.
    async fn store(&self, definition: &WorkerDefinition, tenant: TenantId) -> Result<(), WorkerError> {
        let worker = definition.name.clone();
        let invalid = |source: ValidationErrors| WorkerError::Invalid {
            worker: worker.clone(),
            source,
        };
        let failed = |source: StoreError| WorkerError::Store {
            worker: worker.clone(),
            source,
        };
        let parts = &self.parts;
        let job = self.build(definition, tenant).map_err(invalid)?;
        let id = job.id;
        let first = first_execution(&job, job.creation_time)
            .map_err(|reason| invalid(ValidationErrors::one("schedule", reason.to_string())))?;
        let stored = JobInfo {
            status: JobStatus::Queuing,
            next_run_time: Some(first.due_at),
            ..job.clone()
        };
        let prepared = PreparedJob::new(stored, Some(first), Some(Arc::clone(&parts.publisher)));
        let wake = prepared.wake_handle();
        match parts.queue.submit(&[prepared]).await.map_err(failed)?.first() {
            Some(SubmitAnswer::Inserted) => {
                info!(worker = %definition.name, job = %id, selector = job.selector, "worker stored");
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
        self.take_over(&job).await.map_err(failed)
    }

    /// Lets the stored job take over what this program says.
    async fn take_over(&self, job: &JobInfo) -> Result<(), StoreError> {
        let parts = &self.parts;
        let decide = |it: &JobSnapshot, now: Timestamp| redefine(it, job, now);
        let scope = TenantScope::One(job.tenant_id);
        let now = parts.clock.authoritative_now();
        let answers = parts.queue.change(scope, &[job.id], now, &decide).await?;
        let worker = &job.type_name;
        match answers.first() {
            Some(ChangeAnswer::Changed(it)) => {
                info!(%worker, job = %job.id, version = it.job.version, overrides = ?it.job.overrides, "worker definition changed");
                let hints = it.waiting.iter().map(|it| WakeHint {
                    lane: it.lane.clone(),
                    rank: it.rank,
                    due_at: it.due_at,
                });
                WakeHandle::new(Some(Arc::clone(&parts.publisher)), hints.collect())
                    .wake()
                    .await;
            }
            Some(ChangeAnswer::Kept(it)) if mark(&it.job) != mark(job) => {
                info!(%worker, job = %job.id, "the worker's definition is that of a newer program and stays");
            }
            _ => {}
        }
        Ok(())
    }

    fn note(&self, state: &State) {
        let names = state.workers.keys().cloned().collect();
        *self
            .names
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = names;
    }

    /// Makes sure that this program runs the worker that is added, and no other of its name.
    fn must_be_runnable(&self, worker: &Arc<dyn BackgroundWorkerRunnable>) -> Result<(), WorkerError> {
        let name = worker.name();
        let Some(definition) = worker.build_worker() else {
            return Ok(());
        };
        if self.parts.registry.put_worker(Arc::clone(worker)) {
            return Ok(());
        }
        // A registered worker is made anew for each run, by its registration.
        let registered = self.parts.registry.get(name);
        let is_registered_worker = registered.as_ref().is_some_and(|it| it.kind == "worker");
        if is_registered_worker && definition.rust_type.is_some() {
            return Ok(());
        }
        let at = registered.map_or_else(String::new, |it| it.at.clone());
        Err(WorkerError::Invalid {
            worker: name.to_owned(),
            source: ValidationErrors::one(
                "name",
                format!("is that of a registered job or worker ({at}); choose another name"),
            ),
        })
    }
}

fn mark(job: &JobInfo) -> Option<uuid::Uuid> {
    job.definition.as_ref().map(|it| it.hash)
}

/// When a worker that is new in the store runs first: after one period, unless it asks to run at once.
fn begin_time(job: &JobInfo, runs_on_start: bool, now: Timestamp) -> Timestamp {
    if runs_on_start || job.cron.is_some() {
        return now;
    }
    TimeDelta::from_std(job.interval)
        .ok()
        .and_then(|it| now.checked_add_signed(it))
        .unwrap_or(now)
}

#[async_trait]
impl BackgroundWorkerManager for StoreBackgroundWorkerManager {
    async fn add(&self, worker: Arc<dyn BackgroundWorkerRunnable>) -> Result<(), WorkerError> {
        let mut state = self.state.lock().await;
        let name = worker.name().to_owned();
        let held = Held {
            worker,
            tenant: CurrentTenant::id(),
            schedule: None,
        };
        if let Some(former) = state.workers.remove(&name)
            && state.is_started
        {
            end(former.worker.as_ref()).await?;
        }
        self.must_be_runnable(&held.worker)?;
        if state.is_started {
            begin(held.worker.as_ref()).await?;
            if let Some(definition) = held.definition() {
                self.store(&definition, held.tenant).await?;
            }
        }
        state.workers.insert(name, held);
        self.note(&state);
        Ok(())
    }

    async fn remove(&self, name: &str) -> Result<(), WorkerError> {
        let mut state = self.state.lock().await;
        let held = state
            .workers
            .remove(name)
            .ok_or_else(|| WorkerError::Unknown(name.to_owned()))?;
        self.note(&state);
        self.parts.registry.take(name);
        if state.is_started {
            end(held.worker.as_ref()).await
        } else {
            Ok(())
        }
    }

    async fn update_schedule(&self, name: &str, schedule: WorkerSchedule) -> Result<(), WorkerError> {
        let mut state = self.state.lock().await;
        let is_started = state.is_started;
        let held = state
            .workers
            .get_mut(name)
            .ok_or_else(|| WorkerError::Unknown(name.to_owned()))?;
        let former = held.schedule.replace(schedule);
        let Some(definition) = held.definition().filter(|_| is_started) else {
            return Ok(());
        };
        let tenant = held.tenant;
        let stored = self.store(&definition, tenant).await;
        if stored.is_err() {
            // A schedule that was refused must not come back with the next start.
            held.schedule = former;
        }
        stored
    }

    async fn start(&self) -> Result<bool, WorkerError> {
        let mut state = self.state.lock().await;
        if state.is_started {
            return Ok(false);
        }
        // Marked first, so that `stop` calls the stop hooks also when a start hook fails half-way.
        state.is_started = true;
        for held in state.workers.values() {
            begin(held.worker.as_ref()).await?;
            if let Some(definition) = held.definition() {
                self.store(&definition, held.tenant).await?;
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
        for held in state.workers.values().rev() {
            if let Err(failure) = end(held.worker.as_ref()).await {
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
