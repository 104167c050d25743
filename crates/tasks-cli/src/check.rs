//! `tasks check`: jobs that should be armed and are not.

use serde_json::json;
use tasks_abstractions::JobId;
use tasks_host::HostExit;

use crate::args::{CheckArgs, Output};
use crate::failure::Failure;
use crate::manage::Manage;
use crate::output;

/// Jobs of one step.
const STEP: usize = 1_000;

pub(crate) async fn run(args: CheckArgs) -> Result<HostExit, Failure> {
    let manage = Manage::open(&args.database, None, args.output.output).await?;
    let found = check(&manage).await;
    manage.flush().await;
    let (looked_at, rearmed, completed) = found?;
    match manage.output {
        Output::Json => output::json(&json!({
            "looked_at": looked_at, "rearmed": rearmed, "completed": completed,
        }))?,
        Output::Table => {
            for id in &rearmed {
                output::print(&format!("{id} was not armed; it is armed now"))?;
            }
            for id in &completed {
                output::print(&format!("{id} has nothing left to run; it is completed now"))?;
            }
            let found = rearmed.len() + completed.len();
            output::print(&format!("{looked_at} jobs looked at, {found} repaired"))?;
        }
    }
    Ok(if rearmed.is_empty() && completed.is_empty() {
        HostExit::Done
    } else {
        HostExit::Failed
    })
}

/// How many were looked at, which are armed now, and which are completed.
async fn check(manage: &Manage) -> Result<(u64, Vec<JobId>, Vec<JobId>), Failure> {
    let (mut looked_at, mut rearmed, mut completed) = (0, Vec::new(), Vec::new());
    let mut after = None;
    loop {
        let step = manage.jobs.check(after, STEP).await?;
        looked_at += step.looked_at;
        rearmed.extend(step.rearmed);
        completed.extend(step.completed);
        after = step.next;
        if after.is_none() {
            return Ok((looked_at, rearmed, completed));
        }
    }
}
