//! Why a command failed, and with which code the program ends.

use std::error::Error;
use std::fmt;

use tasks_abstractions::run::error_chain;
use tasks_abstractions::{EnqueueError, ManagementError};
use tasks_host::{HostError, HostExit};

/// A command failed.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The host.
    Host(HostError),
    /// The arguments make no sense together.
    Usage(String),
    /// Anything else.
    Other(String),
}

impl Failure {
    pub(crate) fn new(what: impl Into<String>) -> Self {
        Self::Other(what.into())
    }

    pub(crate) fn because(what: &str, error: impl Error + 'static) -> Self {
        Self::Other(format!("{what}: {}", error_chain(&error)))
    }

    pub(crate) const fn exit(&self) -> HostExit {
        match self {
            Self::Host(error) => error.exit(),
            Self::Usage(_) => HostExit::Usage,
            Self::Other(_) => HostExit::Failed,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Host(error) => error.fmt(f),
            Self::Usage(text) | Self::Other(text) => f.write_str(text),
        }
    }
}

impl From<HostError> for Failure {
    fn from(error: HostError) -> Self {
        Self::Host(error)
    }
}

impl From<ManagementError> for Failure {
    fn from(error: ManagementError) -> Self {
        match error {
            // Its text names the faults already.
            ManagementError::Invalid(_) => Self::Usage(error.to_string()),
            _ => Self::Other(error_chain(&error)),
        }
    }
}

impl From<EnqueueError> for Failure {
    fn from(error: EnqueueError) -> Self {
        match error {
            // As above.
            EnqueueError::Invalid { .. } => Self::Usage(error.to_string()),
            EnqueueError::Args { .. } => Self::Usage(error_chain(&error)),
            _ => Self::Other(error_chain(&error)),
        }
    }
}
