//! The rows of jobs with their executions, and the moves that keep the indexes in step.

use std::sync::Arc;

use foldhash::HashMap;
use tasks_abstractions::job::{InstanceId, Lane};
use tasks_abstractions::run::{JobSnapshot, QueueEntry, RunInfo, RunKind};
use tasks_abstractions::store::{NodeInfo, StoreErrorKind};
use tasks_abstractions::{JobId, JobInfo, JobState, JobStatus, StoreError, Timestamp};
use tasks_multitenancy::{TenantId, TenantScope};

use super::indexes::{Lanes, Runs};
use super::locks::Locks;
use super::logs::Logs;

/// The one execution of a job.
#[derive(Debug, Clone)]
pub(super) enum Execution {
    /// Neither waits nor runs.
    None,
    /// A queue row.
    Waiting(QueueEntry),
    /// A run row.
    Running(RunInfo),
}

impl From<Option<QueueEntry>> for Execution {
    fn from(entry: Option<QueueEntry>) -> Self {
        entry.map_or(Self::None, Self::Waiting)
    }
}

/// A job with its execution.
pub(super) struct JobRow {
    /// Everything but the derived fields (status, is_running, next_run_time), which mean nothing here.
    info: Arc<JobInfo>,
    state: JobState,
    execution: Execution,
}

impl JobRow {
    /// The job without its derived fields.
    pub(super) fn info(&self) -> &JobInfo {
        &self.info
    }

    /// The job, to be written. Whoever holds it from a claim keeps his own.
    pub(super) fn info_mut(&mut self) -> &mut JobInfo {
        Arc::make_mut(&mut self.info)
    }

    pub(super) fn state(&self) -> JobState {
        self.state
    }

    pub(super) fn set_state(&mut self, state: JobState) {
        self.state = state;
    }

    pub(super) fn waiting(&self) -> Option<&QueueEntry> {
        match &self.execution {
            Execution::Waiting(entry) => Some(entry),
            Execution::None | Execution::Running(_) => None,
        }
    }

    pub(super) fn run(&self) -> Option<&RunInfo> {
        match &self.execution {
            Execution::Running(run) => Some(run),
            Execution::None | Execution::Waiting(_) => None,
        }
    }

    /// The run in flight, to be changed in place; its ids and its holder must stay.
    pub(super) fn run_mut(&mut self) -> Option<&mut RunInfo> {
        match &mut self.execution {
            Execution::Running(run) => Some(run),
            Execution::None | Execution::Waiting(_) => None,
        }
    }

    pub(super) fn is_idle(&self) -> bool {
        matches!(self.execution, Execution::None)
    }

    /// What is shown, derived from the stored state and from the execution.
    pub(super) fn status(&self) -> JobStatus {
        match (self.state, &self.execution) {
            (JobState::Active, Execution::Running(_)) => JobStatus::Running,
            (JobState::Active, Execution::Waiting(entry)) if entry.kind == RunKind::Retry => {
                JobStatus::FailedRetry
            }
            (state, _) => state.into(),
        }
    }

    /// When the waiting execution is due.
    pub(super) fn next_run_time(&self) -> Option<Timestamp> {
        self.waiting().map(|it| it.due_at)
    }

    /// The job as it is shown.
    pub(super) fn shown(&self) -> JobInfo {
        JobInfo {
            status: self.status(),
            is_running: self.run().is_some(),
            next_run_time: self.next_run_time(),
            ..JobInfo::clone(&self.info)
        }
    }

    /// The job as it is shown, shared instead of copied: a claim of a thousand jobs copies none.
    pub(super) fn share(&mut self) -> Arc<JobInfo> {
        let (status, is_running, next) = (self.status(), self.run().is_some(), self.next_run_time());
        let info = self.info_mut();
        (info.status, info.is_running, info.next_run_time) = (status, is_running, next);
        Arc::clone(&self.info)
    }

    pub(super) fn snapshot(&self) -> JobSnapshot {
        JobSnapshot {
            job: self.shown(),
            waiting: self.waiting().cloned(),
            run: self.run().cloned(),
        }
    }
}

/// Tenant, group and name of a named job.
type NameKey = (TenantId, String, String);

