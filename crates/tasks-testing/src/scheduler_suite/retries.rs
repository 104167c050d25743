//! Failing well: retries, giving up, coming back later, and what must not be tried again.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use chrono::TimeDelta;
use tasks_abstractions::job::rank_of;
use tasks_abstractions::run::RunKind;
use tasks_abstractions::{
    AbandonedNotice, AdministratorChannel, ChannelError, EnqueueRequest, JobArgs, JobError, JobId,
    JobPriority, JobStatus, JobStore, Outcome, RetryPolicy, RunOutcome, Timestamp,
};
use tasks_multitenancy::TenantScope;

use super::fixture::{LIMIT, SchedulerFixture, done, pass, secs};
use crate::TestHost;

/// A channel that keeps what it is given; the first deliveries may fail.
#[derive(Debug, Default)]
pub(super) struct Notices {
    pub(super) delivered: Mutex<Vec<AbandonedNotice>>,
    failures: AtomicUsize,
}

impl Notices {
    pub(super) fn count(&self) -> usize {
        self.delivered.lock().unwrap().len()
    }
}

#[async_trait]
impl AdministratorChannel for Notices {
    fn name(&self) -> &str {
        "notices"
    }

    async fn notify(&self, notice: &AbandonedNotice) -> Result<(), ChannelError> {
        let left = self.failures.load(Ordering::Relaxed);
        if left > 0 {
            self.failures.store(left - 1, Ordering::Relaxed);
            return Err(ChannelError {
                channel: "notices".to_owned(),
                reason: "not yet".to_owned(),
            });
        }
        self.delivered.lock().unwrap().push(notice.clone());
        Ok(())
    }
}

async fn enqueue(host: &TestHost, tries: u32, policy: Option<RetryPolicy>) -> JobId {
    let mut request = EnqueueRequest::new("t", JobArgs::new());
    request.max_try_count = Some(tries);
    request.retry_policy = policy;
    host.enqueue_with(request).await.unwrap()
}

/// A failing job is tried again after waits that grow by half, until its tries are used up; then it is given up and the
/// administrator is told once.
pub async fn retries_grow_until_the_job_is_abandoned(fx: &impl SchedulerFixture) {
    let notices = Arc::new(Notices::default());
    let starts: Arc<Mutex<Vec<Timestamp>>> = Arc::default();
    let (seen, clock) = (Arc::clone(&starts), fx.clock().clone());
    let host = fx
        .patient_node("a")
        .channel(Arc::clone(&notices) as _)
        .run("t", move |_| {
            seen.lock().unwrap().push(tasks_abstractions::Clock::now(&clock));
            async { Err(JobError::msg("the disk is on fire")) }
        })
        .build()
        .unwrap();
    host.start();
    let policy = RetryPolicy {
        jitter: 0.0,
        ..RetryPolicy::from_base(secs(100))
    };
    let id = enqueue(&host, 4, Some(policy)).await;
    host.recorder()
        .settled(id, RunOutcome::Failed, 1, LIMIT)
        .await
        .unwrap();
    assert_eq!(host.find(id).await.unwrap().status, JobStatus::FailedRetry);
    host.recorder()
        .settled(id, RunOutcome::Failed, 4, LIMIT)
        .await
        .unwrap();
    host.recorder()
        .wait_for("both deliveries", LIMIT, |it| {
            it.count(RunOutcome::Succeeded) == 2
        })
        .await
        .unwrap();
    pass(secs(3600)).await;
    let gaps: Vec<i64> = starts
        .lock()
        .unwrap()
        .windows(2)
        .map(|it| (it[1] - it[0]).num_seconds())
        .collect();
    assert_eq!(gaps, [100, 150, 225]);
    let job = host.find(id).await.unwrap();
    assert_eq!(
        (job.status, job.is_abandoned, job.try_count, job.trigger_count),
        (JobStatus::Stopped, true, 4, 4)
    );
    assert_eq!(job.result.as_deref(), Some("the disk is on fire"));
    let told = notices.delivered.lock().unwrap().clone();
    assert_eq!(told.len(), 1, "once");
    assert_eq!(
        (told[0].job_id, told[0].try_count, told[0].outcome),
        (id, 4, RunOutcome::Failed)
    );
}

