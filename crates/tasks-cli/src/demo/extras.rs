//! The work beside the files: a worker, a delayed job, one that fails at first, and one that always fails.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tasks_abstractions::{
    AsyncPeriodicWorker, BackgroundJob, JobError, JobResult, JobRunnableContext, Outcome, WorkerContext,
    WorkerSchedule, inject,
};

use super::board::Board;

inject! {
    /// Reports how far the files have come.
    pub(super) struct ReportProgress {
        board: Arc<Board>,
    }
}

#[async_trait]
impl AsyncPeriodicWorker for ReportProgress {
    const NAME: &'static str = "demo-progress";

    fn schedule(&self) -> WorkerSchedule {
        WorkerSchedule::every(Duration::from_secs(2)).run_on_start()
    }

    async fn do_work(&self, _: &WorkerContext) -> JobResult {
        self.board.report();
        Ok(Outcome::Done)
    }
}

inject! {
    /// Does nothing, later.
    pub(super) struct Delayed;
}

#[async_trait]
impl BackgroundJob for Delayed {
    const NAME: &'static str = "demo.delayed";
    type Args = ();

    async fn execute(&self, (): (), ctx: &JobRunnableContext) -> JobResult {
        ctx.set_result("ran after its delay");
        Ok(Outcome::Done)
    }
}

inject! {
    /// Fails twice and then succeeds.
    pub(super) struct Flaky;
}

#[async_trait]
impl BackgroundJob for Flaky {
    const NAME: &'static str = "demo.flaky";
    type Args = ();

    async fn execute(&self, (): (), ctx: &JobRunnableContext) -> JobResult {
        if ctx.attempt() <= 2 {
            return Err(JobError::msg(format!("try {} fails on purpose", ctx.attempt())));
        }
        ctx.set_result(format!("try {} succeeded", ctx.attempt()));
        Ok(Outcome::Done)
    }
}

inject! {
    /// Always fails, until it is given up.
    pub(super) struct Hopeless;
}

#[async_trait]
impl BackgroundJob for Hopeless {
    const NAME: &'static str = "demo.hopeless";
    type Args = ();

    async fn execute(&self, (): (), _: &JobRunnableContext) -> JobResult {
        Err(JobError::msg(
            "this job always fails, so that you see how one is given up",
        ))
    }
}
