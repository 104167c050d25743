//! A network between a store and its server that can swallow everything.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use tasks_store_seaorm::SeaOrmStoreOptions;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

/// Passes bytes on in both directions, until it is told to swallow them. What was swallowed is lost: its connection never recovers, and is never closed.
pub(crate) struct Proxy {
    address: SocketAddr,
    way: Arc<Way>,
}

#[derive(Default)]
struct Way {
    swallows: AtomicBool,
    /// How often all open connections were lost.
    time: AtomicU64,
    /// A connection over which this goes to the server is lost at that moment.
    fatal: Mutex<Option<&'static [u8]>>,
    /// Tells that it was.
    was_fatal: Notify,
    /// What went to the server, a connection each.
    sent: Mutex<Vec<Vec<u8>>>,
}

impl Proxy {
    /// Stands between a store with these options and its server: answers the options with this in place of the server.
    pub(crate) async fn before(mut options: SeaOrmStoreOptions) -> (SeaOrmStoreOptions, Self) {
        let proxy = Self::to(&options.url).await;
        options.url = options
            .url
            .replacen(server_of(&options.url), &proxy.address.to_string(), 1);
        (options, proxy)
    }

    /// Listens on a port of its own for connections to the server of `url`.
    async fn to(url: &str) -> Self {
        let server = server_of(url).to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let way = Arc::new(Way::default());
        let own = Arc::clone(&way);
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&server).await.expect("the server is there");
                let (from_client, to_client) = client.into_split();
                let (from_server, to_server) = server.into_split();
                let state = Arc::new(State::new(Arc::clone(&own)));
                tokio::spawn(pass(from_client, to_server, Arc::clone(&state), true));
                tokio::spawn(pass(from_server, to_client, state, false));
            }
        });
        Self { address, way }
    }

    /// Whether what comes is swallowed, on new connections, too.
    pub(crate) fn swallow(&self, everything: bool) {
        self.way.swallows.store(everything, Ordering::SeqCst);
    }

    /// Loses all connections that are open now. New ones are not touched.
    pub(crate) fn lose(&self) {
        self.way.time.fetch_add(1, Ordering::SeqCst);
    }

    /// Waits until something was lost by [`lose_at`](Self::lose_at).
    pub(crate) async fn lost(&self) {
        self.way.was_fatal.notified().await;
    }

    /// Whether something was lost by [`lose_at`](Self::lose_at) since it was called last.
    pub(crate) fn has_lost(&self) -> bool {
        self.way.fatal.lock().expect("no panic").is_none()
    }

    /// What went to the server so far, a connection each.
    pub(crate) fn sent(&self) -> Vec<Vec<u8>> {
        self.way.sent.lock().expect("no panic").clone()
    }

    /// Loses the next connection over which `text` goes to the server, with that text.
    pub(crate) fn lose_at(&self, text: &'static [u8]) {
        *self.way.fatal.lock().expect("no panic") = Some(text);
    }
}

/// One connection.
struct State {
    way: Arc<Way>,
    time: u64,
    /// Its place in [`Way::sent`].
    number: usize,
    is_lost: AtomicBool,
}

impl State {
    fn new(way: Arc<Way>) -> Self {
        let mut sent = way.sent.lock().expect("no panic");
        sent.push(Vec::new());
        let number = sent.len() - 1;
        drop(sent);
        Self {
            time: way.time.load(Ordering::SeqCst),
            number,
            way,
            is_lost: AtomicBool::new(false),
        }
    }

    /// Whether these bytes, and all that come later, are lost.
    fn loses(&self, bytes: &[u8], to_server: bool) -> bool {
        if to_server {
            self.way.sent.lock().expect("no panic")[self.number].extend_from_slice(bytes);
        }
        let mut fatal = self.way.fatal.lock().expect("no panic");
        let is_fatal =
            to_server && fatal.is_some_and(|it| bytes.windows(it.len()).any(|window| window == it));
        if is_fatal {
            *fatal = None;
            self.way.was_fatal.notify_one();
        }
        let is_lost = is_fatal
            || self.way.swallows.load(Ordering::SeqCst)
            || self.way.time.load(Ordering::SeqCst) != self.time;
        self.is_lost.fetch_or(is_lost, Ordering::SeqCst) || is_lost
    }
}

async fn pass(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, state: Arc<State>, to_server: bool) {
    let mut bytes = vec![0; 16 * 1024];
    loop {
        // A connection that was broken off has come to its end, too.
        let read = from.read(&mut bytes).await.unwrap_or(0);
        let is_lost = state.loses(&bytes[..read], to_server);
        if is_lost && (read > 0 || !to_server) {
            if read == 0 {
                // The server gave up. The client is not told.
                std::future::pending::<()>().await;
            }
            continue;
        }
        if read == 0 || to.write_all(&bytes[..read]).await.is_err() {
            return;
        }
    }
}

/// `host:port` of a URL.
fn server_of(url: &str) -> &str {
    let rest = url.rsplit_once('@').map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}