/// A delivery that fails is tried again like any job; its failure does not tell of itself.
pub async fn a_failed_notification_is_tried_again(fx: &impl SchedulerFixture) {
    let notices = Arc::new(Notices::default());
    notices.failures.store(2, Ordering::Relaxed);
    let host = fx
        .patient_node("a")
        .channel(Arc::clone(&notices) as _)
        .run("t", |_| async { Err(JobError::msg("no")) })
        .build()
        .unwrap();
    host.start();
    let id = enqueue(&host, 1, None).await;
    host.recorder()
        .wait_for("log and notices", LIMIT, |it| {
            it.count(RunOutcome::Succeeded) == 2
        })
        .await
        .unwrap();
    let told = notices.delivered.lock().unwrap().clone();
    assert_eq!(told.iter().map(|it| it.job_id).collect::<Vec<_>>(), [id]);
}

/// The waiting retry of a job that fails again and again stands back behind others; its own priority stays.
pub async fn retries_are_demoted(fx: &impl SchedulerFixture) {
    let host = fx
        .node("a")
        .run("t", |_| async { Err(JobError::msg("no")) })
        .build()
        .unwrap();
    host.start();
    let id = enqueue(&host, 6, Some(RetryPolicy::fixed(secs(10)))).await;
    let mut ranks = Vec::new();
    for tries in 1..=5 {
        host.recorder()
            .settled(id, RunOutcome::Failed, tries, LIMIT)
            .await
            .unwrap();
        let found = fx.store().snapshots(TenantScope::All, &[id]).await.unwrap();
        let waiting = found[0].waiting.clone().unwrap();
        assert_eq!(
            (waiting.kind, waiting.attempt),
            (RunKind::Retry, u32::try_from(tries).unwrap() + 1)
        );
        assert_eq!(found[0].job.priority, JobPriority::Normal);
        ranks.push(waiting.rank);
    }
    let expected = [
        JobPriority::Normal,
        JobPriority::Normal,
        JobPriority::BelowNormal,
        JobPriority::BelowNormal,
        JobPriority::Low,
    ];
    assert_eq!(ranks, expected.map(rank_of));
}

/// A snoozed job comes back later with the same attempt and untouched counters.
pub async fn a_snooze_counts_nothing(fx: &impl SchedulerFixture) {
    let attempts: Arc<Mutex<Vec<u32>>> = Arc::default();
    let seen = Arc::clone(&attempts);
    let host = fx
        .node("a")
        .run("t", move |ctx| {
            let mut attempts = seen.lock().unwrap();
            attempts.push(ctx.attempt());
            let outcome = match attempts.len() {
                1 => Err(JobError::msg("once")),
                2..=4 => Ok(Outcome::Snooze(secs(30))),
                _ => Ok(Outcome::Done),
            };
            async { outcome }
        })
        .build()
        .unwrap();
    host.start();
    let id = enqueue(&host, 2, Some(RetryPolicy::fixed(secs(10)))).await;
    host.recorder()
        .settled(id, RunOutcome::Snoozed, 3, LIMIT)
        .await
        .unwrap();
    let job = host.find(id).await.unwrap();
    assert_eq!(
        (job.try_count, job.trigger_count, job.is_abandoned),
        (1, 1, false)
    );
    host.recorder()
        .settled(id, RunOutcome::Succeeded, 1, secs(31))
        .await
        .unwrap();
    assert_eq!(*attempts.lock().unwrap(), [1, 2, 2, 2, 2]);
}

/// A retry that the code asks for counts as a try and waits as long as it says.
pub async fn a_wanted_retry_waits_as_long_as_it_says(fx: &impl SchedulerFixture) {
    let host = fx
        .node("a")
        .run("t", |ctx| async move {
            match ctx.attempt() {
                1 => Ok(Outcome::Retry { after: Some(secs(7)) }),
                2 => Err(JobError::msg("busy").retry_after(secs(9))),
                _ => Ok(Outcome::Done),
            }
        })
        .build()
        .unwrap();
    host.start();
    let id = enqueue(&host, 5, None).await;
    for (tries, wait) in [(1, 7), (2, 9)] {
        host.recorder()
            .settled(id, RunOutcome::Failed, tries, LIMIT)
            .await
            .unwrap();
        let job = host.find(id).await.unwrap();
        assert_eq!(job.try_count, u32::try_from(tries).unwrap());
        let wanted = job.next_run_time.unwrap() - fx.now();
        assert!(
            (wanted - TimeDelta::seconds(wait)).abs() < TimeDelta::milliseconds(20),
            "{wanted}"
        );
    }
    host.recorder()
        .settled(id, RunOutcome::Succeeded, 1, LIMIT)
        .await
        .unwrap();
    assert_eq!(host.find(id).await.unwrap().try_count, 0);
}

