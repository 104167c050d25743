//! `cargo xtask db`, and the database servers of the tests: given by URL, else started privately, else installed and started.
//!
//! A private server lies in a temporary folder of its own, listens on a free port of the loopback address, has a random password and runs as a user without
//! privileges. It belongs to a supervisor process, which ends it and removes the folder: no other server of the machine is touched.

mod install;
#[cfg(unix)]
mod private;
mod supply;

use std::fmt;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Subcommand, ValueEnum};

pub(crate) use install::{allowed as may_install, packages as install_packages};
pub(crate) use supply::Supply;

use crate::workspace::Workspace;

/// A kind of database server that the tests use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Server {
    Postgres,
    /// MariaDB, or MySQL by its URL.
    Mysql,
}

impl Server {
    const ALL: [Self; 2] = [Self::Postgres, Self::Mysql];

    /// As `TASKS_TEST_REQUIRE` and the names of test modules (`store_postgres`) have it.
    const fn key(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
        }
    }

    /// The variable with the URL of a server for the tests.
    pub(crate) const fn variable(self) -> &'static str {
        match self {
            Self::Postgres => "TASKS_TEST_POSTGRES_URL",
            Self::Mysql => "TASKS_TEST_MYSQL_URL",
        }
    }

    /// The Debian package of the server.
    const fn package(self) -> &'static str {
        match self {
            Self::Postgres => "postgresql",
            Self::Mysql => "mariadb-server",
        }
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Postgres => "PostgreSQL",
            Self::Mysql => "MariaDB",
        })
    }
}

/// What to do with the servers.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start private servers that stay until `db down`, and print lines for a shell: `eval "$(cargo xtask db up)"`.
    Up {
        /// Only these.
        servers: Vec<Server>,
        /// Install missing server programs (Debian, as root); on by itself with `CI=true`.
        #[arg(long)]
        install: bool,
    },
    /// Stop the servers that `db up` started, and remove their data.
    Down,
    /// Say which servers the tests would use.
    Status,
    /// Own one private server until told to stop; started by the other commands.
    #[command(hide = true)]
    Supervise {
        /// Which.
        server: Server,
        /// Listen on a socket for `db down`, instead of ending with the starting process.
        #[arg(long)]
        background: bool,
    },
}

/// Carries out a command of `cargo xtask db`.
///
/// # Errors
/// Where a server cannot be started or stopped.
#[cfg(unix)]
pub(crate) fn run(workspace: &Workspace, command: &Command) -> Result<ExitCode> {
    match command {
        Command::Up { servers, install } => private::up(workspace, servers, *install)?,
        Command::Down => private::down(workspace)?,
        Command::Status => private::status(workspace)?,
        Command::Supervise { server, background } => return supervise(*server, *background),
    }
    Ok(ExitCode::SUCCESS)
}

/// Owns one private server until told to stop.
///
/// # Errors
/// Where the server cannot be started, or ends by itself.
#[cfg(unix)]
pub(crate) fn supervise(server: Server, background: bool) -> Result<ExitCode> {
    private::supervise(server, background)?;
    Ok(ExitCode::SUCCESS)
}

#[cfg(not(unix))]
pub(crate) fn run(_: &Workspace, _: &Command) -> Result<ExitCode> {
    anyhow::bail!(
        "private servers need a Unix system; set TASKS_TEST_POSTGRES_URL and TASKS_TEST_MYSQL_URL instead"
    )
}

#[cfg(not(unix))]
pub(crate) fn supervise(server: Server, _: bool) -> Result<ExitCode> {
    anyhow::bail!("{server} cannot be started here; set {}", server.variable())
}

#[cfg(test)]
mod tests;
