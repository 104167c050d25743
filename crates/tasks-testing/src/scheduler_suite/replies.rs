//! Replies that are lost on the way: what was carried out is neither lost nor done twice.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use tasks_abstractions::store::{NodeState, PreparedJob, SubmitAnswer};
use tasks_abstractions::{
    EnqueueRequest, JobArgs, JobError, JobQueue, JobStatus, JobStore, Outcome, RunOutcome,
};
use tasks_multitenancy::TenantScope;

use super::Call;
use super::fixture::{Gate, LIMIT, SchedulerFixture, done, endless, pass, secs};
use super::once::keeping_nothing_of;
use super::retries::Notices;
use crate::{Record, TestHost};

/// A job that is not submitted yet, so that it can be submitted again.
fn prepared_on(host: &TestHost) -> PreparedJob {
    host.jobs()
        .prepare_request(EnqueueRequest::new("t", JobArgs::new()))
        .unwrap()
}

/// Executions of a claim whose reply was lost are found by a heartbeat and given back: run once, uncounted.
pub async fn a_lost_claim_is_given_back(fx: &impl SchedulerFixture) {
    let queue = fx.faulty_queue();
    queue.lose(Call::Claim, 2);
    let host = fx
        .node("a")
        .queue(Arc::clone(&queue) as _)
        .run("t", |ctx| async move {
            assert_eq!((ctx.attempt(), ctx.interruptions()), (1, 0));
            Ok(Outcome::Done)
        })
        .build()
        .unwrap();
    let ids = host.enqueue_many("t", 100).await.unwrap();
    host.start();
    host.recorder()
        .wait_for("100 successes", secs(30), |it| {
            it.count(RunOutcome::Succeeded) == 100
        })
        .await
        .unwrap();
    host.recorder()
        .look(|it| assert!(ids.iter().all(|id| it.started_of(*id) == 1)));
}

/// A claim that commits only after a heartbeat looked is found by a later one.
pub async fn a_claim_that_is_answered_late_is_not_given_back(fx: &impl SchedulerFixture) {
    let queue = fx.faulty_queue();
    let held = queue.hold(Call::Claim);
    let host = fx
        .node("a")
        .queue(Arc::clone(&queue) as _)
        .run("t", done)
        .build()
        .unwrap();
    let id = host.enqueue("t").await.unwrap();
    host.start();
    held.arrived().await;
    pass(secs(60)).await;
    assert_eq!(
        host.find(id).await.unwrap().status,
        JobStatus::Running,
        "not given back by heartbeats"
    );
    held.release();
    host.recorder()
        .settled(id, RunOutcome::Succeeded, 1, secs(1))
        .await
        .unwrap();
    assert_eq!(host.recorder().look(|it| it.started_of(id)), 1);
}

/// While one claim is on its way others go on, in the slots that it left.
pub async fn a_claim_that_is_answered_late_holds_up_no_other(fx: &impl SchedulerFixture) {
    const JOBS: usize = 1_000;
    const SLOTS: usize = 400;
    let queue = fx.faulty_queue();
    let held = Arc::new(OnceLock::new());
    let (of_job, to_hold) = (Arc::clone(&queue), Arc::clone(&held));
    let host = fx
        .node("a")
        .queue(Arc::clone(&queue) as _)
        .options(|it| it.max_concurrency = SLOTS)
        .run("t", move |_| {
            // The node knows that there is more: its first claim came back full.
            to_hold.get_or_init(|| of_job.hold(Call::Claim));
            async { Ok(Outcome::Done) }
        })
        .build()
        .unwrap();
    host.enqueue_many("t", JOBS).await.unwrap();
    host.start();
    let done = |count| move |it: &Record| it.count(RunOutcome::Succeeded) >= count;
    let recorder = host.recorder();
    recorder
        .wait_for("all but those of one claim", secs(30), done(JOBS - SLOTS / 2))
        .await
        .unwrap();
    let held = held.get().unwrap();
    held.arrived().await;
    assert!(recorder.look(|it| it.count(RunOutcome::Succeeded)) < JOBS);
    held.release();
    recorder.wait_for("all", secs(30), done(JOBS)).await.unwrap();
}

