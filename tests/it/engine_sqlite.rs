//! The engine on a SQLite file, step by step under a clock of the test: outages, retries, commands, and jobs enqueued in a caller's transaction.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tasks_abstractions::prelude::*;
use tasks_abstractions::store::SubmitAnswer;
use tasks_abstractions::{
    AbandonedNotice, AdministratorChannel, ChannelError, Clock, CommandAnswer, EnqueueRequest, JobArgs,
    JobCommand, JobStatus, JobStore, RetryPolicy, RunOutcome, StoreError,
};
use tasks_multitenancy::TenantScope;
use tasks_store_seaorm::{SeaOrmStore, SeaOrmStoreOptions};
use tasks_testing::{ManualClock, TestHost, TestHostBuilder};
use tempfile::TempDir;

/// A SQLite file and the clock of whoever opens it.
pub(crate) struct Place {
    folder: TempDir,
    pub(crate) clock: Arc<ManualClock>,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            clock: Arc::new(ManualClock::new()),
        }
    }

    pub(crate) async fn store(&self) -> Arc<SeaOrmStore> {
        let file = self.folder.path().join("jobs.db");
        let mut options = SeaOrmStoreOptions::path(file).unwrap();
        options.busy_timeout = Duration::from_millis(100);
        Arc::new(SeaOrmStore::connect(options, self.clock.clone()).await.unwrap())
    }

    pub(crate) fn node(&self, store: &Arc<SeaOrmStore>) -> TestHostBuilder {
        TestHost::builder(store, self.clock.clone() as Arc<dyn Clock>)
    }
}

/// Holds the write lock of the file, as another program in a long transaction does.
async fn locked(store: &SeaOrmStore) -> impl Future<Output = ()> {
    use sea_orm::{ConnectionTrait, TransactionTrait};
    let options = sea_orm::TransactionOptions {
        sqlite_transaction_mode: Some(sea_orm::SqliteTransactionMode::Immediate),
        ..sea_orm::TransactionOptions::default()
    };
    let tx = store.connection().begin_with_options(options).await.unwrap();
    tx.execute_unprepared("SELECT 1").await.unwrap();
    async move { tx.commit().await.unwrap() }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn outcomes_are_kept_while_the_file_is_locked_and_written_when_it_is_free() {
    let place = Place::new();
    let store = place.store().await;
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&runs);
    let job = move |_| {
        counted.fetch_add(1, Ordering::SeqCst);
        async { Ok(Outcome::Done) }
    };
    let host = place.node(&store).run("t", job).build().unwrap();
    host.engine().register_step().await.unwrap();
    host.enqueue_many("t", 20).await.unwrap();
    assert_eq!(host.engine().claim_step().await.unwrap().claimed, 20);
    let limit = Duration::from_secs(30);
    host.recorder()
        .wait_for("20 ends", limit, |it| it.ended() == 20)
        .await
        .unwrap();
    while host.engine().executing() > 0 {
        tokio::task::yield_now().await;
    }
    let release = locked(&store).await;
    let error = host.engine().finish_step().await.unwrap_err();
    assert!(error.is_unavailable(), "{error}");
    assert_eq!(host.engine().unsettled(), 20, "the outcomes are kept");
    assert!(host.engine().claim_step().await.unwrap_err().is_unavailable());
    release.await;
    host.settle_all().await.unwrap();
    assert_eq!(host.run_due().await.unwrap(), 0);
    assert_eq!(
        store
            .counts(TenantScope::All)
            .await
            .unwrap()
            .of(JobStatus::Completed),
        20
    );
    assert_eq!(runs.load(Ordering::SeqCst), 20);
}

#[derive(Default)]
struct Told(std::sync::Mutex<Vec<AbandonedNotice>>);

#[async_trait]
impl AdministratorChannel for Told {
    fn name(&self) -> &str {
        "told"
    }

