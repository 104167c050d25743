//! The schedule over a store and this node's engine.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use tasks_abstractions::run::{After, JobSnapshot};
use tasks_abstractions::store::{
    ChangeAnswer, Decision, JobChange, PreparedJob, RunChange, SubmitAnswer, WaitingChange,
};
use tasks_abstractions::{
    Clock, CommandAnswer, JobCommand, JobId, JobInfo, JobLimits, JobManagement, JobPublisher, JobQueue,
    JobScheduler, JobStatus, JobStore, ManagementError, SchedulerError,
};
use tasks_multitenancy::TenantScope;

use super::EngineManagement;
use crate::engine::Engine;
use crate::transition::{check_schedule, first_execution, go_on, replace_definition};

/// The scheduler of one node.
pub struct EngineScheduler {
    engine: Engine,
    management: Arc<EngineManagement>,
    queue: Arc<dyn JobQueue>,
    store: Arc<dyn JobStore>,
    publisher: Arc<dyn JobPublisher>,
    clock: Arc<dyn Clock>,
    limits: JobLimits,
}

impl EngineScheduler {
    /// The scheduler of the node of `engine`.
    #[must_use]
    pub fn new(
        engine: Engine,
        management: Arc<EngineManagement>,
        queue: Arc<dyn JobQueue>,
        store: Arc<dyn JobStore>,
        publisher: Arc<dyn JobPublisher>,
        clock: Arc<dyn Clock>,
    ) -> Self {
        let limits = engine.options().limits.clone();
        Self {
            engine,
            management,
            queue,
            store,
            publisher,
            clock,
            limits,
        }
    }

    async fn command(
        &self,
        scope: TenantScope,
        id: JobId,
        command: JobCommand,
    ) -> Result<bool, SchedulerError> {
        match self.management.command(scope, id, command).await? {
            CommandAnswer::Changed => Ok(true),
            CommandAnswer::Unchanged => Ok(false),
            CommandAnswer::Refused(reason) => Err(ManagementError::Refused { job: id, reason }.into()),
            CommandAnswer::NotFound => Err(ManagementError::NotFound(id).into()),
        }
    }

    /// Stores the job with its first execution. `Ok(None)` = it has nothing left to run; `Ok(Some(false))` = it exists.
    async fn insert(&self, job: &JobInfo) -> Result<Option<bool>, SchedulerError> {
        let invalid = |source| SchedulerError::Invalid { job: job.id, source };
        self.limits.check(job).map_err(invalid)?;
        check_schedule(job).map_err(invalid)?;
        let Ok(first) = first_execution(job, self.clock.now()) else {
            return Ok(None);
        };
        let first = job.is_enabled.then_some(first);
        let mut job = job.clone();
        job.status = JobStatus::Queuing;
        job.next_run_time = first.as_ref().map(|it| it.due_at);
        let (id, name, group) = (job.id, job.name.clone(), job.group.clone());
        let prepared = PreparedJob::new(job, first, Some(Arc::clone(&self.publisher)));
        let wake = prepared.wake_handle();
        match self.queue.submit(&[prepared]).await?.first() {
            Some(SubmitAnswer::Inserted) => {
                wake.wake().await;
                Ok(Some(true))
            }
            Some(SubmitAnswer::NameTaken { by }) if *by != id => {
                Err(ManagementError::NameTaken { name, group, by: *by }.into())
            }
            _ => Ok(Some(false)),
        }
    }

    async fn change(
        &self,
        job: &JobInfo,
        decide: &(dyn Fn(&JobSnapshot, tasks_abstractions::Timestamp) -> Decision + Send + Sync),
    ) -> Result<bool, SchedulerError> {
        let scope = TenantScope::One(job.tenant_id);
        let answers = self
            .queue
            .change(scope, &[job.id], self.clock.authoritative_now(), decide)
            .await?;
        match answers.into_iter().next() {
            Some(ChangeAnswer::Changed(it)) => {
                self.management.wake(&it).await;
                Ok(true)
            }
            Some(ChangeAnswer::NameTaken(by)) => Err(ManagementError::NameTaken {
                name: job.name.clone(),
                group: job.group.clone(),
                by,
            }
            .into()),
            Some(ChangeAnswer::Refused(_) | ChangeAnswer::Kept(_)) => Ok(false),
            Some(ChangeAnswer::Deleted(_) | ChangeAnswer::NotFound) | None => {
                Err(ManagementError::NotFound(job.id).into())
            }
        }
    }
}

