//! `tasks stats`: how many jobs are in which state, and how runs ended.

use std::time::Duration;

use serde_json::{Map, Value, json};
use tasks_abstractions::JobStatus;
use tasks_abstractions::store::{JobCounts, RunStatistics};
use tasks_host::HostExit;

use crate::args::{Output, StatsArgs};
use crate::failure::Failure;
use crate::manage::Manage;
use crate::output;
use crate::table::{duration, instant, table};

pub(crate) async fn run(args: StatsArgs) -> Result<HostExit, Failure> {
    let manage = Manage::of(&args.manage).await?;
    let since = args.since.from(manage.now());
    let counts = manage.jobs.counts(manage.scope).await?;
    let runs = manage.jobs.statistics(manage.scope, since).await?;
    match manage.output {
        Output::Json => output::json(&json!({ "jobs": by_name(&counts), "since": since, "runs": runs }))?,
        Output::Table => output::print(&format!(
            "{}\nruns since {}\n{}",
            jobs(&counts),
            instant(Some(since)),
            outcomes(&runs)
        ))?,
    }
    Ok(HostExit::Done)
}

/// Every status by its name, and how many of all jobs were given up.
pub(crate) fn by_name(counts: &JobCounts) -> Value {
    let mut names: Map<String, Value> = JobStatus::ALL
        .iter()
        .map(|status| (status.to_string(), counts.of(*status).into()))
        .collect();
    names.insert("abandoned".to_owned(), counts.abandoned.into());
    Value::Object(names)
}

fn jobs(counts: &JobCounts) -> comfy_table::Table {
    let mut table = table(["jobs", "count"]);
    for status in JobStatus::ALL {
        table.add_row([status.to_string(), counts.of(*status).to_string()]);
    }
    table.add_row(["given up".to_owned(), counts.abandoned.to_string()]);
    table
}

fn outcomes(runs: &[RunStatistics]) -> comfy_table::Table {
    let mut table = table(["type", "outcome", "runs", "average", "longest"]);
    for it in runs {
        table.add_row([
            it.type_name.clone(),
            it.outcome.to_string(),
            it.runs.to_string(),
            duration(Duration::from_millis(it.total_ms / it.runs.max(1))),
            duration(Duration::from_millis(it.longest_ms)),
        ]);
    }
    table
}
