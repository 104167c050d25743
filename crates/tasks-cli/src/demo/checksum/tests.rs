//! Tests of reading files.

use std::fs;
use std::path::Path;

use tokio_util::sync::CancellationToken;

use super::{ChecksumArgs, Hashed, hash};
use crate::demo::files::modified;
use crate::demo::path::StoredPath;

fn listed(path: &Path) -> ChecksumArgs {
    let metadata = fs::metadata(path).expect("there");
    ChecksumArgs {
        path: StoredPath::new(path).expect("stored"),
        size: metadata.len(),
        modified: modified(&metadata),
    }
}

fn sum(args: &ChecksumArgs) -> Hashed {
    hash(args, &CancellationToken::new(), &mut |_| {}).expect("read")
}

#[test]
fn known_sums() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a");
    fs::write(&path, "").expect("written");
    let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    assert_eq!(sum(&listed(&path)), Hashed::Sum(empty.to_owned()));
    fs::write(&path, "abc").expect("written");
    let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    assert_eq!(sum(&listed(&path)), Hashed::Sum(abc.to_owned()));
}

#[test]
fn a_file_that_is_not_as_listed_gets_no_sum() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a");
    fs::write(&path, "abc").expect("written");
    let mut args = listed(&path);
    fs::write(&path, "abcd").expect("written");
    assert!(matches!(sum(&args), Hashed::No(why) if why.contains("changed")));
    args = listed(&path);
    args.modified -= 1;
    assert!(matches!(sum(&args), Hashed::No(why) if why.contains("changed")));
    fs::remove_file(&path).expect("removed");
    assert!(matches!(sum(&args), Hashed::No(why) if why.contains("vanished")));
    fs::create_dir(&path).expect("made");
    assert!(matches!(sum(&args), Hashed::No(why) if why.contains("no regular file")));
}

#[test]
fn a_file_that_grows_while_it_is_read_gets_no_sum() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a");
    fs::write(&path, vec![1; 3 * super::PIECE]).expect("written");
    let args = listed(&path);
    let mut is_first = true;
    let answer = hash(&args, &CancellationToken::new(), &mut |_| {
        if std::mem::take(&mut is_first) {
            fs::write(&path, vec![1; 4 * super::PIECE]).expect("written");
        }
    });
    assert!(matches!(answer, Ok(Hashed::No(why)) if why.contains("changed")));
}

#[test]
fn a_cancelled_run_ends_at_the_next_piece() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("a");
    fs::write(&path, vec![1; 4 * super::PIECE]).expect("written");
    let token = CancellationToken::new();
    let mut pieces = 0;
    let answer = hash(&listed(&path), &token, &mut |_| {
        pieces += 1;
        token.cancel();
    });
    assert_eq!(answer.expect("read"), Hashed::Stopped);
    assert_eq!(pieces, 1);
}
