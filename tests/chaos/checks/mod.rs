//! What must hold after a run, whatever was done to it.

mod cron;
mod endings;
mod fences;
mod interruptions;
mod locks;
mod members;
mod once;
mod operators;
mod overlap;
mod rescue;
mod stale;

pub(crate) use overlap::overlaps;
pub(crate) use rescue::rescues;

use crate::evidence::{Evidence, Run, Settled};
use crate::fault::{Fault, Kind};

/// A rule that was broken.
#[derive(Debug, Clone)]
pub(crate) struct Violation {
    /// Which check found it.
    pub(crate) check: &'static str,
    pub(crate) text: String,
}

type Check = fn(&Evidence) -> Vec<String>;

/// Every check.
const CHECKS: &[(&str, Check)] = &[
    ("lost", endings::nothing_is_lost),
    ("vanished", endings::what_was_rolled_back_is_not_there),
    ("counts", endings::counts_agree),
    ("once", once::no_job_is_done_twice),
    ("repeated", once::nothing_runs_again_without_a_cause),
    ("overlap", overlap::no_two_runs_overlap_without_a_cause),
    ("locks", locks::no_lock_is_held_twice_without_a_cause),
    ("stale", stale::recorded_is_what_ran),
    ("fenced", fences::a_fenced_run_ends_soon),
    ("interruptions", interruptions::the_next_run_knows),
    ("poison", interruptions::what_kills_its_process_is_given_up),
    ("cron", cron::every_fire_once),
    ("paused", operators::paused_is_paused),
    ("told", operators::pauses_reach_the_code),
    ("edited", operators::edits_stay),
    ("deleted", operators::deleted_is_gone),
    ("rescue", rescue::rescued_in_time),
    ("processes", members::processes_end_as_asked),
    ("drain", members::found_on_the_way),
];

/// Runs every check.
pub(crate) fn violations(evidence: &Evidence) -> Vec<Violation> {
    CHECKS
        .iter()
        .flat_map(|(check, run)| run(evidence).into_iter().map(|text| Violation { check, text }))
        .collect()
}

/// Whether a process may have been taken for dead shortly before this moment, while its code went on.
fn may_be_fenced(it: &Evidence, (node, generation): (usize, u32), at: i64) -> bool {
    let bound = micros(it.settings.rescue_bound());
    let has_cause = it.faults.iter().any(|fault| {
        (fault.kind.explains_overlap() && fault.kind != Kind::Kill)
            && fault.is_of(node, generation)
            && fault.meets(at - bound, at)
    });
    // A process that was asked to end leaves behind what does not end in time.
    let was_asked = it
        .life(node, generation)
        .and_then(|it| it.asked)
        .is_some_and(|asked| asked.mono <= at);
    has_cause || was_asked
}

/// Whether a fault of this process, or of all, was going on in this time and may be the reason for what is seen.
fn explained(evidence: &Evidence, (node, generation): (usize, u32), from: i64, to: i64) -> Option<&Fault> {
    evidence
        .faults
        .iter()
        .find(|it| it.kind.explains_overlap() && it.is_of(node, generation) && it.meets(from, to))
}

/// Whether a take-over came while this run's code was running. Its line is written a little after its commit, when the next run may have started already.
fn was_under(run: &Run, taken: &Settled) -> bool {
    const NOTED_LATE: i64 = 1_000_000;
    run.start.mono + NOTED_LATE < taken.at.mono && run.over > taken.at.mono
}

fn micros(it: std::time::Duration) -> i64 {
    i64::try_from(it.as_micros()).unwrap_or(i64::MAX)
}

fn millis(micros: i64) -> String {
    format!("{} ms", micros / 1_000)
}

#[cfg(test)]
mod tests;
