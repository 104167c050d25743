//! What a store is, in the fewest words: the model that stores are compared with.
//!
//! It knows no transactions, no indexes and no concurrency: every step is carried out whole, one after the other. It shares no code with a store
//! or with the engine; only the types of the contracts.

use std::collections::BTreeMap;

use tasks_abstractions::run::{After, JobLog, JobSnapshot, QueueEntry, RunInfo, RunKind};
use tasks_abstractions::store::{
    ClaimRequest, Decide, Decision, FinishRun, JobCounts, NodeInfo, NodeState, PreparedJob, TakeOver,
    WaitingChange,
};
use tasks_abstractions::{InstanceId, JobId, JobInfo, JobState, JobStatus, RunId, Timestamp};

/// What became of one item, in the words that stores' answers are translated to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Became {
    Inserted,
    Exists,
    NameTaken,
    Applied,
    Stale,
    Gone,
    Changed,
    Deleted,
    Kept,
    Refused,
    NotFound,
    Fenced,
    /// This many runs were claimed or taken over.
    Took(usize),
}

#[derive(Debug, Clone)]
struct Row {
    job: JobInfo,
    state: JobState,
    waiting: Option<QueueEntry>,
    run: Option<RunInfo>,
}

/// Everything a store holds.
#[derive(Debug, Clone, Default)]
pub(super) struct Model {
    jobs: BTreeMap<JobId, Row>,
    /// In the order of writing.
    pub(super) logs: Vec<JobLog>,
    /// By instance.
    pub(super) nodes: BTreeMap<InstanceId, NodeInfo>,
}

impl Model {
    pub(super) fn submit(&mut self, new: &PreparedJob) -> Became {
        if self.jobs.contains_key(&new.job.id) {
            return Became::Exists;
        }
        if self.owner_of_name(&new.job).is_some() {
            return Became::NameTaken;
        }
        // A job that is stored with an execution is Active, whatever its status says.
        let state = match new.first {
            Some(_) => JobState::Active,
            None => new.job.state(),
        };
        let row = Row {
            state,
            job: new.job.clone(),
            waiting: new.first.clone(),
            run: None,
        };
        self.jobs.insert(new.job.id, row);
        Became::Inserted
    }

    /// The runs' ids come from whoever asks: the model cannot know those of a store.
    pub(super) fn claim(
        &mut self,
        ask: &ClaimRequest,
        now: Timestamp,
        run_id: impl Fn(JobId) -> RunId,
    ) -> Result<Vec<JobId>, Became> {
        self.must_live(ask.instance)?;
        let waits = |row: &Row| row.waiting.clone().map(|it| (it.rank, it.due_at, row.job.id, it));
        let mut due: Vec<_> = self.jobs.values().filter_map(waits).collect();
        due.retain(|it| it.1 <= now && ask.lanes.contains(&it.3.lane));
        due.sort_by_key(|it| (it.0, it.1, it.2));
        due.truncate(ask.limit);
        for (_, _, id, entry) in &due {
            let Some(row) = self.jobs.get_mut(id) else {
                continue;
            };
            row.waiting = None;
            row.run = Some(RunInfo {
                run_id: run_id(*id),
                job_id: *id,
                instance: ask.instance,
                claim_id: ask.claim_id,
                suspect: entry.lane.as_str().starts_with("suspect/"),
                entry: entry.clone(),
                job_version: row.job.version,
                after: After::Settle,
                claimed_at: now,
                cancel: None,
                progress: None,
            });
        }
        Ok(due.into_iter().map(|it| it.2).collect())
    }

    pub(super) fn finish(&mut self, end: &FinishRun) -> Became {
        let Some(row) = self.jobs.get_mut(&end.job_id) else {
            return Became::Gone;
        };
        if row.run.as_ref().is_none_or(|it| it.run_id != end.run_id) {
            return Became::Gone;
        }
        if row.job.version != end.job_version {
            return Became::Stale;
        }
        let update = &end.settlement.update;
        row.run = None;
        row.waiting = end.settlement.next.clone();
        row.state = update.state;
        row.job.result = update.result.clone().or_else(|| row.job.result.take());
        row.job.last_run_time = update.last_run_time.or(row.job.last_run_time);
        row.job.trigger_count = update.trigger_count;
        row.job.try_count = update.try_count;
        row.job.interruptions = update.interruptions;
        row.job.suspect_interruptions = update.suspect_interruptions;
        row.job.is_abandoned = update.is_abandoned;
        if end.settlement.is_removed {
            self.jobs.remove(&end.job_id);
        }
        self.logs.extend(end.settlement.log.clone());
        for follow_up in &end.settlement.follow_ups {
            self.submit(follow_up);
        }
        Became::Applied
    }

