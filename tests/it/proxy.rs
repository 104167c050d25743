//! A network between a store and its server that can swallow everything.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// Passes bytes on in both directions, until it is told to swallow them. What was swallowed is lost: its connection never recovers.
pub(crate) struct Proxy {
    address: SocketAddr,
    swallows: Arc<AtomicBool>,
    swallowed: Arc<Notify>,
}

impl Proxy {
    /// Listens on a port of its own for connections to the server of `url`.
    pub(crate) async fn to(url: &str) -> Self {
        let server = server_of(url).to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let swallows = Arc::new(AtomicBool::new(false));
        let swallowed = Arc::new(Notify::new());
        let ways = (Arc::clone(&swallows), Arc::clone(&swallowed));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.expect("the server is there");
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                tokio::spawn(pass(from_client, to_server, ways.clone()));
                tokio::spawn(pass(from_server, to_client, ways.clone()));
            }
        });
        Self {
            address,
            swallows,
            swallowed,
        }
    }

    /// The URL with this in place of the server.
    pub(crate) fn url(&self, url: &str) -> String {
        url.replacen(server_of(url), &self.address.to_string(), 1)
    }

    /// Waits until something was swallowed that nobody has waited for.
    pub(crate) async fn swallowed(&self) {
        self.swallowed.notified().await;
    }

    pub(crate) fn swallow(&self, everything: bool) {
        self.swallows.store(everything, Ordering::SeqCst);
    }
}

async fn pass(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    (swallows, swallowed): (Arc<AtomicBool>, Arc<Notify>),
) {
    let mut bytes = vec![0; 16 * 1024];
    let mut is_broken = false;
    while let Ok(read) = from.read(&mut bytes).await {
        is_broken |= swallows.load(Ordering::SeqCst);
        if read == 0 || (!is_broken && to.write_all(&bytes[..read]).await.is_err()) {
            return;
        }
        if is_broken {
            swallowed.notify_one();
        }
    }
}

/// `host:port` of a URL.
fn server_of(url: &str) -> &str {
    let rest = url.rsplit_once('@').map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}
