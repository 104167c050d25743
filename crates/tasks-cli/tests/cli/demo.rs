//! `tasks demo`: a kill in the middle, and checksums that `sha256sum` accepts.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::program::{Running, run, shown, tasks, text};

pub(crate) fn files(folder: &Path, count: usize) {
    fs::create_dir_all(folder).expect("made");
    for at in 0..count {
        fs::write(folder.join(format!("file {at:04}")), format!("content of {at}")).expect("written");
    }
}

/// Lets `sha256sum` check the list from the folder it lies in, and answers how many lines it has.
pub(crate) fn check_sums(folder: &Path) -> usize {
    let checked = Command::new("sha256sum")
        .args(["--check", "--strict", "--quiet", "checksums.sha256"])
        .current_dir(folder)
        .output()
        .expect("sha256sum runs");
    assert!(checked.status.success(), "{}", shown(&checked));
    let list = fs::read(folder.join("checksums.sha256")).expect("written");
    list.iter().filter(|it| **it == b'\n').count()
}

/// A log in which one sees that a file is being read.
#[cfg(unix)]
pub(crate) const SHOWS_PROGRESS: &str = "info,tasks_core::engine=debug";

/// Starts a demo on one file that takes hours to read, and waits until it is being read.
#[cfg(unix)]
pub(crate) fn demo_of_a_huge_file(folder: &Path) -> Running {
    fs::create_dir(folder.join("data")).expect("made");
    let huge = fs::File::create(folder.join("data/huge")).expect("made");
    huge.set_len(1 << 40).expect("sparse");
    let mut demo = tasks(folder);
    demo.args(["demo", "--path", "data", "--log", SHOWS_PROGRESS]);
    let mut demo = Running::start(&mut demo);
    demo.wait_for("engine: progress job=");
    demo
}

#[test]
fn the_demo_in_memory_ends_by_itself() {
    let folder = TempDir::new().expect("a folder");
    files(&folder.path().join("data"), 40);
    let output = run(folder.path(), &["demo", "--path", "data", "--database", "memory"]);
    assert!(output.status.success(), "{}", shown(&output));
    assert_eq!(check_sums(folder.path()), 40);
    let (printed, errors) = (text(&output.stdout), text(&output.stderr));
    assert!(errors.contains("ADMINISTRATOR: a job was given up"), "{errors}");
    assert!(errors.contains("progress: "), "{errors}");
    for expected in ["Completed", "given up", "interruptions", "retries", "wait p99"] {
        assert!(printed.contains(expected), "no {expected} in {printed}");
    }
}

#[test]
fn a_second_demo_runs_only_what_changed() {
    let folder = TempDir::new().expect("a folder");
    let data = folder.path().join("data");
    files(&data, 30);
    odd_names(&data);
    let all = fs::read_dir(&data).expect("listed").count();
    let output = run(folder.path(), &["demo", "--path", "data"]);
    assert!(output.status.success(), "{}", shown(&output));
    assert_eq!(check_sums(folder.path()), all);

    fs::write(data.join("file 0003"), "something else").expect("written");
    fs::remove_file(data.join("file 0004")).expect("removed");
    let output = run(folder.path(), &["demo", "--path", "data"]);
    assert!(output.status.success(), "{}", shown(&output));
    let printed = text(&output.stdout);
    assert!(
        printed.contains(&format!("1 new, {} already done", all - 2)),
        "{printed}"
    );
    assert_eq!(check_sums(folder.path()), all - 1);
}

#[cfg(unix)]
fn odd_names(folder: &Path) {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    for name in [
        &b"back\\slash"[..],
        b"new\nline",
        b"\xff\xfe",
        b" space",
        b"\xc3\xbc",
    ] {
        fs::write(folder.join(OsStr::from_bytes(name)), name).expect("written");
    }
}

#[cfg(not(unix))]
fn odd_names(folder: &Path) {
    fs::write(folder.join(" space"), "x").expect("written");
}

#[test]
fn a_killed_demo_goes_on_at_once() {
    let folder = TempDir::new().expect("a folder");
    files(&folder.path().join("data"), 3_000);
    let demo = || {
        let mut command = tasks(folder.path());
        // Whoever waited for the lease of a predecessor would wait for ever.
        command.args(["demo", "--path", "data"]).env("TASKS_LEASE", "1d");
        command
    };
    let mut first = Running::start(&mut demo());
    // The first report comes when the worker has run, so jobs are being run.
    first.wait_for("progress: ");
    first.child.kill().expect("killed");
    drop(first.end());

    let output = demo().output().expect("runs");
    assert!(output.status.success(), "{}", shown(&output));
    assert_eq!(check_sums(folder.path()), 3_000);
    let listed = run(
        folder.path(),
        &[
            "jobs",
            "list",
            "--type",
            "demo.checksum",
            "--status",
            "Completed",
            "--output",
            "json",
        ],
    );
    let listed: serde_json::Value = serde_json::from_slice(&listed.stdout).expect("JSON");
    assert_eq!(listed["total"], 3_000);
}

#[cfg(unix)]
#[test]
fn an_interrupted_demo_says_so() {
    let folder = TempDir::new().expect("a folder");
    let demo = demo_of_a_huge_file(folder.path());
    demo.signal("INT");
    let (code, rest) = demo.end();
    assert_eq!(code, Some(1), "{rest}");
    assert!(rest.contains("start the same command again"), "{rest}");
}
