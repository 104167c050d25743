//! Holding a command between what it sees and what it writes, so that the other side comes in between if a store lets it.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

/// How long a command is held at most. In a store that keeps the contract the other side waits for it, so that every hold lasts this long.
const LIMIT: Duration = Duration::from_millis(4);

/// Where two sides of a race meet: one is held inside its decision until the other has ended.
#[derive(Debug, Default)]
pub(super) struct Hold {
    was_held: AtomicBool,
    begun: Notify,
    ended: Mutex<bool>,
    has_ended: Condvar,
}

impl Hold {
    /// Called inside the decision: lets the other side begin, and waits until it has ended. Only once: a store may decide anew when it was
    /// busy.
    pub(super) fn pause(&self) {
        if self.was_held.swap(true, Ordering::SeqCst) {
            return;
        }
        self.begun.notify_one();
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.has_ended.wait_timeout_while(ended, LIMIT, |it| !*it);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    /// Called by the held side at its end: there may have been nothing to decide about.
    pub(super) fn release(&self) {
        self.begun.notify_one();
    }

    /// Waits until the held side decides.
    pub(super) async fn wait(&self) {
        self.begun.notified().await;
    }

    /// Called by the other side at its end.
    pub(super) fn end(&self) {
        *self.ended.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.has_ended.notify_all();
    }
}
