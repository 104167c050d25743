//! Commands and edits.

use std::collections::HashSet;

use tasks_abstractions::run::JobSnapshot;
use tasks_abstractions::store::{ChangeAnswer, Decide, Decision, JobChange, WaitingChange};
use tasks_abstractions::{JobId, JobInfo, StoreError, Timestamp};
use tasks_multitenancy::TenantScope;

use super::rows::{Execution, Rows, invalid};
use super::texts::{refuse_bad_job, refuse_bad_log};

impl Rows {
    /// Decides over each job and writes the decisions. Batches without a repeated id are one transaction: every decision is made before the first is
    /// written, so a decision that panics or is not allowed leaves nothing behind. A repeated id begins the next one, because it must
    /// see what was written before.
    pub(super) fn change(
        &mut self,
        scope: TenantScope,
        ids: &[JobId],
        now: Timestamp,
        decide: Decide<'_>,
    ) -> Result<Vec<ChangeAnswer>, StoreError> {
        let mut answers = Vec::with_capacity(ids.len());
        let mut rest = ids;
        while !rest.is_empty() {
            let mut seen = HashSet::new();
            let length = rest.iter().take_while(|it| seen.insert(**it)).count();
            let (batch, later) = rest.split_at(length);
            let decisions = batch
                .iter()
                .map(|id| self.decide(scope, *id, now, decide))
                .collect::<Result<Vec<_>, _>>()?;
            answers.extend(decisions.into_iter().map(|it| match it {
                None => ChangeAnswer::NotFound,
                Some((snapshot, decision)) => self.apply(snapshot, decision),
            }));
            rest = later;
        }
        Ok(answers)
    }

    /// What is to be done with one job; `None` where the scope has no such job. Writes nothing.
    fn decide(
        &self,
        scope: TenantScope,
        id: JobId,
        now: Timestamp,
        decide: Decide<'_>,
    ) -> Result<Option<(JobSnapshot, Decision)>, StoreError> {
        let Some(row) = self.visible(scope, id) else {
            return Ok(None);
        };
        let snapshot = row.snapshot();
        let decision = decide(&snapshot, now);
        if let Decision::Change(change) = &decision
            && matches!(change.waiting, WaitingChange::Set(_))
            && row.run().is_some()
        {
            return Err(invalid(format!(
                "job `{id}` has a run in flight, so no execution may be made to wait; set what comes after the run"
            )));
        }
        match &decision {
            Decision::Change(change) => refuse_bad_job(&change.job)?,
            Decision::Delete(Some(log)) => refuse_bad_log(log)?,
            Decision::Keep | Decision::Refuse(_) | Decision::Delete(None) => {}
        }
        Ok(Some((snapshot, decision)))
    }

    fn apply(&mut self, snapshot: JobSnapshot, decision: Decision) -> ChangeAnswer {
        match decision {
            Decision::Keep => ChangeAnswer::Kept(Box::new(snapshot)),
            Decision::Refuse(why) => ChangeAnswer::Refused(why),
            Decision::Change(change) => self.write(&snapshot.job, *change),
            Decision::Delete(log) => {
                self.remove(snapshot.job.id);
                if let Some(log) = log {
                    self.logs.append(*log);
                }
                ChangeAnswer::Deleted(Box::new(snapshot))
            }
        }
    }

    fn write(&mut self, former: &JobInfo, change: JobChange) -> ChangeAnswer {
        let id = former.id;
        let job = JobInfo {
            id,
            tenant_id: former.tenant_id,
            creation_time: former.creation_time,
            version: former.version + 1,
            ..change.job
        };
        if let Some(holder) = self.name_holder(&job) {
            return ChangeAnswer::NameTaken(holder);
        }
        let state = job.state();
        self.replace(job, state);
        let next = match change.waiting {
            WaitingChange::Set(entry) => Some(Execution::Waiting(entry)),
            WaitingChange::Remove if self.job(id).is_some_and(|it| it.waiting().is_some()) => {
                Some(Execution::None)
            }
            WaitingChange::Remove | WaitingChange::Keep => None,
        };
        if let Some(next) = next {
            self.place(id, next);
        }
        let Some(row) = self.job_mut(id) else {
            return ChangeAnswer::NotFound;
        };
        if let Some(run) = row.run_mut() {
            run.after = change.run.after.unwrap_or(run.after);
            run.cancel = change.run.cancel.or(run.cancel);
        }
        ChangeAnswer::Changed(Box::new(row.snapshot()))
    }
}
