//! Writing `checksums.sha256`, from stored results only.

use std::collections::HashMap;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tasks_abstractions::{JobId, JobInfo, JobManagement, JobStatus};
use tracing::warn;

use super::Plan;
use super::checksum::ChecksumArgs;
use super::enqueue::{OPEN, PAGE, read};
use super::files::{modified, shown};
use super::path::exact;
use crate::failure::Failure;

/// What was written.
#[derive(Debug, Default)]
pub(super) struct Written {
    lines: u64,
    without: u64,
    changed: u64,
    file: PathBuf,
}

impl fmt::Display for Written {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.file.file_name().unwrap_or_default().to_string_lossy();
        write!(
            f,
            "{} checksums in {name}; check them with: sha256sum -c {name}",
            self.lines
        )?;
        if self.without > 0 {
            write!(
                f,
                "\n{} files have no checksum: they vanished, changed or could not be read",
                self.without
            )?;
        }
        if self.changed > 0 {
            write!(
                f,
                "\n{} files changed since they were read and are left out; run again",
                self.changed
            )?;
        }
        Ok(())
    }
}

/// Where the file is written before it gets its name.
pub(super) fn temporary(sums: &Path) -> PathBuf {
    let mut name = sums.as_os_str().to_owned();
    name.push(".tmp");
    PathBuf::from(name)
}

/// Writes a line for each of these jobs that has a checksum, in this order. The file gets its name when it is complete. `None` where one of the jobs is open still: a job
/// that goes from one status to another, for example because its node died, may be missed by who looks for one status after the other.
///
/// # Errors
/// Where the store failed or the file cannot be written.
pub(super) async fn write(
    management: &dyn JobManagement,
    ids: &[JobId],
    root: &Path,
    plan: &Plan,
) -> Result<Option<Written>, Failure> {
    let failed = |error| Failure::because(&format!("{} cannot be written", plan.sums.display()), error);
    let temporary = temporary(&plan.sums);
    let mut out = BufWriter::new(File::create(&temporary).map_err(failed)?);
    let mut written = Written {
        file: plan.sums.clone(),
        ..Written::default()
    };
    for page in ids.chunks(PAGE) {
        let jobs = read(management, page).await?;
        if jobs.iter().any(|it| OPEN.contains(&it.status)) {
            return Ok(None);
        }
        let by_id: HashMap<JobId, &JobInfo> = jobs.iter().map(|it| (it.id, it)).collect();
        for id in page {
            match by_id.get(id).map(|it| line_of(it, root, &plan.root)) {
                Some(Line::Sum(line)) => {
                    out.write_all(&line).map_err(failed)?;
                    written.lines += 1;
                }
                Some(Line::Changed) => written.changed += 1,
                Some(Line::None) | None => written.without += 1,
            }
        }
    }
    let complete = |out: BufWriter<File>| -> io::Result<()> {
        out.into_inner()?.sync_all()?;
        fs::rename(&temporary, &plan.sums)
    };
    complete(out).map_err(failed)?;
    Ok(Some(written))
}

enum Line {
    Sum(Vec<u8>),
    /// The file is not what the stored checksum is of.
    Changed,
    None,
}

fn line_of(job: &JobInfo, root: &Path, as_written: &Path) -> Line {
    let Some(sum) = job
        .result
        .as_deref()
        .filter(|it| job.status == JobStatus::Completed && is_sum(it))
    else {
        warn!(job = %job.id, status = %job.status, result = job.result.as_deref().unwrap_or_default(), arguments = %job.args.to_json(), "no checksum");
        return Line::None;
    };
    let Ok(args) = job.args.to_typed::<ChecksumArgs>() else {
        return Line::None;
    };
    let Some(path) = args.path.to_path() else {
        return Line::None;
    };
    let is_same = path
        .symlink_metadata()
        .is_ok_and(|it| it.is_file() && it.len() == args.size && modified(&it) == args.modified);
    if !is_same {
        return Line::Changed;
    }
    exact(&shown(&path, root, as_written)).map_or(Line::None, |name| Line::Sum(line(sum, &name)))
}

fn is_sum(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|it| it.is_ascii_hexdigit())
}

/// One line as `sha256sum` writes and reads it: names with a backslash or a line break are escaped, and the line then begins with a backslash.
fn line(sum: &str, name: &[u8]) -> Vec<u8> {
    let is_escaped = name.iter().any(|it| matches!(it, b'\\' | b'\n' | b'\r'));
    let mut line = Vec::with_capacity(sum.len() + name.len() + 4);
    if is_escaped {
        line.push(b'\\');
    }
    line.extend_from_slice(sum.as_bytes());
    line.extend_from_slice(b"  ");
    for byte in name {
        match byte {
            b'\\' => line.extend_from_slice(b"\\\\"),
            b'\n' => line.extend_from_slice(b"\\n"),
            b'\r' => line.extend_from_slice(b"\\r"),
            other => line.push(*other),
        }
    }
    line.push(b'\n');
    line
}

#[cfg(test)]
mod tests;
