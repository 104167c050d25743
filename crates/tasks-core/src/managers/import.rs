//! Jobs from elsewhere.

use std::sync::Arc;

use chrono::Datelike;
use tasks_abstractions::store::{PreparedJob, SubmitAnswer};
use tasks_abstractions::{BulkMode, FieldFault, JobInfo, JobStatus, ManagementError, ValidationErrors};
use tasks_multitenancy::TenantScope;

use super::EngineManagement;
use crate::transition::restored_execution;

impl EngineManagement {
    /// As [`JobManagement::import`](tasks_abstractions::JobManagement::import).
    pub(super) async fn restore(&self, mut job: JobInfo, mode: BulkMode) -> Result<bool, ManagementError> {
        job.normalize();
        self.check_fields(&job)?;
        check_times(&job)?;
        let id = job.id;
        let refused = |reason: String| ManagementError::Refused { job: id, reason };
        let first =
            restored_execution(&job, self.clock.now()).map_err(|reason| refused(reason.to_string()))?;
        if mode == BulkMode::DryRun {
            return Ok(self.store.find(TenantScope::All, id).await?.is_none());
        }
        job.is_running = false;
        job.next_run_time = first.as_ref().map(|it| it.due_at);
        if first.is_some() {
            job.status = JobStatus::Queuing;
        }
        let (name, group) = (job.name.clone(), job.group.clone());
        let prepared = PreparedJob::new(job, first, Some(Arc::clone(&self.publisher)));
        let wake = prepared.wake_handle();
        match self.queue.submit(&[prepared]).await?.first() {
            Some(SubmitAnswer::Inserted) => {
                wake.wake().await;
                Ok(true)
            }
            Some(SubmitAnswer::NameTaken { by }) => Err(ManagementError::NameTaken { name, group, by: *by }),
            Some(SubmitAnswer::Exists) | None => Ok(false),
        }
    }
}

/// Times of new jobs come from a clock; these come from a file, and not every database keeps every instant.
fn check_times(job: &JobInfo) -> Result<(), ValidationErrors> {
    let times = [
        ("creation_time", Some(job.creation_time)),
        ("last_run_time", job.last_run_time),
        ("next_run_time", job.next_run_time),
    ];
    let faults = times
        .into_iter()
        .filter_map(|(field, at)| at.map(|at| (field, at)))
        .filter(|(_, at)| !(1970..=9999).contains(&at.year()))
        .map(|(field, at)| FieldFault::new(field, format!("is {at}; expected 1970 to 9999")))
        .collect();
    ValidationErrors::from_faults(faults)
}
