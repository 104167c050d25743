//! A host: starts everything in order, runs until a signal, and stops everything in reverse.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tasks_abstractions::services::{Module, Services};
use tasks_abstractions::{
    BackgroundJobManager, BackgroundWorkerManager, BackgroundWorkerRunnable, JobManagement, JobNotifier,
    JobQueue, JobScheduler, JobStore,
};
use tasks_core::{Engine, EngineScheduler};
use tokio::sync::watch;
use tracing::{error, info};

use crate::engine_thread::EngineThread;
use crate::signals::{self, Phase};
use crate::stop::Stopping;
use crate::wiring::Managers;
use crate::{HostBuilder, HostError, HostOptions, Problems};

/// A complete program: modules, workers and the engine of one node. Made by [`Host::builder`]; lives once.
pub struct Host {
    pub(crate) options: HostOptions,
    pub(crate) modules: Vec<Arc<dyn Module>>,
    pub(crate) services: Services,
    pub(crate) managers: Managers,
    pub(crate) engine: Engine,
    pub(crate) scheduler: Arc<EngineScheduler>,
    pub(crate) worker_instances: Vec<Arc<dyn BackgroundWorkerRunnable>>,
    pub(crate) state: Mutex<State>,
}

/// Where in its life a host is.
#[derive(Debug, Default)]
pub(crate) enum State {
    #[default]
    Built,
    /// A start or stop is on its way, or the host has stopped.
    Used,
    Running {
        thread: EngineThread,
    },
}

impl Host {
    /// Starts to put a program together.
    pub fn builder() -> HostBuilder {
        HostBuilder::new()
    }

    /// Starts, runs until SIGINT or SIGTERM (Ctrl-C elsewhere), and drains as [`stop`](Self::stop) does.
    ///
    /// A second signal cancels every run and ends the process with [`HostExit::Forced`](crate::HostExit::Forced), two seconds later at the latest, even
    /// where job code never ends. The handlers stay installed after this returns, so that a second signal also ends a `main` which waits for such code.
    ///
    /// # Errors
    /// As [`start`](Self::start) and [`stop`](Self::stop); [`HostError::EngineEnded`] where the engine panicked.
    pub async fn run(self) -> Result<(), HostError> {
        self.run_until(std::future::pending::<()>()).await.map(drop)
    }

    /// As [`run`](Self::run), but ends also when `work` has ended: for programs that have something to wait for. `work` begins when the host has
    /// started, and every service may be used in it. Answers `None` where a signal came first; `work` is dropped then, before the drain.
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub async fn run_until<T>(&self, work: impl Future<Output = T>) -> Result<Option<T>, HostError> {
        let phase = signals::listen(self.engine.clone()).map_err(|error| {
            let mut problems = Problems::default();
            problems.add_error("cannot listen for signals", &error);
            HostError::CannotStart(problems)
        })?;
        let outcome = self.run_phases(&phase, work).await;
        if phase.send_replace(Phase::Stopped) == Phase::Forced {
            // The listening thread ends the process now. Returning would race with it for the exit code.
            std::future::pending::<()>().await;
        }
        outcome
    }

    async fn run_phases<T>(
        &self,
        phase: &watch::Sender<Phase>,
        work: impl Future<Output = T>,
    ) -> Result<Option<T>, HostError> {
        self.start().await?;
        let mut engine_ended = match &*self.state() {
            State::Running { thread } => thread.has_ended(),
            State::Built | State::Used => return Err(HostError::StartedBefore),
        };
        let mut phases = phase.subscribe();
        let (answer, has_engine_ended) = tokio::select! {
            // Both senders outlive this.
            _ = phases.wait_for(|it| *it != Phase::Running) => (None, false),
            _ = engine_ended.wait_for(|it| *it) => (None, true),
            answer = work => (Some(answer), false),
        };
        let stopped = self.stop().await;
        if has_engine_ended {
            return Err(HostError::EngineEnded);
        }
        stopped.map(|()| answer)
    }

    /// Starts, in this order: the modules, the engine's loops (on a thread of their own; job code runs where [`HostBuilder::build`] was called),
    /// the workers, and then claiming. When it returns, the node is a living member and takes work.
    ///
    /// # Errors
    /// [`HostError::CannotStart`] where a part did not start; those that had started were stopped again. [`HostError::StartedBefore`] the second time.
    pub async fn start(&self) -> Result<(), HostError> {
        {
            let mut state = self.state();
            if !matches!(*state, State::Built) {
                return Err(HostError::StartedBefore);
            }
            *state = State::Used;
        }
        let mut begun = Stopping::of(self);
        match self.start_parts(&mut begun).await {
            Ok(thread) => {
                *self.state() = State::Running { thread };
                if self.options.engine.is_execution_enabled {
                    self.engine.set_claiming(true);
                }
                info!(node = %self.options.engine.node_name, instance = %self.engine.instance(),
                    workers = self.worker_instances.len(), "started");
                Ok(())
            }
            Err(mut problems) => {
                let outcome = begun.stop().await;
                for failure in outcome.failures.lines() {
                    problems.add(format!("and while stopping again: {failure}"));
                }
                Err(HostError::CannotStart(problems))
            }
        }
    }

