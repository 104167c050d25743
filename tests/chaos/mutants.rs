//! Planted bugs, one after the other: the checks must find each of them.

use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result};
use clap::ValueEnum as _;
use comfy_table::{Table, presets};

use crate::Args;
use crate::place::Backend;
use crate::report::say;

/// Chooses the planted bug of a process.
const VARIABLE: &str = "TASKS_CHAOS_MUTANT";
/// Runs until a bug counts as not found.
const TRIES: u64 = 3;
/// Minutes of load of each.
const MINUTES: &str = "0.5";

/// The planted bugs.
const MUTANTS: [&str; 11] = [
    "finish-without-run-id",
    "rescue-without-counting",
    "claim-not-reconciled",
    "version-ignored",
    "cron-armed-twice",
    "heartbeat-without-fencing",
    "lost-bisect",
    "pause-ignored",
    "take-over-keeps-run-id",
    "lock-ignored",
    MACHINE_CLOCK,
];

/// Goes by the clock of its machine. On SQLite that is the clock which counts.
const MACHINE_CLOCK: &str = "machine-clock";

/// Runs this program with each of them; fails where one survives.
pub(crate) fn run(args: &Args) -> Result<ExitCode> {
    if !cfg!(feature = "chaos-mutants") {
        say("this build has no planted bugs; build it with `--features chaos-mutants`");
        return Ok(ExitCode::FAILURE);
    }
    let seed = args.seed.unwrap_or_default();
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["planted bug", "found by", "runs", "seconds"]);
    let mut survivors = Vec::new();
    let shows = |mutant: &&str| *mutant != MACHINE_CLOCK || args.backend != Backend::Sqlite;
    for mutant in MUTANTS.into_iter().filter(shows) {
        let began = Instant::now();
        let (mut found, mut tries) = (Vec::new(), 0);
        while found.is_empty() && tries < TRIES {
            found = attempt(args, mutant, seed + tries)?;
            tries += 1;
        }
        say(format_args!("{mutant}: {found:?}"));
        if found.is_empty() {
            survivors.push(mutant);
        }
        table.add_row([
            mutant.to_owned(),
            found.join(", "),
            tries.to_string(),
            began.elapsed().as_secs().to_string(),
        ]);
    }
    say(&table);
    if survivors.is_empty() {
        say("every planted bug was found");
        return Ok(ExitCode::SUCCESS);
    }
    say(format_args!("not found: {}", survivors.join(", ")));
    Ok(ExitCode::FAILURE)
}

/// One run with a planted bug; answers which checks failed.
fn attempt(args: &Args, mutant: &str, seed: u64) -> Result<Vec<String>> {
    let keep = tempfile::tempdir()?;
    let mut command = Command::new(std::env::current_exe()?);
    let backend = args
        .backend
        .to_possible_value()
        .context("a backend without a name")?;
    command
        .args(["--backend", backend.get_name()])
        .args(["--minutes", MINUTES, "--seed", &seed.to_string()])
        .args(["--nodes", &args.nodes.to_string()])
        .arg("--keep")
        .arg(keep.path().join("evidence"))
        .env(VARIABLE, mutant)
        .stderr(Stdio::inherit());
    if let Some(url) = &args.url {
        command.args(["--url", url]);
    }
    if let Some(control) = &args.control {
        command.arg("--control").arg(control);
    }
    if let Some(faults) = &args.faults {
        command.args(["--faults", faults]);
    }
    let output = command.output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut checks: Vec<String> = text
        .lines()
        .filter_map(|it| it.strip_prefix("VIOLATION [")?.split(']').next())
        .map(ToOwned::to_owned)
        .collect();
    checks.dedup();
    Ok(checks)
}
