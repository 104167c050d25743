//! Commands on jobs that wait, run, are held, or are done.

use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use tasks_abstractions::{
    CancelReason, CommandAnswer, EnqueueRequest, JobArgs, JobCommand, JobError, JobId, JobInfo,
    JobManagement, JobStatus, JobType, Outcome, RunOutcome,
};

use super::fixture::{Gate, LIMIT, SchedulerFixture, done, pass, secs, until_cancelled};
use crate::TestHost;

async fn change(host: &TestHost, id: JobId, command: JobCommand) {
    let answer = host.command(id, command).await.unwrap();
    assert_eq!(answer, CommandAnswer::Changed, "{command}");
}

async fn status(host: &TestHost, id: JobId) -> (JobStatus, bool) {
    let job = host.find(id).await.unwrap();
    (job.status, job.is_running)
}

/// Pausing cancels the run, which counts for nothing; resuming runs the job anew.
pub async fn pause_cancels_the_run_uncounted(fx: &impl SchedulerFixture) {
    let reasons: Arc<Mutex<Vec<Option<CancelReason>>>> = Arc::default();
    let seen = Arc::clone(&reasons);
    let host = fx
        .patient_node("a")
        .run("t", move |ctx| {
            let seen = Arc::clone(&seen);
            async move {
                let result = until_cancelled(ctx.clone()).await;
                seen.lock().unwrap().push(ctx.cancel_reason());
                result
            }
        })
        .build()
        .unwrap();
    host.start();
    let id = host.enqueue("t").await.unwrap();
    host.recorder().started(id, 1, LIMIT).await.unwrap();
    change(&host, id, JobCommand::Pause).await;
    host.recorder()
        .settled(id, RunOutcome::Cancelled, 1, secs(1))
        .await
        .unwrap();
    let job = host.find(id).await.unwrap();
    assert_eq!(
        (job.status, job.is_running, job.try_count, job.trigger_count),
        (JobStatus::Paused, false, 0, 0)
    );
    pass(secs(3600)).await;
    assert_eq!(host.recorder().look(|it| it.started_of(id)), 1);
    change(&host, id, JobCommand::Resume).await;
    host.recorder().started(id, 2, secs(1)).await.unwrap();
    assert_eq!(status(&host, id).await, (JobStatus::Running, true));
    change(&host, id, JobCommand::Stop).await;
    host.recorder()
        .settled(id, RunOutcome::Cancelled, 2, secs(1))
        .await
        .unwrap();
    assert_eq!(status(&host, id).await, (JobStatus::Stopped, false));
    assert_eq!(
        *reasons.lock().unwrap(),
        [Some(CancelReason::Paused), Some(CancelReason::Stopped)]
    );
}

/// What was done before the pause reached it is done: a Once job is Completed, and a resume does not repeat it.
pub async fn a_late_success_wins_over_pause(fx: &impl SchedulerFixture) {
    for resumes in [false, true] {
        let gate = Gate::new();
        let host = fx.patient_node("a").run("t", gate.job()).build().unwrap();
        host.start();
        let id = host.enqueue("t").await.unwrap();
        host.recorder().started(id, 1, LIMIT).await.unwrap();
        change(&host, id, JobCommand::Pause).await;
        assert_eq!(status(&host, id).await, (JobStatus::Paused, true));
        if resumes {
            change(&host, id, JobCommand::Resume).await;
        }
        gate.open(2);
        host.recorder()
            .settled(id, RunOutcome::Succeeded, 1, secs(1))
            .await
            .unwrap();
        pass(secs(3600)).await;
        assert_eq!(status(&host, id).await, (JobStatus::Completed, false));
        assert_eq!(host.recorder().look(|it| it.started_of(id)), 1);
        host.shutdown().await;
    }
}

