//! `tasks workers`: the jobs that programs define.

use serde_json::json;
use tasks_abstractions::JobInfo;
use tasks_abstractions::store::{JobQuery, JobSort, Paging, SortOrder};
use tasks_host::HostExit;

use crate::args::{Output, WorkersArgs};
use crate::failure::Failure;
use crate::manage::Manage;
use crate::output;
use crate::table::{instant, optional, repeats, status, table};

pub(crate) async fn run(args: WorkersArgs) -> Result<HostExit, Failure> {
    let manage = Manage::of(&args.manage).await?;
    let mut query = JobQuery {
        group: Some(JobInfo::WORKERS_GROUP.to_owned()),
        filter: args.filter,
        node_name: args.node,
        sort: JobSort::Name,
        order: SortOrder::Ascending,
        paging: Paging {
            skip: 0,
            take: Paging::MAX_TAKE,
        },
        ..JobQuery::default()
    };
    let mut workers = Vec::new();
    loop {
        let page = manage.jobs.list(manage.scope, &query).await?;
        query.paging.skip += Paging::MAX_TAKE;
        workers.extend(page.items);
        if query.paging.skip >= page.total {
            break;
        }
    }
    match manage.output {
        Output::Json => output::json(&json!({ "total": workers.len(), "items": workers }))?,
        Output::Table => output::print(&format!("{}\n{} workers", rows(&workers), workers.len()))?,
    }
    Ok(HostExit::Done)
}

fn rows(workers: &[JobInfo]) -> comfy_table::Table {
    let mut table = table([
        "name",
        "id",
        "repeats",
        "node",
        "status",
        "runs",
        "failures",
        "last run",
        "next run",
        "program",
        "changed by people",
    ]);
    for job in workers {
        table.add_row([
            job.name.clone(),
            job.id.to_string(),
            repeats(job),
            optional(job.node_name.as_ref()),
            status(job),
            job.trigger_count.to_string(),
            job.try_count.to_string(),
            instant(job.last_run_time),
            instant(job.next_run_time),
            optional(job.definition.as_ref().map(|it| &it.version)),
            job.overrides.iter().cloned().collect::<Vec<_>>().join(", "),
        ]);
    }
    table
}
