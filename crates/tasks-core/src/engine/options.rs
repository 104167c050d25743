//! Options of the engine.

use std::time::Duration;

use tasks_abstractions::{FieldFault, JobLimits, ValidationErrors};

/// When outcomes are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DurableFinish {
    /// Several outcomes in one transaction: fastest. A kill of the process may repeat what ended within the last few milliseconds (at most
    /// `finish_linger` plus one transaction). The default.
    #[default]
    Batched,
    /// Every outcome in a transaction of its own, begun the moment the run ends: for work that must not repeat even after an unlucky
    /// kill. What remains is the moment between the work and its record, which no engine can close.
    Each,
}

/// Options of one node's engine. Checked at start; all faults are reported at once.
#[derive(Debug, Clone, PartialEq)]
pub struct EngineOptions {
    /// Name of this node, to which jobs can be pinned. Defaults to `node`.
    pub node_name: String,
    /// Whether this node runs jobs. A node that does not still enqueues and manages. Defaults to true.
    pub is_execution_enabled: bool,
    /// Jobs that run at once. Defaults to 100.
    pub max_concurrency: usize,
    /// Most executions of one claim. Defaults to 1,000.
    pub claim_batch: usize,
    /// How often the store is asked for work that nobody announced. Defaults to 1 s.
    pub poll_interval: Duration,
    /// How often commands for runs of this node are looked for, such as a pause, where nobody announces them; `None`: with each heartbeat. Defaults to `None`.
    pub command_poll_interval: Option<Duration>,
    /// How often the lease is renewed. Defaults to 5 s.
    pub heartbeat: Duration,
    /// How long a node counts as alive without renewal; at least four heartbeats. Defaults to 20 s.
    pub lease: Duration,
    /// Most outcomes of one transaction. Defaults to 1,000.
    pub finish_batch: usize,
    /// How long an outcome waits at most for others, while code is running and half a batch is not there. Defaults to 2 ms.
    pub finish_linger: Duration,
    /// When outcomes are written: `batched`, several in one transaction, or `each`, at once and by itself. Defaults to batched.
    pub durable_finish: DurableFinish,
    /// Outcomes kept while the store is away; beyond it nothing more is claimed. Defaults to 10,000.
    pub max_unsettled: usize,
    /// How late a fire may be before it counts as missed. Defaults to 60 s.
    pub misfire_threshold: Duration,
    /// Shortest time between two writes of what runs say of their progress. Defaults to 1 s.
    pub progress_interval: Duration,
    /// How long a suspect runs before it is none any more. Defaults to 30 s.
    pub suspect_window: Duration,
    /// How long a cancelled run may go on before it is reported as stuck. Defaults to 30 s.
    pub stuck_after: Duration,
    /// How long runs may go on at shutdown before they are cancelled. Defaults to 20 s.
    pub shutdown_grace: Duration,
    /// How long cancelled runs may go on at shutdown before the node leaves them behind. Defaults to 5 s.
    pub cancel_grace: Duration,
    /// Limits of jobs' fields and captured texts.
    pub limits: JobLimits,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            node_name: "node".to_owned(),
            is_execution_enabled: true,
            max_concurrency: 100,
            claim_batch: 1_000,
            poll_interval: Duration::from_secs(1),
            command_poll_interval: None,
            heartbeat: Duration::from_secs(5),
            lease: Duration::from_secs(20),
            finish_batch: 1_000,
            finish_linger: Duration::from_millis(2),
            durable_finish: DurableFinish::default(),
            max_unsettled: 10_000,
            misfire_threshold: Duration::from_secs(60),
            progress_interval: Duration::from_secs(1),
            suspect_window: Duration::from_secs(30),
            stuck_after: Duration::from_secs(30),
            shutdown_grace: Duration::from_secs(20),
            cancel_grace: Duration::from_secs(5),
            limits: JobLimits::default(),
        }
    }
}

impl EngineOptions {
    /// Heartbeats that a lease must cover: renewals may fail for a while without the node being declared dead.
    pub const HEARTBEATS_PER_LEASE: u32 = 4;

    /// Checks every option.
    ///
    /// # Errors
    /// All faults at once.
    pub fn validate(&self) -> Result<(), ValidationErrors> {
        let mut faults = Vec::new();
        let mut fault = |field: &str, problem: String| faults.push(FieldFault::new(field, problem));
        let name = self.node_name.trim();
        if name.is_empty() || self.node_name.chars().count() > self.limits.node_name || name.contains('/') {
            fault(
                "node_name",
                format!(
                    "is `{}`; expected 1 to {} characters without `/`",
                    self.node_name, self.limits.node_name
                ),
            );
        }
        for (field, value, most) in [
            ("max_concurrency", self.max_concurrency, 100_000),
            ("claim_batch", self.claim_batch, 10_000),
            ("finish_batch", self.finish_batch, 10_000),
            ("max_unsettled", self.max_unsettled, 10_000_000),
        ] {
            if !(1..=most).contains(&value) {
                fault(field, format!("is {value}; expected 1 to {most}"));
            }
        }
        let hour = Duration::from_secs(3600);
        for (field, value, least, most) in [
            (
                "poll_interval",
                self.poll_interval,
                Duration::from_millis(1),
                hour,
            ),
            (
                "command_poll_interval",
                // The heartbeat looks anyway.
                self.command_poll_interval.unwrap_or(hour),
                Duration::from_millis(10),
                hour,
            ),
            ("heartbeat", self.heartbeat, Duration::from_millis(50), hour),
            (
                "finish_linger",
                self.finish_linger,
                Duration::ZERO,
                Duration::from_secs(1),
            ),
            (
                "progress_interval",
                self.progress_interval,
                Duration::from_millis(50),
                hour,
            ),
            (
                "suspect_window",
                self.suspect_window,
                Duration::from_millis(1),
                hour,
            ),
            (
                "stuck_after",
                self.stuck_after,
                Duration::from_millis(1),
                24 * hour,
            ),
            ("shutdown_grace", self.shutdown_grace, Duration::ZERO, 24 * hour),
            ("cancel_grace", self.cancel_grace, Duration::ZERO, 24 * hour),
        ] {
            if !(least..=most).contains(&value) {
                fault(field, format!("is {value:?}; expected {least:?} to {most:?}"));
            }
        }
        if self.lease < self.heartbeat * Self::HEARTBEATS_PER_LEASE {
            fault(
                "lease",
                format!(
                    "is {:?}; expected at least {} heartbeats ({:?})",
                    self.lease,
                    Self::HEARTBEATS_PER_LEASE,
                    self.heartbeat * Self::HEARTBEATS_PER_LEASE
                ),
            );
        }
        ValidationErrors::from_faults(faults)
    }
}
