//! The jobs and workers that this program can run, by name.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use tasks_abstractions::services::{Consumer, Need, Scope, ServiceError};
use tasks_abstractions::{
    BackgroundWorkerRunnable, JobFlags, JobRegistration, JobRunnable, WorkerRegistration,
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

impl fmt::Debug for RegisteredType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RegisteredType")
            .field("kind", &self.kind)
            .field("at", &self.at)
            .finish_non_exhaustive()
    }
}

/// What this program can run. A value, not a global: the host fills it from the registrations of the whole program, a test from
/// those it wants.
#[derive(Debug, Clone, Default)]
pub struct JobRegistry {
    types: BTreeMap<String, RegisteredType>,
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
        let build: Build = Arc::new(move |_| Ok(Arc::clone(&it)));
        let flags = JobFlags::NONE;
        self.add(
            &name,
            RegisteredType {
                kind: "job",
                at: at.to_owned(),
                flags,
                needs: Vec::new(),
                build,
                worker: None,
            },
        )
    }

    fn add(&mut self, name: &str, it: RegisteredType) -> Result<&mut Self, DuplicateName> {
        if let Some(first) = self.types.get(name) {
            return Err(DuplicateName {
                name: name.to_owned(),
                first: first.at.clone(),
                second: it.at,
            });
        }
        self.types.insert(name.to_owned(), it);
        Ok(self)
    }

    /// One type.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&RegisteredType> {
        self.types.get(name)
    }

    /// The names, sorted.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.types.keys().map(String::as_str)
    }

    /// The names and types, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &RegisteredType)> {
        self.types.iter().map(|(name, it)| (name.as_str(), it))
    }

    /// All of them, for the check of the whole graph of services before start.
    #[must_use]
    pub fn consumers(&self) -> Vec<Consumer> {
        self.types
            .iter()
            .map(|(name, it)| Consumer {
                kind: it.kind,
                name: name.clone().into(),
                at: it.at.clone().into(),
                needs: it.needs.clone(),
            })
            .collect()
    }
}
