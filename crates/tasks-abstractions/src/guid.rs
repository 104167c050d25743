//! Where generated identifiers come from.

use std::fmt::Debug;
use std::sync::Arc;

use uuid::{Timestamp as UuidTimestamp, Uuid};

use crate::Clock;

/// Makes identifiers that no other node makes.
pub trait GuidGenerator: Send + Sync + Debug {
    /// A new identifier. Later identifiers of one generator sort after earlier ones as far as the clock allows.
    fn create(&self) -> Uuid;
}

/// Version 7 identifiers: the clock's milliseconds followed by random bits, so that new rows land at the end of an index.
#[derive(Debug, Clone)]
pub struct SequentialGuidGenerator {
    clock: Arc<dyn Clock>,
}

impl SequentialGuidGenerator {
    /// A generator that takes its time part from `clock`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock }
    }
}

impl GuidGenerator for SequentialGuidGenerator {
    fn create(&self) -> Uuid {
        let now = self.clock.now();
        // A clock set before 1970 gives the epoch: the random bits alone keep the identifiers apart.
        let seconds = u64::try_from(now.timestamp()).unwrap_or(0);
        Uuid::new_v7(UuidTimestamp::from_unix(
            uuid::NoContext,
            seconds,
            now.timestamp_subsec_nanos(),
        ))
    }
}
