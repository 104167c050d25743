//! Signals of the operating system: the first one drains, the second one forces.
//!
//! They are heard on a thread of their own, so that neither job code that blocks the runtime nor a `main` that waits for it can make a program deaf.

use std::io;
use std::time::Duration;

use tasks_core::Engine;
use tokio::runtime::Builder;
use tokio::sync::watch;
use tokio::time::timeout;
use tracing::{info, warn};

use crate::HostExit;

/// How long cancelled runs may take after the second signal, until the process ends whatever they do.
const FORCE_GRACE: Duration = Duration::from_secs(2);

/// Where a drain has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Running,
    /// A signal asked for the end.
    Draining,
    /// A second signal came: the process ends with its own code, whatever the drain comes to.
    Forced,
    /// The host has stopped.
    Stopped,
}

/// Listens from now on. The first signal sets the phase to draining; the second one cancels all runs and ends the process with
/// [`HostExit::Forced`], at the latest after [`FORCE_GRACE`].
///
/// # Errors
/// Where the operating system gives no thread or refuses the handlers.
pub(crate) fn listen(engine: Engine) -> io::Result<watch::Sender<Phase>> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let mut listener = {
        // The handlers are installed before this returns: a signal right after the start must not kill the process.
        let _inside = runtime.enter();
        Listener::new()?
    };
    let (phase, _) = watch::channel(Phase::Running);
    let told = phase.clone();
    std::thread::Builder::new()
        .name("tasks-signals".to_owned())
        .spawn(move || {
            runtime.block_on(async move {
                let first = listener.next().await;
                info!(signal = first, "draining; a second signal ends the runs at once");
                told.send_if_modified(|it| {
                    let is_first = *it == Phase::Running;
                    if is_first {
                        *it = Phase::Draining;
                    }
                    is_first
                });
                let second = listener.next().await;
                warn!(signal = second, "second signal: every run is cancelled");
                engine.hurry();
                let is_stopped = told.send_replace(Phase::Forced) == Phase::Stopped;
                if is_stopped {
                    leave(HostExit::Forced);
                }
                let mut phases = told.subscribe();
                // What still goes on after this is left behind, as the exit code says.
                let _ = timeout(FORCE_GRACE, phases.wait_for(|it| *it == Phase::Stopped)).await;
                leave(HostExit::Forced);
            });
        })?;
    Ok(phase)
}

#[expect(
    clippy::exit,
    reason = "job code that does not end would keep the process alive for ever; the second signal is the order to leave it behind"
)]
fn leave(with: HostExit) -> ! {
    std::process::exit(i32::from(with.code()))
}

#[cfg(unix)]
struct Listener {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Listener {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) -> &'static str {
        tokio::select! {
            _ = self.interrupt.recv() => "SIGINT",
            _ = self.terminate.recv() => "SIGTERM",
        }
    }
}

#[cfg(not(unix))]
struct Listener;

#[cfg(not(unix))]
impl Listener {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) -> &'static str {
        match tokio::signal::ctrl_c().await {
            Ok(()) => "Ctrl-C",
            // Without a handler there is no signal to hear, ever.
            Err(_) => std::future::pending().await,
        }
    }
}
