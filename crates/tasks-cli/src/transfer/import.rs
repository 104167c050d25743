//! `tasks import`: jobs that are not there yet, from JSON lines.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use serde_json::json;
use tasks_abstractions::{BulkMode, JobInfo, ManagementError};
use tasks_host::HostExit;

use crate::args::{ImportArgs, Output};
use crate::failure::Failure;
use crate::manage::Manage;
use crate::output;

/// What became of the lines.
#[derive(Debug, Default)]
struct Count {
    new: u64,
    existing: u64,
    refused: u64,
}

pub(crate) async fn run(args: ImportArgs) -> Result<HostExit, Failure> {
    let manage = Manage::open(&args.database, args.tenant.tenant.as_ref(), args.output.output).await?;
    let mode = if args.dry_run {
        BulkMode::DryRun
    } else {
        BulkMode::Apply
    };
    let count = if args.file == Path::new("-") {
        import(&manage, mode, BufReader::new(io::stdin()), "standard input").await
    } else {
        let shown = args.file.display().to_string();
        let file = File::open(&args.file).map_err(|error| Failure::because(&shown, error))?;
        import(&manage, mode, BufReader::new(file), &shown).await
    };
    manage.flush().await;
    let count = count?;
    match manage.output {
        Output::Json => output::json(&json!({
            "dry_run": args.dry_run, "new": count.new, "existing": count.existing, "refused": count.refused,
        }))?,
        Output::Table => {
            let would = if args.dry_run { "would be " } else { "" };
            output::print(&format!(
                "{} {would}new, {} existing, {} {would}refused",
                count.new, count.existing, count.refused
            ))?;
        }
    }
    Ok(if count.refused == 0 {
        HostExit::Done
    } else {
        HostExit::Failed
    })
}

async fn import(manage: &Manage, mode: BulkMode, input: impl BufRead, shown: &str) -> Result<Count, Failure> {
    let mut count = Count::default();
    for (at, line) in input.split(b'\n').enumerate() {
        let line = line.map_err(|error| Failure::because(shown, error))?;
        if line.trim_ascii().is_empty() {
            continue;
        }
        match one(manage, mode, &line).await? {
            Ok(true) => count.new += 1,
            Ok(false) => count.existing += 1,
            Err(reason) => {
                count.refused += 1;
                output::error(&format!("{shown}, line {}: {reason}", at + 1));
            }
        }
    }
    Ok(count)
}

/// Whether the job is new, or why it is refused.
async fn one(manage: &Manage, mode: BulkMode, line: &[u8]) -> Result<Result<bool, String>, Failure> {
    let job: JobInfo = match serde_json::from_slice(line) {
        Ok(job) => job,
        Err(error) => return Ok(Err(format!("no job as `tasks export` writes it: {error}"))),
    };
    if !manage.scope.allows(job.tenant_id) {
        return Ok(Err(format!("job {} belongs to tenant {}", job.id, job.tenant_id)));
    }
    match manage.jobs.import(job, mode).await {
        Ok(is_new) => Ok(Ok(is_new)),
        // Nothing further will be stored either.
        Err(error @ ManagementError::Store(_)) => Err(error.into()),
        Err(error) => Ok(Err(Failure::from(error).to_string())),
    }
}
