//! `tasks jobs logs`: finished runs.

use std::fmt::Write as _;

use serde_json::json;
use tasks_abstractions::run::JobLog;
use tasks_abstractions::store::{JobLogQuery, Page, Paging};
use tasks_host::HostExit;

use crate::args::{LogsArgs, Output, order};
use crate::failure::Failure;
use crate::manage::Manage;
use crate::output;
use crate::table::{duration, instant, short, table};

pub(super) async fn run(manage: &Manage, args: LogsArgs) -> Result<HostExit, Failure> {
    let now = manage.now();
    if let Some(id) = args.id {
        // A job that is gone may have left its runs, but an id that never was is a mistake. Both are told apart by what is there.
        let known = manage.jobs.get(manage.scope, id).await;
        let page = read(manage, &args, now).await?;
        if page.total == 0 {
            known?;
        }
        return print(manage, &args, &page);
    }
    let page = read(manage, &args, now).await?;
    print(manage, &args, &page)
}

async fn read(
    manage: &Manage,
    args: &LogsArgs,
    now: tasks_abstractions::Timestamp,
) -> Result<Page<JobLog>, Failure> {
    let query = JobLogQuery {
        job_id: args.id,
        filter: args.filter.clone(),
        name: args.name.clone(),
        group: args.group.clone(),
        type_name: args.type_name.clone(),
        outcome: args.outcome,
        has_exceptions: args.errors.then_some(true),
        begin_run_time: args.since.map(|it| it.from(now)),
        end_run_time: args.until.map(|it| it.from(now)),
        sort: args.sort.into(),
        order: order(args.ascending),
        paging: Paging {
            skip: args.skip,
            take: args.take.min(Paging::MAX_TAKE),
        },
    };
    Ok(manage.jobs.logs(manage.scope, &query).await?)
}

fn print(manage: &Manage, args: &LogsArgs, page: &Page<JobLog>) -> Result<HostExit, Failure> {
    if manage.output == Output::Json {
        output::json(&json!({ "total": page.total, "items": page.items }))?;
        return Ok(HostExit::Done);
    }
    let mut text = rows(&page.items, args.id.is_none()).to_string();
    if args.errors {
        for run in &page.items {
            let error = run.error.as_deref().unwrap_or_default();
            let _ = write!(text, "\n\nrun {} of job {}:\n{error}", run.run_id, run.job_id);
        }
        text.push('\n');
    }
    output::print(&format!("{text}\n{} of {} runs", page.items.len(), page.total))?;
    Ok(HostExit::Done)
}

/// Runs of one job, or of several with their jobs.
pub(super) fn rows(runs: &[JobLog], has_jobs: bool) -> comfy_table::Table {
    let of_run = ["started", "outcome", "attempt", "took", "node", "message"];
    let mut log = if has_jobs {
        table([
            "job", "type", "started", "outcome", "attempt", "took", "node", "message",
        ])
    } else {
        table(of_run)
    };
    for run in runs {
        let mut cells = Vec::new();
        if has_jobs {
            cells.extend([run.job_id.to_string(), run.type_name.clone()]);
        }
        cells.extend([
            instant(Some(run.started_at)),
            run.outcome.to_string(),
            run.attempt.to_string(),
            duration(run.duration),
            run.node_name.clone(),
            short(run.message.as_deref().unwrap_or_default()),
        ]);
        log.add_row(cells);
    }
    log
}
