//! `tasks runs`: runs in flight.

use std::time::Duration;

use serde_json::json;
use tasks_abstractions::Timestamp;
use tasks_abstractions::run::{JobSnapshot, RunProgress};
use tasks_abstractions::store::NodeInfo;
use tasks_host::HostExit;

use crate::args::{Output, RunsArgs};
use crate::failure::Failure;
use crate::manage::Manage;
use crate::output;
use crate::table::{duration, instant, name, table};

pub(crate) async fn run(args: RunsArgs) -> Result<HostExit, Failure> {
    let manage = Manage::of(&args.manage).await?;
    let runs = manage.jobs.runs(manage.scope, args.take).await?;
    match manage.output {
        Output::Json => {
            let items: Vec<_> = runs
                .iter()
                .map(|it| json!({ "job": it.job, "run": it.run }))
                .collect();
            output::json(&json!({ "items": items }))?;
        }
        Output::Table => {
            let nodes = manage.jobs.nodes().await?;
            output::print(&format!(
                "{}\n{} runs",
                rows(&runs, &nodes, manage.now()),
                runs.len()
            ))?;
        }
    }
    Ok(HostExit::Done)
}

/// Runs with their nodes and progress.
pub(crate) fn rows(runs: &[JobSnapshot], nodes: &[NodeInfo], now: Timestamp) -> comfy_table::Table {
    let mut table = table([
        "job",
        "type",
        "name",
        "node",
        "since",
        "for",
        "attempt",
        "progress",
        "asked to stop",
    ]);
    for it in runs {
        let Some(run) = &it.run else { continue };
        let node = nodes.iter().find(|node| node.instance == run.instance);
        table.add_row([
            it.job.id.to_string(),
            it.job.type_name.clone(),
            name(&it.job).to_owned(),
            node.map_or_else(|| run.instance.to_string(), |node| node.name.clone()),
            instant(Some(run.claimed_at)),
            duration(age(run.claimed_at, now)),
            run.entry.attempt.to_string(),
            run.progress.as_ref().map_or_else(String::new, progress),
            run.cancel.map_or_else(String::new, |reason| reason.to_string()),
        ]);
    }
    table
}

/// How long ago; zero where the clocks of two machines say that it is still to come.
pub(crate) fn age(at: Timestamp, now: Timestamp) -> Duration {
    (now - at).to_std().unwrap_or_default()
}

/// "30 of 120 (25%): reading", or as much of it as there is.
fn progress(it: &RunProgress) -> String {
    let share = match it.total {
        0 => format!("{}", it.done),
        total => {
            let percent = u128::from(it.done.min(total)) * 100 / u128::from(total);
            format!("{} of {total} ({percent}%)", it.done)
        }
    };
    match it.message.as_str() {
        "" => share,
        message => format!("{share}: {message}"),
    }
}

#[cfg(test)]
mod tests;
