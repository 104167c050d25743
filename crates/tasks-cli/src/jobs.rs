//! `tasks jobs`: what is stored.

use std::fmt::Display;

use comfy_table::{Table, presets};
use serde_json::json;
use tasks_abstractions::run::JobLog;
use tasks_abstractions::store::{JobLogQuery, JobQuery, Paging, SortOrder};
use tasks_abstractions::{JobInfo, JobManagement, Timestamp};
use tasks_core::JobRegistry;
use tasks_host::{Host, HostExit};
use tasks_multitenancy::TenantScope;

use crate::args::{JobsAction, JobsArgs, ListArgs, Output};
use crate::database::Database;
use crate::failure::Failure;
use crate::output;

pub(crate) async fn run(args: JobsArgs) -> Result<HostExit, Failure> {
    let database = Database::from_environment(&args.database)?;
    database.must_exist()?;
    // Built and never started: it manages and runs nothing.
    let host = Host::builder()
        .boxed_module(database.module()?)
        .registry(JobRegistry::new())
        .options(|it| it.engine.is_execution_enabled = false)
        .build()
        .await?;
    let management = host.management();
    let text = match args.action {
        JobsAction::List(list) => listed(management.as_ref(), list, args.output).await?,
        JobsAction::Show { id, runs } => {
            let job = management.get(TenantScope::All, id).await?;
            let query = JobLogQuery {
                job_id: Some(id),
                paging: Paging {
                    skip: 0,
                    take: runs.min(Paging::MAX_TAKE),
                },
                ..JobLogQuery::default()
            };
            let runs = management.logs(TenantScope::All, &query).await?;
            match args.output {
                Output::Json => pretty(&json!({ "job": job, "runs": runs.items, "total_runs": runs.total }))?,
                Output::Table => shown(&job, &runs.items, runs.total),
            }
        }
    };
    output::line(&text).map_err(|error| Failure::because("standard output", error))?;
    Ok(HostExit::Done)
}

async fn listed(management: &dyn JobManagement, args: ListArgs, form: Output) -> Result<String, Failure> {
    let query = JobQuery {
        filter: args.filter,
        status: args.status,
        type_name: args.type_name,
        name: args.name,
        group: args.group,
        node_name: args.node,
        is_abandoned: args.abandoned.then_some(true),
        sort: args.sort.into(),
        order: if args.ascending {
            SortOrder::Ascending
        } else {
            SortOrder::Descending
        },
        paging: Paging {
            skip: args.skip,
            take: args.take.min(Paging::MAX_TAKE),
        },
        ..JobQuery::default()
    };
    let page = management.list(TenantScope::All, &query).await?;
    if form == Output::Json {
        return pretty(&json!({ "total": page.total, "items": page.items }));
    }
    let mut table = table([
        "id", "type", "name", "status", "tries", "runs", "next run", "result",
    ]);
    for job in &page.items {
        let name = if job.is_named() { job.name.as_str() } else { "" };
        table.add_row([
            job.id.to_string(),
            job.type_name.clone(),
            name.to_owned(),
            status(job),
            job.try_count.to_string(),
            job.trigger_count.to_string(),
            instant(job.next_run_time),
            short(job.result.as_deref().unwrap_or_default()),
        ]);
    }
    Ok(format!("{table}\n{} of {} jobs", page.items.len(), page.total))
}

fn shown(job: &JobInfo, runs: &[JobLog], total: u64) -> String {
    let mut fields = table(["field", "value"]);
    let mut row = |field: &str, value: String| {
        fields.add_row([field.to_owned(), value]);
    };
    row("id", job.id.to_string());
    row("tenant", job.tenant_id.to_string());
    row("type", job.type_name.clone());
    row("name", job.name.clone());
    row("group", job.group.clone());
    row("status", status(job));
    row("enabled", job.is_enabled.to_string());
    row(
        "repeats",
        format!("{} {}", job.job_type, job.cron.as_deref().unwrap_or_default()),
    );
    row("arguments", job.args.to_json());
    row("result", job.result.clone().unwrap_or_default());
    row("priority", job.priority.to_string());
    row("node", optional(job.node_name.as_ref()));
    row("created", instant(Some(job.creation_time)));
    row("last run", instant(job.last_run_time));
    row("next run", instant(job.next_run_time));
    row("runs", job.trigger_count.to_string());
    row(
        "failures in a row",
        format!("{} of {}", job.try_count, job.max_try_count),
    );
    row("interruptions", job.interruptions.to_string());
    row("version", job.version.to_string());
    let mut log = table(["started", "outcome", "attempt", "took", "node", "message"]);
    for run in runs {
        log.add_row([
            instant(Some(run.started_at)),
            run.outcome.to_string(),
            run.attempt.to_string(),
            format!("{:.1?}", run.duration),
            run.node_name.clone(),
            short(run.message.as_deref().unwrap_or_default()),
        ]);
    }
    format!("{fields}\n{log}\n{} of {total} runs", runs.len())
}

fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_header(header);
    table
}

fn status(job: &JobInfo) -> String {
    let abandoned = if job.is_abandoned { " (given up)" } else { "" };
    let running = if job.is_running && job.status != tasks_abstractions::JobStatus::Running {
        " (running)"
    } else {
        ""
    };
    format!("{}{abandoned}{running}", job.status)
}

fn instant(at: Option<Timestamp>) -> String {
    at.map_or_else(String::new, |it| it.format("%Y-%m-%d %H:%M:%S%.3fZ").to_string())
}

fn optional(it: Option<&impl Display>) -> String {
    it.map_or_else(String::new, ToString::to_string)
}

/// The first line, cut where it is long.
fn short(text: &str) -> String {
    const MOST: usize = 60;
    let line = text.lines().next().unwrap_or_default();
    let mut cut: String = line.chars().take(MOST).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}

fn pretty(value: &serde_json::Value) -> Result<String, Failure> {
    serde_json::to_string_pretty(value)
        .map_err(|error| Failure::because("the jobs cannot be written as JSON", error))
}
