//! The run step: executes one job in its scope and tenant, and reports how it ended.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use futures::FutureExt;
use tasks_abstractions::run::{JobRunnableContextParts, error_chain};
use tasks_abstractions::services::ServiceError;
use tasks_abstractions::store::ClaimedRun;
use tasks_abstractions::{
    CancelReason, JobError, JobEvent, JobEventData, JobResult, JobRunnable, JobRunnableContext, Outcome,
    RunOutcome,
};
use tasks_multitenancy::CurrentTenant;
use tokio::time::Instant;
use tracing::{Instrument, Span, error, info_span};

use super::Engine;
use super::board::RunCancel;
use crate::transition::{RunReport, capture};

impl Engine {
    /// Starts the code of claimed runs on the runtime for jobs: by one task which starts the others from inside, because each task from outside wakes
    /// a thread.
    pub(super) fn start_all(&self, mut runs: Vec<(ClaimedRun, RunCancel)>) {
        if runs.is_empty() {
            return;
        }
        let engine = self.clone();
        if runs.len() == 1
            && let Some((claimed, cancel)) = runs.pop()
        {
            let span = engine.span_of(&claimed);
            drop(
                self.parts()
                    .jobs
                    .spawn(engine.execute(claimed, cancel).instrument(span)),
            );
            return;
        }
        let start = async move {
            for (claimed, cancel) in runs {
                let span = engine.span_of(&claimed);
                // The handle is not kept: `execute` reports every ending itself, a panic of job code included.
                drop(tokio::spawn(
                    engine.clone().execute(claimed, cancel).instrument(span),
                ));
            }
        };
        drop(self.parts().jobs.spawn(start));
    }

    fn span_of(&self, claimed: &ClaimedRun) -> Span {
        info_span!(
            "run",
            job = %claimed.job.id,
            r#type = %claimed.job.type_name,
            run = %claimed.run.run_id,
            tenant = %claimed.job.tenant_id,
            node = %self.options().node_name,
            attempt = claimed.run.entry.attempt,
        )
    }

    async fn execute(self, claimed: ClaimedRun, cancel: RunCancel) {
        let (job_id, run_id, tenant) = (claimed.job.id, claimed.run.run_id, claimed.job.tenant_id);
        // In a place of its own: the task is moved several times before it begins.
        let code = CurrentTenant::change(tenant, Box::pin(self.run_code(&claimed, cancel)));
        // The code's own panics are caught inside. This is for everything else of the user's: classifiers, destructors.
        let report = AssertUnwindSafe(code)
            .catch_unwind()
            .await
            .unwrap_or_else(|panic| {
                let new = |outcome| RunReport::new(outcome, claimed.run.claimed_at, Duration::ZERO);
                self.panicked(&text_of(panic.as_ref()), new(RunOutcome::Panicked))
            });
        let (is_first, offers, is_last) = {
            let mut board = self.board();
            let is_first = board.end(run_id);
            board.code_returned(job_id, run_id);
            (is_first, self.offers_slots(&mut board), board.executing == 0)
        };
        if is_first {
            self.send_ended(claimed, report);
        } else {
            tracing::warn!(outcome = %report.outcome, "the run had been given up when its code returned; its outcome is dropped");
        }
        if is_last {
            self.nothing_runs();
        }
        if offers {
            self.signals().work();
        }
    }

    async fn run_code(&self, claimed: &ClaimedRun, cancel: RunCancel) -> RunReport {
        let job = &claimed.job;
        let began = Instant::now();
        let started_at = self.now();
        self.began(claimed, began);
        // Constructors of services are the user's code as well.
        let built = std::panic::catch_unwind(AssertUnwindSafe(|| self.context(claimed, &cancel, started_at)));
        let (result, flags_report) = match built {
            Err(panic) => (Ran::Panicked(text_of(panic.as_ref())), None),
            Ok(Err(error)) => (Ran::Returned(Err(JobError::from(error))), None),
            Ok(Ok((ctx, code))) => {
                self.tell_before(&ctx).await;
                let ran = run_caught(code, &ctx).await;
                (ran, ctx.take_result())
            }
        };
        let duration = began.elapsed();
        let mut report = self.report(result, &cancel, started_at, duration);
        if report.outcome == RunOutcome::Succeeded {
            report.message = flags_report.map(|it| capture(&it, self.options().limits.result));
        }
        if !self.parts().events.is_empty() {
            self.tell_after(&JobEventData {
                job: Arc::clone(job),
                run: claimed.run.clone(),
                outcome: report.outcome,
                message: report.message.clone(),
                error: report.error.clone(),
                exception_type: report.exception_type,
                duration,
            })
            .await;
        }
        report
    }

