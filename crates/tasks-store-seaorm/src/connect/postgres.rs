//! PostgreSQL: pools for writing, for reading, for the lease, and for the application.

use std::io;
use std::time::Duration;

use sea_orm::sqlx::postgres::PgConnectOptions;
use sea_orm::sqlx::{ConnectOptions as _, Connection as _};
use sea_orm::{ConnectOptions, Database, DatabaseConnection};
use tasks_abstractions::StoreError;
use uuid::Uuid;

use super::{Handles, unreadable_url};
use crate::dialect::Dialect;
use crate::error;
use crate::notify::PgNotifier;
use crate::options::{Durability, SeaOrmStoreOptions, driver_url};

/// What tells the store's sessions from others, where the URL has no name for them.
const NAME: &str = "tasks";

/// Stands in for the URL, which may hold a password: sea-orm writes the one that it is given to traces.
const UNSAID: &str = "postgres://server";

/// Longest answer to a connection that asks whether its server is still there.
const PING_LIMIT: Duration = Duration::from_secs(5);

pub(super) async fn open(options: &SeaOrmStoreOptions) -> Result<Handles, StoreError> {
    let connect = async |pool: ConnectOptions| {
        Database::connect(pool)
            .await
            .map_err(|it| error::failed(it, "connect to the PostgreSQL server"))
    };
    let own = session(options, true);
    let shared = session(options, false);
    let writer = connect(pool(options, options.writers, own.clone())?).await?;
    let reader = connect(pool(options, options.readers, own.clone())?).await?;
    let lease = connect(pool(options, 1, own)?).await?;
    let mut application = pool(options, options.readers, shared)?;
    application.connect_lazy(true);
    let application: DatabaseConnection = connect(application).await?;
    Ok(Handles {
        writer,
        lease,
        reader,
        application,
        dialect: Dialect::Postgres,
        // The server gives a statement up after half of it, and says so: what has no answer by then has lost its server.
        answer_limit: Some(options.statement_timeout * 2),
    })
}

/// Settings of each session. `own` adds what only the store's statements are made for.
fn session(options: &SeaOrmStoreOptions, own: bool) -> Vec<(&'static str, String)> {
    let mut settings = Vec::new();
    if let Some(schema) = &options.schema {
        settings.push(("search_path", schema.clone()));
    }
    if options.durability == Durability::MayLoseLastCommits {
        settings.push(("synchronous_commit", "off".to_owned()));
    }
    if own {
        let limit = options.statement_timeout.as_millis().to_string();
        settings.extend([
            ("default_transaction_isolation", "read committed".to_owned()),
            ("statement_timeout", limit.clone()),
            // A process that is suspended within a transaction must not hold its locks for ever.
            ("idle_in_transaction_session_timeout", limit),
            // Nothing here is worth a compilation, but estimates of recursive statements look as if it was.
            ("jit", "off".to_owned()),
        ]);
    }
    settings
}

fn server(
    options: &SeaOrmStoreOptions,
    settings: Vec<(&'static str, String)>,
) -> Result<PgConnectOptions, StoreError> {
    let server: PgConnectOptions = driver_url(&options.url).parse().map_err(unreadable_url)?;
    let server = server.disable_statement_logging();
    let server = if server.get_application_name().is_none() {
        server.application_name(NAME)
    } else {
        server
    };
    Ok(server.options(settings))
}

/// What processes tell each other through the server.
pub(super) fn notifier(options: &SeaOrmStoreOptions, me: Uuid) -> Result<PgNotifier, StoreError> {
    Ok(PgNotifier::new(server(options, session(options, true))?, me))
}

fn pool(
    options: &SeaOrmStoreOptions,
    connections: u32,
    settings: Vec<(&'static str, String)>,
) -> Result<ConnectOptions, StoreError> {
    let server = server(options, settings)?;
    let mut pool = ConnectOptions::new(UNSAID);
    pool.max_connections(connections)
        .acquire_timeout(options.acquire_timeout)
        // Each of these is on by default and costs a round trip or an event for every statement.
        .test_before_acquire(false)
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .map_sqlx_postgres_opts(move |_| server.clone())
        // A connection that is given back is asked anyway. Without a limit, one whose server has vanished would be kept for ever.
        .map_sqlx_postgres_pool_opts(|it| {
            it.after_release(|connection, _| {
                Box::pin(async move {
                    match tokio::time::timeout(PING_LIMIT, connection.ping()).await {
                        Ok(answer) => answer.map(|()| true),
                        Err(_) => Err(io::Error::from(io::ErrorKind::TimedOut).into()),
                    }
                })
            })
        });
    Ok(pool)
}
