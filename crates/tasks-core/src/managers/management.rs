//! Management of stored jobs: the one implementation of its rules.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use tasks_abstractions::run::{JobLog, JobSnapshot};
use tasks_abstractions::store::{
    ChangeAnswer, Decision, JobCounts, JobLogQuery, JobQuery, Page, PreparedJob, SubmitAnswer,
};
use tasks_abstractions::{
    Clock, CommandAnswer, JobCommand, JobDispatcher, JobId, JobInfo, JobLimits, JobManagement, JobPublisher,
    JobQueue, JobStatus, JobStore, ManagementError, WakeHandle, WakeHint,
};
use tasks_multitenancy::TenantScope;

use crate::transition::{check_schedule, decide, first_execution, replace_definition};

/// The management over a store, with the engine's rules.
pub struct EngineManagement {
    queue: Arc<dyn JobQueue>,
    store: Arc<dyn JobStore>,
    publisher: Arc<dyn JobPublisher>,
    dispatcher: Arc<dyn JobDispatcher>,
    clock: Arc<dyn Clock>,
    limits: JobLimits,
}

impl EngineManagement {
    /// A management of the jobs in a store.
    #[must_use]
    pub fn new(
        queue: Arc<dyn JobQueue>,
        store: Arc<dyn JobStore>,
        publisher: Arc<dyn JobPublisher>,
        dispatcher: Arc<dyn JobDispatcher>,
        clock: Arc<dyn Clock>,
        limits: JobLimits,
    ) -> Self {
        Self {
            queue,
            store,
            publisher,
            dispatcher,
            clock,
            limits,
        }
    }

    /// Carries out a command on many jobs; one answer each, in order.
    ///
    /// # Errors
    /// Where the store failed. Jobs before the failing batch may have been changed; repeating the command is harmless.
    pub async fn command_many(
        &self,
        scope: TenantScope,
        ids: &[JobId],
        command: JobCommand,
    ) -> Result<Vec<CommandAnswer>, ManagementError> {
        let decide = |it: &JobSnapshot, now| decide(command, it, now);
        let answers = self
            .queue
            .change(scope, ids, self.clock.authoritative_now(), &decide)
            .await?;
        self.tell(command, &answers).await;
        Ok(answers.into_iter().map(answer_of).collect())
    }

    /// Tells the nodes what changed; the rows say it already.
    async fn tell(&self, command: JobCommand, answers: &[ChangeAnswer]) {
        for answer in answers {
            match answer {
                ChangeAnswer::Changed(it) => {
                    self.wake(it).await;
                    if it.run.is_some() {
                        self.dispatcher
                            .dispatch(command, it.job.tenant_id, &[it.job.id])
                            .await;
                    }
                }
                ChangeAnswer::Deleted(it) if it.run.is_some() => {
                    self.dispatcher
                        .dispatch(command, it.job.tenant_id, &[it.job.id])
                        .await;
                }
                _ => {}
            }
        }
    }

    async fn wake(&self, it: &JobSnapshot) {
        let hints = it
            .waiting
            .iter()
            .map(|it| WakeHint {
                lane: it.lane.clone(),
                rank: it.rank,
                due_at: it.due_at,
            })
            .collect();
        WakeHandle::new(Some(Arc::clone(&self.publisher)), hints)
            .wake()
            .await;
    }

    fn check(&self, job: &JobInfo) -> Result<(), ManagementError> {
        self.limits.check(job)?;
        check_schedule(job)?;
        Ok(())
    }
}

fn answer_of(answer: ChangeAnswer) -> CommandAnswer {
    match answer {
        ChangeAnswer::Changed(_) | ChangeAnswer::Deleted(_) => CommandAnswer::Changed,
        ChangeAnswer::Kept(_) => CommandAnswer::Unchanged,
        ChangeAnswer::Refused(reason) => CommandAnswer::Refused(reason),
        ChangeAnswer::NameTaken(by) => CommandAnswer::Refused(format!("its name is taken by job {by}")),
        ChangeAnswer::NotFound => CommandAnswer::NotFound,
    }
}

