//! MariaDB and MySQL: pools for writing, for reading, for the lease, and for the application.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::sqlx::mysql::{MySqlConnectOptions, MySqlConnection};
use sea_orm::sqlx::{AssertSqlSafe, ConnectOptions as _, Error, Executor as _};
use sea_orm::{ConnectOptions, Database, DatabaseConnection};
use tasks_abstractions::StoreError;

use super::silence::{Open, Watch};
use super::{Handles, unreadable_url};
use crate::dialect::Dialect;
use crate::error;
use crate::options::{SeaOrmStoreOptions, driver_url};

/// Stands in for the URL, which may hold a password: sea-orm writes the one that it is given to traces.
const UNSAID: &str = "mysql://server";

pub(super) async fn open(options: &SeaOrmStoreOptions) -> Result<Handles, StoreError> {
    let connect = async |pool: ConnectOptions| {
        Database::connect(pool)
            .await
            .map_err(|it| error::failed(it, "connect to the MySQL server"))
    };
    let (closing, closed) = tokio::sync::watch::channel(false);
    let watch = Watch::new(options.statement_timeout, options.acquire_timeout, closed);
    let own = Some(settings(options));
    let writer = connect(pool(options, options.writers, own.clone(), &watch)?).await?;
    let reader = connect(pool(options, options.readers, own.clone(), &watch)?).await?;
    let lease = connect(pool(options, 1, own, &watch)?).await?;
    let mut application = pool(options, options.readers, None, &watch)?;
    application.connect_lazy(true);
    let application: DatabaseConnection = connect(application).await?;
    Ok(Handles {
        writer,
        lease,
        reader,
        application,
        #[cfg(feature = "postgres")]
        seats: None,
        dialect: Dialect::Mysql,
        // The server gives a statement up after half of it, and says so: what has no answer by then has lost its server.
        #[cfg(feature = "sqlite")]
        writer_thread: None,
        answer_limit: Some(options.statement_timeout * 2),
        closing: Some(Arc::new(closing)),
    })
}

/// Settings of the store's own sessions. What only MariaDB has stands in comments that only MariaDB reads.
fn settings(options: &SeaOrmStoreOptions) -> String {
    let seconds = |it: Duration| it.as_secs().max(1);
    let (limit, patience) = (seconds(options.statement_timeout), seconds(options.busy_timeout));
    format!(
        "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED; \
         SET SESSION sql_mode = CONCAT(@@sql_mode, ',STRICT_TRANS_TABLES'), innodb_lock_wait_timeout = {limit}, \
         /*M! max_statement_time = {limit}, idle_transaction_timeout = {limit}, */ lock_wait_timeout = {patience}"
    )
}

fn pool(
    options: &SeaOrmStoreOptions,
    connections: u32,
    settings: Option<String>,
    watch: &Watch,
) -> Result<ConnectOptions, StoreError> {
    let server: MySqlConnectOptions = driver_url(&options.url).parse().map_err(unreadable_url)?;
    let server = server.disable_statement_logging();
    let fresh = (server.clone(), settings.clone());
    let open: Open<MySqlConnection> = Arc::new(move || {
        let (server, settings) = fresh.clone();
        Box::pin(async move {
            let mut connection = server.connect().await?;
            set(&mut connection, settings).await?;
            Ok(connection)
        })
    });
    let watch = watch.clone();
    let mut pool = ConnectOptions::new(UNSAID);
    pool.max_connections(connections)
        .acquire_timeout(options.acquire_timeout)
        // Each of these is on by default and costs a round trip or an event for every statement.
        .test_before_acquire(false)
        .sqlx_logging(false)
        .record_stmt_in_spans(false)
        .map_sqlx_mysql_opts(move |_| server.clone())
        .map_sqlx_mysql_pool_opts(move |it| {
            let settings = settings.clone();
            let (before, after) = ((watch.clone(), open.clone()), (watch.clone(), open.clone()));
            it.idle_timeout(None)
                .max_lifetime(None)
                .after_connect(move |connection, _| Box::pin(set(connection, settings.clone())))
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

/// Makes a fresh session one of the store's own, where there are settings for it.
async fn set(connection: &mut MySqlConnection, settings: Option<String>) -> Result<(), Error> {
    if let Some(settings) = settings {
        connection.execute(AssertSqlSafe(settings)).await?;
    }
    Ok(())
}
