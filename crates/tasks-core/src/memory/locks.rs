//! Locks of job code.

use foldhash::HashMap;
use tasks_abstractions::{LockOwner, RunId};
use tasks_multitenancy::TenantId;

use super::rows::Rows;

/// Tenant and key of a lock.
type LockKey = (TenantId, String);

/// Held locks. [`Rows::place`] ends them with their run, so each owner found here has a run in flight.
#[derive(Default)]
pub(super) struct Locks {
    held: HashMap<LockKey, LockOwner>,
    of_run: HashMap<RunId, Vec<LockKey>>,
}

impl Locks {
    /// Frees what a run held.
    pub(super) fn end_run(&mut self, run: RunId) {
        for key in self.of_run.remove(&run).into_iter().flatten() {
            self.held.remove(&key);
        }
    }
}

impl Rows {
    /// Takes a lock for a run in flight. A run that has ended or was taken over gets none: it would be free again at once,
    /// and its code must not believe that it is alone.
    pub(super) fn try_acquire(&mut self, key: &str, owner: LockOwner) -> bool {
        if self.runs().job_of(owner.run_id) != Some(owner.job_id) {
            return false;
        }
        let key = (owner.tenant_id, key.to_owned());
        if let Some(holder) = self.locks.held.get(&key) {
            return *holder == owner;
        }
        self.locks
            .of_run
            .entry(owner.run_id)
            .or_default()
            .push(key.clone());
        self.locks.held.insert(key, owner);
        true
    }

    /// Frees a lock if `owner` holds it.
    pub(super) fn release(&mut self, key: &str, owner: LockOwner) -> bool {
        let key = (owner.tenant_id, key.to_owned());
        if self.locks.held.get(&key) != Some(&owner) {
            return false;
        }
        self.locks.held.remove(&key);
        if let Some(keys) = self.locks.of_run.get_mut(&owner.run_id) {
            keys.retain(|it| *it != key);
            if keys.is_empty() {
                self.locks.of_run.remove(&owner.run_id);
            }
        }
        true
    }
}
