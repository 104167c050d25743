//! Jobs that are done once: now, later, in order, many.

use std::sync::{Arc, Mutex};

use chrono::TimeDelta;
use serde::{Deserialize, Serialize};
use tasks_abstractions::{
    EnqueueRequest, JobArgs, JobError, JobId, JobPriority, JobStatus, JobStore, Outcome, RunOutcome,
    prelude::BackgroundJobManagerExt,
};
use tasks_core::{CleaningOptions, Retention, TypeRetention};
use tasks_multitenancy::{CurrentTenant, TenantId, TenantScope};
use uuid::Uuid;

use super::fixture::{LIMIT, SchedulerFixture, done, pass, secs};

/// A job that is due runs once, and its outcome is on the job and in the log.
pub async fn a_once_job_runs_once(fx: &impl SchedulerFixture) {
    let host = fx.patient_node("a").run("t", done).build().unwrap();
    host.start();
    let id = host.enqueue("t").await.unwrap();
    host.recorder()
        .settled(id, RunOutcome::Succeeded, 1, LIMIT)
        .await
        .unwrap();
    pass(secs(3600)).await;
    let job = host.find(id).await.unwrap();
    assert_eq!((job.status, job.trigger_count), (JobStatus::Completed, 1));
    assert_eq!(host.recorder().look(|it| it.started_of(id)), 1);
    let log = super::logs_of(&host, id).await;
    assert_eq!(log.len(), 1);
    assert_eq!(
        (log[0].outcome, log[0].attempt, log[0].node_name.as_str()),
        (RunOutcome::Succeeded, 1, "a")
    );
}

/// Of a type of which nothing is kept, a success leaves neither the job nor a log row; what failed before stays on record, and other types are not concerned.
pub async fn a_success_that_is_not_kept_leaves_nothing(fx: &impl SchedulerFixture) {
    let host = fx
        .patient_node("a")
        .run("t", done)
        .run("quiet", |ctx| async move {
            match ctx.attempt() {
                1 => Err(JobError::msg("not yet")),
                _ => Ok(Outcome::Done),
            }
        })
        .retention(keeping_nothing_of("quiet"))
        .build()
        .unwrap();
    host.start();
    let kept = host.enqueue("t").await.unwrap();
    let id = host.enqueue("quiet").await.unwrap();
    let recorder = host.recorder();
    recorder.settled(id, RunOutcome::Failed, 1, LIMIT).await.unwrap();
    assert_eq!(host.find(id).await.unwrap().status, JobStatus::FailedRetry);
    recorder
        .settled(id, RunOutcome::Succeeded, 1, LIMIT)
        .await
        .unwrap();
    let left = fx.store().find(TenantScope::All, id).await.unwrap();
    assert_eq!(left, None);
    let outcomes = super::logs_of(&host, id).await;
    assert_eq!(
        outcomes.iter().map(|it| it.outcome).collect::<Vec<_>>(),
        [RunOutcome::Failed]
    );
    assert_eq!(host.find(kept).await.unwrap().status, JobStatus::Completed);
    assert_eq!(super::logs_of(&host, kept).await.len(), 1);
}

/// Options by which nothing is kept of what succeeds of one type.
pub(super) fn keeping_nothing_of(type_name: &str) -> CleaningOptions {
    let mut options = CleaningOptions::default();
    let nothing = TypeRetention {
        completed: Some(Retention::None),
        logs: Some(Retention::None),
        ..TypeRetention::default()
    };
    options.types.insert(type_name.to_owned(), nothing);
    options
}

/// A delayed job runs when it is due and not before.
pub async fn a_delayed_job_runs_when_it_is_due(fx: &impl SchedulerFixture) {
    let host = fx.patient_node("a").run("t", done).build().unwrap();
    host.start();
    let mut request = EnqueueRequest::new("t", JobArgs::new());
    request.delay = Some(secs(3600));
    let id = host.enqueue_with(request).await.unwrap();
    pass(secs(3600 - 1)).await;
    assert_eq!(host.recorder().look(|it| it.started_of(id)), 0);
    let due = fx.now() + TimeDelta::seconds(1);
    host.recorder()
        .settled(id, RunOutcome::Succeeded, 1, secs(2))
        .await
        .unwrap();
    let log = super::logs_of(&host, id).await;
    let late = log[0].started_at - due;
    assert!(
        late >= TimeDelta::zero() && late < TimeDelta::milliseconds(20),
        "late by {late}"
    );
}