    pub(super) fn change(&mut self, id: JobId, now: Timestamp, decide: Decide<'_>) -> Became {
        let Some(before) = self.snapshot(id) else {
            return Became::NotFound;
        };
        let change = match decide(&before, now) {
            Decision::Keep => return Became::Kept,
            Decision::Refuse(_) => return Became::Refused,
            Decision::Delete(log) => {
                self.jobs.remove(&id);
                self.logs.extend(log.map(|it| *it));
                return Became::Deleted;
            }
            Decision::Change(change) => *change,
        };
        if self.owner_of_name(&change.job).is_some_and(|it| it != id) {
            return Became::NameTaken;
        }
        let Some(row) = self.jobs.get_mut(&id) else {
            return Became::NotFound;
        };
        row.state = change.job.state();
        row.job = JobInfo {
            version: before.job.version + 1,
            id,
            tenant_id: before.job.tenant_id,
            creation_time: before.job.creation_time,
            ..change.job
        };
        match change.waiting {
            WaitingChange::Keep => {}
            WaitingChange::Remove => row.waiting = None,
            WaitingChange::Set(entry) => {
                assert!(row.run.is_none(), "the suite arms no job in flight");
                row.waiting = Some(entry);
            }
        }
        if let Some(run) = &mut row.run {
            run.after = change.run.after.unwrap_or(run.after);
            run.cancel = change.run.cancel.or(run.cancel);
        }
        Became::Changed
    }

    pub(super) fn remove(&mut self, id: JobId) -> bool {
        self.jobs.remove(&id).is_some()
    }

    pub(super) fn take_over(
        &mut self,
        ask: &TakeOver,
        now: Timestamp,
        run_id: impl Fn(JobId) -> RunId,
    ) -> Result<Vec<JobId>, Became> {
        self.must_live(ask.instance)?;
        let nodes = &self.nodes;
        let lives = |id: &InstanceId| nodes.get(id).is_some_and(|it| it.state == NodeState::Alive);
        let mut taken = Vec::new();
        for row in self.jobs.values_mut() {
            let version = row.job.version;
            if let Some(run) = &mut row.run
                && !lives(&run.instance)
            {
                run.run_id = run_id(run.job_id);
                run.instance = ask.instance;
                run.claim_id = ask.claim_id;
                run.claimed_at = now;
                run.job_version = version;
                taken.push(run.job_id);
            }
        }
        Ok(taken)
    }

    pub(super) fn declare_dead(&mut self, instance: InstanceId, seen: Timestamp) -> bool {
        let alive = |it: &&mut NodeInfo| it.state == NodeState::Alive && it.heartbeat_at == seen;
        let found = self.nodes.get_mut(&instance).filter(alive);
        found.map(|it| it.state = NodeState::Dead).is_some()
    }

    pub(super) fn renew(&mut self, instance: InstanceId, running: u32, now: Timestamp) -> bool {
        let alive = |it: &&mut NodeInfo| it.state == NodeState::Alive;
        let Some(node) = self.nodes.get_mut(&instance).filter(alive) else {
            return false;
        };
        node.heartbeat_at = now;
        node.running = running;
        true
    }

    pub(super) fn unregister(&mut self, instance: InstanceId) {
        if let Some(node) = self.nodes.get_mut(&instance)
            && node.state == NodeState::Alive
        {
            node.state = NodeState::Stopped;
        }
    }

    pub(super) fn snapshot(&self, id: JobId) -> Option<JobSnapshot> {
        let row = self.jobs.get(&id)?;
        let mut job = row.job.clone();
        job.is_running = row.run.is_some();
        job.next_run_time = row.waiting.as_ref().map(|it| it.due_at);
        // Only of an Active job the execution is shown: any other state stands for itself, also while it runs once by hand.
        job.status = match (row.state, &row.run, &row.waiting) {
            (JobState::Active, Some(_), _) => JobStatus::Running,
            (JobState::Active, None, Some(it)) if it.kind == RunKind::Retry => JobStatus::FailedRetry,
            (JobState::Active, None, _) => JobStatus::Queuing,
            (JobState::Paused, ..) => JobStatus::Paused,
            (JobState::Stopped, ..) => JobStatus::Stopped,
            (JobState::Completed, ..) => JobStatus::Completed,
            (JobState::None, ..) => JobStatus::None,
        };
        Some(JobSnapshot {
            job,
            waiting: row.waiting.clone(),
            run: row.run.clone(),
        })
    }

    pub(super) fn snapshots(&self) -> Vec<JobSnapshot> {
        self.jobs.keys().filter_map(|id| self.snapshot(*id)).collect()
    }

    pub(super) fn counts(&self) -> JobCounts {
        let mut counts = JobCounts::default();
        for found in self.snapshots() {
            *counts.by_status.entry(found.job.status).or_default() += 1;
            counts.abandoned += u64::from(found.job.is_abandoned);
        }
        counts
    }

    fn must_live(&self, instance: InstanceId) -> Result<(), Became> {
        match self.nodes.get(&instance) {
            Some(node) if node.state == NodeState::Alive => Ok(()),
            _ => Err(Became::Fenced),
        }
    }

    fn owner_of_name(&self, job: &JobInfo) -> Option<JobId> {
        let named = |it: &JobInfo| it.name != it.id.to_string();
        let same = |it: &&Row| {
            named(&it.job)
                && (it.job.tenant_id, &it.job.group, &it.job.name) == (job.tenant_id, &job.group, &job.name)
        };
        if !named(job) {
            return None;
        }
        self.jobs.values().find(same).map(|it| it.job.id)
    }
}
