//! The checking job: walks over all jobs and arms those that should be armed and are not.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use tasks_abstractions::services::{FromScope, Need, Resolver, ServiceError};
use tasks_abstractions::{
    AsyncPeriodicWorker, JobId, JobManagement, JobResult, JobStore, MisfirePolicy, Outcome, WorkerContext,
    WorkerRegistration, WorkerSchedule,
};

use super::options::MaintenanceOptions;

/// Name under which the store keeps where the walk was.
const CURSOR: &str = "checking";

/// The worker that looks for jobs that nothing would ever run. Every host has it, unless
/// [`CheckingOptions::enabled`](super::CheckingOptions::enabled) is false.
///
/// Nothing in the protocol leads to such a job, so each one that it finds is an error-level line in the log: the work is saved, and somebody should learn
/// why. A walk that was cut off goes on where it was.
pub struct Checking {
    management: Arc<dyn JobManagement>,
    store: Arc<dyn JobStore>,
    options: Arc<MaintenanceOptions>,
}

impl Checking {
    /// Its registration.
    #[must_use]
    pub const fn registration() -> WorkerRegistration {
        WorkerRegistration::async_periodic::<Self>("tasks-core")
    }
}

impl FromScope for Checking {
    fn from_scope(it: &Resolver<'_>) -> Result<Self, ServiceError> {
        Ok(Self {
            management: it.get()?,
            store: it.get()?,
            options: it.get()?,
        })
    }

    fn needs(out: &mut Vec<Need>) {
        out.extend([
            Need::of::<dyn JobManagement>(),
            Need::of::<dyn JobStore>(),
            Need::of::<MaintenanceOptions>(),
        ]);
    }
}

#[async_trait]
impl AsyncPeriodicWorker for Checking {
    const NAME: &'static str = "tasks.checking";

    fn schedule(&self) -> WorkerSchedule {
        WorkerSchedule::cron(self.options.checking.cron.clone()).misfire(MisfirePolicy::FireOnce)
    }

    async fn do_work(&self, ctx: &WorkerContext) -> JobResult {
        let kept = self.store.cursor(CURSOR).await?;
        // A cursor that cannot be read is no reason never to check again.
        let mut after: Option<JobId> = kept.and_then(|it| it.parse().ok());
        let (mut looked_at, mut repaired) = (0, 0);
        loop {
            let report = self.management.check(after, self.options.checking.batch).await?;
            looked_at += report.looked_at;
            repaired += report.rearmed.len() + report.completed.len();
            after = report.next;
            let next = after.map(|it| it.to_string());
            self.store.set_cursor(CURSOR, next.as_deref()).await?;
            ctx.progress(looked_at, 0, format!("{repaired} repaired"));
            if after.is_none() || ctx.cancellation().is_cancelled() {
                break;
            }
        }
        ctx.set_result(format!("looked at {looked_at} jobs, repaired {repaired}"));
        Ok(Outcome::Done)
    }
}

impl fmt::Debug for Checking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checking")
            .field("options", &self.options.checking)
            .finish_non_exhaustive()
    }
}
