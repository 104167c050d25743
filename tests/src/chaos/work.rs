//! The work of a chaos run: what jobs are asked to do, and the names of jobs and workers.

use serde::{Deserialize, Serialize};

/// Type of nearly all jobs.
pub const WORK_TYPE: &str = "chaos.work";
/// Type that an older program does not know.
pub const SPECIAL_TYPE: &str = "chaos.special";
/// Cron worker with one run for all fires that were missed.
pub const CRON: &str = "chaos.cron";
/// Cron worker that makes up for every fire that was missed.
pub const EVERY_FIRE: &str = "chaos.every-fire";
/// Worker that repeats by an interval.
pub const INTERVAL: &str = "chaos.interval";
/// Seconds between two fires of the cron workers.
pub const FIRE_EVERY_SECONDS: i64 = 2;
/// Groups of jobs, each of which is paused and resumed as a whole.
pub const GROUPS: [&str; 4] = ["held-0", "held-1", "held-2", "held-3"];
/// So many locks are shared by all jobs that want one.
pub const LOCKS: u8 = 3;
/// Group of the jobs that other jobs enqueue. Each has the id of its parent for a name.
pub const CHILDREN: &str = "children";
/// A result that the way to the store refuses.
pub const SOUR: &str = "sour";

/// Arguments of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Work {
    /// Counts the jobs of a run.
    pub serial: u64,
    /// What it does.
    pub does: Does,
}

/// What a job does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "what")]
pub enum Does {
    /// Ends well after some milliseconds.
    Quick {
        /// How many.
        millis: u64,
    },
    /// Takes longer than a lease, and ends at once when it is asked to.
    Long {
        /// Milliseconds.
        millis: u64,
    },
    /// Does not listen when it is asked to end, and ends well.
    Late {
        /// Milliseconds.
        millis: u64,
    },
    /// Waits for a lock that few share, and works while it holds it.
    Locked {
        /// Which one.
        key: u8,
        /// Milliseconds.
        millis: u64,
    },
    /// Fails this often, then ends well.
    FailFirst {
        /// Failures.
        times: u32,
    },
    /// Fails until it is given up.
    FailAlways,
    /// Enqueues a job, and ends well when the store has answered for it.
    Parent {
        /// Milliseconds that the other takes.
        millis: u64,
    },
    /// Kills its process.
    Abort,
    /// Ends well with a result that the way to the store refuses.
    Sour,
}
