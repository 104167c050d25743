//! One lock file for each running instance: how a restarted program proves that its predecessor on this machine is gone.
//!
//! The operating system frees the lock of a file when the process that holds it ends, however it ends. The files lie in a folder beside the database
//! (`shop.db-nodes/`); the database file itself is never locked from here.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tasks_abstractions::StoreError;
use tasks_abstractions::job::InstanceId;
use tasks_abstractions::store::StoreErrorKind;

use crate::options::Location;

/// Locks that this process holds: of its own instances, and of those it proved gone.
#[derive(Debug)]
pub(crate) struct LockFiles {
    /// `None` where there is no file to lie beside: then nothing is ever proved.
    folder: Option<PathBuf>,
    held: Mutex<HashMap<InstanceId, Held>>,
}

#[derive(Debug)]
struct Held {
    file: File,
    /// Of an instance of this process, not of one that was proved gone.
    own: bool,
}

impl LockFiles {
    /// Lock files of the database at `location`, which exists.
    pub(crate) fn beside(location: &Location) -> Result<Self, StoreError> {
        let folder = match location {
            Location::Postgres | Location::Mysql | Location::SqliteMemory => None,
            Location::SqliteFile(file) => {
                // Links are resolved, so that all programs that use the file look into the same folder.
                let file = fs::canonicalize(file).map_err(|it| failed("find the database file", file, it))?;
                let mut name = file.clone().into_os_string();
                name.push("-nodes");
                Some(PathBuf::from(name))
            }
        };
        Ok(Self {
            folder,
            held: Mutex::default(),
        })
    }

    fn held(&self) -> MutexGuard<'_, HashMap<InstanceId, Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, instance: InstanceId) -> Option<PathBuf> {
        self.folder.as_ref().map(|it| it.join(format!("{instance}.lock")))
    }

    /// Creates and locks the file of an instance of this process, and keeps it.
    pub(crate) fn hold(&self, instance: InstanceId) -> Result<(), StoreError> {
        let (Some(folder), Some(path)) = (&self.folder, self.path(instance)) else {
            return Ok(());
        };
        let mut held = self.held();
        if held
            .get(&instance)
            .is_some_and(|it| it.own && is_at(&it.file, &path))
        {
            return Ok(());
        }
        fs::create_dir_all(folder).map_err(|it| failed("create the folder", folder, it))?;
        let mut file = OpenOptions::new()
            .create(true)
            .read(true)
            .write(true)
            .truncate(false)
            .open(&path)
            .map_err(|it| failed("create", &path, it))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::new(
                    StoreErrorKind::Unavailable,
                    format!(
                        "the lock file {} is held by another process, which runs this instance or declared it gone; start as a new instance",
                        path.display()
                    ),
                ));
            }
            Err(TryLockError::Error(it)) => return Err(failed("lock", &path, it)),
        }
        file.set_len(0)
            .and_then(|()| file.write_all(instance.to_string().as_bytes()))
            .map_err(|it| failed("write", &path, it))?;
        held.insert(instance, Held { file, own: true });
        Ok(())
    }

    /// Whether the process of another instance is gone: its file is there, is its own, and the lock could be obtained. The lock is kept. Whatever is in
    /// doubt, such as a missing file, proves nothing.
    pub(crate) fn proves_gone(&self, instance: InstanceId) -> bool {
        let Some(path) = self.path(instance) else {
            return false;
        };
        let mut held = self.held();
        if let Some(held) = held.get(&instance) {
            // Proved before, unless it is an instance of this very process.
            return !held.own;
        }
        // Not created here: a file made anew would be free, although the holder of the former one may live.
        let Ok(mut file) = OpenOptions::new().read(true).open(&path) else {
            return false;
        };
        if file.try_lock().is_err() || !is_at(&file, &path) {
            return false;
        }
        let mut text = String::new();
        if file.read_to_string(&mut text).is_err() || text != instance.to_string() {
            return false;
        }
        held.insert(instance, Held { file, own: false });
        true
    }

    /// Removes the file of an instance whose row is not alive any more, while its lock is held or can be obtained.
    pub(crate) fn remove(&self, instance: InstanceId) {
        let Some(path) = self.path(instance) else { return };
        let mut held = self.held();
        let file = held.remove(&instance).map(|it| it.file).or_else(|| {
            let file = File::open(&path).ok()?;
            (file.try_lock().is_ok() && is_at(&file, &path)).then_some(file)
        });
        if file.is_some()
            && let Err(error) = fs::remove_file(&path)
            && error.kind() != io::ErrorKind::NotFound
        {
            // Harmless: nobody asks for a node that has no row.
            tracing::warn!(path = %path.display(), %error, "an old lock file could not be removed");
        }
    }

    /// Frees everything.
    pub(crate) fn release_all(&self) {
        self.held().clear();
    }
}

/// Whether the open file still is the one at `path`.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(there)) => (open.dev(), open.ino()) == (there.dev(), there.ino()),
        _ => false,
    }
}

/// Whether the open file still is the one at `path`: where open files cannot be removed, it is if there is one.
#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

fn failed(doing: &str, path: &Path, cause: io::Error) -> StoreError {
    StoreError::new(
        StoreErrorKind::Unavailable,
        format!(
            "cannot {doing} {}; check that its folder exists and may be written by this program",
            path.display()
        ),
    )
    .caused_by(cause)
}

#[cfg(test)]
mod tests;
