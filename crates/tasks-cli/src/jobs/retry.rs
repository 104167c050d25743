//! `tasks jobs retry`, `copy`, `reset`: jobs that begin anew.

use serde_json::{Value, json};
use tasks_abstractions::{CopyRequest, ManagementError};
use tasks_host::HostExit;

use super::command::{mode, print_bulk};
use super::print_job;
use crate::args::{CopyArgs, Output, RetryArgs};
use crate::failure::Failure;
use crate::manage::Manage;
use crate::output;
use crate::table::table;

pub(super) async fn run(manage: &Manage, args: RetryArgs) -> Result<HostExit, Failure> {
    if args.abandoned {
        let mode = mode(args.dry_run);
        let of_type = args.type_name.as_deref();
        let answer = manage.jobs.retry_abandoned(manage.scope, of_type, mode).await?;
        return print_bulk(manage, "retry", mode, &answer);
    }
    let mut all_well = true;
    let mut rows = table(["job", "answer", "reason"]);
    let mut values: Vec<Value> = Vec::new();
    for id in args.ids {
        let (word, reason) = match manage.jobs.requeue(manage.scope, id, args.args.clone()).await {
            Ok(_) => ("queued", None),
            Err(ManagementError::NotFound(_)) => ("not found", None),
            Err(ManagementError::Refused { reason, .. }) => ("refused", Some(reason)),
            Err(other) => return Err(other.into()),
        };
        all_well &= word == "queued";
        rows.add_row([
            id.to_string(),
            word.to_owned(),
            reason.clone().unwrap_or_default(),
        ]);
        values.push(json!({ "id": id, "answer": word, "reason": reason }));
    }
    match manage.output {
        Output::Json => output::json(&json!({ "command": "retry", "dry_run": false, "answers": values }))?,
        Output::Table => output::print(&rows.to_string())?,
    }
    Ok(if all_well {
        HostExit::Done
    } else {
        HostExit::Failed
    })
}

pub(super) async fn copy(manage: &Manage, args: CopyArgs) -> Result<HostExit, Failure> {
    let copy = CopyRequest {
        name: args.name,
        args: args.args,
        begin_time: args.begin,
    };
    let job = manage.jobs.copy(manage.scope, args.id, copy).await?;
    print_job(manage, "created", &job)
}

pub(super) async fn reset(manage: &Manage, id: tasks_abstractions::JobId) -> Result<HostExit, Failure> {
    let job = manage.jobs.reset_overrides(manage.scope, id).await?;
    print_job(
        manage,
        "follows its program again from the program's next start on",
        &job,
    )
}
