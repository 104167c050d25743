//! What the figures of a run depend on: the machine, the servers, the build.

use std::process::Command;

use anyhow::Result;
use sea_orm::{ConnectionTrait, Database, Statement};
use serde::Serialize;

use super::backend::{Backend, MYSQL, POSTGRES};
use super::pass::runtime;

/// Where and with what a run was made.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Conditions {
    /// Model of the processor, cores, memory.
    machine: String,
    /// Operating system and its kernel.
    system: String,
    /// Versions of the databases that were used.
    databases: Vec<String>,
    /// Version, profile and commit of this program.
    build: String,
    /// Where files are.
    folder: String,
}

impl Conditions {
    /// Those of now, for a run on these backends.
    pub(crate) fn of(backends: &[Backend]) -> Result<Self> {
        let cores = std::thread::available_parallelism().map_or(0, usize::from);
        Ok(Self {
            machine: format!("{}, {cores} cores, {}", processor(), memory()),
            system: system(),
            databases: runtime()?.block_on(databases(backends))?,
            build: build(),
            folder: std::env::temp_dir().display().to_string(),
        })
    }

    /// As one line.
    pub(crate) fn line(&self) -> String {
        let mut parts = vec![self.machine.clone(), self.system.clone()];
        parts.extend(self.databases.iter().cloned());
        parts.extend([self.build.clone(), format!("files in {}", self.folder)]);
        parts.join("; ")
    }
}

/// The value of a line `name : value` of a file.
fn field(file: &str, name: &str) -> Option<String> {
    let text = std::fs::read_to_string(file).ok()?;
    let line = text.lines().find(|it| it.starts_with(name))?;
    let value = line.split_once([':', '='])?.1;
    Some(value.trim().trim_matches('"').to_owned())
}

fn processor() -> String {
    field("/proc/cpuinfo", "model name").unwrap_or_else(|| std::env::consts::ARCH.to_owned())
}

fn memory() -> String {
    let kibibytes = field("/proc/meminfo", "MemTotal")
        .and_then(|it| it.split_whitespace().next().and_then(|it| it.parse::<f64>().ok()));
    kibibytes.map_or_else(
        || "memory unknown".to_owned(),
        |it| format!("{:.0} GiB", it / 1024.0 / 1024.0),
    )
}

fn system() -> String {
    let name = field("/etc/os-release", "PRETTY_NAME").unwrap_or_else(|| std::env::consts::OS.to_owned());
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{name}, kernel {}", kernel.trim())
}

fn build() -> String {
    let profile = if cfg!(debug_assertions) {
        "debug"
    } else {
        "release"
    };
    let mut git = Command::new("git");
    let commit = git.args(["describe", "--always", "--dirty"]).output().ok();
    let commit = commit
        .filter(|it| it.status.success())
        .map(|it| format!(", commit {}", String::from_utf8_lossy(&it.stdout).trim()))
        .unwrap_or_default();
    format!("tasks {} ({profile}{commit})", env!("CARGO_PKG_VERSION"))
}

async fn databases(backends: &[Backend]) -> Result<Vec<String>> {
    let mut versions = Vec::new();
    for backend in backends {
        let (url, query, name) = match backend {
            Backend::Memory => continue,
            Backend::SqliteFull | Backend::SqliteNormal => {
                ("sqlite::memory:".to_owned(), "SELECT sqlite_version()", "SQLite")
            }
            Backend::Postgres => (std::env::var(POSTGRES)?, "SHOW server_version", "PostgreSQL"),
            Backend::Mysql => (
                std::env::var(MYSQL)?,
                "SELECT CONVERT(VERSION() USING utf8mb4)",
                "MariaDB",
            ),
        };
        let server = Database::connect(url).await?;
        let row = server
            .query_one_raw(Statement::from_string(server.get_database_backend(), query))
            .await?;
        let version: String = row
            .map(|it| it.try_get_by_index(0))
            .transpose()?
            .unwrap_or_default();
        let text = format!("{name} {version}");
        if !versions.contains(&text) {
            versions.push(text);
        }
        server.close().await?;
    }
    Ok(versions)
}
