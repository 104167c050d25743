//! Removing what is old.

use tasks_abstractions::store::{Cleanup, CleanupTarget, JobEnd, NodeState};
use tasks_abstractions::{JobId, JobState, JobType, RunOutcome, Timestamp};

use super::rows::{JobRow, Rows};

impl Rows {
    /// Removes old rows, the oldest first, at most [`Cleanup::limit`]; answers how many.
    pub(super) fn cleanup(&mut self, what: &Cleanup) -> u64 {
        let removed = match what.target {
            CleanupTarget::Jobs(end) => self.clean_jobs(end, what),
            CleanupTarget::Logs(outcome) => self.clean_logs(outcome, what),
            CleanupTarget::Nodes => self.clean_nodes(what.before, what.limit),
        };
        u64::try_from(removed).unwrap_or(u64::MAX)
    }

    fn clean_jobs(&mut self, end: JobEnd, what: &Cleanup) -> usize {
        let is_over = |row: &JobRow| match (row.state(), end) {
            (JobState::Completed, JobEnd::Completed) => true,
            (JobState::Stopped, JobEnd::Stopped) => !row.info().is_abandoned,
            (JobState::Stopped, JobEnd::Abandoned) => row.info().is_abandoned,
            _ => false,
        };
        let mut old: Vec<(Timestamp, JobId)> = self
            .jobs()
            .values()
            .filter(|it| it.info().job_type == JobType::Once && it.is_idle() && is_over(it))
            .filter(|it| what.types.allows(&it.info().type_name))
            .map(|it| {
                let job = it.info();
                (job.last_run_time.unwrap_or(job.creation_time), job.id)
            })
            .filter(|(since, _)| *since < what.before)
            .collect();
        old.sort_unstable();
        old.truncate(what.limit);
        for (_, job) in &old {
            self.remove(*job);
        }
        old.len()
    }

    fn clean_logs(&mut self, outcome: Option<RunOutcome>, what: &Cleanup) -> usize {
        self.logs.remove_before(what.before, what.limit, |it| {
            outcome.is_none_or(|outcome| it.outcome == outcome) && what.types.allows(&it.type_name)
        })
    }

    /// A node that holds a run is kept: its row is how others learn the name of who left the run.
    fn clean_nodes(&mut self, before: Timestamp, limit: usize) -> usize {
        let mut old: Vec<_> = self
            .nodes
            .values()
            .filter(|it| it.state != NodeState::Alive && it.heartbeat_at < before)
            .filter(|it| self.runs().held_by(it.instance).next().is_none())
            .map(|it| (it.heartbeat_at, it.instance))
            .collect();
        old.sort_unstable();
        old.truncate(limit);
        for (_, instance) in &old {
            self.nodes.remove(instance);
        }
        old.len()
    }
}
