//! A store that goes away, comes back, or refuses a row.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tasks_abstractions::{JobStatus, Outcome, RunOutcome};
use tasks_core::DurableFinish;

use super::fixture::{Gate, LIMIT, SchedulerFixture, all_written, done, pass, secs};

/// While the store is away outcomes are kept and nothing is claimed; when it is back everything is written and the work goes on.
pub async fn outcomes_are_kept_while_the_store_is_away(fx: &impl SchedulerFixture) {
    let gate = Gate::new();
    let host = fx
        .node("a")
        .options(|it| it.max_concurrency = 20)
        .run("t", gate.job())
        .build()
        .unwrap();
    host.start();
    let ids = host.enqueue_many("t", 40).await.unwrap();
    host.recorder()
        .wait_for("20 starts", LIMIT, |it| it.started() == 20)
        .await
        .unwrap();
    fx.store().set_available(false);
    gate.open(40);
    host.recorder()
        .wait_for("20 ends", secs(1), |it| it.ended() == 20)
        .await
        .unwrap();
    pass(secs(15)).await;
    assert_eq!(host.engine().unsettled(), 20);
    assert_eq!(
        host.recorder().look(crate::Record::started),
        20,
        "nothing is claimed"
    );
    assert!(host.enqueue("t").await.is_err());
    fx.store().set_available(true);
    host.recorder()
        .wait_for("40 successes", secs(10), |it| {
            it.count(RunOutcome::Succeeded) == 40
        })
        .await
        .unwrap();
    host.recorder()
        .look(|it| assert!(ids.iter().all(|id| it.started_of(*id) == 1)));
}

/// A node whose kept outcomes reached their limit goes on claiming when they are written.
pub async fn claiming_goes_on_after_the_limit_of_kept_outcomes(fx: &impl SchedulerFixture) {
    let gate = Gate::new();
    let host = fx
        .node("a")
        .options(|it| {
            it.max_concurrency = 5;
            it.max_unsettled = 5;
        })
        .run("t", gate.job())
        .build()
        .unwrap();
    host.start();
    host.enqueue_many("t", 20).await.unwrap();
    host.recorder()
        .wait_for("five starts", LIMIT, |it| it.started() == 5)
        .await
        .unwrap();
    fx.store().set_available(false);
    gate.open(20);
    pass(secs(15)).await;
    assert_eq!(host.engine().unsettled(), 5);
    fx.store().set_available(true);
    host.recorder()
        .wait_for("20 successes", LIMIT, |it| it.count(RunOutcome::Succeeded) == 20)
        .await
        .unwrap();
}

/// A node that starts while the store is away begins to work when it is there.
pub async fn a_node_may_start_before_its_store(fx: &impl SchedulerFixture) {
    let host = fx.node("a").run("t", done).build().unwrap();
    let id = host.enqueue("t").await.unwrap();
    fx.store().set_available(false);
    host.start();
    pass(secs(600)).await;
    fx.store().set_available(true);
    host.recorder()
        .settled(id, RunOutcome::Succeeded, 1, secs(10))
        .await
        .unwrap();
}

/// One outcome that the store refuses does not hold up the others of its batch, and is itself stored without its texts.
pub async fn a_bad_row_is_found_and_reduced(fx: &impl SchedulerFixture) {
    let queue = fx.faulty_queue();
    queue.refuse_text("bad");
    let count = Arc::new(AtomicUsize::new(0));
    let host = fx
        .node("a")
        .queue(Arc::clone(&queue) as _)
        .run("t", move |ctx| {
            let number = count.fetch_add(1, Ordering::Relaxed);
            ctx.set_result(if number == 23 { "bad" } else { "good" });
            done(ctx)
        })
        .build()
        .unwrap();
    let ids = host.enqueue_many("t", 50).await.unwrap();
    assert_eq!(host.run_due().await.unwrap(), 50);
    assert_eq!(host.recorder().count(RunOutcome::Succeeded), 50);
    assert_eq!(queue.largest_finish(), 50, "one batch");
    let mut good = 0;
    for id in ids {
        let job = host.find(id).await.unwrap();
        assert_eq!(job.status, JobStatus::Completed);
        match job.result.as_deref() {
            Some("good") => good += 1,
            Some(text) => assert!(text.contains("could not be stored"), "{text}"),
            None => panic!("no result"),
        }
        assert_eq!(super::logs_of(&host, id).await.len(), 1);
    }
    assert_eq!(good, 49);
}

/// An outcome that the store refuses in every form stays with the node: the run neither counts as done nor runs again and again.
pub async fn an_outcome_that_is_always_refused_runs_once(fx: &impl SchedulerFixture) {
    let queue = fx.faulty_queue();
    queue.refuse_all(true);
    let host = fx
        .node("a")
        .queue(Arc::clone(&queue) as _)
        .options(|it| it.poll_interval = secs(20))
        .run("t", done)
        .build()
        .unwrap();
    host.start();
    let id = host.enqueue("t").await.unwrap();
    host.recorder().ended(id, 1, LIMIT).await.unwrap();
    pass(secs(600)).await;
    assert_eq!(host.recorder().look(|it| it.started_of(id)), 1);
    assert_eq!(host.find(id).await.unwrap().status, JobStatus::Running);
    queue.refuse_all(false);
    host.shutdown().await;
    let next = fx.node("b").run("t", done).build().unwrap();
    next.start();
    next.recorder()
        .settled(id, RunOutcome::Interrupted, 1, LIMIT)
        .await
        .unwrap();
    next.recorder()
        .settled(id, RunOutcome::Succeeded, 1, LIMIT)
        .await
        .unwrap();
}

/// With durable finish, every outcome has a transaction of its own; by default they share one.
pub async fn durable_finish_writes_each_outcome_alone(fx: &impl SchedulerFixture) {
    for (durable_finish, largest) in [(DurableFinish::Each, 1), (DurableFinish::Batched, 30)] {
        let queue = fx.faulty_queue();
        let host = fx
            .node("a")
            .queue(Arc::clone(&queue) as _)
            .options(|it| it.durable_finish = durable_finish)
            .run("t", |_| async { Ok(Outcome::Done) })
            .build()
            .unwrap();
        host.enqueue_many("t", 30).await.unwrap();
        host.start();
        host.recorder()
            .wait_for("30 successes", LIMIT, |it| it.count(RunOutcome::Succeeded) == 30)
            .await
            .unwrap();
        all_written(host.engine()).await;
        assert_eq!(queue.largest_finish(), largest, "{durable_finish:?}");
        host.shutdown().await;
    }
}
