//! Removing what is old.

use tasks_abstractions::store::{Cleanup, NodeState};
use tasks_abstractions::{JobId, JobState, JobType, Timestamp};

use super::rows::{JobRow, Rows};

impl Rows {
    /// Removes old rows, the oldest first, at most [`Cleanup::limit`] of each kind; answers how many.
    pub(super) fn cleanup(&mut self, what: &Cleanup) -> u64 {
        let mut removed = 0;
        if let Some(before) = what.jobs_before {
            removed += self.clean_jobs(before, what);
        }
        if let Some(before) = what.logs_before {
            removed += self.logs.remove_before(before, what.limit);
        }
        if let Some(before) = what.nodes_before {
            removed += self.clean_nodes(before, what.limit);
        }
        u64::try_from(removed).unwrap_or(u64::MAX)
    }

    fn clean_jobs(&mut self, before: Timestamp, what: &Cleanup) -> usize {
        let is_over = |row: &JobRow| match row.state() {
            JobState::Completed => true,
            JobState::Stopped => what.stopped,
            JobState::None | JobState::Active | JobState::Paused => false,
        };
        let mut old: Vec<(Timestamp, JobId)> = self
            .jobs()
            .values()
            .filter(|it| it.info().job_type == JobType::Once && it.is_idle() && is_over(it))
            .filter_map(|it| Some((it.info().last_run_time?, it.info().id)))
            .filter(|(last_run, _)| *last_run < before)
            .collect();
        old.sort_unstable();
        old.truncate(what.limit);
        for (_, job) in &old {
            self.remove(*job);
        }
        old.len()
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
