//! The workers of a chaos run, all of which only write down that they ran.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use async_trait::async_trait;
use tasks_abstractions::prelude::*;
use tasks_abstractions::{MisfirePolicy, WorkerRegistration};
use tasks_core::JobRegistry;
use tests::chaos::{CRON, EVERY_FIRE, EndKind, FIRE_EVERY_SECONDS, INTERVAL};

use crate::ledger::Ledger;
use crate::work::{broken, take};

inject! {
    /// One run for all fires that were missed.
    pub(crate) struct Cron {
        ledger: Arc<Ledger>,
    }
}

inject! {
    /// A run for every fire that was missed.
    pub(crate) struct EveryFire {
        ledger: Arc<Ledger>,
    }
}

inject! {
    /// Half a second after its last run.
    pub(crate) struct Interval {
        ledger: Arc<Ledger>,
    }
}

/// Registers the workers.
pub(crate) fn register(registry: &mut JobRegistry) -> Result<()> {
    registry
        .add_worker(&WorkerRegistration::async_periodic::<Cron>("chaos"))?
        .add_worker(&WorkerRegistration::async_periodic::<EveryFire>("chaos"))?
        .add_worker(&WorkerRegistration::async_periodic::<Interval>("chaos"))?;
    Ok(())
}

fn schedule() -> WorkerSchedule {
    // First among what is due: a backlog of jobs is no reason for a late fire.
    WorkerSchedule::cron(format!("0/{FIRE_EVERY_SECONDS} * * * * ?")).priority(JobPriority::High)
}

#[async_trait]
impl AsyncPeriodicWorker for Cron {
    const NAME: &'static str = CRON;

    fn schedule(&self) -> WorkerSchedule {
        schedule()
    }

    async fn do_work(&self, ctx: &WorkerContext) -> JobResult {
        fire(ctx, &self.ledger).await
    }
}

#[async_trait]
impl AsyncPeriodicWorker for EveryFire {
    const NAME: &'static str = EVERY_FIRE;

    fn schedule(&self) -> WorkerSchedule {
        schedule().misfire(MisfirePolicy::FireAll { max: 10_000 })
    }

    async fn do_work(&self, ctx: &WorkerContext) -> JobResult {
        fire(ctx, &self.ledger).await
    }
}

#[async_trait]
impl AsyncPeriodicWorker for Interval {
    const NAME: &'static str = INTERVAL;

    fn schedule(&self) -> WorkerSchedule {
        WorkerSchedule::every(Duration::from_millis(500)).run_on_start()
    }

    async fn do_work(&self, ctx: &WorkerContext) -> JobResult {
        fire(ctx, &self.ledger).await
    }
}

async fn fire(ctx: &WorkerContext, ledger: &Ledger) -> JobResult {
    ledger.start(ctx).await.map_err(|it| broken(&it))?;
    take(20).await;
    ledger.end(ctx, EndKind::Done).await.map_err(|it| broken(&it))?;
    Ok(Outcome::Done)
}
