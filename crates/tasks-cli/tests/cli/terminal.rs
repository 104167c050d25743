//! The program on a terminal, which `script` (of util-linux) plays.
#![cfg(target_os = "linux")]

use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::database::Database;
use crate::program::text;

/// A program with a terminal: what is written here is typed, what is read here is seen.
pub(crate) struct Terminal {
    child: Child,
    keys: ChildStdin,
    screen: ChildStdout,
    seen: String,
}

impl Terminal {
    /// Starts a command line with the database of a test. Arguments must need no quotes.
    pub(crate) fn start(db: &Database, args: &str) -> Self {
        let mut child = Command::new("script")
            .args(["--quiet", "--return", "--command"])
            .arg(format!("{} {args}", env!("CARGO_BIN_EXE_tasks")))
            .arg("/dev/null")
            .current_dir(db.folder())
            .env("TASKS_DATABASE", "jobs.db")
            .env("TERM", "xterm")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("script runs");
        let keys = child.stdin.take().expect("piped");
        let screen = child.stdout.take().expect("piped");
        Self {
            child,
            keys,
            screen,
            seen: String::new(),
        }
    }

    /// Reads on until this was on the screen.
    pub(crate) fn wait_for(&mut self, what: &str) {
        let mut piece = [0; 4096];
        while !self.seen.contains(what) {
            let length = self.screen.read(&mut piece).expect("readable");
            assert!(length > 0, "no `{what}` in {}", self.seen);
            self.seen.push_str(&text(&piece[..length]));
        }
    }

    pub(crate) fn type_in(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).expect("typed");
        self.keys.flush().expect("typed");
    }

    /// Waits for the end; answers the exit code and everything that was seen.
    pub(crate) fn end(mut self) -> (Option<i32>, String) {
        let mut rest = Vec::new();
        self.screen.read_to_end(&mut rest).expect("readable");
        self.seen.push_str(&text(&rest));
        (
            self.child.wait().expect("ended").code(),
            std::mem::take(&mut self.seen),
        )
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Ended already in every test that passes.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