/// Paused and resumed during a run that then fails or ends as cancelled: the job is armed anew, with its tries forgotten.
pub async fn resume_during_a_run_arms_unless_it_ends_done(fx: &impl SchedulerFixture) {
    let host = fx
        .node("a")
        .run("t", |ctx| async move {
            ctx.cancellation().cancelled().await;
            Err(JobError::msg("interrupted work"))
        })
        .build()
        .unwrap();
    let id = host.enqueue("t").await.unwrap();
    host.engine().register_step().await.unwrap();
    host.engine().claim_step().await.unwrap();
    host.recorder().started(id, 1, LIMIT).await.unwrap();
    change(&host, id, JobCommand::Pause).await;
    change(&host, id, JobCommand::Resume).await;
    host.start();
    host.recorder()
        .settled(id, RunOutcome::Cancelled, 1, secs(10))
        .await
        .unwrap();
    host.recorder().started(id, 2, secs(1)).await.unwrap();
}

/// Stop disarms; start arms anew, and clears abandonment and tries.
pub async fn start_begins_anew(fx: &impl SchedulerFixture) {
    let host = fx
        .patient_node("a")
        .run("t", |_| async { Err(JobError::msg("no")) })
        .build()
        .unwrap();
    host.start();
    let mut request = EnqueueRequest::new("t", JobArgs::new());
    request.max_try_count = Some(1);
    let id = host.enqueue_with(request).await.unwrap();
    host.recorder()
        .settled(id, RunOutcome::Failed, 1, LIMIT)
        .await
        .unwrap();
    assert!(host.find(id).await.unwrap().is_abandoned);
    change(&host, id, JobCommand::Start).await;
    host.recorder()
        .settled(id, RunOutcome::Failed, 2, secs(1))
        .await
        .unwrap();
    let job = host.find(id).await.unwrap();
    assert_eq!((job.is_abandoned, job.try_count, job.trigger_count), (true, 1, 2));
    // A delayed job that is stopped does not run when it would have been due.
    let mut request = EnqueueRequest::new("t", JobArgs::new());
    request.delay = Some(secs(60));
    let id = host.enqueue_with(request).await.unwrap();
    change(&host, id, JobCommand::Stop).await;
    pass(secs(3600)).await;
    assert_eq!(status(&host, id).await, (JobStatus::Stopped, false));
    assert_eq!(host.recorder().look(|it| it.started_of(id)), 0);
}

/// Trigger: brings a waiting execution forward; during a run asks for one more, once; beside a held or finished job runs once and leaves
/// its state.
pub async fn trigger_runs_now_in_every_state(fx: &impl SchedulerFixture) {
    let gate = Gate::new();
    let host = fx.node("a").run("t", gate.job()).build().unwrap();
    host.start();
    let job = JobInfo {
        job_type: JobType::Persistent,
        interval: secs(3600),
        begin_time: fx.now() + TimeDelta::hours(10),
        ..host.job("t").build(&host.engine().options().limits).unwrap()
    };
    let id = job.id;
    host.management().create(job).await.unwrap();
    let trigger = async || host.command(id, JobCommand::Trigger).await.unwrap();
    assert_eq!(trigger().await, CommandAnswer::Changed, "waiting");
    host.recorder().started(id, 1, secs(1)).await.unwrap();
    assert_eq!(trigger().await, CommandAnswer::Changed, "running");
    assert_eq!(trigger().await, CommandAnswer::Unchanged, "asked for already");
    gate.open(1);
    host.recorder().started(id, 2, secs(1)).await.unwrap();
    gate.open(1);
    host.recorder()
        .settled(id, RunOutcome::Succeeded, 2, secs(1))
        .await
        .unwrap();
    assert_eq!(status(&host, id).await, (JobStatus::Queuing, false));
    for (runs, command, state) in [
        (3, JobCommand::Pause, JobStatus::Paused),
        (4, JobCommand::Stop, JobStatus::Stopped),
    ] {
        change(&host, id, command).await;
        assert_eq!(trigger().await, CommandAnswer::Changed, "{state}");
        host.recorder().started(id, runs, secs(1)).await.unwrap();
        assert_eq!(status(&host, id).await, (state, true));
        gate.open(1);
        host.recorder()
            .settled(id, RunOutcome::Succeeded, runs, secs(1))
            .await
            .unwrap();
        assert_eq!(status(&host, id).await, (state, false));
    }
    let once = host.enqueue("t").await.unwrap();
    gate.open(1);
    host.recorder()
        .settled(once, RunOutcome::Succeeded, 1, secs(1))
        .await
        .unwrap();
    change(&host, once, JobCommand::Trigger).await;
    gate.open(1);
    host.recorder()
        .settled(once, RunOutcome::Succeeded, 2, secs(1))
        .await
        .unwrap();
    assert_eq!(status(&host, once).await, (JobStatus::Completed, false));
}

