//! `tasks jobs list`.

use serde_json::json;
use tasks_abstractions::JobInfo;
use tasks_abstractions::store::{JobQuery, Paging};
use tasks_host::HostExit;

use crate::args::{ListArgs, Output, order};
use crate::failure::Failure;
use crate::manage::Manage;
use crate::output;
use crate::table::{instant, name, short, status, table};

pub(super) async fn run(manage: &Manage, args: &ListArgs) -> Result<HostExit, Failure> {
    let query = JobQuery {
        sort: args.sort.into(),
        order: order(args.ascending),
        paging: Paging {
            skip: args.skip,
            take: args.take.min(Paging::MAX_TAKE),
        },
        ..args.filter.query()
    };
    let page = manage.jobs.list(manage.scope, &query).await?;
    match manage.output {
        Output::Json => output::json(&json!({ "total": page.total, "items": page.items }))?,
        Output::Table => output::print(&format!(
            "{}\n{} of {} jobs",
            rows(&page.items),
            page.items.len(),
            page.total
        ))?,
    }
    Ok(HostExit::Done)
}

fn rows(jobs: &[JobInfo]) -> comfy_table::Table {
    let mut table = table([
        "id", "type", "name", "status", "tries", "runs", "next run", "result",
    ]);
    for job in jobs {
        table.add_row([
            job.id.to_string(),
            job.type_name.clone(),
            name(job).to_owned(),
            status(job),
            job.try_count.to_string(),
            job.trigger_count.to_string(),
            instant(job.next_run_time),
            short(job.result.as_deref().unwrap_or_default()),
        ]);
    }
    table
}
