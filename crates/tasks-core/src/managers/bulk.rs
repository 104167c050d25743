//! Commands on many jobs, jobs made from others, and the check of stored jobs.

use tasks_abstractions::run::JobSnapshot;
use tasks_abstractions::store::{ChangeAnswer, Decision, JobQuery};
use tasks_abstractions::{
    BulkAnswer, BulkMode, CheckReport, CommandAnswer, CopyRequest, JobArgs, JobCommand, JobId, JobInfo,
    JobLimits, JobManagement, JobSource, JobStatus, ManagementError, Timestamp, ValidationErrors,
};
use tasks_multitenancy::TenantScope;
use tracing::error;

use super::EngineManagement;
use super::management::answer_of;
use crate::transition::{decide, forget_overrides, rearm, requeue};

/// Jobs of one step of a command on many: one transaction each.
const STEP: usize = 500;

impl EngineManagement {
    /// As [`JobManagement::command_many`].
    pub(super) async fn many(
        &self,
        scope: TenantScope,
        ids: &[JobId],
        command: JobCommand,
        mode: BulkMode,
    ) -> Result<Vec<CommandAnswer>, ManagementError> {
        let mut answers = Vec::with_capacity(ids.len());
        for step in ids.chunks(STEP) {
            match mode {
                BulkMode::Apply => answers.extend(self.apply(scope, step, command).await?),
                BulkMode::DryRun => answers.extend(self.foresee(scope, step, command).await?),
            }
        }
        Ok(answers)
    }

    async fn apply(
        &self,
        scope: TenantScope,
        ids: &[JobId],
        command: JobCommand,
    ) -> Result<Vec<CommandAnswer>, ManagementError> {
        let decide = |it: &JobSnapshot, now| decide(command, it, now);
        let now = self.clock.authoritative_now();
        let answers = self.queue.change(scope, ids, now, &decide).await?;
        self.tell(command, &answers).await;
        Ok(answers.into_iter().map(answer_of).collect())
    }

    /// What the command would do, by the same rules, on the jobs as they are now.
    async fn foresee(
        &self,
        scope: TenantScope,
        ids: &[JobId],
        command: JobCommand,
    ) -> Result<Vec<CommandAnswer>, ManagementError> {
        let now = self.queue_now().await?;
        let found = self.store.snapshots(scope, ids).await?;
        let answer = |id: &JobId| {
            let Some(it) = found.iter().find(|it| it.job.id == *id) else {
                return CommandAnswer::NotFound;
            };
            match decide(command, it, now) {
                Decision::Keep => CommandAnswer::Unchanged,
                Decision::Refuse(reason) => CommandAnswer::Refused(reason),
                Decision::Change(_) | Decision::Delete(_) => CommandAnswer::Changed,
            }
        };
        Ok(ids.iter().map(answer).collect())
    }

    /// As [`JobManagement::command_where`].
    pub(super) async fn all_where(
        &self,
        scope: TenantScope,
        query: &JobQuery,
        command: JobCommand,
        mode: BulkMode,
    ) -> Result<BulkAnswer, ManagementError> {
        let now = self.queue_now().await?;
        // Jobs that are made faster than they are changed must not keep this going for ever.
        let query = JobQuery {
            end_creation_time: Some(query.end_creation_time.map_or(now, |it| it.min(now))),
            ..query.clone()
        };
        let mut total = BulkAnswer::default();
        let mut after = None;
        loop {
            let ids = self.store.list_ids(scope, &query, after, STEP).await?;
            let Some(last) = ids.last().copied() else {
                return Ok(total);
            };
            after = Some(last);
            let answers = self.many(scope, &ids, command, mode).await?;
            for (id, answer) in ids.iter().zip(&answers) {
                total.count(*id, answer);
            }
        }
    }

    /// As [`JobManagement::copy`].
    pub(super) async fn copy_of(
        &self,
        scope: TenantScope,
        id: JobId,
        copy: CopyRequest,
    ) -> Result<JobInfo, ManagementError> {
        let original = self.get(scope, id).await?;
        let new = JobId::generate(self.guids.as_ref());
        let now = self.clock.now();
        let job = JobInfo {
            name: copy.name.unwrap_or_else(|| new.to_string()),
            args: copy.args.unwrap_or(original.args),
            begin_time: copy.begin_time.unwrap_or(now),
            source: JobSource::User,
            selector: None,
            ..original
        };
        self.create(renewed(job, new, now)).await
    }

