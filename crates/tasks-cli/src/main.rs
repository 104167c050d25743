//! The program `tasks`: durable background work on the command line.
//!
//! `tasks demo` shows the engine at work on real files, `tasks serve` runs a node, `tasks migrate` looks after the database, `tasks jobs` and the
//! commands beside it show and steer what is in it, `tasks cron` says when an expression fires. Exit codes are those of [`HostExit`].

mod args;
mod check;
mod completion;
mod confirm;
mod cron;
mod database;
mod demo;
mod failure;
mod jobs;
mod log;
mod manage;
mod migrate;
mod nodes;
mod output;
mod runs;
mod serve;
mod stats;
mod table;
mod transfer;
mod watch;
mod workers;

use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tasks_host::HostExit;

use crate::args::{Args, Command};
use crate::failure::Failure;

/// How long code that does not end may keep the process after everything was stopped.
const LEAVE: Duration = Duration::from_millis(100);

fn main() -> ExitCode {
    // Wrong arguments and a missing command end here with the help and code 2.
    let args = Args::parse();
    if let Err(failure) = log::start(args.log.as_deref(), args.command.default_level()) {
        return told(&failure);
    }
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(it) => it,
        Err(error) => return told(&Failure::because("no runtime to be had", error)),
    };
    let outcome = runtime.block_on(run(args.command));
    // Waiting for job code that does not end is over: it was given its time.
    runtime.shutdown_timeout(LEAVE);
    match outcome {
        Ok(exit) => exit.into(),
        Err(failure) => told(&failure),
    }
}

async fn run(command: Command) -> Result<HostExit, Failure> {
    match command {
        Command::Demo(args) => demo::run(args).await,
        Command::Serve(args) => serve::run(args).await,
        Command::Migrate(args) => migrate::run(args).await,
        Command::Jobs(args) => jobs::run(*args).await,
        Command::Workers(args) => workers::run(args).await,
        Command::Runs(args) => runs::run(args).await,
        Command::Nodes(args) => nodes::run(args).await,
        Command::Stats(args) => stats::run(args).await,
        Command::Watch(args) => watch::run(args).await,
        Command::Check(args) => check::run(args).await,
        Command::Export(args) => transfer::export(*args).await,
        Command::Import(args) => transfer::import(args).await,
        Command::Cron(args) => cron::run(args),
        Command::Completion { shell } => completion::run(shell),
    }
}

fn told(failure: &Failure) -> ExitCode {
    output::error(&format!("tasks: {failure}"));
    failure.exit().into()
}
