//! The jobs and workers that this program can run, by name.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use tasks_abstractions::services::{Consumer, Need, Scope, ServiceError};
use tasks_abstractions::{
    BackgroundWorkerRunnable, JobFlags, JobRegistration, JobRunnable, RustType, WorkerRegistration,
};
use thiserror::Error;

type Build = Arc<dyn Fn(&Scope) -> Result<Arc<dyn JobRunnable>, ServiceError> + Send + Sync>;

/// Two registrations of one name.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{name}` is registered twice, at {first} and at {second}; names of jobs and workers must be unique")]
pub struct DuplicateName {
    /// The name.
    pub name: String,
    /// Where it was registered first.
    pub first: String,
    /// Where it was registered again.
    pub second: String,
}

/// One type of job that can be run.
#[derive(Clone)]
pub struct RegisteredType {
    /// `job` or `worker`.
    pub kind: &'static str,
    /// Where it was registered.
    pub at: String,
    /// What is left out for it.
    pub flags: JobFlags,
    needs: Vec<Need>,
    build: Build,
    worker: Option<WorkerRegistration>,
}

impl RegisteredType {
    /// Makes it for one run.
    ///
    /// # Errors
    /// Where a service is missing.
    pub fn build(&self, scope: &Scope) -> Result<Arc<dyn JobRunnable>, ServiceError> {
        (self.build)(scope)
    }

    /// Makes the worker itself, for its schedule and hooks; `None` for jobs.
    ///
    /// # Errors
    /// Where a service is missing.
    pub fn build_worker(
        &self,
        scope: &Scope,
    ) -> Result<Option<Arc<dyn BackgroundWorkerRunnable>>, ServiceError> {
        self.worker.map(|it| (it.build)(&scope.resolver())).transpose()
    }
}

impl RegisteredType {
    /// Whether it is part of the program, and not added while it runs.
    pub(crate) fn is_registered(&self) -> bool {
        self.at != AT_RUN_TIME
    }

    /// The worker's Rust type; `None` for jobs, and for workers that were added while the program runs.
    pub(crate) fn worker_type(&self) -> Option<RustType> {
        self.worker.map(|it| (it.rust_type)())
    }
}

impl fmt::Debug for RegisteredType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegisteredType")
            .field("kind", &self.kind)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// What this program can run. A value, not a global: the host fills it from the registrations of the whole program, a test from
/// those it wants. Workers may be added and taken away while the program runs.
#[derive(Debug, Default)]
pub struct JobRegistry {
    types: RwLock<BTreeMap<String, Arc<RegisteredType>>>,
    changes: AtomicU64,
}

impl Clone for JobRegistry {
    /// A registry of its own, with the types of now.
    fn clone(&self) -> Self {
        Self {
            types: RwLock::new(self.read().clone()),
            changes: AtomicU64::new(0),
        }
    }
}

impl JobRegistry {
    /// Nothing registered.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a job.
    ///
    /// # Errors
    /// Where the name is taken.
    pub fn add_job(&mut self, job: &JobRegistration) -> Result<&mut Self, DuplicateName> {
        let mut needs = Vec::new();
        (job.needs)(&mut needs);
        let build = job.build;
        let build: Build = Arc::new(move |scope| build(&scope.resolver()));
        self.add(
            job.name,
            RegisteredType {
                kind: "job",
                at: job.at.to_owned(),
                flags: job.flags,
                needs,
                build,
                worker: None,
            },
        )
    }

    /// Adds a worker.
    ///
    /// # Errors
    /// Where the name is taken.
    pub fn add_worker(&mut self, worker: &WorkerRegistration) -> Result<&mut Self, DuplicateName> {
        let mut needs = Vec::new();
        (worker.needs)(&mut needs);
        let build = worker.build;
        let build: Build = Arc::new(move |scope| {
            let worker: Arc<dyn BackgroundWorkerRunnable> = build(&scope.resolver())?;
            Ok(worker as Arc<dyn JobRunnable>)
        });
        self.add(
            worker.name,
            RegisteredType {
                kind: "worker",
                at: worker.at.to_owned(),
                flags: worker.flags,
                needs,
                build,
                worker: Some(*worker),
            },
        )
    }

    /// Adds something that exists already and needs no services.
    ///
    /// # Errors
    /// Where the name is taken.
    pub fn add_instance(&mut self, it: Arc<dyn JobRunnable>, at: &str) -> Result<&mut Self, DuplicateName> {
        let name = it.name().to_owned();
        self.add(&name, instance("job", at, it))
    }

    fn add(&mut self, name: &str, it: RegisteredType) -> Result<&mut Self, DuplicateName> {
        let mut types = self.write();
        if let Some(first) = types.get(name) {
            return Err(DuplicateName {
                name: name.to_owned(),
                first: first.at.clone(),
                second: it.at,
            });
        }
        types.insert(name.to_owned(), Arc::new(it));
        drop(types);
        Ok(self)
    }

    /// Lets this program run a worker that exists already, from now on. One of this name that was put in before is replaced. False, and no
    /// change, where the program has a registered job or worker of this name.
    pub(crate) fn put_worker(&self, it: Arc<dyn BackgroundWorkerRunnable>) -> bool {
        let name = it.name().to_owned();
        let mut types = self.write();
        if types.get(&name).is_some_and(|it| it.is_registered()) {
            return false;
        }
        types.insert(name, Arc::new(instance("worker", AT_RUN_TIME, it)));
        drop(types);
        self.changes.fetch_add(1, Ordering::Release);
        true
    }

    /// Takes a type away: from now on this program cannot run it. Answers what it was.
    pub(crate) fn take(&self, name: &str) -> Option<Arc<RegisteredType>> {
        let taken = self.write().remove(name);
        self.changes.fetch_add(1, Ordering::Release);
        taken
    }

    /// How often types came and went while the program ran.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Acquire)
    }

    /// One type.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Arc<RegisteredType>> {
        self.read().get(name).cloned()
    }

    /// The names, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.read().keys().cloned().collect()
    }

    /// The names and types, by name.
    #[must_use]
    pub fn types(&self) -> Vec<(String, Arc<RegisteredType>)> {
        self.read()
            .iter()
            .map(|(name, it)| (name.clone(), Arc::clone(it)))
            .collect()
    }

    /// All of them, for the check of the whole graph of services before start.
    #[must_use]
    pub fn consumers(&self) -> Vec<Consumer> {
        self.read()
            .iter()
            .map(|(name, it)| Consumer {
                kind: it.kind,
                name: name.clone().into(),
                at: it.at.clone().into(),
                needs: it.needs.clone(),
            })
            .collect()
    }

    fn read(&self) -> RwLockReadGuard<'_, BTreeMap<String, Arc<RegisteredType>>> {
        self.types.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, BTreeMap<String, Arc<RegisteredType>>> {
        self.types.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Where workers are "registered" that a running program added.
const AT_RUN_TIME: &str = "added while the program runs";

fn instance(kind: &'static str, at: &str, it: Arc<dyn JobRunnable>) -> RegisteredType {
    RegisteredType {
        kind,
        at: at.to_owned(),
        flags: JobFlags::NONE,
        needs: Vec::new(),
        build: Arc::new(move |_| Ok(Arc::clone(&it))),
        worker: None,
    }
}
