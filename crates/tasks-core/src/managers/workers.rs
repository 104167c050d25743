//! The workers of this program: what is added, their hooks, and what this program can run.

mod stored;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use tasks_abstractions::worker::WorkerDefinition;
use tasks_abstractions::{
    BackgroundWorkerManager, BackgroundWorkerRunnable, Clock, JobDispatcherSelectors, JobLimits,
    JobPublisher, JobQueue, ValidationErrors, WorkerError, WorkerSchedule,
};
use tasks_multitenancy::{CurrentTenant, TenantId};
use tokio::sync::Mutex;
use tracing::error;

use crate::registry::JobRegistry;

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

    fn note(&self, state: &State) {
        let names = state.workers.keys().cloned().collect();
        *self
            .names
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner) = names;
    }

    /// Finds what stands against the worker before anything is changed for it.
    fn must_be_right(&self, state: &State, held: &Held) -> Result<(), WorkerError> {
        let name = held.worker.name();
        let invalid = |source| WorkerError::Invalid {
            worker: name.to_owned(),
            source,
        };
        let taken = |problem: String| invalid(ValidationErrors::one("name", problem));
        if state.workers.get(name).is_some_and(|it| it.tenant != held.tenant) {
            // Its job would go on, with the code of this one.
            let problem =
                "is that of a worker of another tenant; choose another name or remove that one first";
            return Err(taken(problem.to_owned()));
        }
        let definition = held.definition();
        if let Some(registered) = self.parts.registry.get(name).filter(|it| it.is_registered()) {
            let rust_type = definition.as_ref().map(|it| it.rust_type);
            // A registered worker is made anew for each run, by its registration.
            let is_it =
                registered.kind == "worker" && rust_type.is_none_or(|it| it == registered.worker_type());
            if !is_it {
                return Err(taken(format!(
                    "is that of a registered job or worker ({}); choose another name",
                    registered.at
                )));
            }
        }
        match definition {
            Some(definition) => self.build(&definition, held.tenant).map(drop).map_err(invalid),
            None => Ok(()),
        }
    }

    /// Calls the start hook and stores the job.
    async fn begin(&self, held: &Held) -> Result<(), WorkerError> {
        begin(held.worker.as_ref()).await?;
        self.store_if_scheduled(held).await
    }

    async fn store_if_scheduled(&self, held: &Held) -> Result<(), WorkerError> {
        let Some(definition) = held.definition() else {
            return Ok(());
        };
        self.store(&definition, held.tenant).await?;
        self.retire_other(&definition, held.tenant).await
    }

    /// From now on this program cannot run the worker.
    fn forget(&self, name: &str) {
        if self
            .parts
            .registry
            .get(name)
            .is_some_and(|it| it.kind == "worker")
        {
            self.parts.registry.take(name);
        }
    }
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
        self.must_be_right(&state, &held)?;
        if state.is_started {
            if let Some(former) = state.workers.get(&name) {
                end(former.worker.as_ref()).await?;
            }
            if let Err(failure) = begin(held.worker.as_ref()).await {
                // Neither the former nor the new one can work now.
                if state.workers.remove(&name).is_some() {
                    self.forget(&name);
                }
                self.note(&state);
                return Err(failure);
            }
        }
        let is_scheduled = held.worker.build_worker().is_some();
        if is_scheduled {
            // False for a registered one, which this program can run already.
            self.parts.registry.put_worker(Arc::clone(&held.worker));
        } else if self
            .parts
            .registry
            .get(&name)
            .is_some_and(|it| !it.is_registered())
        {
            self.forget(&name);
        }
        let is_started = state.is_started;
        // Held before it is stored: where the store fails, its stop hook must be called all the same.
        let held = state.workers.entry(name).insert_entry(held);
        let stored = if is_started {
            self.store_if_scheduled(held.get()).await
        } else {
            Ok(())
        };
        self.note(&state);
        stored
    }

    async fn remove(&self, name: &str) -> Result<(), WorkerError> {
        let mut state = self.state.lock().await;
        let held = state
            .workers
            .remove(name)
            .ok_or_else(|| WorkerError::Unknown(name.to_owned()))?;
        self.note(&state);
        self.forget(name);
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
        let invalid = |source| WorkerError::Invalid {
            worker: name.to_owned(),
            source,
        };
        let former = held.schedule.replace(schedule);
        let checked = match held.definition() {
            Some(definition) => self.build(&definition, held.tenant).map(drop),
            None => Err(ValidationErrors::one(
                "schedule",
                "cannot be given to a worker that has only hooks",
            )),
        };
        let stored = match checked {
            Err(faults) => Err(invalid(faults)),
            Ok(()) if is_started => self.store_if_scheduled(held).await,
            Ok(()) => Ok(()),
        };
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
            self.begin(held).await?;
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
