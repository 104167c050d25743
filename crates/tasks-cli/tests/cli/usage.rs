//! What every command has: exit codes, faults of arguments and configuration, output that nobody reads.

use std::fs;
use std::io::Read as _;
use std::process::Stdio;

use tempfile::TempDir;

use crate::program::{run, shown, tasks, text};

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

#[test]
fn shells_complete_the_command_line() {
    let folder = TempDir::new().expect("a folder");
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = run(folder.path(), &["completion", shell]);
        assert!(output.status.success(), "{shell}: {}", shown(&output));
        let script = text(&output.stdout);
        for word in ["tasks", "enqueue", "explain"] {
            assert!(script.contains(word), "{shell}: no {word}");
        }
    }
    let script = run(folder.path(), &["completion", "bash"]).stdout;
    fs::write(folder.path().join("script"), script).expect("written");
    let checked = std::process::Command::new("bash")
        .args(["-n", "script"])
        .current_dir(folder.path())
        .output()
        .expect("bash runs");
    assert!(checked.status.success(), "{}", shown(&checked));
    assert_eq!(run(folder.path(), &["completion", "csh"]).status.code(), Some(2));
}
