//! Measures the whole engine on each embedded backend and prints a table.
//!
//! Each backend runs in a process of its own, so that the peak of memory is its own. The figures depend on the machine; the conditions are
//! printed with them.

mod beside;
mod drain;
mod hearing;
mod measure;
mod node;
mod report;

use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use clap::{Parser, ValueEnum};
use serde::de::DeserializeOwned;

use crate::measure::Figures;

/// What the engine runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Backend {
    /// In memory.
    Memory,
    /// A SQLite file that is synced with every commit: the default durability.
    SqliteFull,
    /// A SQLite file that is synced at checkpoints only.
    SqliteNormal,
    /// The PostgreSQL server at `TASKS_TEST_POSTGRES_URL`, in the schema `tasks_bench`, which is removed first. Left out without the variable.
    Postgres,
    /// The MariaDB server at `TASKS_TEST_MYSQL_URL`, in the database `tasks_bench`, which is removed first. Left out without the variable.
    Mysql,
}

/// Benches of the engine.
#[derive(Debug, Clone, Parser)]
struct Args {
    /// Only this backend; all without it.
    #[arg(long)]
    backend: Option<Backend>,
    /// Jobs to drain.
    #[arg(long, default_value_t = 50_000)]
    jobs: usize,
    /// Jobs that run at once.
    #[arg(long, default_value_t = 1_000)]
    concurrency: usize,
    /// Passes; the best of each figure is shown.
    #[arg(long, default_value_t = 3)]
    passes: usize,
    /// A tenth of the work in one pass: shows that everything runs, not how fast it is.
    #[arg(long)]
    smoke: bool,
    /// Instead: how soon one node hears of the work and the commands of another one, on the PostgreSQL server.
    #[arg(long, conflicts_with_all = ["backend", "smoke"])]
    hearing: bool,
    /// Instead: the drain beside so many waiting jobs of an absent node and as many of a type that nobody knows, and without them, in turn.
    #[arg(long, conflicts_with_all = ["smoke", "hearing"])]
    beside: Option<usize>,
    /// Measures one backend in this process and prints JSON.
    #[arg(long, hide = true)]
    child: bool,
}

fn main() -> Result<()> {
    let mut args = Args::parse();
    if args.smoke {
        args.jobs = args.jobs.min(5_000);
        args.passes = 1;
    }
    ensure!(
        args.jobs > 0 && args.concurrency > 0 && args.passes > 0,
        "counts must be at least 1"
    );
    if args.hearing {
        return hearing::run(args.jobs.min(200));
    }
    if args.child {
        let backend = args.backend.context("--child needs --backend")?;
        let figures = match args.beside {
            Some(_) => serde_json::to_string(&measure::measure_drain(backend, &args)?)?,
            None => serde_json::to_string(&measure::measure(backend, &args)?)?,
        };
        return report::print_line(&figures);
    }
    let backends = args
        .backend
        .map_or_else(|| Backend::value_variants().to_vec(), |it| vec![it])
        .into_iter()
        .filter(|it| args.backend.is_some() || it.is_there());
    if let Some(count) = args.beside {
        return beside::run(backends, count, &args);
    }
    let mut rows = Vec::new();
    for backend in backends {
        let mut passes = Vec::new();
        for _ in 0..args.passes {
            passes.push(in_process_of_its_own(backend, &args)?);
        }
        rows.push((backend, Figures::best(&passes)));
    }
    report::print(&rows, &args)
}

impl Backend {
    /// Whether this machine has it.
    fn is_there(self) -> bool {
        let server = match self {
            Self::Postgres => node::POSTGRES,
            Self::Mysql => node::MYSQL,
            Self::Memory | Self::SqliteFull | Self::SqliteNormal => return true,
        };
        std::env::var_os(server).is_some()
    }
}

/// What [`measure`] answers there.
fn in_process_of_its_own<T: DeserializeOwned>(backend: Backend, args: &Args) -> Result<T> {
    let name = backend.to_possible_value().context("backend without a name")?;
    let output = Command::new(std::env::current_exe()?)
        .args(["--child", "--backend", name.get_name()])
        .args([
            "--jobs",
            &args.jobs.to_string(),
            "--concurrency",
            &args.concurrency.to_string(),
        ])
        .args(
            args.beside
                .iter()
                .flat_map(|it| ["--beside".to_owned(), it.to_string()]),
        )
        .output()?;
    if !output.status.success() {
        bail!(
            "{} failed: {}",
            name.get_name(),
            String::from_utf8_lossy(&output.stderr)
        );
    }
    serde_json::from_slice(&output.stdout).context("the child printed no figures")
}
