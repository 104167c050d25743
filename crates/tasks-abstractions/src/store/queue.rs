//! The engine's seam: moving executions from waiting to running to finished.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tasks_multitenancy::TenantScope;

use super::{
    CancelRequest, ChangeAnswer, ClaimRequest, ClaimedRun, Decide, FinishAnswer, FinishRun, NodeInfo,
    PreparedJob, RenewRequest, Renewal, StoreError, SubmitAnswer, TakeOver, TakenOver,
};
use crate::job::{InstanceId, Lane};
use crate::run::{Progress, RunInfo};
use crate::{Clock, JobId, RunId, Timestamp};

/// How far one run has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProgressReport {
    /// The job.
    pub job_id: JobId,
    /// The run.
    pub run_id: RunId,
    /// Its latest report.
    pub progress: Progress,
}

/// Moves executions. Where a row is tells a job's state: waiting (queue row), in flight (run row), neither. **Never both.**
///
/// Each method is one transaction (a large batch may be cut into several, each whole). Every method may be called again after an
/// error of kind `Unavailable`. `now: None` means the store's own clock.
///
/// Order of locks in stores with row locks: jobs, queue, runs, logs, locks; ascending id inside each. Only
/// [`claim`](Self::claim) begins at the queue; it never waits for a row.
#[async_trait]
pub trait JobQueue: Send + Sync + Debug {
    /// The store's present instant.
    async fn now(&self) -> Result<Timestamp, StoreError>;

    /// The clock of this process, where the store goes by that. Defaults to `None`: it has one of its own, as a server has.
    /// Conformance: `the_clock_of_the_store_tells_microseconds`.
    fn clock(&self) -> Option<Arc<dyn Clock>> {
        None
    }

    /// Stores new jobs with their first executions, all in one transaction. One answer each, in order; an id or name that exists is an
    /// answer, not an error, and stops nothing else of the batch. Conformance: `submit_stores_job_and_first_execution_together`,
    /// `submitting_an_id_again_changes_nothing`, `a_taken_name_is_answered_per_job`, `submit_takes_ten_thousand_at_once`,
    /// `jobs_stored_one_by_one_by_many_are_answered_each`.
    async fn submit(&self, jobs: &[PreparedJob]) -> Result<Vec<SubmitAnswer>, StoreError>;

    /// Stores one new job, and in the same transaction hands its first execution to the asking node as if it had claimed it ("born claimed"): where the node is
    /// alive, and the execution is due and in one of the request's lanes. Else it waits, as after [`submit`](Self::submit); a store may let it wait as well where it has
    /// many to store at once. `limit` and `floors` of the request have no part in it. Conformance: `a_job_is_born_claimed_for_a_node_that_may_run_it`,
    /// `a_job_that_cannot_be_born_claimed_waits`, `a_job_that_exists_is_not_born_again`, `jobs_stored_one_by_one_by_many_are_answered_each`.
    async fn submit_claimed(
        &self,
        job: &PreparedJob,
        request: &ClaimRequest,
    ) -> Result<(SubmitAnswer, Option<ClaimedRun>), StoreError>;

    /// Moves due executions of the given lanes from waiting to in flight under new run ids: smallest rank first, then earliest due, then smallest job
    /// id. Two claims at once never get the same execution. Jobs of any state are claimed if they wait: what to do with them is the engine's
    /// business. Conformance: `claim_takes_due_executions_in_order`, `a_claim_finds_what_lies_from_its_floors_on`, `claim_serves_only_the_given_lanes`, `claim_gives_an_execution_to_one_node_only`,
    /// `claim_is_refused_to_a_fenced_node`.
    ///
    /// # Errors
    /// Kind `Fenced` where the instance is not alive.
    async fn claim(&self, request: &ClaimRequest) -> Result<Vec<ClaimedRun>, StoreError>;

    /// Time until the next execution of these lanes is due: zero when one is due, `None` when none waits.
    /// Conformance: `next_due_counts_to_the_earliest`.
    async fn next_due(&self, lanes: &[Lane], now: Option<Timestamp>) -> Result<Option<Duration>, StoreError>;

    /// Lanes in which at least one execution waits, due or not. Conformance: `waiting_lanes_hold_what_waits`.
    async fn waiting_lanes(&self) -> Result<Vec<Lane>, StoreError>;

