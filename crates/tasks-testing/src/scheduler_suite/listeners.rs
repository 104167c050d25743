//! Listeners, flags and what follows a run: told, never asked.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use tasks_abstractions::job::{Lane, rank_of};
use tasks_abstractions::run::{QueueEntry, RunKind};
use tasks_abstractions::store::PreparedJob;
use tasks_abstractions::{
    BackgroundJob, FollowUpRequest, JobEvent, JobEventData, JobFlags, JobId, JobInfo, JobLimits,
    JobRegistration, JobResult, JobRunnableContext, JobSettled, JobStatus, Outcome, RunFollowUps, RunOutcome,
};

use super::fixture::{LIMIT, SchedulerFixture, done, pass, secs};

#[derive(Debug)]
struct Panics;

#[async_trait]
impl JobEvent for Panics {
    async fn before(&self, _: &JobRunnableContext) {
        panic!("before");
    }

    async fn after(&self, _: &JobEventData) {
        panic!("after");
    }

    fn settled(&self, _: &JobSettled) {
        panic!("settled");
    }
}

/// A listener that panics in every call changes nothing: the job is done, and other listeners are told.
pub async fn a_listener_that_panics_changes_nothing(fx: &impl SchedulerFixture) {
    let host = fx
        .node("a")
        .listener(Arc::new(Panics))
        .run("t", done)
        .build()
        .unwrap();
    host.start();
    let id = host.enqueue("t").await.unwrap();
    host.recorder()
        .settled(id, RunOutcome::Succeeded, 1, LIMIT)
        .await
        .unwrap();
    assert_eq!(
        host.recorder()
            .look(|it| (it.started_of(id), it.ended_of(id), it.settled())),
        (1, 1, 1)
    );
    assert_eq!(host.find(id).await.unwrap().status, JobStatus::Completed);
}

/// Panics as soon as it is called, not when its future is awaited.
#[derive(Debug)]
struct PanicsAtOnce;

impl JobEvent for PanicsAtOnce {
    fn before<'a: 'c, 'b: 'c, 'c>(&'a self, _: &'b JobRunnableContext) -> futures::future::BoxFuture<'c, ()> {
        panic!("before")
    }

    fn after<'a: 'c, 'b: 'c, 'c>(&'a self, _: &'b JobEventData) -> futures::future::BoxFuture<'c, ()> {
        panic!("after")
    }
}

/// So does one that is written by hand and panics before it has made a future.
pub async fn a_listener_that_panics_at_once_changes_nothing(fx: &impl SchedulerFixture) {
    let host = fx
        .node("a")
        .listener(Arc::new(PanicsAtOnce))
        .run("t", done)
        .build()
        .unwrap();
    host.start();
    let id = host.enqueue("t").await.unwrap();
    host.recorder()
        .settled(id, RunOutcome::Succeeded, 1, LIMIT)
        .await
        .unwrap();
}