#[async_trait]
impl JobManagement for EngineManagement {
    async fn get(&self, scope: TenantScope, id: JobId) -> Result<JobInfo, ManagementError> {
        self.store
            .find(scope, id)
            .await?
            .ok_or(ManagementError::NotFound(id))
    }

    async fn list(&self, scope: TenantScope, query: &JobQuery) -> Result<Page<JobInfo>, ManagementError> {
        Ok(self.store.list(scope, query).await?)
    }

    async fn logs(&self, scope: TenantScope, query: &JobLogQuery) -> Result<Page<JobLog>, ManagementError> {
        Ok(self.store.list_logs(scope, query).await?)
    }

    async fn counts(&self, scope: TenantScope) -> Result<JobCounts, ManagementError> {
        Ok(self.store.counts(scope).await?)
    }

    async fn create(&self, mut job: JobInfo) -> Result<JobInfo, ManagementError> {
        job.normalize();
        self.check(&job)?;
        let now = self.clock.now();
        let first = if job.is_enabled {
            let refused = |reason: crate::transition::ScheduleError| ManagementError::Refused {
                job: job.id,
                reason: reason.to_string(),
            };
            Some(first_execution(&job, now).map_err(refused)?)
        } else {
            None
        };
        job.status = JobStatus::Queuing;
        job.next_run_time = first.as_ref().map(|it| it.due_at);
        let (id, tenant) = (job.id, job.tenant_id);
        let (name, group) = (job.name.clone(), job.group.clone());
        let prepared = PreparedJob::new(job, first, Some(Arc::clone(&self.publisher)));
        let wake = prepared.wake_handle();
        let answers = self.queue.submit(&[prepared]).await?;
        match answers.first() {
            Some(SubmitAnswer::Inserted) => wake.wake().await,
            Some(SubmitAnswer::NameTaken { by }) => {
                return Err(ManagementError::NameTaken { name, group, by: *by });
            }
            Some(SubmitAnswer::Exists) | None => {
                return Err(ManagementError::Refused {
                    job: id,
                    reason: "a job of this id exists".to_owned(),
                });
            }
        }
        self.get(TenantScope::One(tenant), id).await
    }

    async fn update(&self, scope: TenantScope, mut job: JobInfo) -> Result<JobInfo, ManagementError> {
        job.normalize();
        self.check(&job)?;
        let (id, expected) = (job.id, job.version);
        let decide = |it: &JobSnapshot, now| {
            if it.job.version == expected {
                replace_definition(it, &job, now)
            } else {
                Decision::Keep
            }
        };
        let answers = self
            .queue
            .change(scope, &[id], self.clock.authoritative_now(), &decide)
            .await?;
        match answers.into_iter().next() {
            Some(ChangeAnswer::Changed(it)) => {
                self.wake(&it).await;
                Ok(it.job)
            }
            Some(ChangeAnswer::Kept(it)) if it.job.version != expected => Err(ManagementError::Conflict {
                job: id,
                expected,
                found: it.job.version,
            }),
            Some(ChangeAnswer::Kept(it)) => Ok(it.job),
            Some(ChangeAnswer::NameTaken(by)) => Err(ManagementError::NameTaken {
                name: job.name.clone(),
                group: job.group.clone(),
                by,
            }),
            Some(ChangeAnswer::Refused(reason)) => Err(ManagementError::Refused { job: id, reason }),
            Some(ChangeAnswer::Deleted(_) | ChangeAnswer::NotFound) | None => {
                Err(ManagementError::NotFound(id))
            }
        }
    }

    async fn command(
        &self,
        scope: TenantScope,
        id: JobId,
        command: JobCommand,
    ) -> Result<CommandAnswer, ManagementError> {
        let answers = self.command_many(scope, &[id], command).await?;
        Ok(answers.into_iter().next().unwrap_or(CommandAnswer::NotFound))
    }
}

impl fmt::Debug for EngineManagement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineManagement")
            .field("queue", &self.queue)
            .finish_non_exhaustive()
    }
}
