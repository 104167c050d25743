//! How fast everything goes in a run: leases, and what must be shorter or longer than they are.

use std::time::Duration;

use clap::ValueEnum;

/// Leases of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Pace {
    /// Heartbeat 1 s, lease 4 s: many faults in a short run.
    Quick,
    /// The engine's defaults: heartbeat 5 s, lease 20 s.
    Default,
}

/// Times of a run.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) heartbeat: Duration,
    pub(crate) lease: Duration,
    pub(crate) suspect_window: Duration,
    /// How long a job takes that is still running when its node wakes after a lease.
    pub(crate) long: Duration,
    /// Shortest and longest time between the beginnings of two faults.
    pub(crate) gap: (Duration, Duration),
    /// Jobs that are enqueued in a second.
    pub(crate) rate: f64,
    /// How long the load and the faults last.
    pub(crate) load: Duration,
    /// Jobs that a node runs at once.
    pub(crate) concurrency: usize,
}

impl Settings {
    pub(crate) fn new(pace: Pace, load: Duration) -> Self {
        let seconds = Duration::from_secs_f64;
        let (heartbeat, lease, gap) = match pace {
            Pace::Quick => (seconds(1.0), seconds(4.0), (seconds(0.3), seconds(2.0))),
            Pace::Default => (seconds(5.0), seconds(20.0), (seconds(1.0), seconds(8.0))),
        };
        Self {
            heartbeat,
            lease,
            suspect_window: heartbeat,
            long: lease * 5 / 2,
            gap,
            rate: 30.0,
            load,
            concurrency: 8,
        }
    }

    /// How long after a crash its work must run elsewhere.
    pub(crate) fn rescue_bound(&self) -> Duration {
        self.lease + self.heartbeat * 3
    }

    /// How long nothing may happen at the end while jobs are left.
    pub(crate) fn stuck_after(&self) -> Duration {
        self.lease + self.heartbeat * 6 + self.long
    }

    /// How long the end may take. What was under many jobs that killed their process is a suspect, and suspects run one at a time: the longer the load, the more
    /// of them are left.
    pub(crate) fn drain_limit(&self) -> Duration {
        self.stuck_after() * 3 + self.load / 2
    }

    /// When everything is ended by force.
    pub(crate) fn deadline(&self) -> Duration {
        self.load + self.drain_limit() + self.rescue_bound() * 4 + Duration::from_secs(60)
    }
}