/// Of two due jobs that of the higher priority goes first; of equal ones the one that was due first.
pub async fn higher_priorities_go_first(fx: &impl SchedulerFixture) {
    let order = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&order);
    let host = fx
        .node("a")
        .options(|it| it.max_concurrency = 1)
        .run("t", move |ctx| {
            seen.lock().unwrap().push(ctx.get_or_default_string("n", ""));
            done(ctx)
        })
        .build()
        .unwrap();
    let of = |name: &str, priority| {
        let mut args = JobArgs::new();
        args.insert("n", name);
        let mut request = EnqueueRequest::new("t", args);
        request.priority = Some(priority);
        request
    };
    for (name, priority) in [
        ("low", JobPriority::Low),
        ("normal 1", JobPriority::Normal),
        ("high", JobPriority::High),
        ("normal 2", JobPriority::Normal),
    ] {
        host.enqueue_with(of(name, priority)).await.unwrap();
        pass(std::time::Duration::from_millis(1)).await;
    }
    host.start();
    host.recorder()
        .wait_for("four runs", LIMIT, |it| it.settled() == 4)
        .await
        .unwrap();
    assert_eq!(*order.lock().unwrap(), ["high", "normal 1", "normal 2", "low"]);
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Order {
    number: u32,
    note: String,
}

tasks_abstractions::inject! {
    /// Answers its arguments as its result.
    struct Echo;
}

#[async_trait::async_trait]
impl tasks_abstractions::BackgroundJob for Echo {
    const NAME: &'static str = "suite.echo";
    type Args = Order;

    async fn execute(
        &self,
        args: Order,
        ctx: &tasks_abstractions::JobRunnableContext,
    ) -> tasks_abstractions::JobResult {
        assert_eq!(ctx.get_string("note").ok().as_ref(), Some(&args.note));
        assert_eq!(ctx.get_job_data::<u32>("number").ok(), Some(args.number));
        assert_eq!(ctx.try_get_string("missing"), None);
        ctx.set_json_result(&args)?;
        Ok(Outcome::Done)
    }
}

/// Arguments arrive typed and as text; the result is stored with the job and the log.
pub async fn arguments_and_results_come_through(fx: &impl SchedulerFixture) {
    let host = fx.node("a").job::<Echo>().build().unwrap();
    host.start();
    let order = Order {
        number: 7,
        note: "zwölf € 漢字".to_owned(),
    };
    let id = host.jobs().enqueue::<Echo>(order.clone()).await.unwrap();
    host.recorder()
        .settled(id, RunOutcome::Succeeded, 1, LIMIT)
        .await
        .unwrap();
    let job = host.find(id).await.unwrap();
    let result: Order = serde_json::from_str(job.result.as_deref().unwrap_or_default()).unwrap();
    assert_eq!(result, order);
}

/// A result that is too long is cut and says so, and NUL characters become visible ones: neither stops the job.
pub async fn long_results_are_cut(fx: &impl SchedulerFixture) {
    let host = fx
        .node("a")
        .run("t", |ctx| {
            ctx.set_result(format!("\0{}", "ä".repeat(10_000)));
            done(ctx)
        })
        .build()
        .unwrap();
    host.start();
    let id = host.enqueue("t").await.unwrap();
    host.recorder()
        .settled(id, RunOutcome::Succeeded, 1, LIMIT)
        .await
        .unwrap();
    let result = host.find(id).await.unwrap().result.unwrap_or_default();
    assert_eq!(result.chars().count(), 1_000);
    assert!(
        result.starts_with("\u{2400}ä") && result.ends_with("[cut]"),
        "{result}"
    );
}

/// The run's tenant is ambient in its code and in tasks that carry it on, and the next run starts without it.
pub async fn the_tenant_is_ambient_in_a_run(fx: &impl SchedulerFixture) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let see = Arc::clone(&seen);
    let host = fx
        .node("a")
        .run("t", move |ctx| {
            let see = Arc::clone(&see);
            async move {
                let inside = CurrentTenant::id();
                let spawned = CurrentTenant::spawn(async { CurrentTenant::id() }).await?;
                let blocking = CurrentTenant::spawn_blocking(CurrentTenant::id).await?;
                see.lock()
                    .unwrap()
                    .push([ctx.tenant(), inside, spawned, blocking]);
                Ok(Outcome::Done)
            }
        })
        .build()
        .unwrap();
    host.start();
    let tenant = TenantId::new(Uuid::from_u128(42));
    let id = CurrentTenant::change(tenant, host.enqueue("t")).await.unwrap();
    host.recorder()
        .settled(id, RunOutcome::Succeeded, 1, LIMIT)
        .await
        .unwrap();
    let id = host.enqueue("t").await.unwrap();
    host.recorder()
        .settled(id, RunOutcome::Succeeded, 1, LIMIT)
        .await
        .unwrap();
    assert_eq!(*seen.lock().unwrap(), [[tenant; 4], [TenantId::HOST; 4]]);
}