    /// As [`JobManagement::requeue`].
    pub(super) async fn run_anew(
        &self,
        scope: TenantScope,
        id: JobId,
        args: Option<JobArgs>,
    ) -> Result<JobInfo, ManagementError> {
        check_args(args.as_ref(), &self.limits)?;
        let decide = |it: &JobSnapshot, now: Timestamp| requeue(it, args.as_ref(), now);
        let now = self.clock.authoritative_now();
        let answers = self.queue.change(scope, &[id], now, &decide).await?;
        self.tell(JobCommand::Start, &answers).await;
        match answers.into_iter().next() {
            Some(ChangeAnswer::Changed(it) | ChangeAnswer::Kept(it)) => Ok(it.job),
            Some(ChangeAnswer::Refused(reason)) => Err(ManagementError::Refused { job: id, reason }),
            _ => Err(ManagementError::NotFound(id)),
        }
    }

    /// As [`JobManagement::check`].
    pub(super) async fn check_step(
        &self,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<CheckReport, ManagementError> {
        let page = self.store.find_unarmed(after, limit).await?;
        let mut report = CheckReport {
            looked_at: page.looked_at,
            next: page.next,
            ..CheckReport::default()
        };
        if page.unarmed.is_empty() {
            return Ok(report);
        }
        let now = self.clock.authoritative_now();
        let answers = self
            .queue
            .change(TenantScope::All, &page.unarmed, now, &rearm)
            .await?;
        self.tell(JobCommand::Start, &answers).await;
        for answer in answers {
            let ChangeAnswer::Changed(it) = answer else {
                continue;
            };
            let job = &it.job;
            if it.waiting.is_some() {
                error!(job = %job.id, r#type = %job.type_name, tenant = %job.tenant_id, "the job was to run and nothing was armed; it is armed now");
                report.rearmed.push(job.id);
            } else {
                error!(job = %job.id, r#type = %job.type_name, tenant = %job.tenant_id, "the job was shown as waiting and has nothing left to run; it is completed now");
                report.completed.push(job.id);
            }
        }
        Ok(report)
    }

    /// As [`JobManagement::reset_overrides`].
    pub(super) async fn reset(&self, scope: TenantScope, id: JobId) -> Result<JobInfo, ManagementError> {
        let now = self.clock.authoritative_now();
        let answers = self.queue.change(scope, &[id], now, &forget_overrides).await?;
        self.tell(JobCommand::Start, &answers).await;
        match answers.into_iter().next() {
            Some(ChangeAnswer::Changed(it) | ChangeAnswer::Kept(it)) => Ok(it.job),
            _ => Err(ManagementError::NotFound(id)),
        }
    }

    async fn queue_now(&self) -> Result<Timestamp, ManagementError> {
        Ok(match self.clock.authoritative_now() {
            Some(now) => now,
            None => self.queue.now().await?,
        })
    }
}

/// The job as one that was never run.
fn renewed(job: JobInfo, id: JobId, now: Timestamp) -> JobInfo {
    JobInfo {
        id,
        status: JobStatus::None,
        is_running: false,
        result: None,
        creation_time: now,
        last_run_time: None,
        next_run_time: None,
        trigger_count: 0,
        try_count: 0,
        is_abandoned: false,
        interruptions: 0,
        suspect_interruptions: 0,
        version: 1,
        definition: None,
        overrides: std::collections::BTreeSet::new(),
        ..job
    }
}

fn check_args(args: Option<&JobArgs>, limits: &JobLimits) -> Result<(), ManagementError> {
    let bytes = args.map_or(0, |it| it.to_json().len());
    if bytes <= limits.args_bytes {
        return Ok(());
    }
    Err(ManagementError::Invalid(ValidationErrors::one(
        "args",
        format!(
            "take {bytes} bytes as JSON; the limit is {} bytes: keep large data elsewhere and pass its key",
            limits.args_bytes
        ),
    )))
}
