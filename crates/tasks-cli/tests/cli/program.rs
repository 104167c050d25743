//! The built program as a process.

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Output, Stdio};

pub(crate) fn tasks(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tasks"));
    command.current_dir(folder).stdin(Stdio::null());
    for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("TASKS_") || name == "RUST_LOG") {
        command.env_remove(name);
    }
    command
}

pub(crate) fn run(folder: &Path, args: &[&str]) -> Output {
    tasks(folder).args(args).output().expect("the program runs")
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// All that a failed assertion should show.
pub(crate) fn shown(output: &Output) -> String {
    format!(
        "{:?}\n{}\n{}",
        output.status,
        text(&output.stdout),
        text(&output.stderr)
    )
}

/// A program whose standard error is read line by line.
pub(crate) struct Running {
    pub(crate) child: Child,
    lines: std::io::Lines<BufReader<ChildStderr>>,
}

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
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
    pub(crate) fn wait_for(&mut self, what: &str) -> String {
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
    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill")
            .args([format!("-{name}"), self.child.id().to_string()])
            .status()
            .expect("kill runs");
        assert!(sent.success());
    }

    /// Waits for the end; answers the exit code and the rest of standard error.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
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