/// Arms a job that is neither waiting nor running.
fn arm(it: &JobSnapshot, now: tasks_abstractions::Timestamp) -> Decision {
    if it.waiting.is_some() || it.run.is_some() {
        return Decision::Keep;
    }
    go_on(it, now)
}

/// Replaces a job's definition and arms it anew, or after its run where one is in flight.
fn replace(it: &JobSnapshot, new: &JobInfo, now: tasks_abstractions::Timestamp) -> Decision {
    let mut job = match replace_definition(it, new, now) {
        Decision::Change(change) => change.job,
        _ => it.job.clone(),
    };
    job.status = JobStatus::Queuing;
    job.is_enabled = true;
    job.is_abandoned = false;
    (job.try_count, job.interruptions, job.suspect_interruptions) = (0, 0, 0);
    if let Some(run) = &it.run {
        let run = RunChange {
            // A trigger given during the run comes first; it is followed by the new schedule anyway.
            after: (run.after != After::RunAgain).then_some(After::Arm),
            cancel: None,
        };
        return Decision::Change(Box::new(JobChange {
            job,
            waiting: WaitingChange::Remove,
            run,
        }));
    }
    match first_execution(&job, now) {
        Err(reason) => Decision::Refuse(reason.to_string()),
        Ok(first) => {
            job.next_run_time = Some(first.due_at);
            let waiting = WaitingChange::Set(first);
            Decision::Change(Box::new(JobChange {
                job,
                waiting,
                run: RunChange::default(),
            }))
        }
    }
}

#[async_trait]
impl JobScheduler for EngineScheduler {
    async fn queue(&self, mut job: JobInfo) -> Result<bool, SchedulerError> {
        job.normalize();
        match self.insert(&job).await? {
            None => Ok(false),
            Some(true) => Ok(true),
            Some(false) => self.change(&job, &arm).await,
        }
    }

    async fn queue_many(&self, jobs: Vec<JobInfo>) -> Result<usize, SchedulerError> {
        let mut armed = 0;
        for mut job in jobs {
            job.normalize();
            let is_armed = match self.insert(&job).await? {
                None => false,
                Some(true) => true,
                Some(false) => self.change(&job, &|it, now| replace(it, &job, now)).await?,
            };
            armed += usize::from(is_armed);
        }
        Ok(armed)
    }

    async fn exists(&self, scope: TenantScope, id: JobId) -> Result<bool, SchedulerError> {
        let found = self.store.snapshots(scope, &[id]).await?;
        Ok(found
            .first()
            .is_some_and(|it| it.waiting.is_some() || it.run.is_some()))
    }

    async fn trigger(&self, scope: TenantScope, id: JobId) -> Result<bool, SchedulerError> {
        self.command(scope, id, JobCommand::Trigger).await
    }

    async fn pause(&self, scope: TenantScope, id: JobId) -> Result<bool, SchedulerError> {
        self.command(scope, id, JobCommand::Pause).await
    }

    async fn resume(&self, scope: TenantScope, id: JobId) -> Result<bool, SchedulerError> {
        self.command(scope, id, JobCommand::Resume).await
    }

    async fn remove(&self, scope: TenantScope, id: JobId) -> Result<bool, SchedulerError> {
        match self.management.command(scope, id, JobCommand::Delete).await? {
            CommandAnswer::Changed => Ok(true),
            _ => Ok(false),
        }
    }

    async fn start(&self) -> Result<bool, SchedulerError> {
        Ok(self.engine.set_claiming(true))
    }

    async fn stop(&self) -> Result<bool, SchedulerError> {
        Ok(self.engine.set_claiming(false))
    }

    async fn shutdown(&self) -> Result<bool, SchedulerError> {
        Ok(self.engine.shutdown().await)
    }
}

impl fmt::Debug for EngineScheduler {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineScheduler")
            .field("engine", &self.engine)
            .finish_non_exhaustive()
    }
}
