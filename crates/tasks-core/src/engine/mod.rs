//! The engine of one node: claims due executions, runs them, writes down how they ended, keeps its lease, and takes over what dead nodes leave.
//!
//! Every loop is `every(interval, step)`; the steps are public functions without timers, so that tests drive them by hand. The loops
//! are in [`loops`], and nothing else in the engine waits for time to pass.

mod board;
mod born;
mod claim;
mod execute;
mod finish;
mod floors;
mod hearing;
mod heartbeat;
mod lanes;
pub mod loops;
mod options;
mod progress;
mod rescue;
mod shutdown;
mod signals;
mod store_clock;
mod strays;
mod watch;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use tasks_abstractions::job::InstanceId;
use tasks_abstractions::run::Progress;
use tasks_abstractions::services::Services;
use tasks_abstractions::{
    AdministratorChannel, Clock, GuidGenerator, JobEvent, JobExceptionTypeFinder, JobInfo, JobLockProvider,
    JobQueue, JobStore, RunFollowUps, RunId, Timestamp, ValidationErrors,
};
use tokio::runtime::Handle;

use self::board::Board;
use self::lanes::Lanes;
use crate::maintenance::CleaningOptions;
use crate::registry::JobRegistry;

pub use self::claim::{ClaimStep, NextDue};
pub use self::options::{DurableFinish, EngineOptions};
pub use self::signals::{EngineJobDispatcher, EngineJobPublisher, Signals};
pub use self::store_clock::StoreClock;

/// What an engine is made of.
#[derive(Clone)]
pub struct EngineParts {
    /// Options.
    pub options: EngineOptions,
    /// Moves executions.
    pub queue: Arc<dyn JobQueue>,
    /// Finds logs and snapshots.
    pub store: Arc<dyn JobStore>,
    /// Locks for job code.
    pub locks: Arc<dyn JobLockProvider>,
    /// Tells the store's time. The managers of the same node have the same clock; the engine asks the store at every heartbeat.
    pub clock: Arc<StoreClock>,
    /// Makes ids.
    pub guids: Arc<dyn GuidGenerator>,
    /// What can be run.
    pub registry: Arc<JobRegistry>,
    /// Services of the runs.
    pub services: Services,
    /// Listeners.
    pub events: Vec<Arc<dyn JobEvent>>,
    /// What follows runs.
    pub follow_ups: Vec<Arc<dyn RunFollowUps>>,
    /// Ways to the administrator.
    pub channels: Vec<Arc<dyn AdministratorChannel>>,
    /// Classes of failures.
    pub exceptions: Arc<JobExceptionTypeFinder>,
    /// Signals that wake the loops.
    pub signals: Signals,
    /// Where job code runs. The engine's own loops may run elsewhere, so that a job which never yields cannot stop them.
    pub jobs: Handle,
    /// Version of the program, shown with the node.
    pub version: String,
    /// How long what is done is kept: what is not kept at all is not written.
    pub retention: Arc<CleaningOptions>,
}

/// The engine of one node. Cheap to clone; a clone is the same engine.
#[derive(Clone)]
pub struct Engine {
    shared: Arc<Shared>,
}

struct Shared {
    parts: EngineParts,
    lanes: RwLock<Arc<Lanes>>,
    board: Mutex<Board>,
    to_finish: finish::Inbox,
    lease: Mutex<heartbeat::Lease>,
    watched: Mutex<rescue::Watched>,
    strays: Mutex<strays::Strays>,
    is_claiming: AtomicBool,
    /// Whether nothing is due that this node might run.
    is_idle: AtomicBool,
    is_shut_down: AtomicBool,
    /// Whether shutdown has come to its end.
    is_over: tokio::sync::watch::Sender<bool>,
    is_store_away: AtomicBool,
    last_side_look: Mutex<Option<tokio::time::Instant>>,
    /// Whether the last claim took all that it could.
    is_backlog: AtomicBool,
}

impl Engine {
    /// An engine that does nothing until its loops run or its steps are called.
    ///
    /// # Errors
    /// All faults of the options at once.
    pub fn new(parts: EngineParts) -> Result<Self, ValidationErrors> {
        parts.options.validate()?;
        let instance = InstanceId::generate(parts.guids.as_ref());
        let is_claiming = parts.options.is_execution_enabled;
        Ok(Self {
            shared: Arc::new(Shared {
                lanes: RwLock::new(Arc::new(Lanes::of(&parts.options.node_name, &parts.registry))),
                board: Mutex::new(Board::new(instance)),
                to_finish: finish::Inbox::default(),
                lease: Mutex::default(),
                watched: Mutex::default(),
                strays: Mutex::default(),
                is_claiming: AtomicBool::new(is_claiming),
                is_idle: AtomicBool::new(false),
                is_shut_down: AtomicBool::new(false),
                is_over: tokio::sync::watch::Sender::new(false),
                is_store_away: AtomicBool::new(false),
                last_side_look: Mutex::default(),
                is_backlog: AtomicBool::new(false),
                parts,
            }),
        })
    }

    /// Options.
    #[must_use]
    pub fn options(&self) -> &EngineOptions {
        &self.shared.parts.options
    }

    /// Signals that wake its loops.
    #[must_use]
    pub fn signals(&self) -> &Signals {
        &self.shared.parts.signals
    }

    /// Its present instance id. A fenced engine takes a new one.
    #[must_use]
    pub fn instance(&self) -> InstanceId {
        self.board().instance
    }

    /// Runs whose code is running here.
    #[must_use]
    pub fn executing(&self) -> usize {
        self.board().executing
    }

    /// Outcomes that the store does not have yet.
    #[must_use]
    pub fn unsettled(&self) -> usize {
        self.board().unsettled
    }

    /// Latest progress of the runs here that reported any.
    #[must_use]
    pub fn progress(&self) -> Vec<(Arc<JobInfo>, RunId, Progress)> {
        let board = self.board();
        let reported = board.runs.iter().filter_map(|(run, it)| {
            it.progress
                .clone()
                .map(|progress| (Arc::clone(&it.claimed.job), *run, progress))
        });
        reported.collect()
    }

    /// Lets it claim, or not. Answers whether that is a change.
    #[expect(
        clippy::must_use_candidate,
        reason = "callers may not care whether it was a change"
    )]
    pub fn set_claiming(&self, is_claiming: bool) -> bool {
        if self.shared.is_shut_down.load(Ordering::Acquire) {
            return false;
        }
        let changed = self.shared.is_claiming.swap(is_claiming, Ordering::AcqRel) != is_claiming;
        if changed {
            self.signals().work();
        }
        changed
    }

    /// Whether it claims.
    #[must_use]
    pub fn is_claiming(&self) -> bool {
        self.shared.is_claiming.load(Ordering::Acquire)
    }

    /// The present instant by the store's clock, as far as it is known here.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.parts().clock.now()
    }

    /// What stores must take as "now"; `None` = their own clock.
    fn authoritative_now(&self) -> Option<Timestamp> {
        self.parts().clock.authoritative_now()
    }

    fn parts(&self) -> &EngineParts {
        &self.shared.parts
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        lock(&self.shared.board)
    }
}

/// Ignores poison: nothing under these locks is left half-changed by a panic.
fn lock<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine")
            .field("node", &self.options().node_name)
            .field("instance", &self.instance())
            .field("executing", &self.executing())
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for EngineParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineParts")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("node", &self.parts.options.node_name)
            .finish_non_exhaustive()
    }
}
