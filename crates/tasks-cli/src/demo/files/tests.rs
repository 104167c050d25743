//! Tests of listing files.

use std::fs;
use std::path::{Path, PathBuf};

use super::super::Plan;
use super::{job_id, list, shown};
use crate::database::Database;

fn plan(root: &Path, is_default: bool) -> Plan {
    Plan {
        root: root.to_owned(),
        is_default,
        sums: root.canonicalize().expect("exists").join("checksums.sha256"),
        database: Database::File(root.join("d.db")),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_regular_files_and_leaves_its_own_out() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    for dir in ["sub", "target", ".git", "d.db-nodes"] {
        fs::create_dir(root.join(dir)).expect("made");
    }
    for file in [
        "a",
        "sub/b",
        "target/c",
        ".git/d",
        "d.db",
        "d.db-wal",
        "d.db-nodes/x.lock",
        "checksums.sha256",
        "checksums.sha256.tmp",
    ] {
        fs::write(root.join(file), file).expect("written");
    }
    let names = |files: super::Files| -> Vec<PathBuf> {
        let inside = |it: &super::ChecksumArgs| {
            let path = it.path.to_path().expect("a path");
            path.strip_prefix(&files.root).expect("inside").to_owned()
        };
        files.found.iter().map(inside).collect()
    };
    let found = list(&plan(root, true)).await.expect("listed");
    assert_eq!(found.unreadable, 0);
    assert_eq!(names(found), [Path::new("a"), Path::new("sub/b")]);
    let found = list(&plan(root, false)).await.expect("listed");
    assert_eq!(
        names(found).len(),
        4,
        "target and .git are files like others when a directory is named"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn another_content_is_another_job() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path();
    fs::write(root.join("a"), "one").expect("written");
    let first = list(&plan(root, false)).await.expect("listed");
    let same = list(&plan(root, false)).await.expect("listed");
    fs::write(root.join("a"), "other").expect("written");
    let changed = list(&plan(root, false)).await.expect("listed");
    assert_eq!(job_id(&first.found[0]), job_id(&same.found[0]));
    assert_ne!(job_id(&first.found[0]), job_id(&changed.found[0]));
}

#[test]
fn files_are_called_as_the_user_wrote() {
    let root = Path::new("/home/x/dir");
    assert_eq!(
        shown(Path::new("/home/x/dir/a/b"), root, Path::new("dir")),
        Path::new("dir/a/b")
    );
    assert_eq!(
        shown(Path::new("/home/x/dir/a"), root, Path::new(".")),
        Path::new("./a")
    );
}