fn name_key(job: &JobInfo) -> Option<NameKey> {
    job.is_named()
        .then(|| (job.tenant_id, job.group.clone(), job.name.clone()))
}

/// All rows. Jobs and their indexes change only through its methods.
#[derive(Default)]
pub(super) struct Rows {
    jobs: HashMap<JobId, JobRow>,
    names: HashMap<NameKey, JobId>,
    lanes: Lanes,
    runs: Runs,
    pub(super) logs: Logs,
    pub(super) nodes: HashMap<InstanceId, NodeInfo>,
    pub(super) locks: Locks,
    pub(super) cursors: HashMap<String, String>,
}

impl Rows {
    pub(super) fn jobs(&self) -> &HashMap<JobId, JobRow> {
        &self.jobs
    }

    pub(super) fn lanes(&self) -> &Lanes {
        &self.lanes
    }

    pub(super) fn runs(&self) -> &Runs {
        &self.runs
    }

    pub(super) fn job(&self, id: JobId) -> Option<&JobRow> {
        self.jobs.get(&id)
    }

    pub(super) fn job_mut(&mut self, id: JobId) -> Option<&mut JobRow> {
        self.jobs.get_mut(&id)
    }

    /// A job that the scope may see.
    pub(super) fn visible(&self, scope: TenantScope, id: JobId) -> Option<&JobRow> {
        self.job(id).filter(|it| scope.allows(it.info.tenant_id))
    }

    /// Another job that has the name which `job` wants.
    pub(super) fn name_holder(&self, job: &JobInfo) -> Option<JobId> {
        let holder = self.names.get(&name_key(job)?).copied()?;
        (holder != job.id).then_some(holder)
    }

    /// Adds a job whose id and name are free.
    pub(super) fn insert(&mut self, job: JobInfo, state: JobState, first: Option<QueueEntry>) {
        let id = job.id;
        if let Some(key) = name_key(&job) {
            self.names.insert(key, id);
        }
        let row = JobRow {
            info: Arc::new(job),
            state,
            execution: Execution::None,
        };
        self.jobs.insert(id, row);
        self.place(id, first.into());
    }

    /// Replaces a job's record; its name is free or its own.
    pub(super) fn replace(&mut self, job: JobInfo, state: JobState) {
        let Some(row) = self.jobs.get_mut(&job.id) else {
            return;
        };
        let (former, new) = (name_key(&row.info), name_key(&job));
        if former != new {
            if let Some(key) = former {
                self.names.remove(&key);
            }
            if let Some(key) = new {
                self.names.insert(key, job.id);
            }
        }
        row.info = Arc::new(job);
        row.state = state;
    }

    /// Removes a job with its execution and the locks of its run.
    pub(super) fn remove(&mut self, id: JobId) {
        self.place(id, Execution::None);
        if let Some(key) = self.jobs.remove(&id).and_then(|it| name_key(&it.info)) {
            self.names.remove(&key);
        }
    }

    /// Puts `next` in the place of a job's execution. The only way in which an execution comes, goes or changes hands, so the indexes follow here, and the
    /// locks of a run end here. Answers the row.
    pub(super) fn place(&mut self, id: JobId, next: Execution) -> Option<&mut JobRow> {
        let row = self.jobs.get_mut(&id)?;
        match &row.execution {
            Execution::None => {}
            Execution::Waiting(entry) => self.lanes.remove(entry, id),
            Execution::Running(run) => {
                self.runs.remove(run);
                self.locks.end_run(run.run_id);
            }
        }
        match &next {
            Execution::None => {}
            Execution::Waiting(entry) => self.lanes.insert(entry, id),
            Execution::Running(run) => self.runs.insert(run),
        }
        row.execution = next;
        Some(row)
    }

    /// Jobs that are due in these lanes, in the order of a claim.
    pub(super) fn due_in(&self, lanes: &[Lane], now: Timestamp, limit: usize) -> Vec<JobId> {
        self.lanes.due(lanes, now, limit, |_| true)
    }
}

/// An error by which nothing was written.
pub(super) fn invalid(message: impl Into<String>) -> StoreError {
    StoreError::new(StoreErrorKind::Invalid, message)
}
