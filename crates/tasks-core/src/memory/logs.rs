//! Finished executions: appended, found by run, removed by age.

use std::collections::BTreeMap;
use std::collections::hash_map::Entry;
use std::sync::Arc;

use foldhash::HashMap;
use tasks_abstractions::run::JobLog;
use tasks_abstractions::{JobId, RunId, Timestamp};

/// Log rows, oldest start first.
#[derive(Default)]
pub(super) struct Logs {
    by_start: BTreeMap<(Timestamp, RunId, JobId), Arc<JobLog>>,
    starts: HashMap<(RunId, JobId), Timestamp>,
}

impl Logs {
    /// Appends a row; one of the same run that is there already stays as it is.
    pub(super) fn append(&mut self, log: JobLog) {
        let (run, job, start) = (log.run_id, log.job_id, log.started_at);
        if let Entry::Vacant(free) = self.starts.entry((run, job)) {
            free.insert(start);
            self.by_start.insert((start, run, job), Arc::new(log));
        }
    }

    pub(super) fn find(&self, job: JobId, run: RunId) -> Option<&JobLog> {
        let start = self.starts.get(&(run, job))?;
        self.by_start.get(&(*start, run, job)).map(AsRef::as_ref)
    }

    /// All rows, oldest start first.
    pub(super) fn iter(&self) -> impl Iterator<Item = &JobLog> {
        self.by_start.values().map(AsRef::as_ref)
    }

    /// Removes rows of runs that started before `before` and that `is_meant` says, oldest first, at most `limit`; answers how many.
    pub(super) fn remove_before(
        &mut self,
        before: Timestamp,
        limit: usize,
        is_meant: impl Fn(&JobLog) -> bool,
    ) -> usize {
        let old: Vec<_> = self
            .by_start
            .iter()
            .take_while(|((start, ..), _)| *start < before)
            .filter(|(_, it)| is_meant(it))
            .map(|(key, _)| *key)
            .take(limit)
            .collect();
        for key in &old {
            self.starts.remove(&(key.1, key.2));
            self.by_start.remove(key);
        }
        old.len()
    }

    pub(super) fn len(&self) -> usize {
        self.by_start.len()
    }
}