/// A job that cancels itself is Cancelled with its reason: no retry, nobody is told, no success.
pub async fn a_job_may_cancel_itself(fx: &impl SchedulerFixture) {
    let notices = Arc::new(Notices::default());
    let host = fx
        .patient_node("a")
        .channel(Arc::clone(&notices) as _)
        .run("t", |_| async {
            Ok(Outcome::Cancel("the order is gone".to_owned()))
        })
        .build()
        .unwrap();
    host.start();
    let id = enqueue(&host, 5, None).await;
    host.recorder()
        .settled(id, RunOutcome::Cancelled, 1, LIMIT)
        .await
        .unwrap();
    pass(secs(3600)).await;
    let job = host.find(id).await.unwrap();
    assert_eq!(
        (job.status, job.is_abandoned, job.try_count, job.trigger_count),
        (JobStatus::Stopped, false, 0, 0)
    );
    assert_eq!(job.result.as_deref(), Some("the order is gone"));
    assert_eq!(notices.count(), 0);
    assert_eq!(host.recorder().look(|it| it.started_of(id)), 1);
}

/// A permanent error gives a job up at once, whatever tries are left.
pub async fn a_permanent_error_abandons_at_once(fx: &impl SchedulerFixture) {
    let notices = Arc::new(Notices::default());
    let host = fx
        .patient_node("a")
        .channel(Arc::clone(&notices) as _)
        .run("t", |_| async {
            Err(JobError::msg("no such customer").permanent())
        })
        .build()
        .unwrap();
    host.start();
    let id = enqueue(&host, 50, None).await;
    is_abandoned_after_one_run(&host, id).await;
    assert_eq!(notices.count(), 1);
}

tasks_abstractions::inject! {
    /// Wants a number.
    struct WantsNumber;
}

#[async_trait]
impl tasks_abstractions::BackgroundJob for WantsNumber {
    const NAME: &'static str = "suite.wants-number";
    type Args = u32;

    async fn execute(
        &self,
        _: u32,
        ctx: &tasks_abstractions::JobRunnableContext,
    ) -> tasks_abstractions::JobResult {
        done(ctx.clone()).await
    }
}

/// Arguments that do not fit will not fit the next time either: the job is given up at once.
pub async fn bad_arguments_abandon_at_once(fx: &impl SchedulerFixture) {
    let host = fx.patient_node("a").job::<WantsNumber>().build().unwrap();
    host.start();
    let mut args = JobArgs::new();
    args.insert("number", "seven");
    let id = host
        .enqueue_with(EnqueueRequest::new("suite.wants-number", args))
        .await
        .unwrap();
    is_abandoned_after_one_run(&host, id).await;
    let result = host.find(id).await.unwrap().result.unwrap_or_default();
    assert!(result.contains("invalid type"), "{result}");
}

async fn is_abandoned_after_one_run(host: &TestHost, id: JobId) {
    host.recorder()
        .settled(id, RunOutcome::Failed, 1, LIMIT)
        .await
        .unwrap();
    pass(secs(3600)).await;
    let job = host.find(id).await.unwrap();
    assert_eq!(
        (job.status, job.is_abandoned, job.try_count),
        (JobStatus::Stopped, true, 1)
    );
}

/// The default waits of a Once job begin at 300 s, ± 10%.
pub async fn default_retries_begin_at_five_minutes(fx: &impl SchedulerFixture) {
    let host = fx
        .node("a")
        .run("t", |_| async { Err(JobError::msg("no")) })
        .build()
        .unwrap();
    host.start();
    let id = host.enqueue("t").await.unwrap();
    host.recorder()
        .settled(id, RunOutcome::Failed, 1, LIMIT)
        .await
        .unwrap();
    let wait = host.find(id).await.unwrap().next_run_time.unwrap() - fx.now();
    let wait = wait.to_std().unwrap_or(Duration::ZERO);
    assert!((secs(269)..=secs(331)).contains(&wait), "{wait:?}");
}