    async fn notify(&self, notice: &AbandonedNotice) -> Result<(), ChannelError> {
        self.0.lock().unwrap().push(notice.clone());
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_job_waits_longer_each_time_is_given_up_and_told_of_once() {
    let place = Place::new();
    let store = place.store().await;
    let told = Arc::new(Told::default());
    let fails = |_| async { Err(JobError::msg("the printer is on fire")) };
    let host = place
        .node(&store)
        .run("t", fails)
        .channel(told.clone())
        .build()
        .unwrap();
    let mut request = EnqueueRequest::new("t", JobArgs::new());
    request.max_try_count = Some(3);
    request.retry_policy = Some(RetryPolicy {
        factor: 2.0,
        jitter: 0.0,
        ..RetryPolicy::fixed(Duration::from_secs(10))
    });
    let id = host.enqueue_with(request).await.unwrap();
    for (tries, wait) in [(1, 10), (2, 20)] {
        assert_eq!(host.run_due().await.unwrap(), 1);
        let job = host.find(id).await.unwrap();
        assert_eq!((job.status, job.try_count), (JobStatus::FailedRetry, tries));
        assert_eq!(
            job.next_run_time,
            Some(place.clock.now() + Duration::from_secs(wait))
        );
        assert_eq!(host.run_due().await.unwrap(), 0, "it is not due yet");
        place.clock.advance(Duration::from_secs(wait));
    }
    // The last try, and the notifications by both channels.
    assert_eq!(host.run_due().await.unwrap(), 3);
    let job = host.find(id).await.unwrap();
    assert_eq!((job.status, job.is_abandoned), (JobStatus::Stopped, true));
    assert_eq!(job.result.as_deref(), Some("the printer is on fire"));
    let told = told.0.lock().unwrap().clone();
    assert_eq!(told.len(), 1);
    assert_eq!((told[0].job_id, told[0].try_count), (id, 3));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_pause_during_a_run_wins_over_its_failure_and_not_over_its_success() {
    for (is_done, status, outcome) in [
        (true, JobStatus::Completed, RunOutcome::Succeeded),
        (false, JobStatus::Paused, RunOutcome::Cancelled),
    ] {
        let place = Place::new();
        let store = place.store().await;
        let run = move |ctx: JobRunnableContext| async move {
            ctx.cancellation().cancelled().await;
            if is_done {
                Ok(Outcome::Done)
            } else {
                Err(JobError::msg("ended early"))
            }
        };
        let host = place.node(&store).run("t", run).build().unwrap();
        host.engine().register_step().await.unwrap();
        let id = host.enqueue("t").await.unwrap();
        assert_eq!(host.engine().claim_step().await.unwrap().claimed, 1);
        host.recorder()
            .started(id, 1, Duration::from_secs(30))
            .await
            .unwrap();
        assert_eq!(
            host.command(id, JobCommand::Pause).await.unwrap(),
            CommandAnswer::Changed
        );
        host.engine().cancel_step().await.unwrap();
        host.recorder()
            .ended(id, 1, Duration::from_secs(30))
            .await
            .unwrap();
        while host.engine().executing() > 0 {
            tokio::task::yield_now().await;
        }
        host.settle_all().await.unwrap();
        let job = host.find(id).await.unwrap();
        assert_eq!(job.status, status);
        assert_eq!(job.try_count, 0, "a cancelled run does not count");
        assert_eq!(host.recorder().count(outcome), 1);
        assert_eq!(host.run_due().await.unwrap(), 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_job_in_the_callers_transaction_commits_or_vanishes_with_it() {
    let place = Place::new();
    let store = place.store().await;
    let host = place
        .node(&store)
        .run("t", |_| async { Ok(Outcome::Done) })
        .build()
        .unwrap();
    let prepare = || {
        host.jobs()
            .prepare_request(EnqueueRequest::new("t", JobArgs::new()))
            .unwrap()
    };

    let vanished = store
        .transaction(|tx| {
            let job = prepare();
            async move {
                tx.enqueue(job).await.map_err(|it| {
                    StoreError::new(tasks_abstractions::store::StoreErrorKind::Invalid, it.to_string())
                })?;
                Err::<(), _>(StoreError::new(
                    tasks_abstractions::store::StoreErrorKind::Invalid,
                    "the order is wrong",
                ))
            }
        })
        .await;
    assert_eq!(vanished.unwrap_err().to_string(), "the order is wrong");
    assert_eq!(host.run_due().await.unwrap(), 0, "nothing was enqueued");

    let job = prepare();
    let answers = store
        .transaction(|tx| {
            let twice = [job.clone(), job.clone()];
            async move { tx.enqueue_many(&twice).await }
        })
        .await
        .unwrap();
    assert_eq!(
        answers,
        [SubmitAnswer::Inserted, SubmitAnswer::Exists],
        "a duplicate does not break the transaction"
    );
    assert_eq!(host.run_due().await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_program_started_anew_takes_over_at_once_and_says_so() {
    let place = Place::new();
    let first = place.store().await;
    let host = place
        .node(&first)
        .run("t", |_| std::future::pending())
        .build()
        .unwrap();
    host.engine().register_step().await.unwrap();
    let id = host.enqueue("t").await.unwrap();
    assert_eq!(host.engine().claim_step().await.unwrap().claimed, 1);
    // The process is gone: its connections and its lock file with it.
    drop(host);
    first.close().await.unwrap();

    let second = place.store().await;
    let seen = Arc::new(AtomicUsize::new(0));
    let interruptions = Arc::clone(&seen);
    let run = move |ctx: JobRunnableContext| {
        interruptions.store(ctx.interruptions() as usize, Ordering::SeqCst);
        async { Ok(Outcome::Done) }
    };
    let host = place.node(&second).run("t", run).build().unwrap();
    host.engine().register_step().await.unwrap();
    assert_eq!(
        host.engine().rescue_step().await.unwrap(),
        1,
        "no waiting for the lease"
    );
    host.settle_all().await.unwrap();
    assert_eq!(host.run_due().await.unwrap(), 1);
    assert_eq!(seen.load(Ordering::SeqCst), 1, "the second run knows");
    assert_eq!(host.find(id).await.unwrap().status, JobStatus::Completed);
}
