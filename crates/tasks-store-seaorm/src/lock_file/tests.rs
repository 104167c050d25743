//! What proves that a process is gone. (That the operating system frees the lock of a killed process is shown by the crash tests.)

use std::fs;

use tasks_abstractions::job::InstanceId;
use uuid::Uuid;

use super::LockFiles;
use crate::options::Location;

struct Folder {
    folder: tempfile::TempDir,
}

impl Folder {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("jobs.db"), "").unwrap();
        Self { folder }
    }

    /// Lock files as another program sees them: a lock belongs to the opened file, not to the process.
    fn program(&self) -> LockFiles {
        LockFiles::beside(&Location::SqliteFile(self.folder.path().join("jobs.db"))).unwrap()
    }

    fn file(&self, instance: InstanceId) -> std::path::PathBuf {
        self.folder
            .path()
            .join("jobs.db-nodes")
            .join(format!("{instance}.lock"))
    }
}

fn instance(number: u128) -> InstanceId {
    InstanceId::new(Uuid::from_u128(number))
}

#[test]
fn a_held_lock_proves_nothing_and_a_free_one_that_its_holder_is_gone() {
    let folder = Folder::new();
    let (former, successor) = (folder.program(), folder.program());
    former.hold(instance(1)).unwrap();
    former.hold(instance(1)).unwrap();
    assert!(!successor.proves_gone(instance(1)));
    assert!(!former.proves_gone(instance(1)), "an instance of this process");
    drop(former);
    assert!(successor.proves_gone(instance(1)));
    assert!(successor.proves_gone(instance(1)), "it stays proved");
    let third = folder.program();
    assert!(!third.proves_gone(instance(1)), "the proof is held");
    assert!(third.hold(instance(1)).unwrap_err().is_unavailable());
}

#[test]
fn missing_and_foreign_files_prove_nothing() {
    let folder = Folder::new();
    let program = folder.program();
    assert!(!program.proves_gone(instance(1)), "no folder");
    folder.program().hold(instance(2)).unwrap();
    assert!(!program.proves_gone(instance(1)), "no file");
    fs::rename(folder.file(instance(2)), folder.file(instance(1))).unwrap();
    assert!(!program.proves_gone(instance(1)), "the file of another instance");
    fs::write(folder.file(instance(3)), "").unwrap();
    assert!(!program.proves_gone(instance(3)), "an empty file");
}

#[test]
fn a_file_is_removed_by_who_holds_it_or_can() {
    let folder = Folder::new();
    let (one, other) = (folder.program(), folder.program());
    one.hold(instance(1)).unwrap();
    other.remove(instance(1));
    assert!(folder.file(instance(1)).exists(), "held by a living program");
    one.remove(instance(1));
    assert!(!folder.file(instance(1)).exists());
    one.hold(instance(2)).unwrap();
    one.release_all();
    other.remove(instance(2));
    assert!(!folder.file(instance(2)).exists());
}

#[test]
fn a_database_without_a_file_proves_nothing() {
    let memory = LockFiles::beside(&Location::SqliteMemory).unwrap();
    memory.hold(instance(1)).unwrap();
    assert!(!memory.proves_gone(instance(2)));
    memory.remove(instance(1));
}
