//! A node of a chaos run: a whole program with a host, which does the work of the run and keeps a ledger of what its code really did.
//!
//! Its driver talks to it through standard input: `clock MILLISECONDS`, `cut on`, `cut off`. When that is closed the process ends at once.

mod clock;
mod control;
mod ledger;
mod lossy;
mod module;
mod pulse;
mod work;
mod workers;

use std::fs::File;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Result;
use clap::Parser;
use tasks_core::JobRegistry;
use tasks_host::Host;
use tasks_store_seaorm::SeaOrmStoreOptions;
use tracing_subscriber::EnvFilter;

use crate::clock::ShiftedClock;
use crate::ledger::{Ledger, Observer};
use crate::lossy::Cut;
use crate::module::ChaosModule;

/// A node of a chaos run.
#[derive(Debug, Parser)]
struct Args {
    /// Where the database is.
    #[arg(long)]
    url: String,
    /// The schema of its tables on PostgreSQL.
    #[arg(long)]
    schema: Option<String>,
    /// The node's name.
    #[arg(long)]
    name: String,
    /// The file to which every start and end of code is appended.
    #[arg(long)]
    ledger: PathBuf,
    /// The file that takes the program's log.
    #[arg(long)]
    log: PathBuf,
    /// Jobs that run at once.
    #[arg(long, default_value_t = 8)]
    concurrency: usize,
    /// Milliseconds between two heartbeats.
    #[arg(long)]
    heartbeat: u64,
    /// Milliseconds of the lease.
    #[arg(long)]
    lease: u64,
    /// Milliseconds after which a suspect is none any more.
    #[arg(long)]
    suspect_window: u64,
    /// Milliseconds by which its clock is ahead from the start.
    #[arg(long, default_value_t = 0, allow_hyphen_values = true)]
    clock: i64,
    /// Is an older program, which does not know one type of job.
    #[arg(long)]
    older: bool,
}

fn main() -> Result<ExitCode> {
    // Before there is a thread: whatever ends the driver ends its nodes, also those that are stopped. Elsewhere they end when they hear nothing more.
    #[cfg(target_os = "linux")]
    rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
    let args = Args::parse();
    let log = File::options().create(true).append(true).open(&args.log)?;
    tracing_subscriber::fmt()
        .with_writer(Arc::new(log))
        .with_ansi(false)
        .with_env_filter(EnvFilter::try_new(
            std::env::var("TASKS_CHAOS_LOG")
                .unwrap_or_else(|_| "info,sqlx=warn,tasks_core::engine=debug".to_owned()),
        )?)
        .init();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()?;
    Ok(match runtime.block_on(run(args)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(error = format!("{error:#}"), "ended with an error");
            ExitCode::FAILURE
        }
    })
}

async fn run(args: Args) -> Result<()> {
    let clock = Arc::new(ShiftedClock::new(args.clock));
    let cut = Arc::new(Cut::default());
    control::listen(Arc::clone(&clock), Arc::clone(&cut))?;
    let ledger = Arc::new(Ledger::open(&args.ledger)?);
    let mut registry = JobRegistry::new();
    work::register(&mut registry, args.older)?;
    workers::register(&mut registry)?;
    let millis = Duration::from_millis;
    let mut store = SeaOrmStoreOptions::new(args.url);
    store.schema = args.schema;
    // A way that stands still is given up before the lease is over, or nothing could be renewed on another connection.
    store.statement_timeout = millis(args.lease);
    store.acquire_timeout = millis(args.lease);
    let host = Host::builder()
        .ignore_environment()
        .clock(clock)
        .module(ChaosModule::new(
            store,
            cut,
            Arc::clone(&ledger),
            millis(args.lease),
        ))
        .registry(registry)
        .event(Arc::new(Observer::new(Arc::clone(&ledger))))
        .version(if args.older { "1.0.0" } else { "2.0.0" })
        .options(move |it| {
            let engine = &mut it.engine;
            engine.node_name = args.name;
            engine.max_concurrency = args.concurrency;
            engine.heartbeat = millis(args.heartbeat);
            engine.lease = millis(args.lease);
            engine.suspect_window = millis(args.suspect_window);
            engine.poll_interval = millis(250);
            // Outcomes wait for each other, so that batches are of more than one although there is little to do.
            engine.finish_linger = millis(100);
            engine.shutdown_grace = millis(args.heartbeat);
            engine.cancel_grace = millis(args.heartbeat * 4);
            // What it repairs is an error of the engine; the driver looks for it in the log.
            it.maintenance.checking.cron = "7/15 * * * * ?".to_owned();
        })
        .build()
        .await?;
    ledger.is_of(host.engine().clone());
    host.run().await?;
    Ok(())
}
