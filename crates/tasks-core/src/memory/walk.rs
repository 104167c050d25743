//! Walks over many rows in steps, what they keep between the steps, and sums over all.

use std::collections::{BTreeMap, HashSet};

use tasks_abstractions::job::Lane;
use tasks_abstractions::run::{Progress, RunProgress};
use tasks_abstractions::store::{JobQuery, ProgressReport, RunStatistics, UnarmedPage};
use tasks_abstractions::{JobId, JobState, RunOutcome, Timestamp};
use tasks_multitenancy::TenantScope;

use super::list::job_passes;
use super::rows::{JobRow, Rows};

impl Rows {
    /// Ids of jobs by filter, ascending, after `after`.
    pub(super) fn list_ids(
        &self,
        scope: TenantScope,
        query: &JobQuery,
        after: Option<JobId>,
        limit: usize,
    ) -> Vec<JobId> {
        let asked: Option<HashSet<JobId>> = query.ids.as_ref().map(|it| it.iter().copied().collect());
        let mut ids: Vec<JobId> = self
            .jobs()
            .values()
            .filter(|it| scope.allows(it.info().tenant_id))
            .filter(|it| after.is_none_or(|after| it.info().id > after))
            .filter(|it| asked.as_ref().is_none_or(|asked| asked.contains(&it.info().id)))
            .filter(|it| job_passes(it, query))
            .map(|it| it.info().id)
            .collect();
        ids.sort_unstable();
        ids.truncate(limit);
        ids
    }

    /// Jobs that wait in a lane, by id.
    pub(super) fn waiting_in(&self, lane: &Lane, after: Option<JobId>, limit: usize) -> Vec<JobId> {
        let mut ids: Vec<JobId> = self
            .lanes()
            .jobs_in(lane)
            .filter(|it| after.is_none_or(|after| *it > after))
            .collect();
        ids.sort_unstable();
        ids.truncate(limit);
        ids
    }

    /// The next jobs by id, and those of them that should be armed and are not.
    pub(super) fn find_unarmed(&self, after: Option<JobId>, limit: usize) -> UnarmedPage {
        let mut ids: Vec<JobId> = self
            .jobs()
            .keys()
            .copied()
            .filter(|it| after.is_none_or(|after| *it > after))
            .collect();
        ids.sort_unstable();
        let is_end = ids.len() <= limit;
        ids.truncate(limit);
        let is_unarmed =
            |row: &JobRow| row.state() == JobState::Active && row.info().is_enabled && row.is_idle();
        UnarmedPage {
            looked_at: u64::try_from(ids.len()).unwrap_or(u64::MAX),
            next: ids.last().copied().filter(|_| !is_end),
            unarmed: ids
                .into_iter()
                .filter(|it| self.job(*it).is_some_and(is_unarmed))
                .collect(),
        }
    }

    /// How runs ended, by type and outcome.
    pub(super) fn run_statistics(&self, scope: TenantScope, since: Timestamp) -> Vec<RunStatistics> {
        let mut sums: BTreeMap<(&str, RunOutcome), (u64, u64, u64)> = BTreeMap::new();
        let logs = self
            .logs
            .iter()
            .filter(|it| it.started_at >= since && scope.allows(it.tenant_id));
        for log in logs {
            let took = u64::try_from(log.duration.as_millis()).unwrap_or(u64::MAX);
            let sum = sums.entry((&log.type_name, log.outcome)).or_default();
            *sum = (sum.0 + 1, sum.1.saturating_add(took), sum.2.max(took));
        }
        sums.into_iter()
            .map(
                |((type_name, outcome), (runs, total_ms, longest_ms))| RunStatistics {
                    type_name: type_name.to_owned(),
                    outcome,
                    runs,
                    total_ms,
                    longest_ms,
                },
            )
            .collect()
    }

    /// Keeps the progress of runs that are in flight.
    pub(super) fn store_progress(&mut self, reports: &[ProgressReport], now: Timestamp) {
        for report in reports {
            let run = self
                .job_mut(report.job_id)
                .and_then(JobRow::run_mut)
                .filter(|it| it.run_id == report.run_id);
            if let Some(run) = run {
                run.progress = Some(RunProgress {
                    done: report.progress.done.min(Progress::MAX_COUNT),
                    total: report.progress.total.min(Progress::MAX_COUNT),
                    message: report.progress.message.clone(),
                    at: now,
                });
            }
        }
    }
}
