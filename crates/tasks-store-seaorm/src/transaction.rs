//! A transaction of the application's in which jobs are enqueued.

use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, PoisonError};

use sea_orm::DatabaseTransaction;
use tasks_abstractions::store::{PreparedJob, StoreErrorKind, SubmitAnswer};
use tasks_abstractions::{EnqueueError, StoreError, WakeHandle};

use crate::store::SeaOrmStore;
use crate::submit::enqueue_in;

/// A transaction that writes; on SQLite it holds the write lock. The application's own statements run on [`connection`](Self::connection).
pub struct StoreTransaction {
    inner: Arc<Inner>,
}

struct Inner {
    tx: DatabaseTransaction,
    wake: Mutex<WakeHandle>,
}

impl fmt::Debug for StoreTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreTransaction").finish_non_exhaustive()
    }
}

impl StoreTransaction {
    /// The transaction of sea-orm, for the application's own rows.
    #[must_use]
    pub fn connection(&self) -> &DatabaseTransaction {
        &self.inner.tx
    }

    /// Stores one prepared job, to be committed with everything else. An id that exists is an answer.
    ///
    /// # Errors
    /// [`EnqueueError::NameTaken`] where another job has the name: nothing was stored, and the transaction can go on. Else
    /// as [`enqueue_in`](crate::enqueue_in), and the transaction cannot go on.
    pub async fn enqueue(&self, job: PreparedJob) -> Result<SubmitAnswer, EnqueueError> {
        let answer = self.enqueue_many(std::slice::from_ref(&job)).await?.pop();
        match answer {
            Some(SubmitAnswer::NameTaken { by }) => Err(EnqueueError::NameTaken {
                name: job.job.name,
                group: job.job.group,
                by,
            }),
            Some(other) => Ok(other),
            None => Err(StoreError::new(StoreErrorKind::Invalid, "the store gave no answer").into()),
        }
    }

    /// Stores prepared jobs; one answer each, in order.
    ///
    /// # Errors
    /// As [`enqueue_in`](crate::enqueue_in).
    pub async fn enqueue_many(&self, jobs: &[PreparedJob]) -> Result<Vec<SubmitAnswer>, StoreError> {
        let enqueued = enqueue_in(&self.inner.tx, jobs).await?;
        let mut wake = self.inner.wake.lock().unwrap_or_else(PoisonError::into_inner);
        wake.merge(enqueued.wake);
        Ok(enqueued.answers)
    }
}

impl Deref for StoreTransaction {
    type Target = DatabaseTransaction;

    fn deref(&self) -> &DatabaseTransaction {
        self.connection()
    }
}

impl SeaOrmStore {
    /// Runs `body` in a transaction (on SQLite one that holds the write lock from its start): commits where it answers `Ok` and then wakes the nodes, rolls back where it answers
    /// `Err` or is dropped. On SQLite nothing else can write meanwhile, on a server nothing else can change what it changed, so keep it short and wait for nothing else in it.
    ///
    /// # Errors
    /// That of `body`; or, as an error of the store, that the transaction could not be begun or committed, or that `body` kept the
    /// [`StoreTransaction`] (for example in a spawned task), and it was rolled back.
    pub async fn transaction<T, E, F, Fut>(&self, body: F) -> Result<T, E>
    where
        F: FnOnce(StoreTransaction) -> Fut,
        Fut: Future<Output = Result<T, E>>,
        E: From<StoreError>,
    {
        let doing = "carry out a transaction of the application";
        let inner = Arc::new(Inner {
            tx: self.begin(doing).await?,
            wake: Mutex::new(WakeHandle::new(None, Vec::new())),
        });
        let handle = StoreTransaction {
            inner: Arc::clone(&inner),
        };
        let value = body(handle).await?;
        let Some(Inner { tx, wake }) = Arc::into_inner(inner) else {
            return Err(StoreError::new(
                StoreErrorKind::Transaction,
                "the transaction is still in use somewhere, so it was not committed; end everything that has it before the closure answers",
            )
            .into());
        };
        self.commit(tx, doing).await?;
        wake.into_inner()
            .unwrap_or_else(PoisonError::into_inner)
            .wake()
            .await;
        Ok(value)
    }
}

#[cfg(test)]
mod tests;
