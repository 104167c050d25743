//! The workers' jobs in the store: what this program says of them, and what becomes of those that are there.

use std::sync::Arc;

use chrono::TimeDelta;
use tasks_abstractions::run::{JobSnapshot, RunKind};
use tasks_abstractions::store::{ChangeAnswer, PreparedJob, SubmitAnswer};
use tasks_abstractions::worker::WorkerDefinition;
use tasks_abstractions::{
    DefinitionMark, JobInfo, JobStatus, SelectedKind, SelectedType, StoreError, Timestamp, ValidationErrors,
    WakeHandle, WakeHint, WorkerError,
};
use tasks_multitenancy::{TenantId, TenantScope};
use tracing::{info, warn};

use super::StoreBackgroundWorkerManager;
use crate::transition::{check_schedule, first_execution, mark_of, redefine, retire};

impl StoreBackgroundWorkerManager {
    /// The job of a worker, with everything that this program says of it.
    pub(super) fn build(
        &self,
        definition: &WorkerDefinition,
        tenant: TenantId,
    ) -> Result<JobInfo, ValidationErrors> {
        let parts = &self.parts;
        let now = parts.clock.now();
        let of = SelectedType {
            name: &definition.name,
            kind: SelectedKind::Worker,
            rust_type: definition.rust_type,
        };
        let mut job = definition
            .to_job(tenant, &parts.node_name, now)
            .selected(&parts.selectors, &of);
        if definition.schedule.every_node {
            // A selector that pins many types must not bring the workers of all nodes together on one.
            job = job.node_name(Some(parts.node_name.clone()));
        }
        let mut job = job.build(&parts.limits)?;
        check_schedule(&job)?;
        job.begin_time = begin_time(&job);
        job.definition = Some(mark_of(&job, &parts.version));
        Ok(job)
    }

    /// Stores a worker's job: new ones are armed; existing ones take over the program's definition and keep everything else.
    pub(super) async fn store(
        &self,
        definition: &WorkerDefinition,
        tenant: TenantId,
    ) -> Result<(), WorkerError> {
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
        let mut first = match first_execution(&job, job.creation_time) {
            Ok(first) => first,
            Err(reason) => {
                let answer = self.take_over(&job).await.map_err(failed)?;
                if matches!(answer, Some(ChangeAnswer::NotFound) | None) {
                    return Err(invalid(ValidationErrors::one("schedule", reason.to_string())));
                }
                // Its years have passed. That must not keep the program from starting.
                warn!(worker = %definition.name, job = %id, %reason, "the worker has nothing left to run");
                return Ok(());
            }
        };
        if definition.schedule.run_on_start {
            (first.due_at, first.kind) = (job.creation_time, RunKind::Trigger);
        }
        let stored = JobInfo {
            // Not before its first run.
            begin_time: job.begin_time.min(first.due_at),
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
        let answer = self.take_over(&job).await.map_err(failed)?;
        if let Some(ChangeAnswer::NameTaken(by)) = answer {
            let problem = format!("is taken by job {by}; rename that job or the worker");
            return Err(invalid(ValidationErrors::one("name", problem)));
        }
        Ok(())
    }

    /// Takes the job out of service that the worker had when it was one of the whole cluster, or when it was one of every node.
    pub(super) async fn retire_other(
        &self,
        definition: &WorkerDefinition,
        tenant: TenantId,
    ) -> Result<(), WorkerError> {
        let parts = &self.parts;
        let mut other = definition.clone();
        other.schedule.every_node = !definition.schedule.every_node;
        let id = other.job_id(tenant, &parts.node_name);
        let by = DefinitionMark::new(uuid::Uuid::nil(), &parts.version);
        let decide = |it: &JobSnapshot, _: Timestamp| retire(it, &by);
        let now = parts.clock.authoritative_now();
        let changed = parts
            .queue
            .change(TenantScope::One(tenant), &[id], now, &decide)
            .await;
        let answers = changed.map_err(|source| WorkerError::Store {
            worker: definition.name.clone(),
            source,
        })?;
        if matches!(answers.first(), Some(ChangeAnswer::Changed(_))) {
            warn!(worker = %definition.name, job = %id, every_node = definition.schedule.every_node, "the worker's former job is disabled: it runs in another way now");
        }
        Ok(())
    }

    /// Lets the stored job take over what this program says.
    async fn take_over(&self, job: &JobInfo) -> Result<Option<ChangeAnswer>, StoreError> {
        let parts = &self.parts;
        let decide = |it: &JobSnapshot, now: Timestamp| redefine(it, job, now);
        let scope = TenantScope::One(job.tenant_id);
        let now = parts.clock.authoritative_now();
        let answers = parts.queue.change(scope, &[job.id], now, &decide).await?;
        let worker = &job.type_name;
        let answer = answers.into_iter().next();
        match &answer {
            Some(ChangeAnswer::Changed(it)) => {
                info!(%worker, job = %job.id, version = it.job.version, overrides = ?it.job.overrides, "worker definition changed");
            }
            Some(ChangeAnswer::Kept(it)) if mark(&it.job) != mark(job) => {
                info!(%worker, job = %job.id, "the worker's definition is that of a newer program and stays");
            }
            Some(ChangeAnswer::NotFound) => {
                warn!(%worker, job = %job.id, "the worker's job was deleted while the worker started; the next start stores it again");
            }
            _ => {}
        }
        if let Some(ChangeAnswer::Changed(it) | ChangeAnswer::Kept(it)) = &answer {
            // Also where nothing changed: this program may be the first one that can run what waits.
            let hints = it.waiting.iter().map(WakeHint::from);
            WakeHandle::new(Some(Arc::clone(&parts.publisher)), hints.collect())
                .wake()
                .await;
        }
        Ok(answer)
    }
}

fn mark(job: &JobInfo) -> Option<uuid::Uuid> {
    job.definition.as_ref().map(|it| it.hash)
}

/// When a schedule that is new in the store begins: after one period, so that frequent changes of it are no frequent runs.
fn begin_time(job: &JobInfo) -> Timestamp {
    let now = job.creation_time;
    if job.cron.is_some() {
        return now;
    }
    TimeDelta::from_std(job.interval)
        .ok()
        .and_then(|it| now.checked_add_signed(it))
        .unwrap_or(now)
}
