//! Jobs that are run anew by hand, with other arguments.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tasks_abstractions::{
    BackgroundJob, EnqueueRequest, JobArgs, JobCommand, JobError, JobManagement, JobResult,
    JobRunnableContext, JobStatus, ManagementError, Outcome, RunOutcome,
};

use super::fixture::{LIMIT, SchedulerFixture, pass, secs, until_cancelled};
use super::management::ALL;
use crate::samples;

#[derive(Serialize, Deserialize)]
pub(super) struct Sum {
    of: Vec<u32>,
}

tasks_abstractions::inject! {
    /// Adds up; has nothing to say of nothing.
    pub(super) struct AddUp;
}

#[async_trait]
impl BackgroundJob for AddUp {
    const NAME: &'static str = "suite.add-up";
    type Args = Sum;

    async fn execute(&self, args: Sum, ctx: &JobRunnableContext) -> JobResult {
        if args.of.is_empty() {
            return Err(JobError::msg("nothing to add up").permanent());
        }
        ctx.set_result(args.of.iter().sum::<u32>().to_string());
        Ok(Outcome::Done)
    }
}

pub(super) fn sum(of: &[u32]) -> JobArgs {
    JobArgs::from_typed(&Sum { of: of.to_vec() }).unwrap()
}

/// An abandoned job that is queued anew with arguments that are right succeeds; without new ones it runs with its own.
pub async fn a_given_up_job_runs_anew_with_other_arguments(fx: &impl SchedulerFixture) {
    let host = fx.node("a").job::<AddUp>().build().unwrap();
    host.start();
    let id = host
        .enqueue_with(EnqueueRequest::new(AddUp::NAME, sum(&[])))
        .await
        .unwrap();
    host.recorder()
        .settled(id, RunOutcome::Failed, 1, LIMIT)
        .await
        .unwrap();
    assert!(host.find(id).await.unwrap().is_abandoned);
    let requeue = async |args| host.management().requeue(ALL, id, args).await;
    requeue(None).await.unwrap();
    host.recorder()
        .settled(id, RunOutcome::Failed, 2, secs(1))
        .await
        .unwrap();
    let anew = requeue(Some(sum(&[20, 22]))).await.unwrap();
    assert_eq!(
        (anew.is_abandoned, anew.try_count, &anew.args),
        (false, 0, &sum(&[20, 22]))
    );
    host.recorder()
        .settled(id, RunOutcome::Succeeded, 1, secs(1))
        .await
        .unwrap();
    let job = host.find(id).await.unwrap();
    assert_eq!(
        (job.status, job.result.as_deref()),
        (JobStatus::Completed, Some("42"))
    );
    // Also a success may be repeated, when somebody asks for it.
    requeue(Some(sum(&[1]))).await.unwrap();
    host.recorder()
        .settled(id, RunOutcome::Succeeded, 2, secs(1))
        .await
        .unwrap();
    assert_eq!(host.find(id).await.unwrap().result.as_deref(), Some("1"));
    let mut huge = JobArgs::new();
    huge.insert("text", "x".repeat(2 * 1024 * 1024));
    let refused = requeue(Some(huge)).await;
    assert!(
        matches!(&refused, Err(ManagementError::Invalid(it)) if it.faults()[0].field == "args"),
        "{refused:?}"
    );
    let missing = host.management().requeue(ALL, samples::job_id(9), None).await;
    assert!(
        matches!(missing, Err(ManagementError::NotFound(_))),
        "{missing:?}"
    );
}

/// While a run is in flight, or the job is disabled, queueing anew is refused and the arguments stay.
pub async fn a_running_or_disabled_job_is_not_queued_anew(fx: &impl SchedulerFixture) {
    let host = fx.node("a").run("t", until_cancelled).build().unwrap();
    host.start();
    let id = host.enqueue("t").await.unwrap();
    host.recorder().started(id, 1, LIMIT).await.unwrap();
    for command in [None, Some(JobCommand::Disable)] {
        if let Some(command) = command {
            host.command(id, command).await.unwrap();
            host.recorder()
                .settled(id, RunOutcome::Cancelled, 1, secs(1))
                .await
                .unwrap();
        }
        let before = host.find(id).await.unwrap();
        let refused = host.management().requeue(ALL, id, Some(sum(&[1]))).await;
        assert!(
            matches!(refused, Err(ManagementError::Refused { .. })),
            "{refused:?}"
        );
        assert_eq!(host.find(id).await.unwrap(), before);
    }
}

/// A waiting retry is brought forward, and its tries begin anew.
pub async fn a_waiting_retry_is_queued_anew(fx: &impl SchedulerFixture) {
    let host = fx
        .patient_node("a")
        .run("t", |_| async { Err(JobError::msg("no")) })
        .build()
        .unwrap();
    host.start();
    let id = host.enqueue("t").await.unwrap();
    host.recorder()
        .settled(id, RunOutcome::Failed, 3, LIMIT)
        .await
        .unwrap();
    pass(secs(1)).await;
    assert_eq!(host.find(id).await.unwrap().status, JobStatus::FailedRetry);
    let anew = host.management().requeue(ALL, id, None).await.unwrap();
    assert_eq!((anew.status, anew.try_count), (JobStatus::Queuing, 0));
    host.recorder()
        .settled(id, RunOutcome::Failed, 4, secs(1))
        .await
        .unwrap();
    assert_eq!(host.find(id).await.unwrap().try_count, 1);
}
