//! Accepting jobs: new ones with their first execution, and definitions.

use tasks_abstractions::store::{PreparedJob, StoreErrorKind, SubmitAnswer};
use tasks_abstractions::{JobInfo, JobState, StoreError};

use super::rows::Rows;
use super::texts::refuse_bad_job;

impl Rows {
    /// Stores one job with its first execution, unless its id or name is there.
    pub(super) fn submit(&mut self, prepared: &PreparedJob) -> SubmitAnswer {
        let PreparedJob { job, first, .. } = prepared;
        if self.job(job.id).is_some() {
            return SubmitAnswer::Exists;
        }
        if let Some(by) = self.name_holder(job) {
            return SubmitAnswer::NameTaken { by };
        }
        let state = if first.is_some() {
            JobState::Active
        } else {
            job.state()
        };
        self.insert(job.clone(), state, first.clone());
        SubmitAnswer::Inserted
    }

    /// Inserts a job unarmed, or replaces the definition and settings of one whose version is still the given one. `None` at a
    /// version conflict, and where the id is another tenant's: it must not be found out by this.
    pub(super) fn store(&mut self, job: JobInfo) -> Result<Option<JobInfo>, StoreError> {
        refuse_bad_job(&job)?;
        let id = job.id;
        let former = self.job(id);
        let conflicts = |it: &JobInfo| it.version != job.version || it.tenant_id != job.tenant_id;
        if former.is_some_and(|it| conflicts(it.info())) {
            return Ok(None);
        }
        if let Some(by) = self.name_holder(&job) {
            return Err(StoreError::new(
                StoreErrorKind::Rejected,
                format!(
                    "job `{by}` has the name `{}` in group `{}`; choose another name",
                    job.name, job.group
                ),
            ));
        }
        match former.map(|it| (redefined(it.info(), job.clone()), it.state())) {
            Some((job, state)) => self.replace(job, state),
            None => {
                let state = job.state();
                self.insert(job, state, None);
            }
        }
        Ok(self.job(id).map(|it| it.shown()))
    }
}

/// A job with a new definition and new settings: what happened to it so far stays.
fn redefined(former: &JobInfo, new: JobInfo) -> JobInfo {
    JobInfo {
        result: former.result.clone(),
        creation_time: former.creation_time,
        last_run_time: former.last_run_time,
        trigger_count: former.trigger_count,
        try_count: former.try_count,
        is_abandoned: former.is_abandoned,
        interruptions: former.interruptions,
        suspect_interruptions: former.suspect_interruptions,
        version: former.version + 1,
        ..new
    }
}
