//! The progress step: keeps with each run how far it says it has come.

use tasks_abstractions::run::{Progress, ProgressSink};
use tasks_abstractions::store::ProgressReport;
use tasks_abstractions::{JobInfo, RunId, StoreError};

use super::{Engine, Shared, lock};
use crate::transition::capture;

impl Engine {
    /// Stores the latest report of every run that reported something since the last step; answers how many.
    ///
    /// # Errors
    /// Where the store failed. While it is away the reports are kept for the next step, unless newer ones come first; what it refuses is dropped.
    pub async fn progress_step(&self) -> Result<usize, StoreError> {
        let reports: Vec<ProgressReport> = {
            let mut board = self.board();
            let runs = board.runs.iter_mut().filter(|(_, it)| !it.has_ended);
            runs.filter_map(|(run, it)| {
                let is_new = std::mem::take(&mut it.is_progress_new);
                let progress = it.progress.clone().filter(|_| is_new)?;
                Some(ProgressReport {
                    job_id: it.claimed.job.id,
                    run_id: *run,
                    progress,
                })
            })
            .collect()
        };
        if reports.is_empty() {
            return Ok(0);
        }
        let now = self.authoritative_now();
        let stored = self.parts().queue.store_progress(&reports, now).await;
        if let Err(error) = stored {
            if error.is_unavailable() {
                let mut board = self.board();
                for report in &reports {
                    if let Some(it) = board.runs.get_mut(&report.run_id) {
                        it.is_progress_new = true;
                    }
                }
            }
            return Err(error);
        }
        Ok(reports.len())
    }
}

impl ProgressSink for Shared {
    fn report(&self, job: &JobInfo, run: RunId, mut progress: Progress) {
        progress.message = capture(&progress.message, self.parts.options.limits.log_message);
        tracing::debug!(target: "tasks_core::engine", job = %job.id, run = %run, done = progress.done, total = progress.total, "progress");
        if let Some(it) = lock(&self.board).runs.get_mut(&run) {
            it.progress = Some(progress);
            it.is_progress_new = true;
        }
        self.parts.signals.progress();
    }
}
