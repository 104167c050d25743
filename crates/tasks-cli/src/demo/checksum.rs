//! The job of one file.

use std::fs::File;
use std::io::{self, Read};
use std::sync::Arc;
use std::thread::available_parallelism;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tasks_abstractions::{BackgroundJob, JobError, JobResult, JobRunnableContext, Outcome, inject};
use tasks_multitenancy::CurrentTenant;
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;

use super::files::modified;
use super::path::{StoredPath, to_hex};

/// Read at once, and how often a run looks whether it should end.
const PIECE: usize = 256 * 1024;
/// Progress is reported each time so many bytes have been read.
const REPORT: u64 = 16 * 1024 * 1024;

/// One file as it was when it was listed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ChecksumArgs {
    #[serde(flatten)]
    pub(super) path: StoredPath,
    /// Bytes.
    pub(super) size: u64,
    /// Nanoseconds from 1970 to the last change.
    pub(super) modified: i64,
}

/// How many files are read at once: as many as there are processors, however many jobs are in flight.
#[derive(Debug)]
pub(super) struct HashSlots(Arc<Semaphore>);

impl HashSlots {
    pub(super) fn of_machine() -> Self {
        let processors = available_parallelism().map_or(1, usize::from);
        Self(Arc::new(Semaphore::new(processors)))
    }
}

inject! {
    /// Computes the SHA-256 of one file. Its result is the checksum in hexadecimal.
    ///
    /// A file that is not as it was when it was listed gets no checksum: it is another job's.
    pub(super) struct Checksum {
        slots: Arc<HashSlots>,
    }
}

#[async_trait]
impl BackgroundJob for Checksum {
    const NAME: &'static str = "demo.checksum";
    type Args = ChecksumArgs;

    async fn execute(&self, args: ChecksumArgs, ctx: &JobRunnableContext) -> JobResult {
        let slot = tokio::select! {
            slot = Arc::clone(&self.slots.0).acquire_owned() => slot?,
            () = ctx.cancellation().cancelled() => return Err(stopped()),
        };
        let run = ctx.clone();
        let mut reported = 0;
        let hashed = CurrentTenant::spawn_blocking(move || {
            // Kept until the thread has really ended.
            let _slot = slot;
            hash(&args, run.cancellation(), &mut |done| {
                if done - reported >= REPORT {
                    reported = done;
                    run.progress(done, args.size, "bytes");
                }
            })
        });
        match hashed.await?? {
            Hashed::Sum(sum) => {
                ctx.set_result(sum);
                Ok(Outcome::Done)
            }
            Hashed::No(why) => Ok(Outcome::Cancel(why)),
            Hashed::Stopped => Err(stopped()),
        }
    }
}

fn stopped() -> JobError {
    JobError::msg("asked to end before the file was read")
}

/// What became of reading a file.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Hashed {
    /// The checksum in hexadecimal.
    Sum(String),
    /// There is none to be had for the file as it was listed.
    No(String),
    /// The run should end.
    Stopped,
}

/// Reads one file. Its size and time of change are looked at before and after, so that a file which changes meanwhile gets no checksum.
///
/// # Errors
/// Where reading failed in a way that may pass.
pub(super) fn hash(
    args: &ChecksumArgs,
    cancellation: &CancellationToken,
    progress: &mut dyn FnMut(u64),
) -> Result<Hashed, io::Error> {
    let Some(path) = args.path.to_path() else {
        return Ok(Hashed::No("the stored path cannot be read".to_owned()));
    };
    // Asked before it is opened: opening what has become a pipe would wait for ever.
    let opened = path.symlink_metadata().and_then(|it| {
        if it.is_file() {
            File::open(&path).map(Some)
        } else {
            Ok(None)
        }
    });
    let mut file = match opened {
        Ok(Some(file)) => file,
        Ok(None) => return Ok(Hashed::No("is no regular file any more".to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Ok(Hashed::No("vanished after it was listed".to_owned()));
        }
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return Ok(Hashed::No(format!("may not be read: {error}")));
        }
        Err(error) => return Err(error),
    };
    let changed = || Ok(Hashed::No("changed after it was listed".to_owned()));
    if !is_as_listed(&file, args)? {
        return changed();
    }
    let mut sum = Sha256::new();
    let size = usize::try_from(args.size).unwrap_or(usize::MAX);
    let mut piece = vec![0; PIECE.min(size.saturating_add(1))];
    let mut done = 0_u64;
    loop {
        if cancellation.is_cancelled() {
            return Ok(Hashed::Stopped);
        }
        let read = match file.read(&mut piece) {
            Ok(0) => break,
            Ok(read) => read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        sum.update(piece.get(..read).unwrap_or_default());
        done += read as u64;
        progress(done);
    }
    if done != args.size || !is_as_listed(&file, args)? {
        return changed();
    }
    Ok(Hashed::Sum(to_hex(&sum.finalize())))
}

fn is_as_listed(file: &File, args: &ChecksumArgs) -> io::Result<bool> {
    let metadata = file.metadata()?;
    Ok(metadata.len() == args.size && modified(&metadata) == args.modified)
}

#[cfg(test)]
mod tests;