/// Progress is visible while the run goes on and gone after it.
pub async fn progress_is_visible_during_the_run(fx: &impl SchedulerFixture) {
    let gate = super::fixture::Gate::new();
    let wait = gate.clone();
    let host = fx
        .node("a")
        .run("t", move |ctx| {
            let wait = wait.clone();
            async move {
                ctx.progress(1, 3, "one");
                ctx.progress(2, 3, "two");
                wait.pass().await;
                Ok(Outcome::Done)
            }
        })
        .build()
        .unwrap();
    host.start();
    let id = host.enqueue("t").await.unwrap();
    host.recorder().started(id, 1, LIMIT).await.unwrap();
    pass(secs(1)).await;
    let progress = host.engine().progress();
    assert_eq!(progress.len(), 1);
    assert_eq!(
        (
            progress[0].0.id,
            progress[0].2.done,
            progress[0].2.total,
            progress[0].2.message.as_str()
        ),
        (id, 2, 3, "two")
    );
    gate.open(1);
    host.recorder()
        .settled(id, RunOutcome::Succeeded, 1, LIMIT)
        .await
        .unwrap();
    assert!(host.engine().progress().is_empty());
}

/// A backlog far over the node's slots is drained, each job once, never more at once than allowed.
pub async fn a_backlog_is_drained(fx: &impl SchedulerFixture) {
    let (running, most) = (Arc::new(Mutex::new(0_usize)), Arc::new(Mutex::new(0_usize)));
    let (run, top) = (Arc::clone(&running), Arc::clone(&most));
    let host = fx
        .node("a")
        .options(|it| it.max_concurrency = 16)
        .run("t", move |_| {
            let (run, top) = (Arc::clone(&run), Arc::clone(&top));
            async move {
                {
                    let mut run = run.lock().unwrap();
                    *run += 1;
                    let mut top = top.lock().unwrap();
                    *top = (*top).max(*run);
                }
                tokio::task::yield_now().await;
                *run.lock().unwrap() -= 1;
                Ok(Outcome::Done)
            }
        })
        .build()
        .unwrap();
    let ids = host.enqueue_many("t", 5_000).await.unwrap();
    host.start();
    host.recorder()
        .wait_for("5,000 successes", LIMIT, |it| {
            it.count(RunOutcome::Succeeded) == 5_000
        })
        .await
        .unwrap();
    let once = host
        .recorder()
        .look(|it| ids.iter().all(|id: &JobId| it.started_of(*id) == 1));
    assert!(once, "each job runs once");
    assert_eq!(*most.lock().unwrap(), 16);
    let counts = host.store().counts(TenantScope::All).await.unwrap();
    assert_eq!(counts.of(JobStatus::Completed), 5_000);
}

/// Two jobs of one key run one after the other where they ask for the lock, and the end of a run frees what it held.
pub async fn a_lock_keeps_others_out_until_the_run_ends(fx: &impl SchedulerFixture) {
    let gate = super::fixture::Gate::new();
    let wait = gate.clone();
    let host = fx
        .node("a")
        .run("t", move |ctx| {
            let wait = wait.clone();
            async move {
                let Some(_held_to_the_end) = ctx.lock("printer").await? else {
                    return Ok(Outcome::Snooze(secs(5)));
                };
                ctx.set_result("printed");
                wait.pass().await;
                Ok(Outcome::Done)
            }
        })
        .build()
        .unwrap();
    host.start();
    let first = host.enqueue("t").await.unwrap();
    host.recorder().started(first, 1, LIMIT).await.unwrap();
    let second = host.enqueue("t").await.unwrap();
    host.recorder()
        .settled(second, RunOutcome::Snoozed, 2, LIMIT)
        .await
        .unwrap();
    gate.open(2);
    host.recorder()
        .settled(first, RunOutcome::Succeeded, 1, secs(1))
        .await
        .unwrap();
    host.recorder()
        .settled(second, RunOutcome::Succeeded, 1, secs(6))
        .await
        .unwrap();
}