/// Outcomes whose reply was lost are found to be stored: told as applied, counted and logged once, and the administrator hears of an abandonment
/// once.
pub async fn a_lost_finish_is_applied_once(fx: &impl SchedulerFixture) {
    let queue = fx.faulty_queue();
    let notices = Arc::new(Notices::default());
    queue.lose(Call::Finish, 2);
    let host = fx
        .node("a")
        .queue(Arc::clone(&queue) as _)
        .channel(Arc::clone(&notices) as _)
        .run("t", done)
        .run("bad", |_| async { Err(JobError::msg("no").permanent()) })
        .build()
        .unwrap();
    let good = host.enqueue_many("t", 10).await.unwrap();
    let bad = host.enqueue("bad").await.unwrap();
    host.start();
    host.recorder()
        .settled(bad, RunOutcome::Failed, 1, secs(10))
        .await
        .unwrap();
    host.recorder()
        .wait_for("ten jobs and two deliveries", secs(10), |it| {
            it.count(RunOutcome::Succeeded) == 12
        })
        .await
        .unwrap();
    pass(secs(60)).await;
    for id in good {
        let job = host.find(id).await.unwrap();
        assert_eq!((job.status, job.trigger_count), (JobStatus::Completed, 1));
        assert_eq!(super::logs_of(&host, id).await.len(), 1);
        assert_eq!(host.recorder().look(|it| it.started_of(id)), 1);
    }
    assert_eq!(notices.count(), 1);
    assert_eq!((host.engine().executing(), host.engine().unsettled()), (0, 0));
}

/// Where neither job nor log row is left to tell of an outcome whose reply was lost, the missing job does.
pub async fn a_lost_finish_of_what_is_not_kept_is_told_as_applied(fx: &impl SchedulerFixture) {
    let queue = fx.faulty_queue();
    queue.lose(Call::Finish, 2);
    let host = fx
        .node("a")
        .queue(Arc::clone(&queue) as _)
        .run("t", done)
        .retention(keeping_nothing_of("t"))
        .build()
        .unwrap();
    let ids = host.enqueue_many("t", 10).await.unwrap();
    host.start();
    let recorder = host.recorder();
    for id in &ids {
        recorder
            .settled(*id, RunOutcome::Succeeded, 1, secs(10))
            .await
            .unwrap();
        assert_eq!(fx.store().find(TenantScope::All, *id).await.unwrap(), None);
    }
    pass(secs(60)).await;
    recorder.look(|it| {
        assert!(ids.iter().all(|id| it.started_of(*id) == 1));
        assert_eq!(it.count(RunOutcome::Succeeded), 10);
    });
    assert_eq!((host.engine().executing(), host.engine().unsettled()), (0, 0));
}

/// A caller whose submit was not answered submits the same prepared jobs again: they are there once.
pub async fn a_lost_submit_may_be_repeated(fx: &impl SchedulerFixture) {
    let queue = fx.faulty_queue();
    let host = fx
        .node("a")
        .queue(Arc::clone(&queue) as _)
        .run("t", done)
        .build()
        .unwrap();
    host.start();
    let prepared = prepared_on(&host);
    let id = prepared.job.id;
    queue.lose(Call::Submit, 1);
    assert!(host.jobs().submit(vec![prepared.clone()]).await.is_err());
    assert_eq!(
        host.jobs().submit(vec![prepared]).await.unwrap(),
        [SubmitAnswer::Exists]
    );
    host.recorder()
        .settled(id, RunOutcome::Succeeded, 1, secs(5))
        .await
        .unwrap();
    pass(secs(60)).await;
    assert_eq!(host.recorder().look(|it| it.started_of(id)), 1);
}

