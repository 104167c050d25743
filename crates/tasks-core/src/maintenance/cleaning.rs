//! The cleaning job: removes what is old, in small transactions.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use tasks_abstractions::services::{FromScope, Need, Resolver, ServiceError};
use tasks_abstractions::store::{Cleanup, CleanupTarget, JobEnd, TypeFilter};
use tasks_abstractions::{
    AsyncPeriodicWorker, Clock, JobResult, JobStore, MisfirePolicy, Outcome, RunOutcome, Timestamp,
    WorkerContext, WorkerRegistration, WorkerSchedule,
};

use super::options::{CleaningOptions, MaintenanceOptions, Retention, TypeRetention};

/// Most transactions of one step of the plan in one run: a store that has grown for years is cleaned over several runs, and what comes after in the plan
/// has its turn.
const MOST_BATCHES: usize = 100;

/// Outcomes whose log rows are kept as those of failures.
const FAILED: [RunOutcome; 8] = [
    RunOutcome::Failed,
    RunOutcome::Panicked,
    RunOutcome::TimedOut,
    RunOutcome::Cancelled,
    RunOutcome::Interrupted,
    RunOutcome::Expired,
    RunOutcome::Skipped,
    RunOutcome::Snoozed,
];

/// The worker that removes what is old. Every host has it, unless [`CleaningOptions::enabled`] is false.
pub struct Cleaning {
    store: Arc<dyn JobStore>,
    clock: Arc<dyn Clock>,
    options: Arc<MaintenanceOptions>,
}

impl Cleaning {
    /// Its registration.
    #[must_use]
    pub const fn registration() -> WorkerRegistration {
        WorkerRegistration::async_periodic::<Self>("tasks-core")
    }
}

impl FromScope for Cleaning {
    fn from_scope(it: &Resolver<'_>) -> Result<Self, ServiceError> {
        Ok(Self {
            store: it.get()?,
            clock: it.get()?,
            options: it.get()?,
        })
    }

    fn needs(out: &mut Vec<Need>) {
        out.extend([
            Need::of::<dyn JobStore>(),
            Need::of::<dyn Clock>(),
            Need::of::<MaintenanceOptions>(),
        ]);
    }
}

#[async_trait]
impl AsyncPeriodicWorker for Cleaning {
    const NAME: &'static str = "tasks.cleaning";

    fn schedule(&self) -> WorkerSchedule {
        WorkerSchedule::cron(self.options.cleaning.cron.clone()).misfire(MisfirePolicy::FireOnce)
    }

    async fn do_work(&self, ctx: &WorkerContext) -> JobResult {
        let (mut jobs, mut logs, mut nodes) = (0, 0, 0);
        for step in plan(&self.options.cleaning, self.clock.now()) {
            let removed = self.carry_out(&step, ctx).await?;
            match step.target {
                CleanupTarget::Jobs(_) => jobs += removed,
                CleanupTarget::Logs(_) => logs += removed,
                CleanupTarget::Nodes => nodes += removed,
            }
        }
        ctx.set_result(format!("removed {jobs} jobs, {logs} log rows, {nodes} nodes"));
        Ok(Outcome::Done)
    }
}

impl Cleaning {
    async fn carry_out(
        &self,
        step: &Cleanup,
        ctx: &WorkerContext,
    ) -> Result<u64, tasks_abstractions::StoreError> {
        let mut removed = 0;
        for _ in 0..MOST_BATCHES {
            if ctx.cancellation().is_cancelled() {
                break;
            }
            let batch = self.store.cleanup(step).await?;
            removed += batch;
            if batch < u64::try_from(step.limit).unwrap_or(u64::MAX) {
                break;
            }
        }
        Ok(removed)
    }
}

impl fmt::Debug for Cleaning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cleaning")
            .field("options", &self.options.cleaning)
            .finish_non_exhaustive()
    }
}

/// What one run removes: for every ending, first the types that have a retention of their own, then all others.
#[must_use]
pub fn plan(options: &CleaningOptions, now: Timestamp) -> Vec<Cleanup> {
    let mut steps = Vec::new();
    let mut add = |target: CleanupTarget, types: TypeFilter, retention: Retention| {
        let before = match retention {
            Retention::Forever => None,
            Retention::For(time) => before(now, time),
            // What was done before the option was set, or by a program that keeps it.
            Retention::None => Some(now),
        };
        if let Some(before) = before {
            steps.push(Cleanup {
                target,
                types,
                before,
                limit: options.batch,
            });
        }
    };
    type OfType = fn(&TypeRetention) -> Option<Retention>;
    let mut by_type = |target: CleanupTarget, of_all: Retention, of_type: OfType| {
        let own: Vec<(String, Retention)> = options
            .types
            .iter()
            .filter_map(|(name, it)| Some((name.clone(), of_type(it)?)))
            .collect();
        for (name, retention) in &own {
            add(target, TypeFilter::Only(vec![name.clone()]), *retention);
        }
        let rest = if own.is_empty() {
            TypeFilter::All
        } else {
            TypeFilter::Except(own.into_iter().map(|(name, _)| name).collect())
        };
        add(target, rest, of_all);
    };
    by_type(CleanupTarget::Jobs(JobEnd::Completed), options.completed, |it| {
        it.completed
    });
    by_type(CleanupTarget::Jobs(JobEnd::Stopped), options.stopped, |it| {
        it.stopped
    });
    by_type(CleanupTarget::Jobs(JobEnd::Abandoned), options.abandoned, |it| {
        it.abandoned
    });
    by_type(
        CleanupTarget::Logs(Some(RunOutcome::Succeeded)),
        options.logs,
        |it| it.logs,
    );
    for outcome in FAILED {
        by_type(CleanupTarget::Logs(Some(outcome)), options.failed_logs, |it| {
            it.failed_logs
        });
    }
    add(CleanupTarget::Nodes, TypeFilter::All, options.nodes);
    steps
}

fn before(now: Timestamp, time: Duration) -> Option<Timestamp> {
    now.checked_sub_signed(TimeDelta::from_std(time).ok()?)
}