    async fn start_parts(&self, begun: &mut Stopping<'_>) -> Result<EngineThread, Problems> {
        let mut problems = Problems::default();
        for module in &self.modules {
            // Counted before: a start that failed half-way has something to stop.
            begun.modules += 1;
            if let Err(error) = module.start(&self.services).await {
                problems.add_error(&format!("module `{}` did not start", module.name()), &error);
                return Err(problems);
            }
        }
        for worker in &self.worker_instances {
            if let Err(error) = self.managers.workers.add(Arc::clone(worker)).await {
                problems.add_error("a worker could not be added", &error);
            }
        }
        // Nothing is claimed before the workers have started: their jobs may need what their start hooks prepare.
        self.engine.set_claiming(false);
        let thread = match EngineThread::start(self.engine.clone()).await {
            Ok(thread) => thread,
            Err(error) => {
                problems.add_error("the engine did not start", &error);
                return Err(problems);
            }
        };
        begun.has_workers = true;
        if let Err(error) = self.managers.workers.start().await {
            problems.add_error("the workers did not start", &error);
        }
        if problems.is_empty() {
            return Ok(thread);
        }
        begun.thread = Some(thread);
        Err(problems)
    }

    /// Stops, in this order: claiming, then the runs (they get `shutdown_grace`, then they are cancelled and get `cancel_grace`), the
    /// workers, and the modules in reverse. Each part is stopped also where another one fails. Stopping a host that does not run changes nothing.
    ///
    /// # Errors
    /// [`HostError::DrainIncomplete`] where runs did not end or outcomes are not stored, [`HostError::StopFailed`] where only hooks failed.
    pub async fn stop(&self) -> Result<(), HostError> {
        let thread = match std::mem::replace(&mut *self.state(), State::Used) {
            State::Running { thread } => thread,
            State::Built => {
                *self.state() = State::Built;
                return Ok(());
            }
            State::Used => return Ok(()),
        };
        let mut stopping = Stopping::of(self);
        stopping.modules = self.modules.len();
        stopping.has_workers = true;
        stopping.thread = Some(thread);
        let outcome = stopping.stop().await;
        for failure in outcome.failures.lines() {
            error!(failure, "did not stop well");
        }
        outcome.into_result()?;
        info!("stopped");
        Ok(())
    }

    /// Enqueues jobs. Works from [`HostBuilder::build`] on, also while the host does not run.
    #[must_use]
    pub fn jobs(&self) -> Arc<dyn BackgroundJobManager> {
        Arc::clone(&self.managers.jobs)
    }

    /// Waits until other processes were told of what was enqueued and commanded here, for some seconds at most: at the end of a program that never
    /// started its host. [`stop`](Self::stop) does it as well. Without it the others find everything by polling.
    pub async fn flush(&self) {
        // Where no module provides one, nobody is told.
        if let Ok(notifier) = self.services.get::<dyn JobNotifier>() {
            notifier.flush().await;
        }
    }

    /// The workers of this program.
    #[must_use]
    pub fn workers(&self) -> Arc<dyn BackgroundWorkerManager> {
        Arc::clone(&self.managers.workers)
    }

    /// The schedule, and whether this node runs jobs.
    #[must_use]
    pub fn scheduler(&self) -> Arc<dyn JobScheduler> {
        Arc::clone(&self.scheduler) as _
    }

    /// Lists and commands.
    #[must_use]
    pub fn management(&self) -> Arc<dyn JobManagement> {
        Arc::clone(&self.managers.management) as _
    }

    /// The engine of this node.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The services of all modules.
    #[must_use]
    pub fn services(&self) -> &Services {
        &self.services
    }

    /// The stored jobs.
    #[must_use]
    pub fn store(&self) -> Arc<dyn JobStore> {
        Arc::clone(&self.managers.store)
    }

    /// The executions. For programs that drive the engine themselves; everybody else uses [`jobs`](Self::jobs).
    #[must_use]
    pub fn queue(&self) -> Arc<dyn JobQueue> {
        Arc::clone(&self.managers.queue)
    }

    /// The options as they came out of code, environment and file.
    #[must_use]
    pub fn options(&self) -> &HostOptions {
        &self.options
    }

    /// Nothing is left half-changed under this lock by a panic.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host")
            .field("options", &self.options)
            .field("engine", &self.engine)
            .finish_non_exhaustive()
    }
}
