//! Settling runs: log, job, next execution and follow-ups in one step.

use tasks_abstractions::store::{FinishAnswer, FinishRun, JobUpdate};
use tasks_abstractions::{JobInfo, StoreError};

use super::rows::Rows;
use super::texts::{refuse_bad_job, refuse_bad_log, refuse_nul};

impl Rows {
    /// Settles a batch: all of it is looked at before the first row is written.
    pub(super) fn finish(&mut self, runs: &[FinishRun]) -> Result<Vec<FinishAnswer>, StoreError> {
        runs.iter().try_for_each(refuse_bad_texts)?;
        Ok(runs.iter().map(|it| self.settle(it)).collect())
    }

    fn settle(&mut self, finish: &FinishRun) -> FinishAnswer {
        if self.runs().job_of(finish.run_id) != Some(finish.job_id) {
            return FinishAnswer::Gone;
        }
        let Some(row) = self.job_mut(finish.job_id) else {
            return FinishAnswer::Gone;
        };
        if row.info().version != finish.job_version {
            return FinishAnswer::Stale(Box::new(row.snapshot()));
        }
        let settlement = &finish.settlement;
        if settlement.is_removed {
            self.remove(finish.job_id);
        } else {
            row.set_state(settlement.update.state);
            update(row.info_mut(), &settlement.update);
            self.place(finish.job_id, settlement.next.clone().into());
        }
        if let Some(log) = &settlement.log {
            self.logs.append(log.clone());
        }
        for follow_up in &settlement.follow_ups {
            // Exists: stored by an earlier attempt. A name that is taken keeps its holder; the run's own outcome must not
            // depend on what follows it.
            self.submit(follow_up);
        }
        FinishAnswer::Applied
    }
}

/// Writes what a run changes on its job. The state is the row's; when it is due next is the queue row's.
fn update(job: &mut JobInfo, update: &JobUpdate) {
    if let Some(result) = &update.result {
        job.result = Some(result.clone());
    }
    job.last_run_time = update.last_run_time.or(job.last_run_time);
    job.trigger_count = update.trigger_count;
    job.try_count = update.try_count;
    job.interruptions = update.interruptions;
    job.suspect_interruptions = update.suspect_interruptions;
    job.is_abandoned = update.is_abandoned;
}

/// Refuses texts that no database takes, as stores over databases do.
fn refuse_bad_texts(finish: &FinishRun) -> Result<(), StoreError> {
    let settlement = &finish.settlement;
    refuse_nul("a run", [("result", settlement.update.result.as_deref())])?;
    settlement.log.as_ref().map_or(Ok(()), refuse_bad_log)?;
    settlement
        .follow_ups
        .iter()
        .try_for_each(|it| refuse_bad_job(&it.job))
}
