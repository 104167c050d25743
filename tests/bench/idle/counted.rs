//! Counting the statements that a server is sent.
//!
//! MariaDB counts them itself. PostgreSQL does so only with an extension; there, the node connects through this process, which looks at the messages on their way.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context, Result, ensure};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};

use crate::frame::backend::Backend;
use crate::frame::place::Place;

/// Code of the message with which a client asks for TLS, instead of a version of the protocol.
const ASKS_FOR_TLS: u32 = 80_877_103;

/// Counts what a node sends.
pub(crate) enum Statements {
    /// There is no server.
    None,
    /// The server tells.
    Told(DatabaseConnection),
    /// They pass through here.
    Passing { url: String, count: Arc<AtomicU64> },
}

impl Statements {
    pub(crate) async fn of(place: &Place) -> Result<Self> {
        match place.backend {
            Backend::Mysql => Ok(Self::Told(place.client().await?)),
            Backend::Postgres => pass_on(&place.options()?.url).await,
            Backend::Memory | Backend::SqliteFull | Backend::SqliteNormal => Ok(Self::None),
        }
    }

    /// Where the node has to connect, if not to the server itself.
    pub(crate) fn address(&self) -> Option<String> {
        match self {
            Self::Passing { url, .. } => Some(url.clone()),
            Self::None | Self::Told(_) => None,
        }
    }

    pub(crate) const fn is_counting(&self) -> bool {
        !matches!(self, Self::None)
    }

    /// Statements so far.
    pub(crate) async fn count(&self) -> Result<u64> {
        match self {
            Self::None => Ok(0),
            Self::Passing { count, .. } => Ok(count.load(Ordering::Relaxed)),
            Self::Told(server) => {
                let sql = "SHOW GLOBAL STATUS LIKE 'Questions'";
                let row = server
                    .query_one_raw(Statement::from_string(server.get_database_backend(), sql))
                    .await?
                    .context("the server does not count statements")?;
                let text: String = row.try_get_by_index(1)?;
                text.parse().with_context(|| format!("Questions is `{text}`"))
            }
        }
    }
}

async fn pass_on(url: &str) -> Result<Statements> {
    let (before, rest) = url.rsplit_once('@').context("the URL names no user")?;
    let (server, database) = rest.split_once('/').context("the URL names no database")?;
    let server = match server.contains(':') {
        true => server.to_owned(),
        false => format!("{server}:5432"),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let own = listener.local_addr()?;
    let count = Arc::new(AtomicU64::new(0));
    let statements = Statements::Passing {
        url: format!("{before}@{own}/{database}"),
        count: Arc::clone(&count),
    };
    tokio::spawn(async move {
        while let Ok((client, _)) = listener.accept().await {
            let (server, count) = (server.clone(), Arc::clone(&count));
            // A connection ends when one of its sides does: the node then says what it thinks of it.
            tokio::spawn(async move { connection(client, &server, &count).await });
        }
    });
    Ok(statements)
}

async fn connection(mut client: TcpStream, server: &str, count: &AtomicU64) -> Result<()> {
    let mut server = TcpStream::connect(server).await?;
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    // Before the first message with a kind there are some without.
    loop {
        let length = client.read_u32().await?;
        let code = client.read_u32().await?;
        ensure!(length >= 8, "a message of {length} bytes");
        let mut rest = vec![0; usize::try_from(length)? - 8];
        client.read_exact(&mut rest).await?;
        if code == ASKS_FOR_TLS {
            client.write_u8(b'N').await?;
            continue;
        }
        server.write_u32(length).await?;
        server.write_u32(code).await?;
        server.write_all(&rest).await?;
        break;
    }
    let (from_client, mut to_client) = client.into_split();
    let (mut from_server, to_server) = server.into_split();
    tokio::select! {
        ended = tokio::io::copy(&mut from_server, &mut to_client) => ended.map(drop)?,
        ended = messages(from_client, to_server, count) => ended?,
    }
    Ok(())
}

/// Passes messages of a client on. A simple query is a statement, and so is each execution of a prepared one.
async fn messages(mut client: OwnedReadHalf, mut server: OwnedWriteHalf, count: &AtomicU64) -> Result<()> {
    let mut body = Vec::new();
    loop {
        let kind = client.read_u8().await?;
        let length = client.read_u32().await?;
        ensure!(length >= 4, "a message of {length} bytes");
        body.resize(usize::try_from(length)? - 4, 0);
        client.read_exact(&mut body).await?;
        if kind == b'Q' || kind == b'E' {
            count.fetch_add(1, Ordering::Relaxed);
        }
        let mut message = Vec::with_capacity(body.len() + 5);
        message.push(kind);
        message.extend_from_slice(&length.to_be_bytes());
        message.extend_from_slice(&body);
        server.write_all(&message).await?;
    }
}
