//! The table that a run prints, with its conditions.

use std::fmt;
use std::io::Write as _;
use std::time::Duration;

use anyhow::Result;
use comfy_table::{Table, presets};
use tasks_abstractions::RunOutcome;
use tests::chaos::{CHILDREN, EndKind};

use crate::Args;
use crate::checks::{Violation, overlaps, rescues};
use crate::evidence::Evidence;
use crate::fault::Kind;
use crate::node::Ending;

/// Most violations of one check that are shown.
const SHOWN: usize = 5;

/// Prints a line.
pub(crate) fn say(line: impl fmt::Display) {
    // A reader that has gone away must not end the run.
    let _ = writeln!(std::io::stdout().lock(), "{line}");
}

/// How often a kind was done, and how often of that to nodes with runs in flight.
pub(crate) fn hits(it: &Evidence, kind: Kind) -> (usize, usize) {
    let faults = it.faults.iter().filter(|it| it.kind == kind);
    let all = faults.clone().count();
    let hits = faults.filter(|fault| it.in_flight(fault.node, fault.begin.mono).next().is_some());
    (all, hits.count())
}

/// Prints the table.
pub(crate) fn print(it: &Evidence, violations: &[Violation], args: &Args, conditions: &str) -> Result<()> {
    let mut table = Table::new();
    table.load_style(presets::ASCII_MARKDOWN);
    table.set_header(["what", "figure"]);
    let mut row = |what: &str, figure: String| {
        table.add_row([what.to_owned(), figure]);
    };
    let of = |outcome| it.logs.iter().filter(|it| it.outcome == outcome).count();
    let count = |check: &str| violations.iter().filter(|it| it.check == check).count();
    row("jobs accepted", it.accepted.len().to_string());
    row(
        "of them in transactions of the application",
        it.orders.len().to_string(),
    );
    let children: Vec<_> = it.jobs.iter().filter(|it| it.1.group == CHILDREN).collect();
    row("jobs enqueued by jobs", children.len().to_string());
    let at_home = children
        .iter()
        .filter(|(id, job)| started_at_home(it, id, &job.name));
    row(
        "of them first run by the process of their parent",
        at_home.count().to_string(),
    );
    row("jobs rolled back", it.rolled_back.len().to_string());
    row("jobs deleted", it.deleted.len().to_string());
    row("runs of code", it.runs.len().to_string());
    row("recorded as done", of(RunOutcome::Succeeded).to_string());
    row("recorded as failed", of(RunOutcome::Failed).to_string());
    row("recorded as cancelled", of(RunOutcome::Cancelled).to_string());
    row("recorded as interrupted", of(RunOutcome::Interrupted).to_string());
    row(
        "jobs given up",
        it.jobs.values().filter(|it| it.is_abandoned).count().to_string(),
    );
    row("faults", faults(it));
    let aborts = it
        .lives
        .iter()
        .filter(|it| matches!(it.died, Some((_, Ending::Signal(6)))));
    row("processes killed by their own jobs", aborts.count().to_string());
    row(
        "runs that overlapped another of their job",
        overlaps(it).len().to_string(),
    );
    row("work done again", done_again(it).to_string());
    row("locks taken", it.holds.len().to_string());
    row("lost", (count("lost") + count("drain")).to_string());
    let mut times: Vec<Duration> = rescues(it).iter().map(|it| it.took).collect();
    times.sort();
    row("runs taken over", times.len().to_string());
    if let (Some(middle), Some(longest)) = (times.get(times.len() / 2), times.last()) {
        row(
            "time to rescue, p50 / longest",
            format!("{:.2} s / {:.2} s", middle.as_secs_f64(), longest.as_secs_f64()),
        );
    }
    row("violations", violations.len().to_string());
    say(conditions);
    say(&table);
    let mut last = ("", 0);
    for violation in violations {
        last = if last.0 == violation.check {
            (last.0, last.1 + 1)
        } else {
            (violation.check, 1)
        };
        if last.1 <= SHOWN {
            say(format_args!("VIOLATION [{}] {}", violation.check, violation.text));
        } else if last.1 == SHOWN + 1 {
            say(format_args!(
                "VIOLATION [{}] and {} more",
                last.0,
                count(last.0) - SHOWN
            ));
        }
    }
    if !violations.is_empty() {
        say(format_args!("to repeat it: {}", args.again()));
    }
    Ok(())
}

fn faults(it: &Evidence) -> String {
    let mut kinds: Vec<Kind> = it.faults.iter().map(|it| it.kind).collect();
    kinds.sort();
    kinds.dedup();
    if kinds.is_empty() {
        return "none".to_owned();
    }
    let shown = kinds.into_iter().map(|kind| {
        let (all, _) = hits(it, kind);
        format!("{} {all}", kind.name())
    });
    shown.collect::<Vec<_>>().join(", ")
}

/// Jobs whose code came to a good end more than once.
pub(crate) fn done_again(it: &Evidence) -> usize {
    let is_done = |it: &&crate::evidence::Run| matches!(it.end, Some((_, EndKind::Done, _)));
    it.accepted
        .keys()
        .filter(|id| it.runs_of(id).filter(is_done).count() > 1)
        .count()
}

/// Whether the first run of a job was in the process in which a run of its parent was going on.
fn started_at_home(it: &Evidence, child: &str, parent: &str) -> bool {
    it.runs_of(child).next().is_some_and(|first| {
        it.runs_of(parent).any(|parent| {
            (parent.node, parent.generation) == (first.node, first.generation)
                && parent.start.mono <= first.start.mono
        })
    })
}
