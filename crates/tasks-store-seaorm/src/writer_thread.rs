//! The thread that carries out the busiest transactions on SQLite.
//!
//! All writers of a file share one lock, and it is held from a transaction's first statement to its last. Whoever goes on with something else between two answers holds up every writer for
//! as long: an engine that is starting a thousand jobs, for example. So claims and outcomes are put together where they come from, and carried out here, where nothing else is done.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::thread;

use tasks_abstractions::StoreError;
use tasks_abstractions::store::StoreErrorKind;
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};

type Work = Pin<Box<dyn Future<Output = ()> + Send>>;

/// The thread. It ends when this is dropped, after what it was given before.
pub(crate) struct WriterThread {
    work: mpsc::UnboundedSender<Work>,
}

impl WriterThread {
    pub(crate) fn start() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (work, mut next) = mpsc::unbounded_channel::<Work>();
        thread::Builder::new()
            .name("tasks-writer".to_owned())
            .spawn(move || {
                runtime.block_on(async move {
                    // One after the other: there is one connection that writes.
                    while let Some(work) = next.recv().await {
                        work.await;
                    }
                });
            })?;
        Ok(Self { work })
    }

    /// Carries out `work` after everything that was given before. It goes on where the caller stops waiting.
    ///
    /// # Errors
    /// Kind `Unavailable` where it panicked, or the thread has ended: it is open then what was carried out.
    pub(crate) async fn carry_out<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        let (answer, answered) = oneshot::channel();
        let work = async move {
            // As a task, so that a panic does not end the thread. It drops the sender, which tells the caller.
            if let Ok(done) = tokio::spawn(work).await {
                // Nobody waits any more where the caller gave up.
                let _ = answer.send(done);
            }
        };
        let is_given = self.work.send(Box::pin(work)).is_ok();
        let lost = || {
            StoreError::new(
                StoreErrorKind::Unavailable,
                "the thread that writes to the SQLite file gave no answer; look in the log for a panic",
            )
        };
        if !is_given {
            return Err(lost());
        }
        answered.await.map_err(|_| lost())?
    }
}

impl fmt::Debug for WriterThread {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriterThread").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[tokio::test]
    async fn work_is_carried_out_in_order_also_where_nobody_waits_and_after_a_panic() {
        let thread = WriterThread::start().unwrap();
        let done = Arc::new(AtomicU32::new(0));
        let (go, may_go) = oneshot::channel::<()>();
        let counted = Arc::clone(&done);
        let mut given_up = Box::pin(thread.carry_out(async move {
            may_go.await.unwrap();
            counted.fetch_add(1, Ordering::SeqCst);
            Ok(())
        }));
        // It is given with the first look.
        assert!(timeout(Duration::ZERO, &mut given_up).await.is_err());
        drop(given_up);
        let panicked = thread.carry_out(async { panic!("as planned") });
        let panicked: Pin<Box<dyn Future<Output = Result<(), StoreError>>>> = Box::pin(panicked);
        go.send(()).unwrap();
        let error = panicked.await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        let counted = Arc::clone(&done);
        let seen = thread.carry_out(async move { Ok(counted.load(Ordering::SeqCst)) });
        assert_eq!(seen.await.unwrap(), 1);
    }

    #[tokio::test]
    async fn what_was_given_is_done_after_the_end() {
        let thread = WriterThread::start().unwrap();
        let (told, is_told) = oneshot::channel();
        let mut given = Box::pin(thread.carry_out(async move {
            told.send(()).unwrap();
            Ok(())
        }));
        // It is given with the first look, done or not.
        drop(timeout(Duration::ZERO, &mut given).await);
        drop(given);
        drop(thread);
        is_told.await.unwrap();
    }
}
