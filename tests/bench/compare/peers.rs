//! Other job queues, measured by the program of the package `tests/peers`, which is outside the workspace.

use std::process::Command;

use anyhow::{Context, Result};

use super::Figures;
use crate::frame::backend::Backend;
use crate::frame::backend::POSTGRES;
use crate::frame::pass;

/// Where that program is; `cargo xtask bench` builds it and says so.
const PROGRAM: &str = "TASKS_BENCH_PEERS";

/// A job queue of others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Peer {
    GraphileWorker,
    ApalisPostgres,
    ApalisSqlite,
}

/// Those on the same database with the same durability.
pub(super) fn on(backend: Backend) -> &'static [Peer] {
    match backend {
        Backend::Postgres => &[Peer::GraphileWorker, Peer::ApalisPostgres],
        Backend::SqliteNormal => &[Peer::ApalisSqlite],
        Backend::Memory | Backend::SqliteFull | Backend::Mysql => &[],
    }
}

impl Peer {
    /// Also the program's name for it.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::GraphileWorker => "graphile-worker",
            Self::ApalisPostgres => "apalis-postgres",
            Self::ApalisSqlite => "apalis-sqlite",
        }
    }

    /// Whether it removes a job that is done, and has no record of it.
    const fn keeps_nothing(self) -> bool {
        matches!(self, Self::GraphileWorker)
    }

    pub(super) fn measure(self, jobs: usize) -> Result<Figures> {
        let program = std::env::var_os(PROGRAM).with_context(|| {
            format!("{PROGRAM} names no program: run the comparison by `cargo xtask bench compare --peers`")
        })?;
        let mut command = Command::new(program);
        command.args([self.name(), "--jobs", &jobs.to_string()]);
        if self != Self::ApalisSqlite {
            let url = std::env::var(POSTGRES).with_context(|| format!("{POSTGRES} is not set"))?;
            command.env("DATABASE_URL", url);
        }
        let figures: Figures = pass::figures(&command.output()?, self.name())?;
        Ok(Figures {
            unkept: self.keeps_nothing().then_some(figures.drain),
            ..figures
        })
    }
}
