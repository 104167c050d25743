//! Why a store failed, and what the engine should make of it.

use std::error::Error;

use thiserror::Error as ThisError;

/// What a failure of a store means to its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum StoreErrorKind {
    /// The store is away, busy or full for now: the same call may succeed later. It is unknown whether a call that writes was carried
    /// out; every write of the engine may be repeated.
    Unavailable,
    /// The store is there and will not take these data: the same call fails again. Nothing was written.
    Rejected,
    /// The call is wrong in itself, or the stored data are. Nothing was written.
    Invalid,
    /// The caller's own transaction cannot go on: it must be rolled back and begun anew.
    Transaction,
    /// The node is no longer a living member: it must cancel its runs and register anew.
    Fenced,
}

/// A failure of a store.
#[derive(Debug, ThisError)]
#[error("{message}")]
pub struct StoreError {
    kind: StoreErrorKind,
    message: String,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl StoreError {
    /// A failure with a message that says what was tried and what to do next.
    #[must_use]
    pub fn new(kind: StoreErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            source: None,
        }
    }

    /// With the error of the layer below.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// What it means to the caller.
    #[must_use]
    pub fn kind(&self) -> StoreErrorKind {
        self.kind
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_unavailable(&self) -> bool {
        self.kind == StoreErrorKind::Unavailable
    }
}
