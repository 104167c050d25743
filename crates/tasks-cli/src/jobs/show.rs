//! `tasks jobs show`: one job and its last runs.

use serde_json::json;
use tasks_abstractions::store::{JobLogQuery, Paging};
use tasks_abstractions::{JobId, JobInfo};
use tasks_host::HostExit;

use super::logs;
use crate::args::Output;
use crate::failure::Failure;
use crate::manage::Manage;
use crate::output;
use crate::table::{duration, instant, optional, repeats, status, table};

pub(super) async fn run(manage: &Manage, id: JobId, runs: u64) -> Result<HostExit, Failure> {
    let job = manage.jobs.get(manage.scope, id).await?;
    let query = JobLogQuery {
        job_id: Some(id),
        paging: Paging {
            skip: 0,
            take: runs.min(Paging::MAX_TAKE),
        },
        ..JobLogQuery::default()
    };
    let runs = manage.jobs.logs(manage.scope, &query).await?;
    match manage.output {
        Output::Json => output::json(&json!({ "job": job, "runs": runs.items, "total_runs": runs.total }))?,
        Output::Table => output::print(&format!(
            "{}\n{}\n{} of {} runs",
            fields(&job),
            logs::rows(&runs.items, false),
            runs.items.len(),
            runs.total
        ))?,
    }
    Ok(HostExit::Done)
}

/// What there is to say about a job; settings that it does not have are left out.
fn fields(job: &JobInfo) -> comfy_table::Table {
    let mut fields = table(["field", "value"]);
    let mut row = |field: &str, value: String| {
        if !value.is_empty() {
            fields.add_row([field.to_owned(), value]);
        }
    };
    row("id", job.id.to_string());
    row("tenant", job.tenant_id.to_string());
    row("type", job.type_name.clone());
    row("name", job.name.clone());
    row("group", job.group.clone());
    row("description", optional(job.description.as_ref()));
    row("source", job.source.to_string());
    row("status", status(job));
    row("repeats", repeats(job));
    if job.is_repeating() {
        row("missed fires", format!("{:?}", job.misfire_policy));
    }
    row("arguments", job.args.to_json());
    row("result", optional(job.result.as_ref()));
    row("priority", job.priority.to_string());
    row("node", optional(job.node_name.as_ref()));
    row("timeout", job.timeout.map_or_else(String::new, duration));
    row(
        "lock timeout",
        job.lock_timeout.map_or_else(String::new, duration),
    );
    row("created", instant(Some(job.creation_time)));
    row("not before", instant(Some(job.begin_time)));
    row("not after", instant(job.end_time));
    row("last run", instant(job.last_run_time));
    row("next run", instant(job.next_run_time));
    let runs = job.trigger_count.to_string();
    row(
        "runs",
        if job.max_count == 0 {
            runs
        } else {
            format!("{runs} of {}", job.max_count)
        },
    );
    let tries = job.try_count.to_string();
    row(
        "failures in a row",
        if job.max_try_count == 0 {
            tries
        } else {
            format!("{tries} of {}", job.max_try_count)
        },
    );
    row("interruptions", job.interruptions.to_string());
    row("selector", optional(job.selector.as_ref()));
    row(
        "defined by version",
        optional(job.definition.as_ref().map(|it| &it.version)),
    );
    row(
        "changed by people",
        job.overrides.iter().cloned().collect::<Vec<_>>().join(", "),
    );
    row("version", job.version.to_string());
    fields
}
