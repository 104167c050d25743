//! From a finished run to what the store writes.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use tasks_abstractions::job::{InstanceId, Lane, rank_of};
use tasks_abstractions::run::{After, JobLog, QueueEntry, RunInfo, RunKind};
use tasks_abstractions::store::{JobUpdate, Settlement};
use tasks_abstractions::{
    JobFlags, JobInfo, JobPriority, JobState, JobType, RetryPolicy, RunOutcome, Timestamp, truncate_to_micros,
};

use super::arm::{first_execution, next_execution};
use super::command::brought_forward;
use super::report::RunReport;
use crate::maintenance::Kept;

/// What settling depends on besides the job, the run and its report.
#[derive(Debug, Clone, Copy)]
pub struct SettleContext<'a> {
    /// The present instant.
    pub now: Timestamp,
    /// Where a wait lies within its jitter, 0 to 1.
    pub chance: f64,
    /// Name of this node.
    pub node_name: &'a str,
    /// This instance.
    pub instance: InstanceId,
    /// What is left out for the job's type.
    pub flags: JobFlags,
    /// What is kept of the type's jobs that succeed.
    pub kept: Kept,
}

/// Computes what a finished run writes: the job's new state and counters, the next execution, and the log row. Follow-ups
/// are left empty.
///
/// `job` and `run` are as the store has them now: after a stale answer they are the fresh ones, so that commands given during
/// the run decide what comes next. They do not unmake a success.
#[must_use]
pub fn settle(job: &JobInfo, run: &RunInfo, report: &RunReport, ctx: &SettleContext<'_>) -> Settlement {
    let mut it = Settling {
        job,
        run,
        report,
        ctx,
        update: unchanged(job),
    };
    let next = if report.outcome == RunOutcome::Returned {
        it.give_back()
    } else {
        it.end()
    };
    // A run by hand that was asked for while the job was held and its run still in flight.
    let next = next.or_else(|| it.again_beside());
    it.update.next_run_time = next.as_ref().map(|it| it.due_at);
    let is_success = report.outcome == RunOutcome::Succeeded;
    let is_logged = match report.outcome {
        RunOutcome::Returned => false,
        _ => !ctx.flags.disable_auditing && (ctx.kept.log || !is_success),
    };
    let log = is_logged.then(|| it.log());
    let is_done = it.update.state == JobState::Completed && job.job_type == JobType::Once && next.is_none();
    Settlement {
        is_removed: is_success && is_done && !ctx.kept.job,
        update: it.update,
        next,
        log,
        follow_ups: Vec::new(),
    }
}

fn unchanged(job: &JobInfo) -> JobUpdate {
    JobUpdate {
        state: job.state(),
        result: None,
        last_run_time: None,
        next_run_time: None,
        trigger_count: job.trigger_count,
        try_count: job.try_count,
        interruptions: job.interruptions,
        suspect_interruptions: job.suspect_interruptions,
        is_abandoned: job.is_abandoned,
    }
}

struct Settling<'a> {
    job: &'a JobInfo,
    run: &'a RunInfo,
    report: &'a RunReport,
    ctx: &'a SettleContext<'a>,
    update: JobUpdate,
}