#[derive(Debug, Default)]
struct Order(Mutex<Vec<&'static str>>);

#[async_trait]
impl JobEvent for Order {
    async fn before(&self, ctx: &JobRunnableContext) {
        assert_eq!(tasks_multitenancy::CurrentTenant::id(), ctx.tenant());
        self.0.lock().unwrap().push("before");
    }

    async fn after(&self, _: &JobEventData) {
        self.0.lock().unwrap().push("after");
    }

    fn settled(&self, it: &JobSettled) {
        assert!(it.is_applied);
        self.0.lock().unwrap().push("settled");
    }
}

/// Listeners are told before the code, after it, and when the store has the outcome, in this order and in the job's tenant.
pub async fn listeners_are_told_in_order(fx: &impl SchedulerFixture) {
    let order = Arc::new(Order::default());
    let inside = Arc::clone(&order);
    let host = fx
        .node("a")
        .listener(Arc::clone(&order) as _)
        .run("t", move |ctx| {
            inside.0.lock().unwrap().push("code");
            done(ctx)
        })
        .build()
        .unwrap();
    host.start();
    let tenant = tasks_multitenancy::TenantId::new(uuid::Uuid::from_u128(3));
    let id = tasks_multitenancy::CurrentTenant::change(tenant, host.enqueue("t"))
        .await
        .unwrap();
    host.recorder()
        .settled(id, RunOutcome::Succeeded, 1, LIMIT)
        .await
        .unwrap();
    assert_eq!(*order.0.lock().unwrap(), ["before", "code", "after", "settled"]);
}

macro_rules! quiet_job {
    ($job:ident, $name:literal) => {
        tasks_abstractions::inject! {
            /// Says "done".
            struct $job;
        }

        #[async_trait]
        impl BackgroundJob for $job {
            const NAME: &'static str = $name;
            type Args = ();

            async fn execute(&self, (): (), ctx: &JobRunnableContext) -> JobResult {
                ctx.set_result("done");
                Ok(Outcome::Done)
            }
        }
    };
}
quiet_job!(Unlogged, "suite.unlogged");
quiet_job!(Unshown, "suite.unshown");
quiet_job!(Unfollowed, "suite.unfollowed");
quiet_job!(Followed, "suite.followed");

/// One job of type `suite.followed-up` after every run of `suite.*`.
struct Follows;

impl RunFollowUps for Follows {
    fn follow_ups(&self, request: &FollowUpRequest) -> Vec<PreparedJob> {
        if request.job.type_name == "suite.followed-up" {
            return Vec::new();
        }
        let id = JobId::from_run(request.run.run_id, "follow");
        let job = JobInfo::builder(id, request.job.tenant_id, "suite.followed-up", request.now)
            .build(&JobLimits::default())
            .unwrap();
        let first = QueueEntry {
            lane: Lane::of(&job),
            rank: rank_of(job.priority),
            due_at: request.now,
            kind: RunKind::Schedule,
            attempt: 1,
        };
        vec![PreparedJob::new(
            JobInfo {
                status: JobStatus::Queuing,
                ..job
            },
            Some(first),
            None,
        )]
    }
}

struct FollowsByPanic;

impl RunFollowUps for FollowsByPanic {
    fn follow_ups(&self, _: &FollowUpRequest) -> Vec<PreparedJob> {
        panic!("no follow-ups today")
    }
}

/// The registration flags leave out exactly what they name; state and counters are always kept.
pub async fn flags_leave_out_what_they_name(fx: &impl SchedulerFixture) {
    let host = fx
        .node("a")
        .registration(JobRegistration::of::<Unlogged>("suite").with(JobFlags::DisableAuditing))
        .registration(JobRegistration::of::<Unshown>("suite").with(JobFlags::DisableJobStatus))
        .registration(JobRegistration::of::<Unfollowed>("suite").with(JobFlags::DisableJobAction))
        .run("suite.followed-up", done)
        .follow_ups(Arc::new(Follows))
        .build()
        .unwrap();
    host.start();
    for (name, logs, result, follow_ups) in [
        ("suite.unlogged", 0, Some("done"), 1),
        ("suite.unshown", 1, None, 1),
        ("suite.unfollowed", 1, Some("done"), 0),
    ] {
        let before = host.recorder().count(RunOutcome::Succeeded);
        let id = host.enqueue(name).await.unwrap();
        host.recorder()
            .settled(id, RunOutcome::Succeeded, 1, LIMIT)
            .await
            .unwrap();
        pass(secs(60)).await;
        let after = host.recorder().count(RunOutcome::Succeeded);
        assert_eq!(after - before - 1, follow_ups, "{name}");
        let job = host.find(id).await.unwrap();
        assert_eq!(
            (job.status, job.trigger_count),
            (JobStatus::Completed, 1),
            "{name}"
        );
        assert_eq!(job.result.as_deref(), result, "{name}");
        assert_eq!(job.last_run_time.is_some(), result.is_some(), "{name}");
        assert_eq!(super::logs_of(&host, id).await.len(), logs, "{name}");
    }
}

/// A source of follow-ups that panics costs its own follow-ups, not the outcome and not those of others.
pub async fn a_panic_of_follow_ups_costs_only_them(fx: &impl SchedulerFixture) {
    let host = fx
        .node("a")
        .job::<Followed>()
        .run("suite.followed-up", done)
        .follow_ups(Arc::new(FollowsByPanic))
        .follow_ups(Arc::new(Follows))
        .build()
        .unwrap();
    host.start();
    let id = host.enqueue("suite.followed").await.unwrap();
    host.recorder()
        .wait_for("job and follow-up", LIMIT, |it| {
            it.settled_of(id, RunOutcome::Succeeded) == 1 && it.count(RunOutcome::Succeeded) == 2
        })
        .await
        .unwrap();
}
