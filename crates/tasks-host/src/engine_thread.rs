//! The thread on which the engine's loops run: a job that never yields blocks its own runtime and not the lease.

use std::fmt;
use std::io;
use std::thread::JoinHandle;

use tasks_abstractions::StoreError;
use tasks_core::Engine;
use tokio::runtime::{Builder, Handle};
use tokio::sync::{oneshot, watch};
use tokio_util::sync::CancellationToken;
use tracing::error;

/// The running loops of one engine.
pub(crate) struct EngineThread {
    handle: Handle,
    end: CancellationToken,
    has_ended: watch::Receiver<bool>,
    thread: JoinHandle<()>,
}

impl EngineThread {
    /// Starts the thread, makes the engine a living member, and lets its loops run.
    ///
    /// # Errors
    /// Where there is no thread or runtime to be had, or the store did not take the node.
    pub(crate) async fn start(engine: Engine) -> Result<Self, StartError> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        let end = CancellationToken::new();
        let (registered, is_registered) = oneshot::channel();
        let (ended, has_ended) = watch::channel(false);
        let token = end.clone();
        let thread = std::thread::Builder::new()
            .name("tasks-engine".to_owned())
            .spawn(move || {
                // Dropped at every ending of the thread, a panic included: that tells the host.
                let _ended = Ended(ended);
                runtime.block_on(async move {
                    let answer = engine.register_step().await;
                    let is_well = answer.is_ok();
                    if registered.send(answer).is_err() || !is_well {
                        return;
                    }
                    tokio::select! {
                        () = token.cancelled() => {}
                        () = engine.run() => token.cancelled().await,
                    }
                });
            })?;
        let this = Self {
            handle,
            end,
            has_ended,
            thread,
        };
        match is_registered.await {
            Ok(Ok(())) => Ok(this),
            Ok(Err(error)) => {
                this.end().await;
                Err(StartError::Store(error))
            }
            Err(_) => {
                this.end().await;
                Err(StartError::Panicked)
            }
        }
    }

    /// Drains the engine, on the engine's own thread: jobs that block theirs cannot hold it up.
    pub(crate) async fn shutdown(&self, engine: Engine) {
        let drained = self.handle.spawn(async move { engine.shutdown().await });
        if let Err(problem) = drained.await {
            error!(error = %problem, "the drain was cut short: the engine's thread has ended");
        }
    }

    /// Told when the thread ends by itself.
    pub(crate) fn has_ended(&self) -> watch::Receiver<bool> {
        self.has_ended.clone()
    }

    /// Ends the loops, wherever they are, and waits for the thread.
    pub(crate) async fn end(mut self) {
        self.end.cancel();
        // Fails only where the thread has gone already.
        let _ = self.has_ended.wait_for(|it| *it).await;
        if self.thread.is_finished() && self.thread.join().is_err() {
            error!("the engine's thread panicked");
        }
    }
}

/// Tells that the thread has ended, when dropped.
struct Ended(watch::Sender<bool>);

impl Drop for Ended {
    fn drop(&mut self) {
        self.0.send_replace(true);
    }
}

impl fmt::Debug for EngineThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineThread").finish_non_exhaustive()
    }
}

/// Why the engine's thread did not start.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    #[error("no thread or runtime for the engine")]
    Thread(#[from] io::Error),
    #[error("the store did not take this node")]
    Store(#[source] StoreError),
    #[error("the engine's thread panicked")]
    Panicked,
}