impl Settling<'_> {
    fn is_active(&self) -> bool {
        #[cfg(feature = "chaos-mutants")]
        if crate::mutants::is("pause-ignored") && self.job.state() == JobState::Paused {
            return true;
        }
        self.job.state() == JobState::Active && self.job.is_enabled
    }

    /// A run by hand of a job that is not active: it happens beside the job's life.
    fn is_beside(&self) -> bool {
        self.run.entry.kind == RunKind::Manual && !self.is_active()
    }

    /// The run never counted: the execution waits again as it did.
    fn give_back(&mut self) -> Option<QueueEntry> {
        if self.is_beside() {
            return self.job.is_enabled.then(|| self.same_again());
        }
        if !self.is_active() {
            return None;
        }
        match self.run.after {
            After::Settle => Some(self.same_again()),
            After::RunAgain => Some(brought_forward(&self.same_again(), self.ctx.now)),
            After::Arm | After::ArmUnlessDone => self.resumed(),
        }
    }

    fn end(&mut self) -> Option<QueueEntry> {
        let outcome = self.report.outcome;
        // An execution that was never started proves nothing about a job that may kill its process.
        let was_started = !matches!(outcome, RunOutcome::Expired | RunOutcome::Skipped);
        if outcome.is_settled() && was_started {
            self.update.interruptions = 0;
            self.update.suspect_interruptions = 0;
        }
        if !self.ctx.flags.disable_job_status {
            self.update.result.clone_from(&self.report.message);
            self.update.last_run_time = Some(self.report.started_at);
        }
        match outcome {
            RunOutcome::Succeeded => self.succeeded(),
            RunOutcome::Failed | RunOutcome::Panicked | RunOutcome::TimedOut => self.failed(),
            RunOutcome::Cancelled => self.cancelled(),
            RunOutcome::Interrupted => self.interrupted(),
            RunOutcome::Expired => self.expired(),
            RunOutcome::Skipped => self.skipped(),
            RunOutcome::Snoozed => self.snoozed(),
            RunOutcome::Returned => None,
        }
    }

    fn succeeded(&mut self) -> Option<QueueEntry> {
        self.update.trigger_count = self.job.trigger_count.saturating_add(1);
        if self.is_beside() {
            return self.again_beside();
        }
        self.update.try_count = 0;
        let is_once = self.job.job_type == JobType::Once;
        if !self.is_active() {
            // Pausing or stopping came too late to undo the work: what is done once is done, unless its schedule was edited since.
            if is_once && self.run.after != After::Arm {
                self.update.state = JobState::Completed;
            }
            return None;
        }
        match self.run.after {
            After::RunAgain => Some(self.run_again()),
            After::Arm => self.start_over(),
            After::Settle | After::ArmUnlessDone if is_once => {
                self.update.state = JobState::Completed;
                None
            }
            After::Settle | After::ArmUnlessDone => self.repeat(),
        }
    }

    fn failed(&mut self) -> Option<QueueEntry> {
        self.update.trigger_count = self.job.trigger_count.saturating_add(1);
        if self.is_beside() {
            return self.again_beside();
        }
        self.update.try_count = self.job.try_count.saturating_add(1);
        if !self.is_active() {
            return None;
        }
        if let Some(next) = self.commanded() {
            return next;
        }
        let tries = self.update.try_count;
        let is_used_up = self.job.max_try_count > 0 && tries >= self.job.max_try_count;
        if self.job.job_type == JobType::Once {
            if is_used_up || self.report.is_permanent {
                return self.abandon();
            }
            let policy = self
                .job
                .retry_policy
                .unwrap_or(RetryPolicy::from_base(self.job.interval));
            return Some(self.retry(policy));
        }
        if is_used_up {
            return self.abandon();
        }
        let next = self.repeat();
        // Between fires a repeating job is tried again only where it says so, and only if that comes first.
        match (self.job.retry_policy, next) {
            (Some(policy), Some(fire)) if !self.report.is_permanent => {
                let retry = self.retry(policy);
                Some(if retry.due_at < fire.due_at { retry } else { fire })
            }
            (_, next) => next,
        }
    }

    fn cancelled(&mut self) -> Option<QueueEntry> {
        if self.is_beside() {
            return self.again_beside();
        }
        if !self.is_active() {
            return None;
        }
        if let Some(next) = self.commanded() {
            return next;
        }
        if self.job.job_type == JobType::Once {
            self.update.state = JobState::Stopped;
            return None;
        }
        self.repeat()
    }

    fn interrupted(&mut self) -> Option<QueueEntry> {
        self.update.interruptions = self.job.interruptions.saturating_add(1);
        if self.run.suspect {
            self.update.suspect_interruptions = self.job.suspect_interruptions.saturating_add(1);
        }
        #[cfg(feature = "chaos-mutants")]
        if crate::mutants::is("rescue-without-counting") {
            self.update.interruptions = self.job.interruptions;
            self.update.suspect_interruptions = self.job.suspect_interruptions;
        }
        let is_given_up = self.run.suspect && self.update.suspect_interruptions >= self.job.max_interruptions;
        let suspect = |it: QueueEntry| QueueEntry {
            lane: it.lane.suspect(),
            ..it
        };
        if self.is_beside() && !is_given_up && self.run.cancel.is_none() {
            // Repeated as a run by hand, but not for ever.
            return self.job.is_enabled.then(|| suspect(self.same_again()));
        }
        if !self.is_active() {
            return self.again_beside().map(suspect);
        }
        if is_given_up {
            return self.abandon();
        }
        if self.run.cancel.is_some() && self.run.after == After::Settle {
            // Somebody had asked this run to end, and it did.
            return self.cancelled();
        }
        match self.run.after {
            After::Settle => Some(suspect(self.same_again())),
            After::RunAgain => Some(suspect(brought_forward(&self.same_again(), self.ctx.now))),
            After::Arm | After::ArmUnlessDone => self.resumed().map(suspect),
        }
    }

    fn expired(&mut self) -> Option<QueueEntry> {
        if !self.is_active() {
            return None;
        }
        let is_extended = self.job.end_time.is_none_or(|end| self.ctx.now <= end);
        if is_extended {
            // Its end was moved after it had been found too late.
            return self.commanded().unwrap_or_else(|| self.start_over());
        }
        self.complete()
    }

    fn skipped(&mut self) -> Option<QueueEntry> {
        if let Some(next) = self.commanded() {
            return next;
        }
        let next = self.repeat()?;
        Some(QueueEntry {
            lane: self.same_again().lane,
            ..next
        })
    }

    fn snoozed(&mut self) -> Option<QueueEntry> {
        let is_beside = self.is_beside() && self.job.is_enabled && self.run.after != After::RunAgain;
        if !self.is_active() && !is_beside {
            return None;
        }
        if self.is_active()
            && let Some(next) = self.commanded()
        {
            return next;
        }
        Some(QueueEntry {
            lane: self.lane(),
            due_at: self.due_in(self.report.wait.unwrap_or_default()),
            ..self.run.entry.clone()
        })
    }

    /// What a command given during the run wants next, where it wants anything. The outer `None` leaves it to the outcome.
    fn commanded(&mut self) -> Option<Option<QueueEntry>> {
        if !self.is_active() {
            return Some(None);
        }
        match self.run.after {
            After::Settle => None,
            After::RunAgain => Some(Some(self.run_again())),
            After::Arm | After::ArmUnlessDone => Some(self.start_over()),
        }
    }

    /// The lane that the run came from. Where an edit has moved the job since: its new one.
    fn lane(&self) -> Lane {
        let (base, own) = (self.run.entry.lane.base(), Lane::of(self.job));
        let is_of_type =
            base != own && base == Lane::unknown_type(self.job.node_name.as_deref(), &self.job.type_name);
        if is_of_type { base } else { own }
    }

    /// The execution as it waited, to be made again; still a suspect where the run was one.
    fn same_again(&self) -> QueueEntry {
        let lane = self.lane();
        QueueEntry {
            lane: if self.run.suspect { lane.suspect() } else { lane },
            ..self.run.entry.clone()
        }
    }

    fn run_again(&self) -> QueueEntry {
        QueueEntry {
            lane: self.lane(),
            rank: rank_of(self.job.priority),
            due_at: self.ctx.now,
            kind: RunKind::Trigger,
            attempt: self.update.try_count.saturating_add(1),
        }
    }

    fn again_beside(&self) -> Option<QueueEntry> {
        let is_held = self.job.state() != JobState::Active;
        let is_wanted = is_held && self.run.after == After::RunAgain && self.job.is_enabled;
        is_wanted.then(|| QueueEntry {
            kind: RunKind::Manual,
            ..self.run_again()
        })
    }

    /// As resume: the schedule begins anew, with the job's own lane.
    fn start_over(&mut self) -> Option<QueueEntry> {
        let counted = self.counted();
        first_execution(&counted, self.ctx.now)
            .ok()
            .or_else(|| self.complete())
    }

    /// What follows a run that did not come to its end, where the job was resumed or edited meanwhile. A run by hand is not forgotten over that.
    fn resumed(&mut self) -> Option<QueueEntry> {
        let armed = self.start_over();
        let again = self.same_again();
        if again.kind != RunKind::Manual {
            return armed;
        }
        match armed {
            Some(armed) if armed.due_at <= again.due_at => Some(armed),
            Some(armed) => Some(QueueEntry {
                due_at: again.due_at,
                kind: RunKind::Trigger,
                ..armed
            }),
            None => Some(again),
        }
    }

    /// The next execution of a repeating job, in the lane that the run came from.
    fn repeat(&mut self) -> Option<QueueEntry> {
        let counted = self.counted();
        match next_execution(&counted, self.run, self.ctx.now) {
            Ok(next) => Some(QueueEntry {
                lane: self.lane(),
                ..next
            }),
            Err(_) => self.complete(),
        }
    }

    fn complete(&mut self) -> Option<QueueEntry> {
        self.update.state = JobState::Completed;
        None
    }

    fn abandon(&mut self) -> Option<QueueEntry> {
        self.update.state = JobState::Stopped;
        self.update.is_abandoned = true;
        None
    }

    fn retry(&self, policy: RetryPolicy) -> QueueEntry {
        let wait = self
            .report
            .wait
            .unwrap_or_else(|| policy.wait(self.update.try_count, self.ctx.chance));
        let rank = rank_of(demoted(self.job, self.update.try_count));
        QueueEntry {
            lane: self.lane(),
            rank,
            due_at: self.due_in(wait),
            kind: RunKind::Retry,
            attempt: self.update.try_count.saturating_add(1),
        }
    }

    /// The instant after a wait, in whole microseconds; a wait for ever ends with the last year that every database keeps.
    fn due_in(&self, wait: Duration) -> Timestamp {
        let latest = DateTime::from_timestamp(LATEST, 0).unwrap_or(Timestamp::MAX_UTC);
        let wait = TimeDelta::from_std(wait).unwrap_or(TimeDelta::MAX);
        let due_at = self.ctx.now.checked_add_signed(wait).unwrap_or(latest);
        truncate_to_micros(due_at.min(latest))
    }

    /// The job with the counters that this run leaves behind.
    fn counted(&self) -> JobInfo {
        JobInfo {
            trigger_count: self.update.trigger_count,
            try_count: self.update.try_count,
            ..self.job.clone()
        }
    }

    fn log(&self) -> JobLog {
        let (job, report) = (self.job, self.report);
        JobLog {
            run_id: self.run.run_id,
            job_id: job.id,
            tenant_id: job.tenant_id,
            job_name: job.name.clone(),
            job_group: job.group.clone(),
            type_name: job.type_name.clone(),
            outcome: report.outcome,
            message: report.message.clone(),
            error: report.error.clone(),
            started_at: report.started_at,
            duration: report.duration,
            node_name: self.ctx.node_name.to_owned(),
            instance: self.ctx.instance,
            attempt: self.run.entry.attempt,
        }
    }
}

/// The end of the year 9999, in seconds.
const LATEST: i64 = 253_402_300_799;

/// Priority of a retry: a job that fails again and again stands back behind work that may succeed. Over a third of its tries at most
/// BelowNormal, over two thirds Low; never above its own.
fn demoted(job: &JobInfo, tries: u32) -> JobPriority {
    let (tries, limit) = (u64::from(tries), u64::from(job.max_try_count));
    let most = if limit == 0 || tries * 3 <= limit {
        JobPriority::High
    } else if tries * 3 <= limit * 2 {
        JobPriority::BelowNormal
    } else {
        JobPriority::Low
    };
    job.priority.min(most)
}
