//! PostgreSQL: pools for writing, for reading, for the lease, and for the application.

use std::sync::Arc;

use sea_orm::sqlx::ConnectOptions as _;
use sea_orm::sqlx::postgres::{PgConnectOptions, PgConnection};
use sea_orm::{ConnectOptions, Database, DatabaseConnection};
use tasks_abstractions::StoreError;
use uuid::Uuid;

use super::seats::Seats;
use super::silence::{Open, Watch};
use super::{Handles, unreadable_url};
use crate::dialect::Dialect;
use crate::error;
use crate::notify::PgNotifier;
use crate::options::{Durability, SeaOrmStoreOptions, driver_url};

/// What tells the store's sessions from others, where the URL has no name for them.
const NAME: &str = "tasks";

/// Stands in for the URL, which may hold a password: sea-orm writes the one that it is given to traces.
const UNSAID: &str = "postgres://server";

pub(super) async fn open(options: &SeaOrmStoreOptions) -> Result<Handles, StoreError> {
    let connect = async |pool: ConnectOptions| {
        Database::connect(pool)
            .await
            .map_err(|it| error::failed(it, "connect to the PostgreSQL server"))
    };
    let (closing, closed) = tokio::sync::watch::channel(false);
    let watch = Watch::new(options.statement_timeout, options.acquire_timeout, closed);
    let own = session(options, true);
    let shared = session(options, false);
    let seats = seats(options, own.clone(), watch.clone())?;
    let writer = connect(pool(options, options.writers, own.clone(), &watch)?).await?;
    let reader = connect(pool(options, options.readers, own.clone(), &watch)?).await?;
    let lease = connect(pool(options, 1, own, &watch)?).await?;
    let mut application = pool(options, options.readers, shared, &watch)?;
    application.connect_lazy(true);
    let application: DatabaseConnection = connect(application).await?;
    Ok(Handles {
        writer,
        lease,
        reader,
        application,
        seats: Some(seats),
        dialect: Dialect::Postgres,
        // The server gives a statement up after half of it, and says so: what has no answer by then has lost its server.
        #[cfg(feature = "sqlite")]
        writer_thread: None,
        answer_limit: Some(options.statement_timeout * 2),
        closing: Some(Arc::new(closing)),
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
    let mut settings = session(options, true);
    settings.retain(|(name, _)| *name != "synchronous_commit");
    // A notification is committed like data. It is worth no wait for the disk: what it tells is stored already.
    settings.push(("synchronous_commit", "off".to_owned()));
    Ok(PgNotifier::new(server(options, settings)?, me))
}

/// Connections for claims, outcomes and new jobs. Their statements are few and look rows up by their keys; the estimates of tables that were empty a moment ago do
/// not always say so.
fn seats(
    options: &SeaOrmStoreOptions,
    mut settings: Vec<(&'static str, String)>,
    watch: Watch,
) -> Result<Seats, StoreError> {
    settings.push(("plan_cache_mode", "force_generic_plan".to_owned()));
    for plan in ["enable_seqscan", "enable_hashjoin", "enable_mergejoin"] {
        settings.push((plan, "off".to_owned()));
    }
    let open = opening(server(options, settings)?);
    Ok(Seats::new(options.writers, options.acquire_timeout, open, watch))
}

fn opening(server: PgConnectOptions) -> Open<PgConnection> {
    Arc::new(move || {
        let server = server.clone();
        Box::pin(async move { server.connect().await })
    })
}

fn pool(
    options: &SeaOrmStoreOptions,
    connections: u32,
    settings: Vec<(&'static str, String)>,
    watch: &Watch,
) -> Result<ConnectOptions, StoreError> {
    let server = server(options, settings)?;
    let open = opening(server.clone());
    let watch = watch.clone();
    let mut pool = ConnectOptions::new(UNSAID);
    pool.max_connections(connections)
        .acquire_timeout(options.acquire_timeout)
        // Each of these is on by default and costs a round trip or an event for every statement.
        .test_before_acquire(false)
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .map_sqlx_postgres_opts(move |_| server.clone())
        .map_sqlx_postgres_pool_opts(move |it| {
            let (before, after) = ((watch.clone(), open.clone()), (watch.clone(), open.clone()));
            it.idle_timeout(None)
                .max_lifetime(None)
                .before_acquire(move |connection, meta| {
                    let (watch, open) = before.clone();
                    Box::pin(
                        async move { watch.before_use(connection, meta.age, meta.idle_for, &open).await },
                    )
                })
                .after_release(move |connection, _| {
                    let (watch, open) = after.clone();
                    Box::pin(async move { watch.after_use(connection, &open).await })
                })
        });
    Ok(pool)
}