/// A manual run that fails is neither retried nor does it change the job; the administrator hears of it.
pub async fn a_failed_manual_run_is_told_and_not_retried(fx: &impl SchedulerFixture) {
    let notices = Arc::new(super::retries::Notices::default());
    let host = fx
        .patient_node("a")
        .channel(Arc::clone(&notices) as _)
        .run("t", |_| async { Err(JobError::msg("no")) })
        .build()
        .unwrap();
    let id = host.enqueue("t").await.unwrap();
    change(&host, id, JobCommand::Pause).await;
    change(&host, id, JobCommand::Trigger).await;
    host.start();
    host.recorder()
        .settled(id, RunOutcome::Failed, 1, LIMIT)
        .await
        .unwrap();
    pass(secs(3600)).await;
    let job = host.find(id).await.unwrap();
    assert_eq!(
        (job.status, job.is_abandoned, job.trigger_count),
        (JobStatus::Paused, false, 1)
    );
    assert_eq!(host.recorder().look(|it| it.started_of(id)), 1);
    assert_eq!(notices.count(), 1);
}

/// Cancelling a run ends it uncounted: a Once job is Stopped, a repeating one goes on with its next fire.
pub async fn cancel_ends_one_run(fx: &impl SchedulerFixture) {
    let host = fx.node("a").run("t", until_cancelled).build().unwrap();
    host.start();
    let once = host.enqueue("t").await.unwrap();
    let repeating = JobInfo {
        job_type: JobType::Persistent,
        interval: secs(60),
        ..host.job("t").build(&host.engine().options().limits).unwrap()
    };
    host.management().create(repeating.clone()).await.unwrap();
    for (id, shown) in [(once, JobStatus::Stopped), (repeating.id, JobStatus::Queuing)] {
        host.recorder().started(id, 1, LIMIT).await.unwrap();
        change(&host, id, JobCommand::Cancel).await;
        host.recorder()
            .settled(id, RunOutcome::Cancelled, 1, secs(1))
            .await
            .unwrap();
        let job = host.find(id).await.unwrap();
        assert_eq!((job.status, job.try_count, job.trigger_count), (shown, 0, 0));
        assert_eq!(
            host.command(id, JobCommand::Cancel).await.unwrap(),
            CommandAnswer::Unchanged
        );
    }
    host.recorder().started(repeating.id, 2, secs(61)).await.unwrap();
}

/// Disabling disarms and cancels; a disabled job cannot be triggered; enabling arms an active one.
pub async fn disable_disarms_and_enable_arms(fx: &impl SchedulerFixture) {
    let host = fx.patient_node("a").run("t", until_cancelled).build().unwrap();
    host.start();
    let id = host.enqueue("t").await.unwrap();
    host.recorder().started(id, 1, LIMIT).await.unwrap();
    change(&host, id, JobCommand::Disable).await;
    host.recorder()
        .settled(id, RunOutcome::Cancelled, 1, secs(1))
        .await
        .unwrap();
    pass(secs(3600)).await;
    assert_eq!(host.recorder().look(|it| it.started_of(id)), 1);
    let refused = host.command(id, JobCommand::Trigger).await.unwrap();
    assert!(matches!(refused, CommandAnswer::Refused(_)), "{refused:?}");
    change(&host, id, JobCommand::Enable).await;
    host.recorder().started(id, 2, secs(1)).await.unwrap();
}

