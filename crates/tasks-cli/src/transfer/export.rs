//! `tasks export`: jobs by filter, oldest first, one JSON line each.

use std::collections::HashSet;
use std::io::{self, Write};
use std::path::Path;

use tasks_abstractions::store::{JobQuery, JobSort, Paging, SortOrder};
use tasks_abstractions::{JobId, JobInfo, Timestamp};
use tasks_host::HostExit;

use crate::args::{ExportArgs, Output};
use crate::failure::Failure;
use crate::manage::Manage;
use crate::output;

pub(crate) async fn run(args: ExportArgs) -> Result<HostExit, Failure> {
    let manage = Manage::open(&args.database, args.tenant.tenant.as_ref(), Output::Json).await?;
    let query = args.filter.query();
    let Some(file) = args.to else {
        let written = write(&manage, query, output::line).await?;
        output::error(&format!("{written} jobs exported"));
        return Ok(HostExit::Done);
    };
    // Beside the file, which is there whole or not at all.
    let part = with_suffix(&file, ".part");
    let shown = part.display().to_string();
    let failed = |error| Failure::because(&shown, error);
    let mut out = io::BufWriter::new(std::fs::File::create(&part).map_err(failed)?);
    let written = write(&manage, query, |line| writeln!(out, "{line}")).await?;
    let out = out.into_inner().map_err(|error| failed(error.into_error()))?;
    out.sync_all().map_err(failed)?;
    std::fs::rename(&part, &file).map_err(|error| Failure::because(&file.display().to_string(), error))?;
    output::error(&format!("{written} jobs exported to {}", file.display()));
    Ok(HostExit::Done)
}

fn with_suffix(file: &Path, suffix: &str) -> std::path::PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// Writes page by page, each from the creation time of the last job on: jobs that come or go meanwhile move no others out of sight.
async fn write(
    manage: &Manage,
    mut query: JobQuery,
    mut write_line: impl FnMut(&str) -> io::Result<()>,
) -> Result<u64, Failure> {
    let failed = |error| Failure::because("the jobs cannot be written", error);
    query.sort = JobSort::CreationTime;
    query.order = SortOrder::Ascending;
    query.paging = Paging {
        skip: 0,
        take: Paging::MAX_TAKE,
    };
    let mut written = 0;
    // Those of the last creation time, which the next page begins with again.
    let mut seen: HashSet<JobId> = HashSet::new();
    let mut last: Option<Timestamp> = None;
    loop {
        let page = manage.jobs.list(manage.scope, &query).await?;
        for job in &page.items {
            if last != Some(job.creation_time) {
                seen.clear();
                last = Some(job.creation_time);
            }
            if seen.insert(job.id) {
                write_line(&line(job)?).map_err(failed)?;
                written += 1;
            }
        }
        if (page.items.len() as u64) < query.paging.take {
            return Ok(written);
        }
        if query.begin_creation_time == last {
            // A page of one creation time alone.
            query.paging.skip += query.paging.take;
        } else {
            query.begin_creation_time = last;
            query.paging.skip = 0;
        }
    }
}

fn line(job: &JobInfo) -> Result<String, Failure> {
    serde_json::to_string(job).map_err(|error| Failure::because("a job has no JSON form", error))
}
