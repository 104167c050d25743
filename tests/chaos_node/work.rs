//! The jobs: they do what their arguments say, and write down that they did.

use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use async_trait::async_trait;
use tasks_abstractions::prelude::*;
use tasks_abstractions::store::SubmitAnswer;
use tasks_abstractions::{EnqueueError, EnqueueRequest, JobArgs, JobId, JobRegistration};
use tasks_core::JobRegistry;
use tests::chaos::{CHILDREN, Does, EndKind, SOUR, SPECIAL_TYPE, WORK_TYPE, Work};

use crate::ledger::Ledger;

inject! {
    /// Nearly every job.
    pub(crate) struct Ordinary {
        ledger: Arc<Ledger>,
        jobs: Arc<dyn BackgroundJobManager>,
    }
}

inject! {
    /// A job of a type that an older program does not know.
    pub(crate) struct Special {
        ledger: Arc<Ledger>,
        jobs: Arc<dyn BackgroundJobManager>,
    }
}

/// Registers what this program knows.
pub(crate) fn register(registry: &mut JobRegistry, is_older: bool) -> Result<()> {
    registry.add_job(&JobRegistration::of::<Ordinary>("chaos"))?;
    if !is_older {
        registry.add_job(&JobRegistration::of::<Special>("chaos"))?;
    }
    Ok(())
}

#[async_trait]
impl BackgroundJob for Ordinary {
    const NAME: &'static str = WORK_TYPE;
    type Args = Work;

    async fn execute(&self, work: Work, ctx: &JobRunnableContext) -> JobResult {
        work_on(work, ctx, &self.ledger, self.jobs.as_ref()).await
    }
}

#[async_trait]
impl BackgroundJob for Special {
    const NAME: &'static str = SPECIAL_TYPE;
    type Args = Work;

    async fn execute(&self, work: Work, ctx: &JobRunnableContext) -> JobResult {
        work_on(work, ctx, &self.ledger, self.jobs.as_ref()).await
    }
}

async fn work_on(
    work: Work,
    ctx: &JobRunnableContext,
    ledger: &Ledger,
    jobs: &dyn BackgroundJobManager,
) -> JobResult {
    ledger.start(ctx).await.map_err(|it| broken(&it))?;
    let how = match work.does {
        Does::Locked { key, millis } => locked(key, millis, ctx, ledger).await.map_err(|it| broken(&it))?,
        Does::Parent { millis } => parent(millis, ctx, ledger, jobs)
            .await
            .map_err(|it| broken(&it))?,
        does => act(does, ctx).await,
    };
    ledger.end(ctx, how).await.map_err(|it| broken(&it))?;
    match how {
        EndKind::Done => Ok(Outcome::Done),
        EndKind::Failed => Err(JobError::msg("fails as it was told to")),
        EndKind::Cancelled => Err(JobError::msg("was asked to end")),
    }
}

/// Waits for a lock until it is asked to end, and works under it.
async fn locked(key: u8, millis: u64, ctx: &JobRunnableContext, ledger: &Ledger) -> Result<EndKind> {
    let key = format!("lock {key}");
    let lock = loop {
        // The store may take its time, or be away: then nobody has a lock, and it is asked for again.
        tokio::select! {
            lock = ctx.lock(&key) => if let Ok(Some(lock)) = lock {
                break lock;
            },
            () = ctx.cancellation().cancelled() => return Ok(EndKind::Cancelled),
        }
        take(30).await;
    };
    ledger.held(ctx, &key).await?;
    take(millis).await;
    ledger.freed(ctx).await?;
    // What cannot be given back ends with the run.
    drop(lock.release().await);
    ctx.set_result("did it");
    Ok(EndKind::Done)
}

/// Enqueues a job, again and again until the store has answered, for its id is the same each time.
async fn parent(
    millis: u64,
    ctx: &JobRunnableContext,
    ledger: &Ledger,
    jobs: &dyn BackgroundJobManager,
) -> Result<EndKind> {
    let name = ctx.job().id.to_string();
    let id = JobId::from_name(ctx.tenant(), CHILDREN, &name);
    let work = Work {
        serial: 0,
        does: Does::Quick { millis },
    };
    let mut request = EnqueueRequest::new(WORK_TYPE, JobArgs::from_typed(&work)?);
    request.id = Some(id);
    request.group = Some(CHILDREN.to_owned());
    request.name = Some(name);
    let job = jobs.prepare_request(request)?;
    loop {
        match jobs.submit(vec![job.clone()]).await {
            Ok(answers) if matches!(answers[..], [SubmitAnswer::Inserted | SubmitAnswer::Exists]) => break,
            Ok(answers) => bail!("a child was answered with {answers:?}"),
            Err(EnqueueError::Store(error)) if error.is_unavailable() => {}
            Err(error) => return Err(error).context("a child was refused"),
        }
        if ctx.cancellation().is_cancelled() {
            return Ok(EndKind::Cancelled);
        }
        take(30).await;
    }
    ledger.child(id, work).await?;
    ctx.set_result("did it");
    Ok(EndKind::Done)
}

/// The job itself; answers how it ended.
async fn act(does: Does, ctx: &JobRunnableContext) -> EndKind {
    match does {
        Does::Quick { millis }
        | Does::Late { millis }
        | Does::Locked { millis, .. }
        | Does::Parent { millis } => {
            take(millis).await;
            ctx.set_result("did it");
            EndKind::Done
        }
        Does::Long { millis } => {
            tokio::select! {
                () = take(millis) => {
                    ctx.set_result("did it");
                    EndKind::Done
                }
                () = ctx.cancellation().cancelled() => EndKind::Cancelled,
            }
        }
        Does::FailFirst { times } if ctx.attempt() > times => EndKind::Done,
        Does::FailFirst { .. } | Does::FailAlways => {
            take(30).await;
            EndKind::Failed
        }
        Does::Abort => std::process::abort(),
        Does::Sour => {
            ctx.set_result(SOUR);
            EndKind::Done
        }
    }
}

/// The ledger cannot be written: the process is about to end.
pub(crate) fn broken(error: &anyhow::Error) -> JobError {
    JobError::msg(format!("{error:#}"))
}

#[expect(clippy::disallowed_methods, reason = "the work of these jobs is to take time")]
pub(crate) async fn take(millis: u64) {
    tokio::time::sleep(Duration::from_millis(millis)).await;
}
