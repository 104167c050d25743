//! Why a host did not start, or did not end well.

use std::error::Error;
use std::fmt;

use thiserror::Error as ThisError;

use crate::HostExit;

/// Several things that are wrong, each one a line for people.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Problems(Vec<String>);

impl Problems {
    /// Adds one.
    pub fn add(&mut self, problem: impl Into<String>) {
        self.0.push(problem.into());
    }

    /// Adds one that is an error, with its causes in the same line.
    pub fn add_error(&mut self, what: &str, error: &(dyn Error + 'static)) {
        self.0.push(format!("{what}: {}", with_causes(error)));
    }

    /// The lines.
    #[must_use]
    pub fn lines(&self) -> &[String] {
        &self.0
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<String> for Problems {
    fn from_iter<I: IntoIterator<Item = String>>(lines: I) -> Self {
        Self(lines.into_iter().collect())
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.0.len() == 1 { "" } else { "s" };
        write!(f, "{} problem{plural}:", self.0.len())?;
        for line in &self.0 {
            write!(f, "\n  - {line}")?;
        }
        Ok(())
    }
}

/// The messages of an error and its causes in one line.
fn with_causes(error: &(dyn Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let cause_text = cause.to_string();
        // Some layers repeat the message of the layer below.
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        next = cause.source();
    }
    text
}

/// Why a host did not start, or did not end well.
///
/// Its `Debug` is its message, so that a `main` which returns it prints what a person can read.
#[derive(ThisError)]
#[non_exhaustive]
pub enum HostError {
    /// Options, registrations, modules or services are wrong, or a part did not start. Everything that was found is listed; no job was run.
    #[error("cannot start, {0}")]
    CannotStart(Problems),
    /// The host was started before. A host lives once: build another one.
    #[error("the host was started before; build another one")]
    StartedBefore,
    /// The engine ended by itself, which only a panic of its own makes it do. The host was stopped.
    #[error("the engine ended unexpectedly; what it ran is taken over by the next start")]
    EngineEnded,
    /// Runs would not end, or their outcomes could not be stored. They are taken over like those of a killed process.
    #[error("the drain is incomplete: {executing} runs still go on, {unsettled} outcomes are not stored{}", also(.failures))]
    DrainIncomplete {
        /// Runs whose code has not ended.
        executing: usize,
        /// Outcomes that the store does not have.
        unsettled: usize,
        /// What else failed while stopping.
        failures: Problems,
    },
    /// Every run ended and is stored, but workers or modules did not stop well.
    #[error("the host did not stop well, {0}")]
    StopFailed(Problems),
}

fn also(failures: &Problems) -> String {
    if failures.is_empty() {
        String::new()
    } else {
        format!("; also {failures}")
    }
}

impl HostError {
    /// The exit code that a program should end with.
    #[must_use]
    pub const fn exit(&self) -> HostExit {
        match self {
            Self::CannotStart(_) => HostExit::CannotStart,
            Self::DrainIncomplete { .. } => HostExit::DrainIncomplete,
            Self::StartedBefore | Self::EngineEnded | Self::StopFailed(_) => HostExit::Failed,
        }
    }
}

impl fmt::Debug for HostError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests;
