//! A database server: nodes reach it by a way that can be cut, and its sessions and the server itself can be ended.

use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use sea_orm::{ConnectOptions, ConnectionTrait as _, Database, DatabaseConnection, DbBackend, Statement};
use uuid::Uuid;

use super::proxy::Proxy;
use crate::fault::Kind;

/// Sessions that are ended at once.
const SESSIONS: usize = 3;

/// A schema (PostgreSQL) or database (MariaDB, MySQL) of the run's own on a server.
#[derive(Debug)]
pub(crate) struct Server {
    backend: DbBackend,
    /// Where the server was given.
    given: String,
    name: String,
    url: String,
    node_url: String,
    proxy: Proxy,
    /// The socket of whoever started the server, to restart it.
    control: Option<PathBuf>,
    /// Has one transaction open, and does nothing else.
    idle: Option<DatabaseConnection>,
}

impl Server {
    pub(crate) async fn new(backend: DbBackend, given: &str, control: Option<PathBuf>) -> Result<Self> {
        let name = format!("chaos_{}", Uuid::new_v4().simple());
        let (start, address, end) = parts(given)?;
        let proxy = Proxy::start(address.to_owned()).await?;
        let database = match backend {
            DbBackend::MySql => {
                let admin = connect(given).await?;
                admin
                    .execute_unprepared(&format!("CREATE DATABASE {name}"))
                    .await?;
                admin.close().await?;
                let rest = end
                    .split_once('?')
                    .map_or(String::new(), |(_, rest)| format!("?{rest}"));
                format!("/{name}{rest}")
            }
            _ => end.to_owned(),
        };
        Ok(Self {
            backend,
            given: given.to_owned(),
            name,
            url: format!("{start}{address}{database}"),
            node_url: format!("{start}{}{database}", proxy.address),
            proxy,
            control,
            idle: None,
        })
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn node_url(&self) -> &str {
        &self.node_url
    }

    pub(crate) fn schema(&self) -> Option<&str> {
        (self.backend == DbBackend::Postgres).then_some(&self.name)
    }

    pub(crate) fn kinds(&self) -> Vec<Kind> {
        let mut kinds = vec![Kind::Drop, Kind::Stall, Kind::Delay, Kind::Sessions];
        if self.control.is_some() {
            kinds.extend([Kind::Restart, Kind::Crash]);
        }
        kinds
    }

    pub(crate) fn left_out(&self) -> Option<&'static str> {
        self.control
            .is_none()
            .then_some("restart and crash of the server (it was given by its URL)")
    }

    /// Opens a transaction that sees the database as it is now, until the run ends.
    pub(crate) async fn hold_open(&mut self) -> Result<()> {
        let idle = connect(&self.url).await?;
        let begin: &[&str] = match self.backend {
            DbBackend::Postgres => &[
                "SET idle_in_transaction_session_timeout = 0",
                "BEGIN ISOLATION LEVEL REPEATABLE READ",
                "SELECT count(*) FROM pg_class",
            ],
            _ => &["START TRANSACTION WITH CONSISTENT SNAPSHOT"],
        };
        for sql in begin {
            idle.execute_unprepared(sql).await?;
        }
        self.idle = Some(idle);
        Ok(())
    }

    pub(crate) async fn begin(&mut self, kind: Kind) -> Result<()> {
        match kind {
            Kind::Drop => self.proxy.cut(),
            Kind::Stall => self.proxy.stall(true),
            Kind::Delay => self.proxy.delay(true),
            Kind::Sessions => self.end_sessions().await?,
            Kind::Restart => self.restart("fast").await?,
            Kind::Crash => self.restart("immediate").await?,
            other => bail!("`{}` is no fault of a server", other.name()),
        }
        Ok(())
    }

    pub(crate) async fn end(&mut self, kind: Kind) -> Result<()> {
        match kind {
            Kind::Stall => self.proxy.stall(false),
            Kind::Delay => self.proxy.delay(false),
            // It has ended with the server.
            Kind::Restart | Kind::Crash => {
                self.idle = None;
                self.hold_open().await?;
            }
            _ => {}
        }
        Ok(())
    }

    /// Ends some sessions of nodes. Those of other programs are left alone: they come from other ports.
    async fn end_sessions(&self) -> Result<()> {
        let ports: Vec<String> = self.proxy.ports().iter().map(ToString::to_string).collect();
        if ports.is_empty() {
            return Ok(());
        }
        let ports = ports.join(", ");
        let admin = connect(&self.url).await?;
        match self.backend {
            DbBackend::Postgres => {
                let sql = format!(
                    "SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity WHERE client_port IN ({ports}) \
                     ORDER BY random() LIMIT {SESSIONS}) picked"
                );
                admin.execute_unprepared(&sql).await?;
            }
            backend => {
                let sql = format!(
                    "SELECT id FROM information_schema.processlist WHERE substring_index(host, ':', -1) IN ({ports}) \
                     ORDER BY rand() LIMIT {SESSIONS}"
                );
                for row in admin.query_all_raw(Statement::from_string(backend, sql)).await? {
                    let id: i64 = row.try_get_by_index(0)?;
                    // One that has ended meanwhile is what is wanted.
                    drop(admin.execute_unprepared(&format!("KILL {id}")).await);
                }
            }
        }
        admin.close().await?;
        Ok(())
    }

    /// Has the server restarted by whoever started it, and waits until it is there again.
    async fn restart(&self, how: &str) -> Result<()> {
        let control = self
            .control
            .clone()
            .context("there is no way to restart the server")?;
        let order = format!("restart {how}\n");
        // On another thread, because the way to the server is carried by this one.
        let answer = tokio::task::spawn_blocking(move || -> Result<String> {
            let mut stream = UnixStream::connect(&control)?;
            stream.write_all(order.as_bytes())?;
            let mut answer = String::new();
            BufReader::new(stream).read_line(&mut answer)?;
            Ok(answer)
        });
        let answer = answer.await??;
        ensure!(
            answer.trim() == "running",
            "the server was not restarted: {answer}"
        );
        Ok(())
    }

    /// Removes what the run made on the server.
    pub(crate) async fn close(&mut self) -> Result<()> {
        self.idle = None;
        let admin = connect(&self.given).await?;
        let sql = match self.backend {
            DbBackend::Postgres => format!("DROP SCHEMA IF EXISTS {} CASCADE", self.name),
            _ => format!("DROP DATABASE IF EXISTS {}", self.name),
        };
        admin.execute_unprepared(&sql).await?;
        admin.close().await?;
        Ok(())
    }

    /// Where the evidence stays.
    pub(crate) fn remains(&self) -> String {
        format!("schema or database `{}` of the server", self.name)
    }
}

/// A URL before, at and after its `HOST:PORT`.
fn parts(url: &str) -> Result<(&str, &str, &str)> {
    let from = match (url.rfind('@'), url.find("://")) {
        (Some(at), _) => at + 1,
        (None, Some(at)) => at + 3,
        (None, None) => bail!("`{url}` is no URL of a server"),
    };
    let to = url[from..].find(['/', '?']).map_or(url.len(), |it| from + it);
    ensure!(
        url[from..to].contains(':'),
        "the URL of the server must name its port"
    );
    Ok((&url[..from], &url[from..to], &url[to..]))
}

async fn connect(url: &str) -> Result<DatabaseConnection> {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options)
        .await
        .context("cannot reach the server")
}

#[cfg(test)]
mod tests;