    /// Jobs that wait in a lane, by id, starting after `after`, at most `limit`. Conformance: `waiting_lanes_hold_what_waits`.
    async fn waiting_in(
        &self,
        lane: &Lane,
        after: Option<JobId>,
        limit: usize,
    ) -> Result<Vec<JobId>, StoreError>;

    /// Settles runs: where the run id is in flight and the job's version is the expected one, writes log, job, next execution and follow-ups,
    /// and removes the run row with the locks of its run. One answer each, in order. One bad row fails the whole call with kind `Rejected` and nothing is
    /// written; the caller then settles it alone. Conformance: `finish_writes_everything_together`, `finish_of_an_unknown_run_is_gone`,
    /// `finish_after_a_command_is_stale`, `a_batch_keeps_apart_what_is_whose`, `finish_removes_what_is_not_kept`, `a_bad_row_writes_nothing_of_its_batch`.
    async fn finish(&self, runs: &[FinishRun]) -> Result<Vec<FinishAnswer>, StoreError>;

    /// Changes jobs: for each, locks its rows, asks `decide`, and writes what it says in the same transaction. No command, finish or claim comes between what
    /// `decide` sees and what is written. One answer each, in order of `ids`. Conformance: `change_counts_the_version_up`,
    /// `change_sees_rows_as_they_are_written`, `change_never_leaves_two_rows`, `delete_fences_the_run`.
    async fn change(
        &self,
        scope: TenantScope,
        ids: &[JobId],
        now: Option<Timestamp>,
        decide: Decide<'_>,
    ) -> Result<Vec<ChangeAnswer>, StoreError>;

    /// Makes an instance a living member. Conformance: `a_node_lives_from_register_to_unregister`.
    async fn register_node(&self, node: &NodeInfo) -> Result<(), StoreError>;

    /// Renews the lease of a living member and answers its cancel requests. Conformance: `renewal_of_a_dead_node_is_fenced`,
    /// `cancel_requests_reach_the_holder`, `a_cleared_suspect_is_none_any_more`, `a_renewal_may_change_the_lanes`.
    async fn renew(&self, request: &RenewRequest) -> Result<Renewal, StoreError>;

    /// Cancel requests of an instance's runs, without renewing: for a node that was told to look.
    async fn cancel_requests(&self, instance: InstanceId) -> Result<Vec<CancelRequest>, StoreError>;

    /// Runs in flight of an instance, by job id. The caller looks at its own registry only after this has answered.
    /// Conformance: `a_claim_whose_reply_was_lost_is_found_again`.
    async fn runs_of(&self, instance: InstanceId) -> Result<Vec<RunInfo>, StoreError>;

    /// Keeps the latest progress of runs with their rows, at the present instant. Runs that are no longer in flight are passed over, and counts
    /// beyond [`Progress::MAX_COUNT`] kept as that. Touches no other column and no job row. Conformance: `progress_is_kept_with_its_run`.
    async fn store_progress(
        &self,
        reports: &[ProgressReport],
        now: Option<Timestamp>,
    ) -> Result<(), StoreError>;

    /// Members and former members, by start.
    async fn nodes(&self) -> Result<Vec<NodeInfo>, StoreError>;

    /// Declares a member dead if its heartbeat still is `seen`; false where it moved or was not alive. Conformance:
    /// `a_node_that_renewed_is_not_declared_dead`.
    async fn declare_dead(&self, instance: InstanceId, seen: Timestamp) -> Result<bool, StoreError>;

    /// Declares dead every member whose process the operating system proves gone: former programs on this machine. Answers
    /// them. The proof is kept for as long as this store lives. A store that cannot prove it answers none.
    async fn declare_gone_processes(&self, instance: InstanceId) -> Result<Vec<InstanceId>, StoreError>;

    /// Takes over runs whose instance is no living member: new run ids, held by the asking instance. Two nodes at once never get the same
    /// run. Conformance: `take_over_takes_runs_of_dead_nodes_once`, `a_stale_finish_after_take_over_is_gone`.
    ///
    /// # Errors
    /// Kind `Fenced` where the asking instance is not alive.
    async fn take_over(&self, request: &TakeOver) -> Result<Vec<TakenOver>, StoreError>;

    /// Ends a membership: state Stopped. Runs it still holds are then taken over by others.
    async fn unregister_node(&self, instance: InstanceId) -> Result<(), StoreError>;
}
