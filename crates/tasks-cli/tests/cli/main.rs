//! The program as a process: exit codes, signals, a kill in the middle, and checksums that `sha256sum` accepts.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};

use tempfile::TempDir;

fn tasks(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tasks"));
    command.current_dir(folder).stdin(Stdio::null());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("TASKS_") || name == "RUST_LOG") {
        command.env_remove(name);
    }
    command
}

fn run(folder: &Path, args: &[&str]) -> Output {
    tasks(folder).args(args).output().expect("the program runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// All that a failed assertion should show.
fn shown(output: &Output) -> String {
    format!(
        "{:?}\n{}\n{}",
        output.status,
        text(&output.stdout),
        text(&output.stderr)
    )
}

fn files(folder: &Path, count: usize) {
    fs::create_dir_all(folder).expect("made");
    for at in 0..count {
        fs::write(folder.join(format!("file {at:04}")), format!("content of {at}")).expect("written");
    }
}

/// Lets `sha256sum` check the list from the folder it lies in, and answers how many lines it has.
fn check_sums(folder: &Path) -> usize {
    let checked = Command::new("sha256sum")
        .args(["--check", "--strict", "--quiet", "checksums.sha256"])
        .current_dir(folder)
        .output()
        .expect("sha256sum runs");
    assert!(checked.status.success(), "{}", shown(&checked));
    let list = fs::read(folder.join("checksums.sha256")).expect("written");
    list.iter().filter(|it| **it == b'\n').count()
}

/// A program whose standard error is read line by line.
struct Running {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStderr>>,
}

impl Running {
    fn start(command: &mut Command) -> Self {
        let mut child = command
            .stderr(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("the program starts");
        let errors = child.stderr.take().expect("piped");
        Self {
            child,
            lines: BufReader::new(errors).lines(),
        }
    }

    /// Reads on to a line that contains `what`.
    fn wait_for(&mut self, what: &str) -> String {
        let mut seen = Vec::new();
        for line in self.lines.by_ref() {
            let line = line.expect("readable");
            if line.contains(what) {
                return line;
            }
            seen.push(line);
        }
        panic!("no `{what}` in {seen:#?}");
    }

    #[cfg(unix)]
    fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([format!("-{name}"), self.child.id().to_string()])
            .status()
            .expect("kill runs");
        assert!(sent.success());
    }

    /// Waits for the end; answers the exit code and the rest of standard error.
    fn end(mut self) -> (Option<i32>, String) {
        let mut rest = String::new();
        for line in self.lines.by_ref() {
            rest.push_str(&line.expect("readable"));
            rest.push('\n');
        }
        (self.child.wait().expect("ended").code(), rest)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Ended already in every test that passes.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn no_command_shows_the_help_and_is_wrong_usage() {
    let folder = TempDir::new().expect("a folder");
    let output = run(folder.path(), &[]);
    assert_eq!(output.status.code(), Some(2), "{}", shown(&output));
    assert!(
        text(&output.stderr).contains("Usage: tasks"),
        "{}",
        shown(&output)
    );
    for wrong in [
        &["nonsense"][..],
        &["jobs", "list", "--status", "Foo"],
        &["--log", "a=b=c", "serve"],
    ] {
        let output = run(folder.path(), wrong);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}: {}", shown(&output));
    }
}

#[test]
fn faults_of_configuration_are_listed_together() {
    let folder = TempDir::new().expect("a folder");
    fs::write(
        folder.path().join("c.toml"),
        "max_concurrency = \"x\"\nlease = \"1s\"\n",
    )
    .expect("written");
    let output = tasks(folder.path())
        .args(["serve", "--config", "c.toml", "--database", "missing/x.db"])
        .env("TASKS_HEARTBEAT", "soon")
        .output()
        .expect("runs");
    assert_eq!(output.status.code(), Some(3), "{}", shown(&output));
    let errors = text(&output.stderr);
    for expected in ["`max_concurrency`", "`lease`", "TASKS_HEARTBEAT", "missing"] {
        assert!(errors.contains(expected), "no {expected} in {errors}");
    }
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

/// A log in which one sees that a file is being read.
#[cfg(unix)]
const SHOWS_PROGRESS: &str = "info,tasks_core::engine=debug";

/// Starts a demo on one file that takes hours to read, and waits until it is being read.
#[cfg(unix)]
fn demo_of_a_huge_file(folder: &Path) -> Running {
    fs::create_dir(folder.join("data")).expect("made");
    let huge = fs::File::create(folder.join("data/huge")).expect("made");
    huge.set_len(1 << 40).expect("sparse");
    let mut demo = tasks(folder);
    demo.args(["demo", "--path", "data", "--log", SHOWS_PROGRESS]);
    let mut demo = Running::start(&mut demo);
    demo.wait_for("engine: progress job=");
    demo
}

#[cfg(unix)]
#[test]
fn one_signal_drains_and_a_second_one_forces() {
    let folder = TempDir::new().expect("a folder");
    let demo = demo_of_a_huge_file(folder.path());
    demo.signal("KILL");
    drop(demo.end());
    let serve = |grace: &str| {
        let mut node = tasks(folder.path());
        node.args(["serve", "--node-name", "n", "--log", SHOWS_PROGRESS])
            .env("TASKS_SHUTDOWN_GRACE", grace);
        let mut node = Running::start(&mut node);
        node.wait_for("engine: progress job=");
        node
    };
    let mut node = serve("1s");
    node.signal("TERM");
    node.wait_for("draining");
    let (code, rest) = node.end();
    assert_eq!(code, Some(0), "{rest}");

    let mut node = serve("1h");
    node.signal("INT");
    node.wait_for("draining");
    node.signal("TERM");
    node.wait_for("second signal");
    let (code, rest) = node.end();
    assert_eq!(code, Some(4), "{rest}");
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

#[test]
fn migrations_and_jobs_are_shown() {
    let folder = TempDir::new().expect("a folder");
    let here = folder.path();
    let output = run(here, &["jobs", "list", "--database", "x.db"]);
    assert_eq!(output.status.code(), Some(1), "{}", shown(&output));
    assert!(!here.join("x.db").exists(), "a look creates nothing");

    let output = run(here, &["migrate", "up", "--database", "x.db"]);
    assert!(output.status.success(), "{}", shown(&output));
    assert!(text(&output.stdout).contains("applied"), "{}", shown(&output));
    let output = run(here, &["jobs", "list", "--database", "x.db"]);
    assert!(text(&output.stdout).contains("0 of 0 jobs"), "{}", shown(&output));
    let output = run(here, &["migrate", "down", "--all", "--database", "x.db"]);
    assert!(text(&output.stdout).contains("outstanding"), "{}", shown(&output));

    files(&here.join("data"), 2);
    let output = run(here, &["demo", "--path", "data", "--database", "x.db"]);
    assert!(output.status.success(), "{}", shown(&output));
    let output = run(
        here,
        &[
            "jobs",
            "list",
            "--database",
            "x.db",
            "--abandoned",
            "--output",
            "json",
        ],
    );
    let listed: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(listed["total"], 1, "{listed}");
    let id = listed["items"][0]["id"].as_str().expect("an id");
    let output = run(here, &["jobs", "show", id, "--database", "x.db"]);
    let printed = text(&output.stdout);
    assert!(
        printed.contains("demo.hopeless") && printed.contains("3 of 3 runs"),
        "{printed}"
    );
    let output = run(
        here,
        &[
            "jobs",
            "show",
            "00000000-0000-0000-0000-000000000001",
            "--database",
            "x.db",
        ],
    );
    assert_eq!(output.status.code(), Some(1), "{}", shown(&output));
}

#[test]
fn output_to_nobody_is_an_error_and_no_panic() {
    let folder = TempDir::new().expect("a folder");
    let output = run(folder.path(), &["migrate", "up"]);
    assert!(output.status.success(), "{}", shown(&output));
    let mut child = tasks(folder.path())
        .args(["jobs", "list"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("starts");
    drop(child.stdout.take());
    let mut errors = String::new();
    let mut pipe = child.stderr.take().expect("piped");
    pipe.read_to_string(&mut errors).expect("readable");
    assert_eq!(child.wait().expect("ended").code(), Some(1), "{errors}");
    assert!(!errors.contains("panicked"), "{errors}");
}
