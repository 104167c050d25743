//! Listing the files.

use std::fs::Metadata;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use tasks_abstractions::JobId;
use tasks_multitenancy::TenantId;
use tracing::warn;
use walkdir::{DirEntry, WalkDir};

use super::Plan;
use super::checksum::ChecksumArgs;
use super::path::StoredPath;
use crate::failure::Failure;

/// What was found.
#[derive(Debug)]
pub(super) struct Files {
    /// The root, absolute and with links resolved. All paths lie under it.
    pub(super) root: PathBuf,
    /// Regular files by path.
    pub(super) found: Vec<ChecksumArgs>,
    /// What could not be listed.
    pub(super) unreadable: usize,
}

/// Lists every regular file under the root of `plan`, by name. Links are not followed.
///
/// # Errors
/// Where the root itself cannot be read.
pub(super) async fn list(plan: &Plan) -> Result<Files, Failure> {
    let root = plan
        .root
        .canonicalize()
        .map_err(|error| Failure::because(&format!("{}", plan.root.display()), error))?;
    let mut files = Files {
        root: root.clone(),
        found: Vec::new(),
        unreadable: 0,
    };
    // Directories are read in this task: another thread of the runtime goes on with the engine's work meanwhile.
    tokio::task::block_in_place(|| {
        let walk = WalkDir::new(&root).follow_links(false).sort_by_file_name();
        for entry in walk.into_iter().filter_entry(|it| is_wanted(plan, it)) {
            match entry.map_err(|error| error.to_string()).and_then(|it| read(&it)) {
                Ok(Some(args)) => files.found.push(args),
                Ok(None) => {}
                Err(problem) => {
                    warn!(problem, "left out");
                    files.unreadable += 1;
                }
            }
        }
    });
    Ok(files)
}

fn is_wanted(plan: &Plan, entry: &DirEntry) -> bool {
    let is_build_output = plan.is_default
        && entry.depth() > 0
        && entry.file_type().is_dir()
        && (entry.file_name() == "target" || entry.file_name() == ".git");
    !is_build_output && !plan.leaves_out(entry.path())
}

fn read(entry: &DirEntry) -> Result<Option<ChecksumArgs>, String> {
    if !entry.file_type().is_file() {
        return Ok(None);
    }
    let metadata = entry.metadata().map_err(|error| error.to_string())?;
    let path = StoredPath::new(entry.path())
        .ok_or_else(|| format!("{}: the name cannot be stored exactly", entry.path().display()))?;
    Ok(Some(ChecksumArgs {
        path,
        size: metadata.len(),
        modified: modified(&metadata),
    }))
}

/// Nanoseconds from 1970 to the last change of a file, as far as its file system tells it.
pub(super) fn modified(metadata: &Metadata) -> i64 {
    let Ok(at) = metadata.modified() else { return 0 };
    match at.duration_since(UNIX_EPOCH) {
        Ok(after) => i64::try_from(after.as_nanos()).unwrap_or(i64::MAX),
        Err(before) => i64::try_from(before.duration().as_nanos()).map_or(i64::MIN, |it| -it),
    }
}

/// The job of this very content of a file: another size or time of change is another job.
pub(super) fn job_id(args: &ChecksumArgs) -> JobId {
    let name = format!("{}/{}/{}", args.size, args.modified, args.path.key());
    JobId::from_name(TenantId::HOST, "demo.checksum", &name)
}

/// How a file is called in the list: by the root as the user wrote it.
pub(super) fn shown(path: &Path, root: &Path, as_written: &Path) -> PathBuf {
    path.strip_prefix(root)
        .map_or_else(|_| path.to_owned(), |inside| as_written.join(inside))
}

#[cfg(test)]
mod tests;
