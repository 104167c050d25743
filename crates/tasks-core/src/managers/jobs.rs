//! Enqueueing: checks a request, makes a job of it, and stores it.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use chrono::TimeDelta;
use tasks_abstractions::store::{PreparedJob, SubmitAnswer};
use tasks_abstractions::{
    BackgroundJobManager, Clock, EnqueueError, EnqueueRequest, GuidGenerator, JobDispatcherSelectors, JobId,
    JobInfo, JobLimits, JobPublisher, JobQueue, JobSource, JobStatus, SelectedKind, SelectedType,
    ValidationErrors,
};
use tasks_multitenancy::CurrentTenant;

use crate::transition::{check_schedule, first_execution};

/// The job manager over a store.
pub struct StoreBackgroundJobManager {
    queue: Arc<dyn JobQueue>,
    publisher: Arc<dyn JobPublisher>,
    clock: Arc<dyn Clock>,
    guids: Arc<dyn GuidGenerator>,
    limits: JobLimits,
    selectors: Arc<JobDispatcherSelectors>,
}

impl StoreBackgroundJobManager {
    /// A manager that stores into `queue` and wakes nodes by `publisher`.
    #[must_use]
    pub fn new(
        queue: Arc<dyn JobQueue>,
        publisher: Arc<dyn JobPublisher>,
        clock: Arc<dyn Clock>,
        guids: Arc<dyn GuidGenerator>,
        limits: JobLimits,
    ) -> Self {
        Self {
            queue,
            publisher,
            clock,
            guids,
            limits,
            selectors: Arc::default(),
        }
    }

    /// With settings by type for the jobs that it enqueues.
    #[must_use]
    pub fn with_selectors(mut self, selectors: Arc<JobDispatcherSelectors>) -> Self {
        self.selectors = selectors;
        self
    }

    fn build(&self, request: EnqueueRequest) -> Result<JobInfo, ValidationErrors> {
        let now = self.clock.now();
        let tenant = request.tenant_id.unwrap_or_else(CurrentTenant::id);
        let group = request.group.unwrap_or_else(|| JobInfo::JOBS_GROUP.to_owned());
        let id = request.id.unwrap_or_else(|| JobId::generate(self.guids.as_ref()));
        let delayed = match request.delay {
            None => now,
            Some(delay) => TimeDelta::from_std(delay)
                .ok()
                .and_then(|delay| now.checked_add_signed(delay))
                .ok_or_else(|| {
                    ValidationErrors::one("delay", format!("is {delay:?}; expected a time before 9999"))
                })?,
        };
        let begin_time = request.begin_time.map_or(delayed, |at| at.max(delayed));
        let type_name = request.type_name.clone();
        let of = SelectedType {
            name: &type_name,
            kind: SelectedKind::Job,
            rust_type: request.rust_type,
        };
        let mut job = JobInfo::builder(id, tenant, request.type_name, now)
            .group(group)
            .args(request.args)
            .source(request.source.unwrap_or(JobSource::System))
            .begin_time(begin_time)
            .end_time(request.end_time)
            .retry_policy(request.retry_policy)
            .timeout(request.timeout)
            .lock_timeout(request.lock_timeout)
            .node_name(request.node_name)
            .description(request.description);
        if let Some(name) = request.name {
            job = job.name(name);
        }
        if let Some(priority) = request.priority {
            job = job.priority(priority);
        }
        if let Some(tries) = request.max_try_count {
            job = job.max_try_count(tries);
        }
        if let Some(interval) = request.interval {
            job = job.interval(interval);
        }
        let mut job = job.selected(&self.selectors, &of).build(&self.limits)?;
        job.status = JobStatus::Queuing;
        Ok(job)
    }
}

#[async_trait]
impl BackgroundJobManager for StoreBackgroundJobManager {
    fn prepare_request(&self, request: EnqueueRequest) -> Result<PreparedJob, EnqueueError> {
        let type_name = request.type_name.clone();
        let invalid = |source| EnqueueError::Invalid {
            job: type_name.clone(),
            source,
        };
        let mut job = self.build(request).map_err(invalid)?;
        check_schedule(&job).map_err(invalid)?;
        let now = job.creation_time;
        let first = first_execution(&job, now)
            .map_err(|reason| invalid(ValidationErrors::one("end_time", reason.to_string())))?;
        job.next_run_time = Some(first.due_at);
        Ok(PreparedJob::new(
            job,
            Some(first),
            Some(Arc::clone(&self.publisher)),
        ))
    }

    async fn submit(&self, jobs: Vec<PreparedJob>) -> Result<Vec<SubmitAnswer>, EnqueueError> {
        if let [job] = &*jobs
            && let Some(answer) = self.publisher.store_and_start(job).await
        {
            return Ok(vec![answer?]);
        }
        let answers = self.queue.submit(&jobs).await?;
        let mut wake: Option<tasks_abstractions::WakeHandle> = None;
        for (job, answer) in jobs.iter().zip(&answers) {
            if *answer == SubmitAnswer::Inserted {
                match &mut wake {
                    Some(wake) => wake.merge(job.wake_handle()),
                    None => wake = Some(job.wake_handle()),
                }
            }
        }
        if let Some(wake) = wake {
            wake.wake().await;
        }
        Ok(answers)
    }
}

impl fmt::Debug for StoreBackgroundJobManager {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreBackgroundJobManager")
            .field("queue", &self.queue)
            .finish_non_exhaustive()
    }
}
