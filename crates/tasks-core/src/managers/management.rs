//! Management of stored jobs: the one implementation of its rules.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use tasks_abstractions::run::{JobLog, JobSnapshot};
use tasks_abstractions::store::{
    ChangeAnswer, Decision, JobCounts, JobLogQuery, JobQuery, NodeInfo, Page, PreparedJob, RunStatistics,
    SubmitAnswer,
};
use tasks_abstractions::{
    BulkAnswer, BulkMode, CheckReport, Clock, CommandAnswer, CopyRequest, GuidGenerator, JobArgs, JobCommand,
    JobDispatcher, JobId, JobInfo, JobLimits, JobManagement, JobPublisher, JobQueue, JobStatus, JobStore,
    ManagementError, SequentialGuidGenerator, Timestamp, WakeHandle, WakeHint,
};
use tasks_multitenancy::TenantScope;

use crate::transition::{changed_by_people, check_schedule, first_execution, replace_definition};

/// The management over a store, with the engine's rules.
pub struct EngineManagement {
    pub(super) queue: Arc<dyn JobQueue>,
    pub(super) store: Arc<dyn JobStore>,
    pub(super) publisher: Arc<dyn JobPublisher>,
    dispatcher: Arc<dyn JobDispatcher>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) limits: JobLimits,
    pub(super) guids: Arc<dyn GuidGenerator>,
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
        let guids = Arc::new(SequentialGuidGenerator::new(Arc::clone(&clock)));
        Self {
            queue,
            store,
            publisher,
            dispatcher,
            clock,
            limits,
            guids,
        }
    }

    /// Tells the nodes what changed; the rows say it already.
    pub(super) async fn tell(&self, command: JobCommand, answers: &[ChangeAnswer]) {
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

    /// Wakes the nodes that may run what waits now.
    pub(super) async fn wake(&self, it: &JobSnapshot) {
        let hints = it.waiting.iter().map(WakeHint::from).collect();
        WakeHandle::new(Some(Arc::clone(&self.publisher)), hints)
            .wake()
            .await;
    }

    pub(super) fn check_fields(&self, job: &JobInfo) -> Result<(), ManagementError> {
        self.limits.check(job)?;
        check_schedule(job)?;
        Ok(())
    }
}

pub(super) fn answer_of(answer: ChangeAnswer) -> CommandAnswer {
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

    async fn runs(&self, scope: TenantScope, limit: usize) -> Result<Vec<JobSnapshot>, ManagementError> {
        Ok(self.store.get_running_list(scope, limit).await?)
    }

    async fn nodes(&self) -> Result<Vec<NodeInfo>, ManagementError> {
        Ok(self.queue.nodes().await?)
    }

    async fn statistics(
        &self,
        scope: TenantScope,
        since: Timestamp,
    ) -> Result<Vec<RunStatistics>, ManagementError> {
        Ok(self.store.run_statistics(scope, since).await?)
    }

    async fn create(&self, mut job: JobInfo) -> Result<JobInfo, ManagementError> {
        job.normalize();
        self.check_fields(&job)?;
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
        self.check_fields(&job)?;
        let (id, expected) = (job.id, job.version);
        let decide = |it: &JobSnapshot, now| {
            if it.job.version == expected {
                replace_definition(it, &edited(&it.job, &job), now)
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

    async fn import(&self, job: JobInfo, mode: BulkMode) -> Result<bool, ManagementError> {
        self.restore(job, mode).await
    }

    async fn reset_overrides(&self, scope: TenantScope, id: JobId) -> Result<JobInfo, ManagementError> {
        self.reset(scope, id).await
    }

    async fn command(
        &self,
        scope: TenantScope,
        id: JobId,
        command: JobCommand,
    ) -> Result<CommandAnswer, ManagementError> {
        let answers = self.many(scope, &[id], command, BulkMode::Apply).await?;
        Ok(answers.into_iter().next().unwrap_or(CommandAnswer::NotFound))
    }

    async fn command_many(
        &self,
        scope: TenantScope,
        ids: &[JobId],
        command: JobCommand,
        mode: BulkMode,
    ) -> Result<Vec<CommandAnswer>, ManagementError> {
        self.many(scope, ids, command, mode).await
    }

    async fn command_where(
        &self,
        scope: TenantScope,
        query: &JobQuery,
        command: JobCommand,
        mode: BulkMode,
    ) -> Result<BulkAnswer, ManagementError> {
        self.all_where(scope, query, command, mode).await
    }

    async fn retry_abandoned(
        &self,
        scope: TenantScope,
        type_name: Option<&str>,
        mode: BulkMode,
    ) -> Result<BulkAnswer, ManagementError> {
        let query = JobQuery {
            is_abandoned: Some(true),
            // Starting enables, and who disabled a job did not mean this.
            is_enabled: Some(true),
            exact_type: type_name.map(ToOwned::to_owned),
            ..JobQuery::default()
        };
        self.all_where(scope, &query, JobCommand::Start, mode).await
    }

    async fn copy(
        &self,
        scope: TenantScope,
        id: JobId,
        copy: CopyRequest,
    ) -> Result<JobInfo, ManagementError> {
        self.copy_of(scope, id, copy).await
    }

    async fn requeue(
        &self,
        scope: TenantScope,
        id: JobId,
        args: Option<JobArgs>,
    ) -> Result<JobInfo, ManagementError> {
        self.run_anew(scope, id, args).await
    }

    async fn check(&self, after: Option<JobId>, limit: usize) -> Result<CheckReport, ManagementError> {
        self.check_step(after, limit).await
    }
}

/// The job as an editor wants it: what people change on a job that a program defines wins from now on; what only the system says stays.
fn edited(stored: &JobInfo, wanted: &JobInfo) -> JobInfo {
    let mut overrides = stored.overrides.clone();
    if stored.definition.is_some() {
        overrides.extend(changed_by_people(stored, wanted));
    }
    JobInfo {
        selector: stored.selector.clone(),
        definition: stored.definition.clone(),
        overrides,
        ..wanted.clone()
    }
}

impl fmt::Debug for EngineManagement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineManagement")
            .field("queue", &self.queue)
            .finish_non_exhaustive()
    }
}
