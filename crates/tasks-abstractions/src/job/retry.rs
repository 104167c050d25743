//! When a failed run is tried again.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::FieldFault;
use super::info::millis;

/// Waits between the tries of a failing job.
///
/// The wait before try *n + 1* is `base × factor^(n − 1)`, at most `cap`, then moved by up to ± `jitter`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct RetryPolicy {
    /// Wait after the first failure.
    #[serde(with = "millis")]
    pub base: Duration,
    /// Growth from one wait to the next; at least 1.
    pub factor: f64,
    /// Longest wait before jitter.
    #[serde(with = "millis")]
    pub cap: Duration,
    /// Share by which a wait may differ, 0 to 1.
    pub jitter: f64,
}

impl RetryPolicy {
    /// Growth of the default waits.
    pub const DEFAULT_FACTOR: f64 = 1.5;
    /// Longest default wait: 24 h.
    pub const DEFAULT_CAP: Duration = Duration::from_secs(24 * 60 * 60);
    /// Default jitter: 10%.
    pub const DEFAULT_JITTER: f64 = 0.1;

    /// The default growth from a first wait of `base`: × 1.5, at most 24 h, ± 10%.
    #[must_use]
    pub const fn from_base(base: Duration) -> Self {
        Self {
            base,
            factor: Self::DEFAULT_FACTOR,
            cap: Self::DEFAULT_CAP,
            jitter: Self::DEFAULT_JITTER,
        }
    }

    /// Always the same wait, without jitter.
    #[must_use]
    pub const fn fixed(wait: Duration) -> Self {
        Self {
            base: wait,
            factor: 1.0,
            cap: Self::DEFAULT_CAP,
            jitter: 0.0,
        }
    }

    /// The wait after `failures` failures in a row (1 = the first). `chance` in 0..=1 places it within the jitter: 0.5 is the middle.
    #[must_use]
    pub fn wait(&self, failures: u32, chance: f64) -> Duration {
        let exponent = f64::from(failures.saturating_sub(1).min(1_000));
        let cap = self.cap.as_secs_f64();
        let grown = (self.base.as_secs_f64() * self.factor.powf(exponent)).min(cap);
        let moved = grown * (1.0 + self.jitter * (2.0 * chance.clamp(0.0, 1.0) - 1.0));
        Duration::try_from_secs_f64(moved.max(0.0)).unwrap_or(self.cap)
    }

    /// Adds a fault for every field that is out of bounds.
    pub fn check(&self, faults: &mut Vec<FieldFault>) {
        if !(self.factor.is_finite() && (1.0..=100.0).contains(&self.factor)) {
            faults.push(FieldFault::new(
                "retry_policy.factor",
                format!("is {}; expected 1 to 100", self.factor),
            ));
        }
        if !(0.0..=1.0).contains(&self.jitter) {
            faults.push(FieldFault::new(
                "retry_policy.jitter",
                format!("is {}; expected 0 to 1", self.jitter),
            ));
        }
        if self.cap < self.base {
            faults.push(FieldFault::new(
                "retry_policy.cap",
                format!(
                    "is {:?}, shorter than base ({:?}); expected at least base",
                    self.cap, self.base
                ),
            ));
        }
    }
}