/// A node that has nothing to do starts a job that is stored in it at once, and claims nothing for it. Where its slots are taken the job waits for one.
pub async fn a_job_that_is_stored_in_an_idle_node_needs_no_claim(fx: &impl SchedulerFixture) {
    let queue = fx.faulty_queue();
    let gate = Gate::new();
    let host = fx
        .node("a")
        .queue(Arc::clone(&queue) as _)
        .options(|it| {
            it.poll_interval = secs(3_600);
            it.max_concurrency = 1;
        })
        .run("t", done)
        .run("long", gate.job())
        .build()
        .unwrap();
    host.start();
    pass(secs(2)).await;
    let before = queue.calls(Call::Claim);
    for _ in 0..5 {
        let id = host.enqueue("t").await.unwrap();
        host.recorder()
            .settled(id, RunOutcome::Succeeded, 1, secs(1))
            .await
            .unwrap();
    }
    assert_eq!(queue.calls(Call::Claim), before);

    let long = host.enqueue("long").await.unwrap();
    host.recorder().started(long, 1, secs(1)).await.unwrap();
    let waits = host.enqueue("t").await.unwrap();
    pass(secs(2)).await;
    assert_eq!(
        host.find(waits).await.unwrap().status,
        JobStatus::Queuing,
        "the one slot is taken"
    );
    gate.open(1);
    host.recorder()
        .settled(waits, RunOutcome::Succeeded, 1, secs(5))
        .await
        .unwrap();
    assert!(queue.calls(Call::Claim) > before, "it was claimed as any other");
}

/// Its claim is known here before it is sent: heartbeats that look while the answer is on its way do not give it back.
pub async fn a_job_born_claimed_that_is_answered_late_is_not_given_back(fx: &impl SchedulerFixture) {
    let queue = fx.faulty_queue();
    let host = fx
        .node("a")
        .queue(Arc::clone(&queue) as _)
        .run("t", done)
        .build()
        .unwrap();
    host.start();
    pass(secs(2)).await;
    let prepared = prepared_on(&host);
    let id = prepared.job.id;
    let held = queue.hold(Call::Submit);
    let (stored, ()) = tokio::join!(host.jobs().submit(vec![prepared]), async {
        held.arrived().await;
        pass(secs(60)).await;
        assert_eq!(
            host.find(id).await.unwrap().status,
            JobStatus::Running,
            "not given back by heartbeats"
        );
        held.release();
    });
    assert_eq!(stored.unwrap(), [SubmitAnswer::Inserted]);
    host.recorder()
        .settled(id, RunOutcome::Succeeded, 1, secs(1))
        .await
        .unwrap();
    pass(secs(60)).await;
    assert_eq!(host.recorder().look(|it| it.started_of(id)), 1);
}

/// A slot that was kept for a job which then did not need it goes to the work that came meanwhile.
pub async fn a_slot_that_was_kept_in_vain_is_free_again(fx: &impl SchedulerFixture) {
    let queue = fx.faulty_queue();
    let host = fx
        .node("a")
        .queue(Arc::clone(&queue) as _)
        .options(|it| {
            it.poll_interval = secs(1);
            it.max_concurrency = 1;
        })
        .run("t", done)
        .build()
        .unwrap();
    let other = fx.node("b").run("t", done).build().unwrap();
    host.start();
    pass(secs(2)).await;
    let prepared = prepared_on(&host);
    host.jobs().submit(vec![prepared.clone()]).await.unwrap();
    host.recorder()
        .settled(prepared.job.id, RunOutcome::Succeeded, 1, secs(1))
        .await
        .unwrap();
    pass(secs(2)).await;

    let held = queue.hold(Call::Submit);
    let (again, waits) = tokio::join!(host.jobs().submit(vec![prepared]), async {
        held.arrived().await;
        let waits = other.enqueue("t").await.unwrap();
        pass(secs(5)).await;
        assert_eq!(
            host.recorder().look(|it| it.started_of(waits)),
            0,
            "the one slot is kept"
        );
        held.release();
        waits
    });
    assert_eq!(again.unwrap(), [SubmitAnswer::Exists]);
    host.recorder()
        .settled(waits, RunOutcome::Succeeded, 1, secs(3))
        .await
        .unwrap();
}