/// Deleting a job asks its run to end, records it, and drops whatever the code says later.
pub async fn delete_during_a_run_drops_its_outcome(fx: &impl SchedulerFixture) {
    let reasons: Arc<Mutex<Vec<Option<CancelReason>>>> = Arc::default();
    let seen = Arc::clone(&reasons);
    let host = fx
        .node("a")
        .run("t", move |ctx| {
            let seen = Arc::clone(&seen);
            async move {
                ctx.cancellation().cancelled().await;
                seen.lock().unwrap().push(ctx.cancel_reason());
                Ok(Outcome::Done)
            }
        })
        .build()
        .unwrap();
    host.start();
    let id = host.enqueue("t").await.unwrap();
    host.recorder().started(id, 1, LIMIT).await.unwrap();
    change(&host, id, JobCommand::Delete).await;
    host.recorder().ended(id, 1, secs(10)).await.unwrap();
    host.recorder()
        .wait_for("the dropped outcome", secs(1), |it| it.settled() == 1)
        .await
        .unwrap();
    assert_eq!(*reasons.lock().unwrap(), [Some(CancelReason::Deleted)]);
    assert_eq!(host.recorder().count(RunOutcome::Succeeded), 0, "not applied");
    assert!(host.find(id).await.is_err());
    let log = super::logs_of(&host, id).await;
    assert_eq!(log.len(), 1);
    assert_eq!(log[0].outcome, RunOutcome::Cancelled);
    assert_eq!(
        host.command(id, JobCommand::Delete).await.unwrap(),
        CommandAnswer::NotFound
    );
    assert_eq!((host.engine().executing(), host.engine().unsettled()), (0, 0));
}

/// A schedule that is edited during a run is armed after it, also where the run ends Done.
pub async fn an_edit_during_a_run_arms_the_new_schedule(fx: &impl SchedulerFixture) {
    let gate = Gate::new();
    let host = fx.node("a").run("t", gate.job()).build().unwrap();
    host.start();
    let job = JobInfo {
        job_type: JobType::Persistent,
        interval: secs(60),
        ..host.job("t").build(&host.engine().options().limits).unwrap()
    };
    let id = job.id;
    let stored = host.management().create(job).await.unwrap();
    host.recorder().started(id, 1, LIMIT).await.unwrap();
    let begin_time = fx.now() + TimeDelta::hours(5);
    let edited = JobInfo { begin_time, ..stored };
    host.management()
        .update(tasks_multitenancy::TenantScope::All, edited)
        .await
        .unwrap();
    gate.open(1);
    host.recorder()
        .settled(id, RunOutcome::Succeeded, 1, secs(1))
        .await
        .unwrap();
    assert_eq!(host.find(id).await.unwrap().next_run_time, Some(begin_time));
}

/// A job whose node is edited during its run goes on where it belongs now.
pub async fn an_edit_of_the_node_during_a_run_moves_the_job(fx: &impl SchedulerFixture) {
    let gate = Gate::new();
    let a = fx.node("a").run("t", gate.job()).build().unwrap();
    let b = fx.node("b").run("t", done).build().unwrap();
    a.start();
    let job = JobInfo {
        job_type: JobType::Persistent,
        interval: secs(60),
        ..a.job("t").build(&a.engine().options().limits).unwrap()
    };
    let id = job.id;
    let stored = a.management().create(job).await.unwrap();
    a.recorder().started(id, 1, LIMIT).await.unwrap();
    let edited = JobInfo {
        node_name: Some("b".to_owned()),
        ..stored
    };
    a.management()
        .update(tasks_multitenancy::TenantScope::All, edited)
        .await
        .unwrap();
    gate.open(10);
    a.recorder()
        .settled(id, RunOutcome::Succeeded, 1, secs(1))
        .await
        .unwrap();
    b.start();
    b.recorder()
        .settled(id, RunOutcome::Succeeded, 2, secs(200))
        .await
        .unwrap();
    assert_eq!(a.recorder().look(|it| it.started_of(id)), 1);
}
