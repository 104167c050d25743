//! The programs of a server: where they are and how they are called.

use std::fs;
use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::account::Account;
use crate::db::{Server, install_packages};
use crate::process::{capture, works};

/// Name of the user and of the first database in a private server.
const USER: &str = "tasks";

/// The programs that make, run and ask one kind of server.
#[derive(Debug, Clone)]
pub(super) struct Programs {
    server: Server,
    makes: PathBuf,
    runs: PathBuf,
    /// Only PostgreSQL has one.
    asks: Option<PathBuf>,
}

/// Where a server lies and listens.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) folder: PathBuf,
    pub(super) port: u16,
    pub(super) password: String,
}

impl Place {
    pub(super) fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// What the server proves itself with to clients that ask for TLS.
    fn certificate(&self) -> PathBuf {
        self.folder.join("server.crt")
    }

    fn key(&self) -> PathBuf {
        self.folder.join("server.key")
    }

    /// Where the server's own messages go.
    pub(super) fn log(&self) -> PathBuf {
        self.folder.join("server.log")
    }
}

impl Programs {
    /// Looks for the programs, and installs them where that is allowed and they are missing.
    pub(super) fn find(server: Server, install: bool) -> Result<Self> {
        if let Some(found) = Self::look(server) {
            return Ok(found);
        }
        if !install {
            bail!(
                "no server programs were found; install {}, or set {}",
                server.package(),
                server.variable()
            );
        }
        install_packages(&[server.package()])?;
        Self::look(server).with_context(|| format!("{} was installed and has no server", server.package()))
    }

    fn look(server: Server) -> Option<Self> {
        let folders = folders(server);
        let find = |name: &str| folders.iter().map(|it| it.join(name)).find(|it| it.is_file());
        match server {
            Server::Postgres => {
                // All of one version: those that lie beside each other.
                let names = ["initdb", "postgres", "pg_isready"];
                let folder = folders
                    .iter()
                    .find(|it| names.iter().all(|name| it.join(name).is_file()))?;
                let [makes, runs, asks] = names.map(|it| folder.join(it));
                Some(Self {
                    server,
                    makes,
                    runs,
                    asks: Some(asks),
                })
            }
            Server::Mysql => Some(Self {
                server,
                makes: find("mariadb-install-db")?,
                runs: find("mariadbd")?,
                asks: None,
            }),
        }
    }

    /// What the server says about its version.
    pub(super) fn version(&self) -> Result<String> {
        let text = capture(Command::new(&self.runs).arg("--version"))?;
        Ok(text.trim().to_owned())
    }