    /// Notes that the code starts now, with its deadlines.
    fn began(&self, claimed: &ClaimedRun, began: Instant) {
        let mut board = self.board();
        let Some(it) = board.runs.get_mut(&claimed.run.run_id) else {
            return;
        };
        it.began = Some(began);
        it.is_code_running = true;
        it.timeout_at = claimed.job.timeout.and_then(|after| began.checked_add(after));
        it.lock_ends_at = claimed
            .job
            .lock_timeout
            .and_then(|after| began.checked_add(after));
        let is_watched = it.timeout_at.is_some() || it.lock_ends_at.is_some() || claimed.run.suspect;
        drop(board);
        if is_watched {
            self.signals().watch();
        }
    }

    fn context(
        &self,
        claimed: &ClaimedRun,
        cancel: &RunCancel,
        started_at: tasks_abstractions::Timestamp,
    ) -> Result<(JobRunnableContext, Arc<dyn JobRunnable>), ServiceError> {
        let parts = self.parts();
        let scope = parts.services.scope();
        let code = match parts.registry.get(&claimed.job.type_name) {
            Some(registered) => registered.build(&scope)?,
            // Checked when it was claimed; a worker may have been taken away in the moment since.
            None => return Err(ServiceError::failed::<Self>("the job's type is not registered")),
        };
        let deadline = claimed
            .job
            .timeout
            .and_then(|it| started_at.checked_add_signed(TimeDelta::from_std(it).ok()?));
        let ctx = JobRunnableContext::new(JobRunnableContextParts {
            job: Arc::clone(&claimed.job),
            run: claimed.run.clone(),
            cancellation: cancel.token.clone(),
            cancel_reason: Arc::clone(&cancel.reason),
            deadline,
            scope,
            progress: Arc::clone(&self.shared) as Arc<_>,
            locks: Arc::clone(&parts.locks),
        });
        Ok((ctx, code))
    }

    /// Turns what the code answered into an outcome. A request to end decides how anything but success is called.
    fn report(
        &self,
        ran: Ran,
        cancel: &RunCancel,
        started_at: tasks_abstractions::Timestamp,
        duration: Duration,
    ) -> RunReport {
        let reason = cancel.reason.get().copied();
        let new = |outcome| RunReport::new(outcome, started_at, duration);
        if reason == Some(CancelReason::TimedOut) || reason == Some(CancelReason::LockExpired) {
            // Whatever it answers in the end, it was not done in time.
            let text = if reason == Some(CancelReason::TimedOut) {
                "timeout"
            } else {
                "lock timeout"
            };
            return RunReport {
                error: self.error_text(&ran),
                ..new(RunOutcome::TimedOut).message(format!("took longer than its {text}"))
            };
        }
        match (ran, reason) {
            (Ran::Returned(Ok(Outcome::Done)), _) => new(RunOutcome::Succeeded),
            (Ran::Returned(Ok(Outcome::Snooze(wait))), None) => RunReport {
                wait: Some(wait),
                ..new(RunOutcome::Snoozed).message("comes back later")
            },
            (Ran::Returned(Ok(Outcome::Cancel(why))), None) => {
                new(RunOutcome::Cancelled).message(capture(&why, self.options().limits.result))
            }
            (Ran::Returned(Ok(Outcome::Retry { after })), None) => RunReport {
                wait: after,
                ..new(RunOutcome::Failed).message("the job asked for another try")
            },
            (Ran::Returned(Err(error)), None) => self.failed(&error, RunOutcome::Failed, &new),
            (Ran::Panicked(text), None) => self.panicked(&text, new(RunOutcome::Panicked)),
            // The node is leaving, or has lost its lease: the run happens again as if it had never been claimed.
            (_, Some(CancelReason::Shutdown | CancelReason::Fenced)) => new(RunOutcome::Returned),
            (ran, Some(reason)) => RunReport {
                error: self.error_text(&ran),
                ..new(RunOutcome::Cancelled).message(describe(reason))
            },
        }
    }

