//! Ends a run whatever happens: after the deadline every child is killed, and the driver with them.

use std::collections::HashSet;
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use rustix::process::{Pid, Signal, kill_process};

use crate::report::say;

/// Exit code where the deadline ended the run.
const OVERDUE: i32 = 3;

/// Processes that must not outlive the run.
#[derive(Debug, Clone, Default)]
pub(crate) struct Children(Arc<Mutex<HashSet<u32>>>);

impl Children {
    pub(crate) fn add(&self, pid: u32) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(pid);
    }

    pub(crate) fn remove(&self, pid: u32) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&pid);
    }

    fn kill_all(&self) {
        for pid in self.0.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            // One that has ended meanwhile is what is wanted.
            let _ = signal(*pid, Signal::KILL);
        }
    }
}

/// Sends a signal to one child.
pub(crate) fn signal(pid: u32, signal: Signal) -> Result<()> {
    let pid = i32::try_from(pid).ok().and_then(Pid::from_raw);
    if let Some(pid) = pid {
        kill_process(pid, signal)?;
    }
    Ok(())
}

/// Watches over a run until it is dropped.
#[derive(Debug)]
pub(crate) struct Watchdog {
    /// Dropping it tells the thread that the run has ended.
    _alive: Sender<()>,
}

impl Watchdog {
    pub(crate) fn start(deadline: Duration, children: Children, hint: String) -> Result<Self> {
        let (alive, ended) = channel();
        std::thread::Builder::new()
            .name("watchdog".to_owned())
            .spawn(move || {
                if ended.recv_timeout(deadline) == Err(RecvTimeoutError::Timeout) {
                    children.kill_all();
                    say(format_args!(
                        "the run was not over after {deadline:?} and was ended by force; {hint}"
                    ));
                    leave();
                }
            })?;
        Ok(Self { _alive: alive })
    }
}

#[expect(
    clippy::exit,
    reason = "whatever holds up the run would hold up an ordinary ending as well"
)]
fn leave() -> ! {
    std::process::exit(OVERDUE)
}
