//! The chaos kit: real nodes and a producer on one database, faults in random order, and then the question whether everything is as it must be.
//!
//! The exit code is 0 where every check holds, 1 where one does not, 2 where the run proves nothing (a kind of fault met no runs in flight), and 3
//! where the deadline ended it.

mod answers;
mod checks;
mod cluster;
mod complaints;
mod drain;
mod evidence;
mod fault;
mod mutants;
mod node;
mod operator;
mod place;
mod plan;
mod producer;
mod report;
mod run;
mod settings;
mod waiting;
mod watchdog;

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, ensure};
use clap::Parser;
use clap::ValueEnum as _;

use crate::fault::Kind;
use crate::place::Backend;
use crate::settings::{Pace, Settings};

/// Runs nodes under faults and checks what became of the work.
#[derive(Debug, Clone, Parser)]
pub(crate) struct Args {
    /// The database.
    #[arg(long, default_value = "sqlite")]
    backend: Backend,
    /// Where the server is: `postgres://USER:PASSWORD@HOST:PORT/DATABASE`, `mysql://…`. The run makes a schema or database of its own there.
    #[arg(long)]
    url: Option<String>,
    /// The socket of whoever started the server, which restarts it.
    #[arg(long, hide = true)]
    control: Option<PathBuf>,
    /// How long jobs are enqueued and faults happen.
    #[arg(long, default_value_t = 1.0)]
    minutes: f64,
    /// Decides the order of the faults; drawn from the time where it is not given.
    #[arg(long)]
    seed: Option<u64>,
    /// Nodes.
    #[arg(long, default_value_t = 4)]
    nodes: usize,
    /// Leases; quick for runs of less than ten minutes.
    #[arg(long)]
    pace: Option<Pace>,
    /// Kinds of faults, with commas between them, or `none`; all that the database offers without it.
    #[arg(long)]
    faults: Option<String>,
    /// Folder in which the evidence is kept where a check fails; a new one without it.
    #[arg(long)]
    keep: Option<PathBuf>,
    /// Runs with one planted bug after the other until the checks find each of them.
    #[arg(long)]
    mutants: bool,
}

impl Args {
    fn settings(&self) -> Settings {
        let pace = self.pace.unwrap_or(if self.minutes < 10.0 {
            Pace::Quick
        } else {
            Pace::Default
        });
        Settings::new(pace, Duration::from_secs_f64(self.minutes * 60.0))
    }

    /// The kinds that are wanted; `None` for all.
    fn kinds(&self) -> Result<Option<Vec<Kind>>> {
        match self.faults.as_deref() {
            None | Some("all") => Ok(None),
            Some("none") => Ok(Some(Vec::new())),
            Some(list) => {
                let kinds = list.split(',').map(|it| Kind::from_str(it.trim(), true));
                let kinds = kinds.collect::<std::result::Result<Vec<_>, _>>();
                kinds.map(Some).map_err(anyhow::Error::msg)
            }
        }
    }

    /// The command that repeats this run.
    fn again(&self) -> String {
        let mut text = "cargo xtask chaos".to_owned();
        let mut add = |option: &str, value: String| text.push_str(&format!(" --{option} {value}"));
        if let Some(name) = self.backend.to_possible_value() {
            add("backend", name.get_name().to_owned());
        }
        add("minutes", self.minutes.to_string());
        add("nodes", self.nodes.to_string());
        if let Some(seed) = self.seed {
            add("seed", seed.to_string());
        }
        if let Some(name) = self.pace.and_then(|it| it.to_possible_value()) {
            add("pace", name.get_name().to_owned());
        }
        if let Some(faults) = &self.faults {
            add("faults", faults.clone());
        }
        text
    }
}

fn main() -> ExitCode {
    run_kit().unwrap_or_else(|error| {
        report::say(format_args!("the run could not be made: {error:#}"));
        ExitCode::FAILURE
    })
}

fn run_kit() -> Result<ExitCode> {
    let mut args = Args::parse();
    ensure!(
        args.nodes > 0 && args.minutes > 0.0,
        "there must be nodes and time"
    );
    let seed = args.seed.unwrap_or_else(|| {
        let now = tests::chaos::Moment::now();
        u64::try_from(now.wall).unwrap_or_default() % 1_000_000
    });
    args.seed = Some(seed);
    if args.mutants {
        return mutants::run(&args);
    }
    place::enter_own_mounts(args.backend, seed)?;
    // One thread: nodes end with the thread that started them.
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(run::run(&args, seed))
}
