//! Failures on demand, so that tests can take the store away from an engine.

use tasks_abstractions::StoreError;
use tasks_abstractions::store::StoreErrorKind;

/// What the next calls suffer.
pub(super) struct Faults {
    pub(super) available: bool,
    pub(super) lose_reply: bool,
    failing: Option<(usize, StoreErrorKind)>,
}

impl Default for Faults {
    fn default() -> Self {
        Self {
            available: true,
            lose_reply: false,
            failing: None,
        }
    }
}

impl Faults {
    pub(super) fn fail_next(&mut self, calls: usize, kind: StoreErrorKind) {
        self.failing = Some((calls, kind));
    }

    /// Asked before a call is carried out.
    pub(super) fn before(&mut self) -> Result<(), StoreError> {
        if !self.available {
            return Err(unavailable("the store is switched off; try again later"));
        }
        match &mut self.failing {
            Some((left, kind)) if *left > 0 => {
                *left -= 1;
                Err(StoreError::new(*kind, "the call was made to fail by `fail_next`"))
            }
            _ => Ok(()),
        }
    }

    /// Asked after a call was carried out.
    pub(super) fn after(&mut self) -> Result<(), StoreError> {
        if std::mem::take(&mut self.lose_reply) {
            return Err(unavailable(
                "the reply was lost; it is unknown whether the call was carried out",
            ));
        }
        Ok(())
    }
}

fn unavailable(message: &str) -> StoreError {
    StoreError::new(StoreErrorKind::Unavailable, message)
}
