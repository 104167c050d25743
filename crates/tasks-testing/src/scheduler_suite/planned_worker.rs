//! A worker whose schedule a case chooses, as another build of the program would have it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tasks_abstractions::services::{FromScope, Need, Resolver, ServiceError};
use tasks_abstractions::{
    AsyncPeriodicWorker, JobError, JobId, JobInfo, JobResult, Outcome, WorkerContext, WorkerRegistration,
    WorkerSchedule,
};
use tasks_multitenancy::TenantId;

use super::fixture::SchedulerFixture;
use crate::{TestHost, TestHostBuilder};

/// What the worker does and what it was asked.
#[derive(Debug)]
pub(super) struct Plan {
    schedule: Mutex<WorkerSchedule>,
    runs: AtomicUsize,
    starts: AtomicUsize,
    stops: AtomicUsize,
}

impl Plan {
    pub(super) fn new(schedule: WorkerSchedule) -> Arc<Self> {
        Arc::new(Self {
            schedule: Mutex::new(schedule),
            runs: AtomicUsize::new(0),
            starts: AtomicUsize::new(0),
            stops: AtomicUsize::new(0),
        })
    }

    pub(super) fn runs(&self) -> usize {
        self.runs.load(Ordering::Relaxed)
    }

    /// Calls of the hooks: start, stop.
    pub(super) fn hooks(&self) -> (usize, usize) {
        (
            self.starts.load(Ordering::Relaxed),
            self.stops.load(Ordering::Relaxed),
        )
    }
}

pub(super) struct Planned(Arc<Plan>);

impl Planned {
    pub(super) const fn of(plan: Arc<Plan>) -> Self {
        Self(plan)
    }
}

impl FromScope for Planned {
    fn from_scope(it: &Resolver<'_>) -> Result<Self, ServiceError> {
        Ok(Self(it.get()?))
    }

    fn needs(out: &mut Vec<Need>) {
        out.push(Need::of::<Plan>());
    }
}

#[async_trait]
impl AsyncPeriodicWorker for Planned {
    const NAME: &'static str = "suite.planned";

    fn schedule(&self) -> WorkerSchedule {
        self.0.schedule.lock().unwrap().clone()
    }

    async fn do_work(&self, _: &WorkerContext) -> JobResult {
        self.0.runs.fetch_add(1, Ordering::Relaxed);
        Ok(Outcome::Done)
    }

    async fn start(&self) -> Result<(), JobError> {
        self.0.starts.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }

    async fn stop(&self) -> Result<(), JobError> {
        self.0.stops.fetch_add(1, Ordering::Relaxed);
        Ok(())
    }
}

/// A node whose program has the worker.
pub(super) fn node_with(fx: &impl SchedulerFixture, node: &str, plan: &Arc<Plan>) -> TestHostBuilder {
    let plan = Arc::clone(plan);
    fx.patient_node(node)
        .worker(WorkerRegistration::async_periodic::<Planned>("suite"))
        .services(move |it| it.singleton::<Plan>(plan).map(|_| ()))
}

/// A started program of this version that has the worker by this schedule. Its loops are not running.
pub(super) async fn program(fx: &impl SchedulerFixture, version: &str, schedule: WorkerSchedule) -> TestHost {
    let host = node_with(fx, "a", &Plan::new(schedule))
        .version(version)
        .build()
        .unwrap();
    host.start_workers().await.unwrap();
    host
}

/// The id of the job of this name among the workers of the host.
pub(super) fn id_of(name: &str) -> JobId {
    JobId::from_name(TenantId::HOST, JobInfo::WORKERS_GROUP, name)
}

/// The worker's job.
pub(super) async fn stored(host: &TestHost) -> JobInfo {
    host.find(id_of(Planned::NAME)).await.unwrap()
}
