//! What processes on one PostgreSQL database tell each other, by LISTEN and NOTIFY on connections of their own.
#![expect(
    clippy::disallowed_methods,
    reason = "pauses between notifications and between attempts to connect are taken here"
)]

mod listen;
mod message;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use sea_orm::sqlx::{self, Error};
use tasks_abstractions::{JobNotifier, Notification};
use tokio::sync::Notify;
use tokio::time::{sleep, timeout};
use tracing::{debug, warn};
use uuid::Uuid;

use self::message::Pending;

/// What is notified within this time of the one before waits for it, and goes together.
const GATHERING: Duration = Duration::from_millis(5);
/// Longest wait for a connection or an answer. Whoever is not told within it finds out by polling.
const ANSWER_LIMIT: Duration = Duration::from_secs(5);

/// Longest wait at the end for what is not sent yet.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// The channel of the tables that a session uses. Names of channels are cut after 63 bytes.
macro_rules! channel {
    () => {
        "'tasks:' || CASE WHEN octet_length(current_schema()) <= 56 THEN current_schema()::text \
         ELSE md5(coalesce(current_schema(), '')) END"
    };
}
use channel;

/// A notification has a place in the server's log and would wait for the disk, though nobody is told of it again after a crash. Of the session nothing is changed: it may
/// be somebody else's behind a pooler.
const TELL: &str = concat!(
    "SELECT set_config('synchronous_commit', 'off', true), pg_notify(",
    channel!(),
    ", $1)"
);

/// Notifications through the server of a store.
pub(crate) struct PgNotifier {
    shared: Arc<Shared>,
}

struct Shared {
    server: PgConnectOptions,
    /// Tells this process' notifications from those of others.
    me: Uuid,
    outbox: Mutex<Outbox>,
    /// Woken when nothing is left to send.
    sent: Notify,
}

#[derive(Default)]
struct Outbox {
    pending: Pending,
    is_sending: bool,
    connection: Option<PgPool>,
    is_failing: bool,
}

impl PgNotifier {
    /// Connects when there is something to tell, or somebody to listen.
    pub(crate) fn new(server: PgConnectOptions, me: Uuid) -> Self {
        Self {
            shared: Arc::new(Shared {
                server,
                me,
                outbox: Mutex::default(),
                sent: Notify::new(),
            }),
        }
    }
}

impl fmt::Debug for PgNotifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PgNotifier").finish_non_exhaustive()
    }
}

#[async_trait]
impl JobNotifier for PgNotifier {
    fn notify(&self, notification: Notification) {
        {
            let mut outbox = self.shared.outbox();
            outbox.pending.add(&notification);
            if std::mem::replace(&mut outbox.is_sending, true) {
                return;
            }
        }
        // Made before the task begins: also a task that is dropped before it begins has ended then.
        let mut sending = Sending::new(Arc::clone(&self.shared));
        tokio::spawn(async move {
            while let Some(text) = sending.next() {
                sending.shared.send(&text).await;
                sleep(GATHERING).await;
            }
        });
    }

    async fn listen(&self, heard: &(dyn Fn(Notification) + Send + Sync)) {
        self.shared.listen(heard).await;
    }

    async fn flush(&self) {
        if timeout(LAST_WORDS, self.shared.all_sent()).await.is_err() {
            warn!("other nodes could not be told of the last changes; they find them by polling");
        }
    }
}

/// The one task that sends. Dropped at every ending of it, that of its runtime included.
struct Sending {
    shared: Arc<Shared>,
    /// Whether nothing was left to send. From then on another task may be the one that sends.
    is_over: bool,
}

impl Sending {
    const fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            is_over: false,
        }
    }

    fn next(&mut self) -> Option<String> {
        let mut outbox = self.shared.outbox();
        let text = outbox.pending.take(self.shared.me);
        // Under the same lock: what comes from now on begins a new task.
        outbox.is_sending = text.is_some();
        self.is_over = text.is_none();
        text
    }
}

impl Drop for Sending {
    fn drop(&mut self) {
        if !self.is_over {
            self.shared.outbox().is_sending = false;
            debug!("notifications were left with the runtime that was to send them");
        }
        self.shared.sent.notify_waiters();
    }
}

impl Shared {
    async fn all_sent(&self) {
        loop {
            let sent = self.sent.notified();
            tokio::pin!(sent);
            // From here on the end is not missed.
            sent.as_mut().enable();
            if !self.outbox().is_sending {
                return;
            }
            sent.await;
        }
    }

    /// Ignores poison: nothing in it is left half-changed by a panic.
    fn outbox(&self) -> MutexGuard<'_, Outbox> {
        self.outbox.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A pool for one connection, so that one whose server went silent can be left behind whole.
    fn pool(&self) -> PgPool {
        PgPoolOptions::new()
            .max_connections(1)
            .min_connections(0)
            .acquire_timeout(ANSWER_LIMIT)
            .test_before_acquire(false)
            .max_lifetime(None)
            .connect_lazy_with(self.server.clone())
    }

    async fn send(&self, text: &str) {
        let pool = self
            .outbox()
            .connection
            .get_or_insert_with(|| self.pool())
            .clone();
        let statement = sqlx::query(TELL).bind(text);
        let answer = within_limit(statement.execute(&pool)).await;
        let mut outbox = self.outbox();
        match answer {
            Ok(_) => {
                if std::mem::take(&mut outbox.is_failing) {
                    warn!("other nodes can be told again");
                }
            }
            Err(error) => {
                outbox.connection = None;
                if std::mem::replace(&mut outbox.is_failing, true) {
                    debug!(error = %error, "other nodes still cannot be told");
                } else {
                    warn!(error = %error, "other nodes cannot be told of work and commands; they find them by polling");
                }
            }
        }
    }
}

/// What has no answer within the limit has lost its server.
async fn within_limit<T>(work: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    match timeout(ANSWER_LIMIT, work).await {
        Ok(answer) => answer,
        Err(_) => Err(silent()),
    }
}

fn silent() -> Error {
    std::io::Error::new(std::io::ErrorKind::TimedOut, "no answer within 5 s").into()
}

#[cfg(test)]
mod tests;
