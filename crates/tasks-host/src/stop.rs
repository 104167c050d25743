//! Stopping what was started: every part, in reverse, whatever fails on the way.

use crate::engine_thread::EngineThread;
use crate::{Host, HostError, Problems};

/// What has been started so far.
#[derive(Debug)]
pub(crate) struct Stopping<'a> {
    host: &'a Host,
    /// The first so many modules.
    pub(crate) modules: usize,
    pub(crate) has_workers: bool,
    pub(crate) thread: Option<EngineThread>,
}

/// How it went.
#[derive(Debug, Default)]
pub(crate) struct Stopped {
    executing: usize,
    unsettled: usize,
    pub(crate) failures: Problems,
}

impl<'a> Stopping<'a> {
    /// Nothing was started yet.
    pub(crate) fn of(host: &'a Host) -> Self {
        Self {
            host,
            modules: 0,
            has_workers: false,
            thread: None,
        }
    }

    /// Stops it all.
    pub(crate) async fn stop(self) -> Stopped {
        let host = self.host;
        let mut outcome = Stopped::default();
        if let Some(thread) = &self.thread {
            thread.shutdown(host.engine.clone()).await;
            outcome.executing = host.engine.executing();
            outcome.unsettled = host.engine.unsettled();
        }
        if self.has_workers
            && let Err(failures) = host.managers.workers.stop().await
        {
            for failure in &failures {
                outcome.failures.add_error("a worker did not stop", failure);
            }
        }
        if let Some(thread) = self.thread {
            thread.end().await;
        }
        // The module with the store comes first in the list as a rule, so its connections are closed last.
        for module in host.modules.iter().take(self.modules).rev() {
            if let Err(error) = module.stop(&host.services).await {
                outcome
                    .failures
                    .add_error(&format!("module `{}` did not stop", module.name()), &error);
            }
        }
        outcome
    }
}

impl Stopped {
    pub(crate) fn into_result(self) -> Result<(), HostError> {
        if self.executing > 0 || self.unsettled > 0 {
            return Err(HostError::DrainIncomplete {
                executing: self.executing,
                unsettled: self.unsettled,
                failures: self.failures,
            });
        }
        if self.failures.is_empty() {
            Ok(())
        } else {
            Err(HostError::StopFailed(self.failures))
        }
    }
}
