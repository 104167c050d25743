//! Indexes over executions: what waits in which lane, and what is in flight where.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::HashMap;
use tasks_abstractions::job::{InstanceId, Lane};
use tasks_abstractions::run::{QueueEntry, RunInfo};
use tasks_abstractions::{JobId, RunId, Timestamp};
use uuid::Uuid;

/// Sorts after every job of the same due time.
const LAST_JOB: JobId = JobId::new(Uuid::max());

/// Executions of one lane, by rank; inside a rank the earliest due first.
type Ranks = BTreeMap<i16, BTreeSet<(Timestamp, JobId)>>;

/// Waiting executions. Ranks are apart, so that what is due is the head of each and nothing that is not due is ever looked at.
#[derive(Default)]
pub(super) struct Lanes(HashMap<Lane, Ranks>);

impl Lanes {
    pub(super) fn insert(&mut self, entry: &QueueEntry, job: JobId) {
        if !self.0.contains_key(&entry.lane) {
            self.0.insert(entry.lane.clone(), Ranks::new());
        }
        if let Some(ranks) = self.0.get_mut(&entry.lane) {
            ranks.entry(entry.rank).or_default().insert((entry.due_at, job));
        }
    }

    /// Removes an execution, and its rank and lane with the last one of them: lanes come and go with node names and
    /// types.
    pub(super) fn remove(&mut self, entry: &QueueEntry, job: JobId) {
        let Some(ranks) = self.0.get_mut(&entry.lane) else {
            return;
        };
        if let Some(due) = ranks.get_mut(&entry.rank) {
            due.remove(&(entry.due_at, job));
            if due.is_empty() {
                ranks.remove(&entry.rank);
            }
        }
        if ranks.is_empty() {
            self.0.remove(&entry.lane);
        }
    }

    /// Every lane in which something waits.
    pub(super) fn names(&self) -> impl Iterator<Item = &Lane> {
        self.0.keys()
    }

    /// Jobs that wait in a lane, in no order.
    pub(super) fn jobs_in(&self, lane: &Lane) -> impl Iterator<Item = JobId> {
        self.0
            .get(lane)
            .into_iter()
            .flat_map(BTreeMap::values)
            .flatten()
            .map(|(_, job)| *job)
    }

    /// Jobs due at `now` in these lanes that `accept` lets pass: smallest rank first, then earliest due, then smallest
    /// id, over all lanes together. At most `limit`.
    pub(super) fn due<'a>(
        &'a self,
        lanes: impl IntoIterator<Item = &'a Lane>,
        now: Timestamp,
        limit: usize,
        accept: impl Fn(JobId) -> bool,
    ) -> Vec<JobId> {
        // A set, because a lane that is named twice must not give its executions twice.
        let named: BTreeSet<&Lane> = lanes.into_iter().collect();
        let lanes: Vec<&Ranks> = named.into_iter().filter_map(|it| self.0.get(it)).collect();
        let ranks: BTreeSet<i16> = lanes.iter().flat_map(|it| it.keys().copied()).collect();
        let mut found = Vec::new();
        for rank in ranks {
            let left = limit - found.len();
            if left == 0 {
                break;
            }
            let mut due: Vec<(Timestamp, JobId)> = lanes
                .iter()
                .filter_map(|it| it.get(&rank))
                .flat_map(|it| {
                    it.range(..=(now, LAST_JOB))
                        .filter(|(_, job)| accept(*job))
                        .take(left)
                })
                .copied()
                .collect();
            if lanes.len() > 1 {
                due.sort_unstable();
            }
            found.extend(due.into_iter().take(left).map(|(_, job)| job));
        }
        found
    }

    /// When the next execution of these lanes is due.
    pub(super) fn earliest(&self, lanes: &[Lane]) -> Option<Timestamp> {
        lanes
            .iter()
            .filter_map(|it| self.0.get(it))
            .flat_map(BTreeMap::values)
            .filter_map(|it| it.first().map(|(due, _)| *due))
            .min()
    }
}

/// Executions in flight, by run and by who holds them.
#[derive(Default)]
pub(super) struct Runs {
    jobs: HashMap<RunId, JobId>,
    held: HashMap<InstanceId, BTreeSet<JobId>>,
}

impl Runs {
    pub(super) fn insert(&mut self, run: &RunInfo) {
        self.jobs.insert(run.run_id, run.job_id);
        self.held.entry(run.instance).or_default().insert(run.job_id);
    }

    pub(super) fn remove(&mut self, run: &RunInfo) {
        self.jobs.remove(&run.run_id);
        if let Some(held) = self.held.get_mut(&run.instance) {
            held.remove(&run.job_id);
            if held.is_empty() {
                self.held.remove(&run.instance);
            }
        }
    }

    /// The job of a run in flight.
    pub(super) fn job_of(&self, run: RunId) -> Option<JobId> {
        self.jobs.get(&run).copied()
    }

    /// Jobs with a run in flight.
    pub(super) fn jobs(&self) -> impl Iterator<Item = JobId> {
        self.jobs.values().copied()
    }

    /// Jobs whose run this instance holds, by id.
    pub(super) fn held_by(&self, instance: InstanceId) -> impl Iterator<Item = JobId> {
        self.held.get(&instance).into_iter().flatten().copied()
    }

    /// Who holds at least one run.
    pub(super) fn holders(&self) -> impl Iterator<Item = InstanceId> {
        self.held.keys().copied()
    }

    pub(super) fn len(&self) -> usize {
        self.jobs.len()
    }
}
