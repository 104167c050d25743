//! MariaDB and MySQL: pools for writing, for reading, for the lease, and for the application.

use std::io;
use std::time::Duration;

use sea_orm::sqlx::mysql::MySqlConnectOptions;
use sea_orm::sqlx::{AssertSqlSafe, ConnectOptions as _, Connection as _, Executor as _};
use sea_orm::{ConnectOptions, Database, DatabaseConnection};
use tasks_abstractions::StoreError;

use super::{Handles, unreadable_url};
use crate::dialect::Dialect;
use crate::error;
use crate::options::{SeaOrmStoreOptions, driver_url};

/// Stands in for the URL, which may hold a password: sea-orm writes the one that it is given to traces.
const UNSAID: &str = "mysql://server";

/// Longest answer to a connection that asks whether its server is still there.
const PING_LIMIT: Duration = Duration::from_secs(5);

pub(super) async fn open(options: &SeaOrmStoreOptions) -> Result<Handles, StoreError> {
    let connect = async |pool: ConnectOptions| {
        Database::connect(pool)
            .await
            .map_err(|it| error::failed(it, "connect to the MySQL server"))
    };
    let own = Some(settings(options));
    let writer = connect(pool(options, options.writers, own.clone())?).await?;
    let reader = connect(pool(options, options.readers, own.clone())?).await?;
    let lease = connect(pool(options, 1, own)?).await?;
    let mut application = pool(options, options.readers, None)?;
    application.connect_lazy(true);
    let application: DatabaseConnection = connect(application).await?;
    Ok(Handles {
        writer,
        lease,
        reader,
        application,
        dialect: Dialect::Mysql,
        // The server gives a statement up after half of it, and says so: what has no answer by then has lost its server.
        answer_limit: Some(options.statement_timeout * 2),
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
) -> Result<ConnectOptions, StoreError> {
    let server: MySqlConnectOptions = driver_url(&options.url).parse().map_err(unreadable_url)?;
    let server = server.disable_statement_logging();
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
            it.after_connect(move |connection, _| {
                let settings = settings.clone();
                Box::pin(async move {
                    if let Some(settings) = settings {
                        connection.execute(AssertSqlSafe(settings)).await?;
                    }
                    Ok(())
                })
            })
            // A connection that is given back is asked anyway. Without a limit, one whose server has vanished would be kept for ever.
            .after_release(|connection, _| {
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
