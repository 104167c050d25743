//! Development commands of the workspace: `cargo xtask test`, `tidy`, `docs`, `outside`, `bench`, `chaos`, `db`.
//!
//! `test` is the one command that continuous integration runs; the others are its parts, for developers.

mod bench;
mod chaos;
mod db;
mod docs;
mod features;
mod outside;
mod package;
mod prerequisites;
mod process;
mod report;
mod steps;
mod tidy;
mod workspace;

use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};

use crate::workspace::Workspace;

/// Development commands of the workspace.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run every check and then the tests; stops at the first step that fails.
    Test(steps::Options),
    /// Check the rules of the code base that no compiler knows.
    Tidy,
    /// Build the API documentation, compile the Rust blocks of the guides, run their shell blocks and the examples, check links and tables.
    Docs {
        /// Only write the tables that are made from the code anew.
        #[arg(long)]
        write: bool,
    },
    /// Build programs that use single crates, outside the workspace.
    Outside {
        /// Names of the programs; all when none is given.
        names: Vec<String>,
    },
    /// Run the bench program in release mode; arguments are passed through (`--help` names them).
    #[command(disable_help_flag = true)]
    Bench {
        /// Arguments of the bench program.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Run nodes under faults and check what became of the work; arguments are passed through (`--help` names them).
    #[command(disable_help_flag = true)]
    Chaos {
        /// Arguments of the chaos kit.
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Private database servers for the tests.
    #[command(subcommand)]
    Db(db::Command),
}

fn main() -> ExitCode {
    match run(Arguments::parse().command) {
        Ok(code) => code,
        Err(error) => {
            report::fail(&error);
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    // Supervisors know nothing of the workspace.
    if let Command::Db(db::Command::Supervise { server, background }) = command {
        return db::supervise(server, background);
    }
    let workspace = Workspace::load()?;
    match command {
        Command::Test(options) => return steps::run(&workspace, &options),
        Command::Tidy => tidy::run(&workspace)?,
        Command::Docs { write: true } => docs::run(&workspace, docs::Mode::Write)?,
        Command::Docs { write: false } => docs::run(&workspace, docs::Mode::Check)?,
        Command::Outside { names } => outside::run(&workspace, &names)?,
        Command::Bench { arguments } => return bench::run(&workspace, &arguments),
        Command::Chaos { arguments } => return chaos::run(&workspace, &arguments),
        Command::Db(command) => return db::run(&workspace, &command),
    }
    Ok(ExitCode::SUCCESS)
}
