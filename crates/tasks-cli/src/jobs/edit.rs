//! `tasks jobs create` and `update`: the definition and settings of a job.

use tasks_abstractions::{
    JobArgs, JobId, JobInfo, JobSource, JobType, ManagementError, SequentialGuidGenerator, SystemClock,
};
use tasks_host::HostExit;
use tasks_multitenancy::TenantId;

use super::print_job;
use crate::args::{Clearable, CreateArgs, RepeatArgs, SettingsArgs, UpdateArgs};
use crate::failure::Failure;
use crate::manage::Manage;

pub(super) async fn create(manage: &Manage, owner: TenantId, args: CreateArgs) -> Result<HostExit, Failure> {
    let guids = SequentialGuidGenerator::new(std::sync::Arc::new(SystemClock));
    let id = args.id.unwrap_or_else(|| JobId::generate(&guids));
    let mut job = JobInfo::builder(id, owner, args.type_name, manage.now())
        .source(JobSource::User)
        .is_enabled(!args.disabled)
        .build(manage.limits())
        .map_err(ManagementError::from)?;
    set(&mut job, args.settings);
    repeat(&mut job, args.repeats)?;
    let job = manage.jobs.create(job).await?;
    print_job(manage, "created", &job)
}

pub(super) async fn update(manage: &Manage, args: UpdateArgs) -> Result<HostExit, Failure> {
    let mut job = manage.jobs.get(manage.scope, args.id).await?;
    if let Some(version) = args.version {
        job.version = version;
    }
    if let Some(type_name) = args.type_name {
        job.type_name = type_name;
    }
    clear(&mut job, &args.clear);
    set(&mut job, args.settings);
    repeat(&mut job, args.repeats)?;
    let before = job.version;
    let job = manage.jobs.update(manage.scope, job).await?;
    let done = if job.version == before {
        "is so already"
    } else {
        "updated"
    };
    print_job(manage, done, &job)
}

fn set(job: &mut JobInfo, to: SettingsArgs) {
    let SettingsArgs {
        name,
        group,
        description,
        args,
        priority,
        begin,
        end,
        interval,
        retry,
        max_tries,
        timeout,
        node,
    } = to;
    job.name = name.unwrap_or_else(|| job.name.clone());
    job.group = group.unwrap_or_else(|| job.group.clone());
    job.description = description.or_else(|| job.description.take());
    job.args = args.unwrap_or_else(|| std::mem::take(&mut job.args));
    job.priority = priority.unwrap_or(job.priority);
    job.begin_time = begin.unwrap_or(job.begin_time);
    job.end_time = end.or(job.end_time);
    job.interval = interval.unwrap_or(job.interval);
    job.retry_policy = retry.or(job.retry_policy);
    job.max_try_count = max_tries.unwrap_or(job.max_try_count);
    job.timeout = timeout.or(job.timeout);
    job.node_name = node.or_else(|| job.node_name.take());
}

fn repeat(job: &mut JobInfo, to: RepeatArgs) -> Result<(), Failure> {
    let RepeatArgs {
        cron,
        zone,
        every,
        once,
        misfire,
        max_runs,
        max_interruptions,
        lock_timeout,
        failover,
    } = to;
    if let Some(cron) = cron {
        job.job_type = JobType::Period;
        job.cron = Some(cron);
    }
    if let Some(every) = every {
        job.job_type = JobType::Persistent;
        job.interval = every;
    }
    if once {
        job.job_type = JobType::Once;
    }
    if job.job_type == JobType::Period {
        job.time_zone = zone.or_else(|| job.time_zone.take());
    } else if zone.is_some() {
        return Err(Failure::Usage("--zone is for a job with --cron".to_owned()));
    } else {
        (job.cron, job.time_zone) = (None, None);
    }
    job.misfire_policy = misfire.unwrap_or(job.misfire_policy);
    job.max_count = max_runs.unwrap_or(job.max_count);
    job.max_interruptions = max_interruptions.unwrap_or(job.max_interruptions);
    job.lock_timeout = lock_timeout.or(job.lock_timeout);
    job.failover = failover.unwrap_or(job.failover);
    Ok(())
}

fn clear(job: &mut JobInfo, settings: &[Clearable]) {
    for setting in settings {
        match setting {
            Clearable::Args => job.args = JobArgs::new(),
            Clearable::Description => job.description = None,
            Clearable::End => job.end_time = None,
            Clearable::LockTimeout => job.lock_timeout = None,
            Clearable::Name => job.name = job.id.to_string(),
            Clearable::Node => job.node_name = None,
            Clearable::Retry => job.retry_policy = None,
            Clearable::Timeout => job.timeout = None,
            Clearable::Zone => job.time_zone = None,
        }
    }
}
