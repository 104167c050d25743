//! Measures one job queue of others and prints its figures as one line of JSON.
//!
//! Each is set up as its documentation says where it speaks of throughput. The clock of the drain stops when the code of the last job has run, which is before
//! its outcome is stored: that is in their favour. Afterwards the database must say that all are done.

mod apalis_postgres;
mod apalis_sqlite;
mod book;
mod graphile;
mod measure;

use std::io::Write as _;

use anyhow::{Context, Result};
use clap::{Parser, Subcommand};

/// Benches of other job queues.
#[derive(Debug, Parser)]
struct Args {
    /// Jobs to store and drain.
    #[arg(long, global = true, default_value_t = 50_000)]
    jobs: usize,
    #[command(subcommand)]
    queue: Queue,
}

#[derive(Debug, Subcommand)]
enum Queue {
    /// graphile_worker, with a local queue and batched completion. Its schema `bench_graphile` is removed first.
    GraphileWorker(Server),
    /// apalis-postgres, told by NOTIFY. Its schema `apalis` is removed first.
    ApalisPostgres(Server),
    /// apalis-sqlite, told by the update hook, on a file with WAL and `synchronous = NORMAL`.
    ApalisSqlite,
}

#[derive(Debug, clap::Args)]
struct Server {
    /// The PostgreSQL server.
    #[arg(long, env = "DATABASE_URL", hide_env_values = true)]
    url: String,
}

fn main() -> Result<()> {
    let args = Args::parse();
    book::open(args.jobs)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let figures = runtime.block_on(async {
        match args.queue {
            Queue::GraphileWorker(server) => {
                measure::measure(graphile::Graphile::open(&server.url).await?, args.jobs).await
            }
            Queue::ApalisPostgres(server) => {
                measure::measure(
                    apalis_postgres::ApalisPostgres::open(&server.url).await?,
                    args.jobs,
                )
                .await
            }
            Queue::ApalisSqlite => {
                measure::measure(apalis_sqlite::ApalisSqlite::open().await?, args.jobs).await
            }
        }
    })?;
    writeln!(std::io::stdout(), "{}", serde_json::to_string(&figures)?).context("cannot print the figures")
}
