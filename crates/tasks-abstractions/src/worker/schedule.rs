//! When a worker runs.

use std::time::Duration;

use crate::{JobPriority, MisfirePolicy, RetryPolicy};

/// What makes a worker run.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum WorkerTrigger {
    /// Again this long after each run ended.
    Every(Duration),
    /// By a cron expression, read in a zone (UTC where none is named).
    Cron {
        /// The expression.
        expression: String,
        /// IANA zone.
        time_zone: Option<String>,
    },
}

/// When a worker runs, with the settings that its code chooses. Operators may override them.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub struct WorkerSchedule {
    /// What makes it run.
    pub trigger: WorkerTrigger,
    /// Whether a worker that is new in the store runs at once, also one with a cron expression. Default false: first after one period or at its first
    /// fire. Later starts of the program make no run.
    pub run_on_start: bool,
    /// Whether every node has a worker of its own, pinned to the node's name whatever a selector says. Default false: one in the cluster.
    pub every_node: bool,
    /// Longest run. Default none.
    pub timeout: Option<Duration>,
    /// Failed runs in a row after which it is given up. Default 0: it goes on for ever.
    pub max_try_count: u32,
    /// What happens to fires that were missed. Default: one run for all of them.
    pub misfire_policy: MisfirePolicy,
    /// Waits between tries of a failed run, where one comes before the next fire. Default none: a failed run waits for the next fire.
    pub retry_policy: Option<RetryPolicy>,
    /// Which of two due jobs goes first. Default Normal.
    pub priority: JobPriority,
}

impl WorkerSchedule {
    /// Again this long after each run ended.
    pub const fn every(period: Duration) -> Self {
        Self {
            trigger: WorkerTrigger::Every(period),
            run_on_start: false,
            every_node: false,
            timeout: None,
            max_try_count: 0,
            misfire_policy: MisfirePolicy::FireOnce,
            retry_policy: None,
            priority: JobPriority::Normal,
        }
    }

    /// By a cron expression in UTC.
    pub fn cron(expression: impl Into<String>) -> Self {
        Self {
            trigger: WorkerTrigger::Cron {
                expression: expression.into(),
                time_zone: None,
            },
            ..Self::every(Duration::ZERO)
        }
    }

    /// Reads the cron expression in this IANA zone. Without effect on [`every`](Self::every).
    pub fn time_zone(mut self, zone: impl Into<String>) -> Self {
        if let WorkerTrigger::Cron { time_zone, .. } = &mut self.trigger {
            *time_zone = Some(zone.into());
        }
        self
    }

    /// Runs at once when the worker is new in the store.
    pub const fn run_on_start(mut self) -> Self {
        self.run_on_start = true;
        self
    }

    /// One worker for every node.
    pub const fn on_every_node(mut self) -> Self {
        self.every_node = true;
        self
    }

    /// Ends runs that take longer.
    pub const fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Says what happens to fires that were missed.
    pub const fn misfire(mut self, policy: MisfirePolicy) -> Self {
        self.misfire_policy = policy;
        self
    }

    /// Tries a failed run again between fires.
    pub const fn retry(mut self, policy: RetryPolicy) -> Self {
        self.retry_policy = Some(policy);
        self
    }

    /// Which of two due jobs goes first.
    pub const fn priority(mut self, priority: JobPriority) -> Self {
        self.priority = priority;
        self
    }

    /// Gives the worker up after this many failed runs in a row.
    pub const fn max_try_count(mut self, tries: u32) -> Self {
        self.max_try_count = tries;
        self
    }
}