/// A job that was stored and started in one step, of which the answer was lost, is found by a heartbeat and given back: run once, uncounted.
pub async fn a_lost_answer_to_a_job_born_claimed_loses_nothing(fx: &impl SchedulerFixture) {
    let queue = fx.faulty_queue();
    let host = fx
        .node("a")
        .queue(Arc::clone(&queue) as _)
        .run("t", |ctx| async move {
            assert_eq!((ctx.attempt(), ctx.interruptions()), (1, 0));
            Ok(Outcome::Done)
        })
        .build()
        .unwrap();
    host.start();
    pass(secs(2)).await;
    let prepared = prepared_on(&host);
    let id = prepared.job.id;
    queue.lose(Call::Submit, 1);
    assert!(host.jobs().submit(vec![prepared]).await.is_err());
    assert_eq!(
        host.find(id).await.unwrap().status,
        JobStatus::Running,
        "it was stored as claimed"
    );
    host.recorder()
        .settled(id, RunOutcome::Succeeded, 1, secs(30))
        .await
        .unwrap();
    pass(secs(60)).await;
    assert_eq!(host.recorder().look(|it| it.started_of(id)), 1);
    assert_eq!(host.engine().executing(), 0, "its slot is free again");
}

/// Renewals whose replies are lost end nothing: the store knows that the node lives.
pub async fn lost_renewals_end_nothing(fx: &impl SchedulerFixture) {
    let queue = fx.faulty_queue();
    let gate = Gate::new();
    let a = fx
        .node("a")
        .queue(Arc::clone(&queue) as _)
        .run("t", gate.job())
        .build()
        .unwrap();
    let b = fx.node("b").run("other", done).build().unwrap();
    a.start();
    b.start();
    let id = a.enqueue("t").await.unwrap();
    a.recorder().started(id, 1, LIMIT).await.unwrap();
    for _ in 0..10 {
        queue.lose(Call::Renew, 3);
        pass(secs(10)).await;
    }
    gate.open(1);
    a.recorder()
        .settled(id, RunOutcome::Succeeded, 1, secs(1))
        .await
        .unwrap();
    assert_eq!(a.recorder().look(|it| it.started_of(id)), 1);
    let nodes = fx.store().nodes().await.unwrap();
    assert!(nodes.iter().all(|it| it.state == NodeState::Alive));
}

/// A take-over whose reply was lost still ends as an interruption: the job knows that a process died under it, and waits as a suspect.
pub async fn a_lost_take_over_is_an_interruption(fx: &impl SchedulerFixture) {
    let a = fx.node("a").run("t", endless).build().unwrap();
    a.start();
    let id = a.enqueue("t").await.unwrap();
    a.recorder().started(id, 1, LIMIT).await.unwrap();
    a.kill();
    let queue = fx.faulty_queue();
    let seen = Arc::new(AtomicUsize::new(usize::MAX));
    let see = Arc::clone(&seen);
    let b = fx
        .node("b")
        .queue(Arc::clone(&queue) as _)
        .run("t", move |ctx| {
            see.store(
                usize::try_from(ctx.interruptions()).unwrap_or(usize::MAX),
                Ordering::Relaxed,
            );
            done(ctx)
        })
        .build()
        .unwrap();
    b.start();
    // The first of them finds nothing to take over; the store counts only those that do.
    pass(secs(15)).await;
    queue.lose(Call::TakeOver, 100);
    pass(secs(20)).await;
    queue.lose(Call::TakeOver, 0);
    b.recorder()
        .settled(id, RunOutcome::Succeeded, 1, LIMIT)
        .await
        .unwrap();
    assert_eq!(seen.load(Ordering::Relaxed), 1);
    assert_eq!(b.recorder().count(RunOutcome::Interrupted), 1);
}
