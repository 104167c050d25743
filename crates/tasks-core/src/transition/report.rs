//! How a run ended, as the executor saw it.

use std::time::Duration;

use tasks_abstractions::{JobExceptionType, RunOutcome, Timestamp};

/// What is known of a run that ended.
#[derive(Debug, Clone)]
pub struct RunReport {
    /// How it ended.
    pub outcome: RunOutcome,
    /// Result of a success, or message of the innermost error. Captured: see [`capture`].
    pub message: Option<String>,
    /// The whole error. Captured.
    pub error: Option<String>,
    /// What class of failure it was.
    pub exception_type: Option<JobExceptionType>,
    /// The wait that the code asked for: before a retry, or of a snooze.
    pub wait: Option<Duration>,
    /// Whether trying again is useless.
    pub is_permanent: bool,
    /// When the code was started; when the run was claimed, if it never was.
    pub started_at: Timestamp,
    /// How long the code ran.
    pub duration: Duration,
}

impl RunReport {
    /// A report without messages.
    #[must_use]
    pub fn new(outcome: RunOutcome, started_at: Timestamp, duration: Duration) -> Self {
        Self {
            outcome,
            message: None,
            error: None,
            exception_type: None,
            wait: None,
            is_permanent: false,
            started_at,
            duration,
        }
    }

    /// With a message.
    #[must_use]
    pub fn message(mut self, message: impl Into<String>) -> Self {
        self.message = Some(message.into());
        self
    }
}

const CUT: &str = "… [cut]";

/// Makes a text fit to be stored: NUL characters are replaced (some databases refuse them), and a text of more than `limit`
/// characters is cut on a character's border and marked as cut.
#[must_use]
pub fn capture(text: &str, limit: usize) -> String {
    let clean = if text.contains('\0') {
        text.replace('\0', "\u{2400}")
    } else {
        text.to_owned()
    };
    if clean.len() <= limit || clean.chars().count() <= limit {
        return clean;
    }
    let keep = limit.saturating_sub(CUT.chars().count());
    let mut cut: String = clean.chars().take(keep).collect();
    cut.extend(CUT.chars().take(limit - keep));
    cut
}
