//! Telling the administrator of jobs that were given up: durable follow-up jobs, one for each channel, once per run.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tasks_abstractions::job::{Lane, rank_of};
use tasks_abstractions::run::{QueueEntry, RunInfo, RunKind};
use tasks_abstractions::services::{FromScope, Need, Resolver, ServiceError};
use tasks_abstractions::store::{PreparedJob, Settlement};
use tasks_abstractions::{
    AbandonedNotice, AdministratorChannel, BackgroundJob, ChannelError, FollowUpRequest, JobArgs, JobError,
    JobId, JobInfo, JobLimits, JobPriority, JobRegistration, JobResult, JobRunnableContext, JobSource,
    JobStatus, Outcome, RunOutcome,
};
use tracing::error;

/// Group of the engine's own jobs.
pub const SYSTEM_GROUP: &str = "System";

/// Whether the administrator hears of this run: the job was given up, or a run by hand failed (which nobody repeats).
pub(crate) fn is_reported(run: &RunInfo, outcome: RunOutcome, is_abandoned: bool) -> bool {
    is_abandoned || (run.entry.kind == RunKind::Manual && outcome.is_failure())
}

/// The notifications of one run: their ids come from the run, so that writing them twice tells once.
pub(crate) fn notifications(
    request: &FollowUpRequest,
    settlement: &Settlement,
    channels: &[Arc<dyn AdministratorChannel>],
) -> Vec<PreparedJob> {
    let job = &request.job;
    if job.type_name == NotifyAdministrator::NAME {
        // Telling that telling failed, by the same means, would go on for ever. The failure is in the log.
        return Vec::new();
    }
    let notice = AbandonedNotice {
        job_id: job.id,
        run_id: request.run.run_id,
        tenant_id: job.tenant_id,
        name: job.name.clone(),
        group: job.group.clone(),
        type_name: job.type_name.clone(),
        outcome: request.outcome,
        message: request.message.clone(),
        try_count: settlement.update.try_count,
        interruptions: settlement.update.interruptions,
        at: request.now,
    };
    channels
        .iter()
        .filter_map(|channel| notification(request, &notice, channel.name()))
        .collect()
}

fn notification(request: &FollowUpRequest, notice: &AbandonedNotice, channel: &str) -> Option<PreparedJob> {
    let args = NotifyArgs {
        channel: channel.to_owned(),
        notice: notice.clone(),
    };
    let id = JobId::from_run(request.run.run_id, &format!("abandoned:{channel}"));
    let built = JobArgs::from_typed(&args)
        .map_err(|error| error.to_string())
        .and_then(|args| {
            JobInfo::builder(id, request.job.tenant_id, NotifyAdministrator::NAME, request.now)
                .group(SYSTEM_GROUP)
                .source(JobSource::System)
                .priority(JobPriority::High)
                .args(args)
                .build(&JobLimits::default())
                .map_err(|error| error.to_string())
        });
    let mut job = match built {
        Ok(job) => job,
        Err(problem) => {
            error!(job = %request.job.id, channel, problem, "the administrator could not be notified");
            return None;
        }
    };
    job.status = JobStatus::Queuing;
    job.next_run_time = Some(request.now);
    let first = QueueEntry {
        lane: Lane::any_node(),
        rank: rank_of(job.priority),
        due_at: request.now,
        kind: RunKind::Schedule,
        attempt: 1,
    };
    Some(PreparedJob::new(job, Some(first), None))
}

/// One notice and the channel that is to deliver it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct NotifyArgs {
    channel: String,
    notice: AbandonedNotice,
}

/// The channels of this program, by name. A service that the host provides.
#[derive(Clone)]
pub struct AdministratorChannels(pub Vec<Arc<dyn AdministratorChannel>>);

impl fmt::Debug for AdministratorChannels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.0.iter().map(|it| it.name().to_owned()))
            .finish()
    }
}

/// The job that delivers one notice by one channel. A failed delivery is tried again like any job.
#[derive(Debug)]
pub struct NotifyAdministrator {
    channels: Arc<AdministratorChannels>,
}

impl FromScope for NotifyAdministrator {
    fn from_scope(it: &Resolver<'_>) -> Result<Self, ServiceError> {
        Ok(Self { channels: it.get()? })
    }

    fn needs(out: &mut Vec<Need>) {
        out.push(Need::of::<AdministratorChannels>());
    }
}

impl NotifyAdministrator {
    /// Its registration. Every host adds it.
    #[must_use]
    pub const fn registration() -> JobRegistration {
        JobRegistration::of::<Self>("tasks-core")
    }
}

#[async_trait]
impl BackgroundJob for NotifyAdministrator {
    const NAME: &'static str = "tasks.notify-administrator";
    type Args = NotifyArgs;

    async fn execute(&self, args: NotifyArgs, _: &JobRunnableContext) -> JobResult {
        let channel = self.channels.0.iter().find(|it| it.name() == args.channel);
        let channel = channel.ok_or_else(|| {
            JobError::msg(format!(
                "no channel `{}` is registered in this program",
                args.channel
            ))
        })?;
        channel.notify(&args.notice).await?;
        Ok(Outcome::Done)
    }
}

/// The channel that is always there: an error-level line in the log.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogChannel;

#[async_trait]
impl AdministratorChannel for LogChannel {
    fn name(&self) -> &str {
        "log"
    }

    async fn notify(&self, notice: &AbandonedNotice) -> Result<(), ChannelError> {
        error!(
            job = %notice.job_id,
            r#type = %notice.type_name,
            name = %notice.name,
            run = %notice.run_id,
            tenant = %notice.tenant_id,
            outcome = %notice.outcome,
            tries = notice.try_count,
            interruptions = notice.interruptions,
            message = notice.message.as_deref().unwrap_or_default(),
            "ADMINISTRATOR: a job was given up"
        );
        Ok(())
    }
}
