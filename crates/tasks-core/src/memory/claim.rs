//! Taking executions: out of the queue, and over from nodes that are gone.

use std::collections::BTreeSet;

use tasks_abstractions::run::{After, QueueEntry, RunInfo};
use tasks_abstractions::store::{ClaimRequest, ClaimedRun, TakeOver, TakenOver};
use tasks_abstractions::{JobId, RunId, StoreError, Timestamp};
use uuid::Builder;

use super::rows::{Execution, Rows};

impl Rows {
    /// Moves due executions from waiting to in flight, under new run ids.
    pub(super) fn claim(
        &mut self,
        request: &ClaimRequest,
        now: Timestamp,
    ) -> Result<Vec<ClaimedRun>, StoreError> {
        self.require_alive(request.instance)?;
        let due = self.due_in(&request.lanes, now, request.limit);
        let mut claimed = Vec::with_capacity(due.len());
        for job_id in due {
            claimed.extend(self.start(job_id, request, now));
        }
        Ok(claimed)
    }

    /// Whether the asking node may have a new job's first execution at once.
    pub(super) fn may_begin(&self, first: &QueueEntry, request: &ClaimRequest, now: Timestamp) -> bool {
        first.due_at <= now && request.lanes.contains(&first.lane) && self.is_alive(request.instance)
    }

    /// Moves one waiting execution to in flight.
    pub(super) fn start(
        &mut self,
        job_id: JobId,
        request: &ClaimRequest,
        now: Timestamp,
    ) -> Option<ClaimedRun> {
        let row = self.job(job_id)?;
        let entry = row.waiting().cloned()?;
        let run = RunInfo {
            run_id: new_run_id(now),
            job_id,
            instance: request.instance,
            claim_id: request.claim_id,
            suspect: entry.is_suspect(),
            entry,
            job_version: row.info().version,
            after: After::Settle,
            claimed_at: now,
            cancel: None,
            progress: None,
        };
        self.hand_over(run)
    }

    /// Gives runs whose holder is no living member to the asking one, under new run ids, by job id.
    pub(super) fn take_over(
        &mut self,
        request: &TakeOver,
        now: Timestamp,
    ) -> Result<Vec<TakenOver>, StoreError> {
        self.require_alive(request.instance)?;
        let orphans: BTreeSet<JobId> = self
            .runs()
            .holders()
            .filter(|it| !self.is_alive(*it))
            .flat_map(|it| self.runs().held_by(it))
            .collect();
        let mut taken = Vec::new();
        for job_id in orphans.into_iter().take(request.limit) {
            let Some(row) = self.job(job_id) else { continue };
            let Some(former) = row.run().cloned() else {
                continue;
            };
            let run = RunInfo {
                run_id: new_run_id(now),
                instance: request.instance,
                claim_id: request.claim_id,
                job_version: row.info().version,
                claimed_at: now,
                ..former.clone()
            };
            taken.extend(self.hand_over(run).map(|claimed| TakenOver {
                claimed,
                former_run: former.run_id,
                former_instance: former.instance,
                former_node: self.nodes.get(&former.instance).map(|it| it.name.clone()),
            }));
        }
        Ok(taken)
    }

    /// Puts a run in the place of its job's execution.
    fn hand_over(&mut self, run: RunInfo) -> Option<ClaimedRun> {
        let job = self.place(run.job_id, Execution::Running(run.clone()))?.share();
        Some(ClaimedRun { job, run })
    }
}

/// A version 7 identifier. Its random part comes from the thread's generator: one system call per run would be felt.
fn new_run_id(now: Timestamp) -> RunId {
    let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
    let random: [u8; 10] = rand::random();
    RunId::new(Builder::from_unix_timestamp_millis(millis, &random).into_uuid())
}