    /// Makes an empty database cluster.
    pub(super) fn make(&self, place: &Place, account: &Account) -> Result<()> {
        let data = place.data();
        account.folder(&data)?;
        let own = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()])
            .context("cannot make a certificate")?;
        // A server tells only what everybody may read.
        account.public_file(&place.certificate(), &own.cert.pem())?;
        account.file(&place.key(), &own.signing_key.serialize_pem())?;
        let mut command = account.command(&self.makes, &data);
        match self.server {
            Server::Postgres => {
                let file = place.folder.join("password");
                account.file(&file, &place.password)?;
                command
                    .arg("--pgdata")
                    .arg(&data)
                    .args(["--username", USER, "--encoding", "UTF8", "--locale", "C"])
                    // The password travels on the loopback address only; clients are spared its thousands of hashes.
                    .args(["--auth-local", "reject", "--auth-host", "password"])
                    .arg("--pwfile")
                    .arg(&file);
            }
            Server::Mysql => {
                account.file(
                    &place.folder.join("init.sql"),
                    &format!(
                        "CREATE DATABASE {USER};\nCREATE USER '{USER}'@'%' IDENTIFIED BY '{}';\nGRANT ALL ON *.* TO '{USER}'@'%' WITH GRANT OPTION;\n",
                        place.password
                    ),
                )?;
                command
                    .arg("--no-defaults")
                    .arg(format!("--datadir={}", data.display()))
                    .arg("--auth-root-authentication-method=socket")
                    .arg(format!("--auth-root-socket-user={}", account.name()))
                    .arg("--skip-test-db");
            }
        }
        capture(&mut command).map(drop)
    }

    /// The server itself, as it is to be started. What is committed is on the disk, and little memory is taken.
    pub(super) fn serve(&self, place: &Place, account: &Account) -> Command {
        let data = place.data();
        let mut command = account.command(&self.runs, &data);
        let port = place.port;
        match self.server {
            Server::Postgres => {
                command.arg("-D").arg(&data);
                for setting in [
                    &format!("port={port}"),
                    "listen_addresses=127.0.0.1",
                    "unix_socket_directories=",
                    "fsync=on",
                    "shared_buffers=64MB",
                    "max_connections=200",
                    "ssl=on",
                    &format!("ssl_cert_file={}", place.certificate().display()),
                    &format!("ssl_key_file={}", place.key().display()),
                ] {
                    command.args(["-c", setting]);
                }
            }
            Server::Mysql => {
                command
                    .arg("--no-defaults")
                    .arg(format!("--datadir={}", data.display()))
                    .arg(format!("--socket={}", data.join("server.sock").display()))
                    .arg(format!("--pid-file={}", data.join("server.pid").display()))
                    .arg(format!("--init-file={}", place.folder.join("init.sql").display()))
                    .arg(format!("--port={port}"))
                    .arg(format!("--ssl-cert={}", place.certificate().display()))
                    .arg(format!("--ssl-key={}", place.key().display()))
                    .args([
                        "--bind-address=127.0.0.1",
                        "--skip-name-resolve",
                        "--innodb-flush-log-at-trx-commit=1",
                        "--innodb-buffer-pool-size=64M",
                        "--innodb-log-file-size=32M",
                        "--max-connections=200",
                    ]);
            }
        }
        command
    }

    /// Whether the server takes connections.
    pub(super) fn is_ready(&self, port: u16) -> bool {
        match &self.asks {
            Some(program) => works(Command::new(program).args([
                "--quiet",
                "--host",
                "127.0.0.1",
                "--port",
                &port.to_string(),
            ])),
            // The server speaks first.
            None => {
                let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
                let limit = Duration::from_secs(1);
                TcpStream::connect_timeout(&address, limit).is_ok_and(|mut it| {
                    it.set_read_timeout(Some(limit)).is_ok()
                        && it.read(&mut [0; 1]).is_ok_and(|read| read == 1)
                })
            }
        }
    }

    /// The signal that ends the server in order without waiting for its clients.
    pub(super) const fn ends_by(&self) -> &'static str {
        match self.server {
            Server::Postgres => "INT",
            Server::Mysql => "TERM",
        }
    }

    /// The signal after which the server must recover from its log when it starts again.
    pub(super) const fn crashes_by(&self) -> &'static str {
        match self.server {
            Server::Postgres => "QUIT",
            Server::Mysql => "KILL",
        }
    }

    /// Without TLS, which the server has: only what tests TLS pays for it.
    pub(super) fn url(&self, place: &Place) -> String {
        let (scheme, database, plain) = match self.server {
            Server::Postgres => ("postgres", "postgres", "sslmode=disable"),
            Server::Mysql => ("mysql", USER, "ssl-mode=DISABLED"),
        };
        format!(
            "{scheme}://{USER}:{}@127.0.0.1:{}/{database}?{plain}",
            place.password, place.port
        )
    }
}

/// Folders that may have a server's programs, the best first.
fn folders(server: Server) -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    match server {
        // Debian keeps several versions beside each other, none of them in the search path.
        Server::Postgres => folders.extend(versions(Path::new("/usr/lib/postgresql"))),
        Server::Mysql => folders.extend(["/usr/sbin", "/usr/local/sbin", "/usr/libexec"].map(PathBuf::from)),
    }
    folders
}

/// `bin` folders of the versions below `folder`, the newest first.
fn versions(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|it| {
            let version = it.file_name().to_str()?.parse().ok()?;
            Some((version, it.path().join("bin")))
        })
        .collect();
    found.sort_unstable_by(|a, b| b.cmp(a));
    found.into_iter().map(|(_, path)| path).collect()
}
