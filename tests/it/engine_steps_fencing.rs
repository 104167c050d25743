//! Steps of the engine by hand: replies that come after a node was taken for dead.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::Arc;

use tasks_abstractions::store::{NodeState, StoreErrorKind};
use tasks_abstractions::{JobError, JobQueue, JobStatus, Outcome, RunOutcome};
use tasks_testing::TestHost;
use tasks_testing::scheduler_suite::{Call, FaultyQueue, MemoryScheduler, SchedulerFixture};

fn host(fx: &MemoryScheduler, queue: &Arc<FaultyQueue>) -> TestHost {
    fx.node("a")
        .queue(Arc::clone(queue) as _)
        .run("t", |_| async { Ok(Outcome::Done) })
        .build()
        .unwrap()
}

async fn bury(fx: &MemoryScheduler, host: &TestHost) {
    let instance = host.engine().instance();
    let nodes = fx.store().nodes().await.unwrap();
    let node = nodes.iter().find(|it| it.instance == instance).unwrap();
    assert!(
        fx.store()
            .declare_dead(instance, node.heartbeat_at)
            .await
            .unwrap()
    );
}

async fn alive(fx: &MemoryScheduler) -> usize {
    let nodes = fx.store().nodes().await.unwrap();
    nodes.iter().filter(|it| it.state == NodeState::Alive).count()
}

#[tokio::test(start_paused = true)]
async fn a_refusal_of_the_former_instance_does_not_fence_the_new_one() {
    let fx = MemoryScheduler::new();
    let queue = fx.faulty_queue();
    let host = host(&fx, &queue);
    let engine = host.engine();
    engine.register_step().await.unwrap();
    bury(&fx, &host).await;
    let held = queue.hold(Call::Claim);
    let (claimed, renewed) = tokio::join!(engine.claim_step(), async {
        held.arrived().await;
        engine.heartbeat_step().await.unwrap();
        let renewed = engine.instance();
        held.release();
        renewed
    });
    assert_eq!(claimed.unwrap_err().kind(), StoreErrorKind::Fenced);
    assert_eq!(engine.instance(), renewed);
    assert_eq!(alive(&fx).await, 1);
}

#[tokio::test(start_paused = true)]
async fn a_claim_of_the_former_instance_is_not_started() {
    let fx = MemoryScheduler::new();
    let queue = fx.faulty_queue();
    let host = host(&fx, &queue);
    let engine = host.engine();
    let id = host.enqueue("t").await.unwrap();
    engine.register_step().await.unwrap();
    let held = queue.hold(Call::Claim);
    let (claimed, ()) = tokio::join!(engine.claim_step(), async {
        held.arrived().await;
        bury(&fx, &host).await;
        engine.heartbeat_step().await.unwrap();
        held.release();
    });
    assert_eq!(claimed.unwrap().claimed, 1);
    assert_eq!(engine.executing(), 0, "others may run it already");
    host.settle_all().await.unwrap();
    let job = host.find(id).await.unwrap();
    assert_eq!((job.status, job.interruptions), (JobStatus::Queuing, 0));
    assert_eq!(host.run_due().await.unwrap(), 1);
    assert_eq!(host.recorder().look(|it| it.started_of(id)), 1);
}

#[tokio::test(start_paused = true)]
async fn a_claim_that_is_answered_after_the_lease_is_not_started() {
    let fx = MemoryScheduler::new();
    let queue = fx.faulty_queue();
    let host = host(&fx, &queue);
    let engine = host.engine();
    let id = host.enqueue("t").await.unwrap();
    engine.register_step().await.unwrap();
    let held = queue.hold(Call::Claim);
    let (claimed, ()) = tokio::join!(engine.claim_step(), async {
        held.arrived().await;
        // As a process that is suspended: nothing of it runs meanwhile, and this node renews nothing.
        tokio::time::advance(engine.options().lease).await;
        held.release();
    });
    assert_eq!(claimed.unwrap().claimed, 1);
    assert_eq!(engine.executing(), 0, "others may run it already");
    host.settle_all().await.unwrap();
    let job = host.find(id).await.unwrap();
    assert_eq!((job.status, job.interruptions), (JobStatus::Queuing, 0));
    engine.heartbeat_step().await.unwrap();
    assert_eq!(host.run_due().await.unwrap(), 1);
    assert_eq!(host.recorder().look(|it| it.started_of(id)), 1);
}

#[tokio::test(start_paused = true)]
async fn a_gone_outcome_is_looked_up_until_the_log_answers() {
    let fx = MemoryScheduler::new();
    let queue = fx.faulty_queue();
    let host = host(&fx, &queue);
    let engine = host.engine();
    let id = host.enqueue("t").await.unwrap();
    engine.register_step().await.unwrap();
    engine.claim_step().await.unwrap();
    let limit = TestHost::RUN_LIMIT;
    host.recorder().ended(id, 1, limit).await.unwrap();
    while engine.executing() > 0 {
        tokio::task::yield_now().await;
    }
    queue.lose(Call::Finish, 1);
    assert!(engine.finish_step().await.is_err());
    let held = queue.hold(Call::Finish);
    let (finished, ()) = tokio::join!(engine.finish_step(), async {
        held.arrived().await;
        fx.store().fail_next(1, StoreErrorKind::Unavailable);
        held.release();
    });
    assert!(
        finished.is_err(),
        "it is not known yet what became of the outcome"
    );
    assert_eq!(engine.unsettled(), 1);
    host.settle_all().await.unwrap();
    host.recorder()
        .settled(id, RunOutcome::Succeeded, 1, limit)
        .await
        .unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_hangs_fences_the_node_as_one_that_fails() {
    let fx = MemoryScheduler::new();
    let queue = fx.faulty_queue();
    let host = fx
        .node("a")
        .queue(Arc::clone(&queue) as _)
        .run("t", |ctx| async move {
            ctx.cancellation().cancelled().await;
            Err(JobError::msg("told to end"))
        })
        .build()
        .unwrap();
    host.start();
    let id = host.enqueue("t").await.unwrap();
    host.recorder().started(id, 1, TestHost::RUN_LIMIT).await.unwrap();
    let held = queue.hold(Call::Renew);
    held.arrived().await;
    let options = host.engine().options();
    host.recorder()
        .ended(id, 1, options.lease + options.heartbeat)
        .await
        .unwrap();
    held.release();
    host.recorder().started(id, 2, TestHost::RUN_LIMIT).await.unwrap();
    let job = host.find(id).await.unwrap();
    assert_eq!((job.try_count, job.trigger_count), (0, 0), "uncounted");
}
