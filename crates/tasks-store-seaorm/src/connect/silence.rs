//! Connections whose server has fallen silent: how they are found, and what takes their place.
//!
//! A network can lose a connection without a word, and then nothing ever comes over it. The driver's pool closes every connection in order, and over TLS that waits for the
//! server even where the connection is known to be broken: its place in the pool stays taken for ever. So none is left to the pool. A connection that gives no answer is
//! dropped, and a fresh one put where it was. The pool itself closes neither what is old nor what is idle: what is old is replaced here, too.

use std::fmt;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sea_orm::sqlx::{Connection, Error};
use tokio::sync::watch;
use tokio::time::timeout;

/// Longest answer to a connection that asks whether its server is still there.
const PING_LIMIT: Duration = Duration::from_secs(5);

/// A connection that was used within this time is used again without asking.
const TRUSTED_FOR: Duration = Duration::from_secs(1);

/// A place in the pool has a fresh connection about this often. Sessions do not grow for ever, and none stays with a server that others have left.
const LIFETIME: Duration = Duration::from_secs(30 * 60);

/// Between two tries to open a fresh connection.
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// Opens a connection.
pub(super) type Open<C> =
    Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Result<C, Error>> + Send>> + Send + Sync>;

/// What all connections of a store know of their network.
#[derive(Clone)]
pub(super) struct Watch {
    ping_limit: Duration,
    /// Longest try to open a connection.
    open_limit: Duration,
    /// When a connection was last found silent.
    lost: Arc<Mutex<Option<Instant>>>,
    closing: watch::Receiver<bool>,
}

impl fmt::Debug for Watch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Watch").finish_non_exhaustive()
    }
}

/// What is done with an idle connection before it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    Use,
    Ask,
    /// It is old.
    Renew,
    /// It was idle when another one was found silent, so the same has most likely happened to it; each would cost its caller the limit of an answer.
    Replace,
}

/// `age` is that of the place in the pool, whatever connections it has had: one is old when another lifetime of the place has ended while it lay idle.
fn trust(age: Duration, idle_for: Duration, lost_before: Option<Duration>) -> Trust {
    let lifetimes = |it: Duration| it.as_secs() / LIFETIME.as_secs();
    if lost_before.is_some_and(|it| it <= idle_for) {
        Trust::Replace
    } else if lifetimes(age) > lifetimes(age.saturating_sub(idle_for)) {
        Trust::Renew
    } else if idle_for > TRUSTED_FOR {
        Trust::Ask
    } else {
        Trust::Use
    }
}

impl Watch {
    /// For connections whose statements are answered within `answer`, and are opened within `open`. Where `closing` says true or is gone, no fresh ones are opened any more.
    pub(super) fn new(answer: Duration, open: Duration, closing: watch::Receiver<bool>) -> Self {
        Self {
            ping_limit: PING_LIMIT.min(answer),
            open_limit: open,
            lost: Arc::default(),
            closing,
        }
    }

    /// Before an idle connection is used: makes sure that it is one whose server answers. The caller's patience is limited by the pool.
    pub(super) async fn before_use<C: Connection + Send + 'static>(
        &self,
        connection: &mut C,
        age: Duration,
        idle_for: Duration,
        open: &Open<C>,
    ) -> Result<bool, Error> {
        let lost = *self.lost.lock().unwrap_or_else(PoisonError::into_inner);
        match trust(age, idle_for, lost.map(|it| it.elapsed())) {
            Trust::Use => Ok(true),
            Trust::Ask => self.ask(connection, open).await,
            Trust::Renew => self.renew(connection, open).await,
            Trust::Replace => {
                *connection = self.fresh(open).await?;
                Ok(true)
            }
        }
    }

    /// When a connection is given back: the pool asks it anyway, but without a limit, which a lost one would outlast.
    pub(super) async fn after_use<C: Connection>(
        &self,
        connection: &mut C,
        open: &Open<C>,
    ) -> Result<bool, Error> {
        self.ask(connection, open).await
    }

    /// Puts a fresh connection in the place of an old one, if there is one at once.
    async fn renew<C: Connection + Send + 'static>(
        &self,
        connection: &mut C,
        open: &Open<C>,
    ) -> Result<bool, Error> {
        let Ok(Ok(fresh)) = timeout(self.ping_limit, open()).await else {
            return self.ask(connection, open).await;
        };
        let old = std::mem::replace(connection, fresh);
        let limit = self.ping_limit;
        // Nobody waits for it, and nobody needs to know how it went.
        drop(tokio::spawn(
            async move { drop(timeout(limit, old.close()).await) },
        ));
        Ok(true)
    }

    async fn ask<C: Connection>(&self, connection: &mut C, open: &Open<C>) -> Result<bool, Error> {
        match timeout(self.ping_limit, connection.ping()).await {
            Ok(Ok(())) => return Ok(true),
            // The server has ended it, so closing it waits for nothing: the pool does that, and opens another one when it is needed.
            Ok(Err(error @ (Error::Io(_) | Error::Database(_)))) => return Err(error),
            Ok(Err(error)) => {
                tracing::debug!(%error, "a connection is in disorder; another one takes its place")
            }
            Err(_) => {
                tracing::warn!(
                    limit = ?self.ping_limit,
                    "the server gives no answer over a connection; fresh ones take the place of all that are idle"
                );
                *self.lost.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
            }
        }
        *connection = self.fresh(open).await?;
        Ok(true)
    }

    /// Opens a connection, trying until it succeeds or the store is closed: a place that is not filled would be lost.
    async fn fresh<C>(&self, open: &Open<C>) -> Result<C, Error> {
        let mut closing = self.closing.clone();
        let mut pause = FIRST_PAUSE;
        loop {
            match timeout(self.open_limit, open()).await {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err(error)) => tracing::debug!(%error, "no connection can be opened; trying again"),
                Err(_) => {
                    tracing::debug!(limit = ?self.open_limit, "no connection can be opened; trying again")
                }
            }
            // Also where the store is gone, which would have said so.
            if timeout(pause, closing.wait_for(|it| *it)).await.is_ok() {
                return Err(Error::PoolClosed);
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }
}

#[cfg(test)]
mod tests;
