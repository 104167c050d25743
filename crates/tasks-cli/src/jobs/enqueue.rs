//! `tasks jobs enqueue`: a job that runs once.

use serde_json::json;
use tasks_abstractions::store::SubmitAnswer;
use tasks_abstractions::{EnqueueRequest, JobSource};
use tasks_host::HostExit;
use tasks_multitenancy::TenantId;

use crate::args::{EnqueueArgs, Output};
use crate::failure::Failure;
use crate::manage::Manage;
use crate::output;

pub(super) async fn run(manage: &Manage, owner: TenantId, args: EnqueueArgs) -> Result<HostExit, Failure> {
    let settings = args.settings;
    let request = EnqueueRequest {
        id: args.id,
        name: settings.name,
        group: settings.group,
        tenant_id: Some(owner),
        priority: settings.priority,
        delay: args.delay,
        begin_time: settings.begin,
        end_time: settings.end,
        max_try_count: settings.max_tries,
        retry_policy: settings.retry,
        interval: settings.interval,
        timeout: settings.timeout,
        node_name: settings.node,
        description: settings.description,
        source: Some(JobSource::User),
        ..EnqueueRequest::new(args.type_name, settings.args.unwrap_or_default())
    };
    let jobs = manage.enqueuer();
    let prepared = jobs.prepare_request(request)?;
    let (id, name, group) = (
        prepared.job.id,
        prepared.job.name.clone(),
        prepared.job.group.clone(),
    );
    let answers = jobs.submit(vec![prepared]).await?;
    let is_new = match answers.first() {
        Some(SubmitAnswer::NameTaken { by }) => {
            return Err(Failure::new(format!(
                "the name `{name}` is taken in group `{group}` by job {by}; choose another name or that job's id"
            )));
        }
        Some(SubmitAnswer::Inserted) => true,
        Some(SubmitAnswer::Exists) | None => false,
    };
    match manage.output {
        Output::Json => output::json(&json!({ "id": id, "new": is_new }))?,
        Output::Table if is_new => output::print(&format!("{id} enqueued"))?,
        Output::Table => output::print(&format!("{id} exists; nothing was changed"))?,
    }
    Ok(HostExit::Done)
}
