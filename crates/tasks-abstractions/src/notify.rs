//! What the nodes of one store tell each other beside the rows.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::WakeHint;

/// What one process tells all others.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notification {
    /// Work waits in these places. Where none is named, it may wait anywhere.
    Work(Vec<WakeHint>),
    /// Commands were given: there may be cancel requests for runs of whoever hears this.
    Commands,
}

/// Carries notifications between the processes that use one store, such as LISTEN and NOTIFY of PostgreSQL. Without one, a process hears of
/// what others did by polling. Whatever is notified is in rows that were committed before, so a notification that is lost costs time and nothing else.
///
/// A module that has one registers it as `dyn JobNotifier`; the host does the rest.
///
/// Checked by the tests of `notify_postgres`.
#[async_trait]
pub trait JobNotifier: Send + Sync + Debug {
    /// Tells the other processes, soon and without being waited for; several within some milliseconds may become one. Must be called inside a tokio
    /// runtime, and after the commit. This process does not hear its own (`others_hear_and_the_sender_does_not`).
    fn notify(&self, notification: Notification);

    /// Passes on to `heard` what other processes tell, until it is dropped. A connection that breaks is made anew, for as long as it takes; while there is none, it
    /// says so once in the log. After every new connection it passes on both kinds of notification, since some may have been missed
    /// (`a_broken_connection_is_made_anew`).
    async fn listen(&self, heard: &(dyn Fn(Notification) + Send + Sync));

    /// Waits until everything notified so far was sent, or could not be, for some seconds at most: at the end of a process
    /// (`what_is_notified_last_is_sent_before_the_store_closes`).
    async fn flush(&self);
}
