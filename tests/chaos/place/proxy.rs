//! A way to a server that can be closed, stand still, or be slow.

use std::collections::HashSet;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::waiting::pause;

/// How late everything arrives on a slow way.
const LATE: Duration = Duration::from_millis(150);

/// What the way does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Way {
    /// Connections of an earlier time are closed.
    time: u64,
    is_still: bool,
    is_slow: bool,
}

/// Ports from which connections to the server come.
type Ports = Arc<Mutex<HashSet<u16>>>;

/// The way.
#[derive(Debug)]
pub(super) struct Proxy {
    pub(super) address: SocketAddr,
    way: watch::Sender<Way>,
    ports: Ports,
}

impl Proxy {
    /// Listens on a free port of the loopback address, until the runtime ends.
    pub(super) async fn start(server: String) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .context("no port is free")?;
        let address = listener.local_addr()?;
        let (way, state) = watch::channel(Way::default());
        let ports = Ports::default();
        let open = Arc::clone(&ports);
        // Ends with the runtime, as everything else of a run.
        drop(tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let (server, state, open) = (server.clone(), state.clone(), Arc::clone(&open));
                drop(tokio::spawn(async move {
                    let time = state.borrow().time;
                    // A server that is away closes the connection, as it would without this way.
                    if let Ok(server) = TcpStream::connect(&server).await {
                        let port = server.local_addr().map_or(0, |it| it.port());
                        lock(&open).insert(port);
                        carry(client, server, state, time).await;
                        lock(&open).remove(&port);
                    }
                }));
            }
        }));
        Ok(Self { address, way, ports })
    }

    /// Ports from which its connections reach the server now.
    pub(super) fn ports(&self) -> Vec<u16> {
        lock(&self.ports).iter().copied().collect()
    }

    /// Closes every connection.
    pub(super) fn cut(&self) {
        self.way.send_modify(|it| it.time += 1);
    }

    /// Lets connections stay open and carry nothing.
    pub(super) fn stall(&self, is_still: bool) {
        self.way.send_modify(|it| it.is_still = is_still);
    }

    /// Lets everything arrive late.
    pub(super) fn delay(&self, is_slow: bool) {
        self.way.send_modify(|it| it.is_slow = is_slow);
    }
}

fn lock(ports: &Mutex<HashSet<u16>>) -> std::sync::MutexGuard<'_, HashSet<u16>> {
    ports.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn carry(client: TcpStream, server: TcpStream, state: watch::Receiver<Way>, time: u64) {
    // Small packets of requests and replies: nothing is gained by waiting for more.
    let is_set = client.set_nodelay(true).and_then(|()| server.set_nodelay(true));
    drop(is_set);
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    let mut ended = state.clone();
    tokio::select! {
        () = pump(from_client, to_server, state.clone()) => {}
        () = pump(from_server, to_client, state) => {}
        // The sender lives as long as the run.
        _ = ended.wait_for(|it| it.time != time) => {}
    }
}

/// Carries one direction until it is closed.
async fn pump(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, mut state: watch::Receiver<Way>) {
    let mut bytes = vec![0; 16 * 1024];
    loop {
        let read = match from.read(&mut bytes).await {
            Ok(0) | Err(_) => return,
            Ok(read) => read,
        };
        // What is on its way when everything stands still arrives when it goes on.
        let Ok(way) = state.wait_for(|it| !it.is_still).await.map(|it| *it) else {
            return;
        };
        if way.is_slow {
            pause(LATE).await;
        }
        if to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}
