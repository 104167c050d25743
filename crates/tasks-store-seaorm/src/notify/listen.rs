//! Hearing what other processes tell, over a connection that is made anew whenever it breaks.

use std::convert::Infallible;
use std::time::Duration;

use sea_orm::sqlx::postgres::PgListener;
use sea_orm::sqlx::{self, Error};
use tasks_abstractions::Notification;
use tokio::time::{sleep, timeout};
use tracing::{debug, info, warn};

use super::message::{Heard, echo, read};
use super::{ANSWER_LIMIT, Shared, channel, silent, within_limit};

/// After so much silence a process says something to itself: a connection whose other end has vanished looks the same as one on which nobody speaks.
const SILENCE: Duration = Duration::from_secs(15);
const FIRST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

type Hear<'h> = &'h (dyn Fn(Notification) + Send + Sync);

/// What was said in the log, so that it is said once.
#[derive(Debug, Default)]
struct Said {
    is_deaf: bool,
    pause: Duration,
}

impl Shared {
    /// Never ends by itself.
    pub(super) async fn listen(&self, heard: Hear<'_>) {
        let mut said = Said::default();
        loop {
            let error = match self.hear(heard, &mut said).await {
                Err(error) => error,
                Ok(never) => match never {},
            };
            if std::mem::replace(&mut said.is_deaf, true) {
                debug!(error = %error, "other nodes still cannot be heard");
            } else {
                warn!(error = %error, "other nodes cannot be heard; this one finds work and commands by polling until they can");
            }
            said.pause = (said.pause * 2).clamp(FIRST_PAUSE, LONGEST_PAUSE);
            sleep(said.pause).await;
        }
    }

    async fn hear(&self, heard: Hear<'_>, said: &mut Said) -> Result<Infallible, Error> {
        // A pool of its own: it goes with a connection that went silent, and with whatever still waits for that one.
        let pool = self.pool();
        let mut listener = within_limit(PgListener::connect_with(&pool)).await?;
        listener.eager_reconnect(false);
        let name = sqlx::query_scalar::<_, String>(concat!("SELECT ", channel!()));
        let name = within_limit(name.fetch_one(&mut listener)).await?;
        within_limit(listener.listen(&name)).await?;
        self.echo(&mut listener, &name).await?;
        let (mut is_asked, mut is_known_to_hear) = (true, false);
        loop {
            let limit = if is_asked { ANSWER_LIMIT } else { SILENCE };
            let notification = match timeout(limit, listener.try_recv()).await {
                Ok(Ok(Some(it))) => it,
                Ok(Ok(None)) => {
                    return Err(std::io::Error::new(
                        std::io::ErrorKind::ConnectionAborted,
                        "the connection broke",
                    )
                    .into());
                }
                Ok(Err(error)) => return Err(error),
                // Also where a pooler stands between, which passes no notifications on.
                Err(_) if is_asked => return Err(silent()),
                Err(_) => {
                    self.echo(&mut listener, &name).await?;
                    is_asked = true;
                    continue;
                }
            };
            is_asked = false;
            if let Heard::Others(notifications) = read(notification.payload(), self.me) {
                notifications.into_iter().for_each(heard);
            }
            if !std::mem::replace(&mut is_known_to_hear, true) {
                if std::mem::take(&mut said.is_deaf) {
                    warn!("other nodes can be heard again");
                } else {
                    info!(channel = %name, "hears other nodes");
                }
                said.pause = Duration::ZERO;
                // What was told before cannot be heard any more.
                heard(Notification::Work(Vec::new()));
                heard(Notification::Commands);
            }
        }
    }

    /// Over the listening connection itself, so that an answer proves that this one hears.
    async fn echo(&self, listener: &mut PgListener, name: &str) -> Result<(), Error> {
        let statement = sqlx::query("SELECT pg_notify($1, $2)")
            .bind(name)
            .bind(echo(self.me));
        within_limit(statement.execute(listener)).await.map(drop)
    }
}
