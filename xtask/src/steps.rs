//! `cargo xtask test`: the checks of the project in their order, the tests last.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use clap::{Args, ValueEnum};

use crate::process::{cargo, run as run_process, status, works};
use crate::report::say;
use crate::workspace::Workspace;
use crate::{bench, chaos, db, docs, features, outside, package, prerequisites, tidy};

/// What to run and what may be installed.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Start with this step.
    #[arg(long, value_name = "STEP", conflicts_with = "only")]
    from: Option<Step>,
    /// Run this step alone; may be given several times.
    #[arg(long, value_name = "STEP")]
    only: Vec<Step>,
    /// Install nothing: without it, missing system packages are installed where that is possible (Debian, as root).
    #[arg(long)]
    no_install: bool,
}

/// One step. Cheap ones come first; what shares build products stands together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
enum Step {
    Fmt,
    Tidy,
    Clippy,
    Docs,
    Doctests,
    Features,
    Outside,
    Package,
    Deny,
    Chaos,
    Bench,
    Tests,
}

impl Options {
    fn wants(&self, step: Step) -> bool {
        match self.from {
            Some(from) => step >= from,
            None => self.only.is_empty() || self.only.contains(&step),
        }
    }

    /// A line about the steps that these options leave out.
    fn left_out(&self) -> Option<String> {
        let names: Vec<String> = Step::value_variants()
            .iter()
            .filter(|it| !self.wants(**it))
            .map(Step::name)
            .collect();
        (!names.is_empty()).then(|| format!("{} (left out)", names.join(", ")))
    }
}

impl Step {
    fn name(&self) -> String {
        self.to_possible_value()
            .map(|it| it.get_name().to_owned())
            .unwrap_or_default()
    }

    /// Runs every step but the tests. A text is given for what could not be tested.
    fn run(self, workspace: &Workspace, servers: Option<&db::Supply>) -> Result<Option<String>> {
        match self {
            Self::Fmt => fmt(workspace)?,
            Self::Tidy => tidy::run(workspace)?,
            Self::Clippy => clippy(workspace)?,
            Self::Docs => docs::run(workspace, docs::Mode::Check)?,
            Self::Doctests => {
                run_process(cargo(workspace).args(["test", "--quiet", "--doc", "--workspace"]))?
            }
            Self::Features => features::run(workspace)?,
            Self::Outside => outside::run(workspace, &[])?,
            Self::Package => package::run(workspace)?,
            Self::Deny => return deny(workspace),
            Self::Chaos => chaos::smoke(workspace, servers)?,
            Self::Bench => bench::quick(workspace, servers)?,
            Self::Tests => {}
        }
        Ok(None)
    }
}

/// Runs the wanted steps. The exit code is that of the test runner, whose summary is the end of the output.
///
/// # Errors
/// At the first step before the tests that fails.
pub(crate) fn run(workspace: &Workspace, options: &Options) -> Result<ExitCode> {
    let install = !options.no_install && db::may_install();
    prerequisites::ensure(workspace, install)?;
    // Before anything long: an absent server that is required must not be found out at the end.
    let servers = [Step::Tests, Step::Chaos, Step::Bench]
        .into_iter()
        .any(|it| options.wants(it))
        .then(|| db::Supply::for_tests(install))
        .transpose()?;
    let mut untested: Vec<String> = options.left_out().into_iter().collect();
    untested.extend(servers.iter().flat_map(db::Supply::untested));
    let mut times = Vec::new();
    let before_tests = Step::value_variants()
        .iter()
        .filter(|it| **it != Step::Tests && options.wants(**it));
    for step in before_tests {
        let name = step.name();
        say(format_args!("\n=== {name}"));
        let start = Instant::now();
        untested.extend(
            step.run(workspace, servers.as_ref())
                .with_context(|| format!("step `{name}` failed"))?,
        );
        say(format_args!("=== {name}: {}", seconds(start.elapsed())));
        times.push((name, start.elapsed()));
    }
    let has_nextest = works(cargo(workspace).args(["nextest", "--version"]));
    if options.wants(Step::Tests) && !has_nextest {
        untested.push("one process per test (cargo-nextest is not installed)".to_owned());
    }
    summary(&times, &untested);
    if !options.wants(Step::Tests) {
        return Ok(ExitCode::SUCCESS);
    }
    say("\n=== tests");
    let mut tests = cargo(workspace);
    if has_nextest {
        tests.args(["nextest", "run", "--workspace"]);
    } else {
        tests.args([
            "test",
            "--workspace",
            "--no-fail-fast",
            "--lib",
            "--bins",
            "--tests",
        ]);
    }
    if let Some(servers) = &servers {
        servers.tell(&mut tests, has_nextest);
    }
    let ended = status(&mut tests)?;
    Ok(if ended.success() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn summary(times: &[(String, Duration)], untested: &[String]) {
    say("");
    for (name, time) in times {
        say(format_args!("{:>10}  {name}", seconds(*time)));
    }
    say(format_args!(
        "{:>10}  all steps before the tests",
        seconds(times.iter().map(|(_, time)| *time).sum())
    ));
    for what in untested {
        say(format_args!("NOT TESTED: {what}"));
    }
}

fn seconds(time: Duration) -> String {
    format!("{:.1} s", time.as_secs_f64())
}

/// Formatting of the workspace and of the programs that are not in it.
fn fmt(workspace: &Workspace) -> Result<()> {
    run_process(cargo(workspace).args(["fmt", "--all", "--check"]))?;
    let mut programs = outside::sources(workspace)?;
    programs.extend(bench::peers_sources(workspace)?);
    if programs.is_empty() {
        return Ok(());
    }
    let mut rustfmt = std::process::Command::new("rustfmt");
    run_process(
        rustfmt
            .current_dir(&workspace.root)
            .args(["--check", "--edition", "2024"])
            .args(programs),
    )
}

fn clippy(workspace: &Workspace) -> Result<()> {
    run_process(cargo(workspace).args(["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]))
}

fn deny(workspace: &Workspace) -> Result<Option<String>> {
    if !works(cargo(workspace).args(["deny", "--version"])) {
        return Ok(Some("cargo deny (not installed)".to_owned()));
    }
    run_process(cargo(workspace).args(["deny", "check", "bans", "licenses", "sources"]))?;
    Ok(None)
}

#[cfg(test)]
mod tests;