    /// What went wrong in code that was asked to end: kept, although the outcome is called by the request.
    fn error_text(&self, ran: &Ran) -> Option<String> {
        let text = match ran {
            Ran::Returned(Ok(_)) => return None,
            Ran::Returned(Err(error)) => error_chain(error.source()),
            Ran::Panicked(text) => format!("panicked: {text}"),
        };
        Some(capture(&text, self.options().limits.log_error))
    }

    fn panicked(&self, text: &str, report: RunReport) -> RunReport {
        error!(panic = %text, "the job panicked");
        let limits = &self.options().limits;
        RunReport {
            error: Some(capture(&format!("panicked: {text}"), limits.log_error)),
            exception_type: Some(tasks_abstractions::JobExceptionType::System),
            ..report.message(capture(text, limits.result))
        }
    }

    fn failed(
        &self,
        error: &JobError,
        outcome: RunOutcome,
        new: &dyn Fn(RunOutcome) -> RunReport,
    ) -> RunReport {
        let limits = &self.options().limits;
        RunReport {
            message: Some(capture(&error.innermost(), limits.result)),
            error: Some(capture(&error_chain(error.source()), limits.log_error)),
            exception_type: Some(self.parts().exceptions.find(error)),
            wait: error.wanted_wait(),
            is_permanent: error.is_permanent(),
            ..new(outcome)
        }
    }

    async fn tell_before(&self, ctx: &JobRunnableContext) {
        for listener in &self.parts().events {
            isolated(async { listener.before(ctx).await }).await;
        }
    }

    async fn tell_after(&self, data: &JobEventData) {
        for listener in &self.parts().events {
            isolated(async { listener.after(data).await }).await;
        }
    }

    /// Tells listeners what the store made of an outcome.
    pub(super) fn tell_settled(&self, data: &tasks_abstractions::JobSettled) {
        for listener in &self.parts().events {
            let call = AssertUnwindSafe(|| JobEvent::settled(listener.as_ref(), data));
            if let Err(panic) = std::panic::catch_unwind(call) {
                error!(panic = %text_of(panic.as_ref()), "a listener panicked");
            }
        }
    }
}

async fn isolated(listener: impl Future<Output = ()>) {
    if let Err(panic) = AssertUnwindSafe(listener).catch_unwind().await {
        error!(panic = %text_of(panic.as_ref()), "a listener panicked");
    }
}

/// What became of the code.
enum Ran {
    Returned(JobResult),
    Panicked(String),
}

async fn run_caught(code: Arc<dyn JobRunnable>, ctx: &JobRunnableContext) -> Ran {
    if !code.is_blocking() {
        return match AssertUnwindSafe(async { code.execute(ctx).await })
            .catch_unwind()
            .await
        {
            Ok(result) => Ran::Returned(result),
            Err(panic) => Ran::Panicked(text_of(panic.as_ref())),
        };
    }
    let ctx = ctx.clone();
    let blocking = CurrentTenant::spawn_blocking(move || futures::executor::block_on(code.execute(&ctx)));
    match blocking.await {
        Ok(result) => Ran::Returned(result),
        Err(join) if join.is_panic() => Ran::Panicked(text_of(join.into_panic().as_ref())),
        // Only a runtime that is going away cancels blocking work before it starts.
        Err(_) => Ran::Returned(Err(JobError::msg("the runtime for jobs was shut down"))),
    }
}

/// What a panic said.
pub(super) fn text_of(panic: &(dyn Any + Send)) -> String {
    panic
        .downcast_ref::<&'static str>()
        .map(|it| (*it).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "panicked without a message".to_owned())
}

fn describe(reason: CancelReason) -> &'static str {
    match reason {
        CancelReason::Requested => "cancelled",
        CancelReason::Paused => "cancelled: the job was paused",
        CancelReason::Stopped => "cancelled: the job was stopped",
        CancelReason::Disabled => "cancelled: the job was disabled",
        CancelReason::Deleted => "cancelled: the job was deleted",
        CancelReason::Shutdown => "cancelled: the node shuts down",
        CancelReason::TimedOut => "took longer than its timeout",
        CancelReason::LockExpired => "took longer than its lock timeout",
        CancelReason::Fenced => "cancelled: the node lost its lease",
    }
}
