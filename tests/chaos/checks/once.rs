//! A job is recorded as done once, and runs again after it was done only where its record was lost with its process.

use tasks_abstractions::RunOutcome;
use tests::chaos::{EndKind, INTERVAL};

use super::{explained, millis};
use crate::evidence::{Evidence, Run};
use crate::fault::Kind;

pub(super) fn no_job_is_done_twice(it: &Evidence) -> Vec<String> {
    it.accepted
        .keys()
        .map(|id| (id, it.count(id, RunOutcome::Succeeded)))
        .filter(|(_, count)| *count > 1)
        .map(|(id, count)| format!("job {id} is recorded as done {count} times"))
        .collect()
}

/// Runs of the same work after one that was done: of the same job, and for a worker of the same fire.
pub(crate) fn repetitions(it: &Evidence) -> Vec<(&Run, &Run)> {
    let mut found = Vec::new();
    for (job, runs) in &it.runs_of_job {
        for (at, first) in runs.iter().enumerate() {
            let first = &it.runs[*first];
            let Some((ended, EndKind::Done, _)) = &first.end else {
                continue;
            };
            let is_worker = !it.accepted.contains_key(job);
            let again = runs[at + 1..].iter().map(|at| &it.runs[*at]).find(|second| {
                second.start.mono > ended.mono
                    && (!is_worker || (first.due.is_some() && second.due == first.due))
            });
            // What repeats by an interval is due anew each time.
            found.extend(
                again
                    .filter(|_| first.type_name != INTERVAL)
                    .map(|second| (first, second)),
            );
        }
    }
    found
}

pub(super) fn nothing_runs_again_without_a_cause(it: &Evidence) -> Vec<String> {
    let mut found = Vec::new();
    for (first, second) in repetitions(it) {
        let ended = first.end.as_ref().map_or(first.over, |it| it.0.mono);
        let text = format!(
            "job {} ran again on node {} ({}) {} after it was done on node {} ({})",
            first.job,
            second.node,
            second.run,
            millis(second.start.mono - ended),
            first.node,
            first.run
        );
        // A process that stood still may have claimed it before the first one was done.
        let stood_still = it.faults.iter().any(|fault| {
            fault.kind == Kind::Stop
                && fault.is_of(second.node, second.generation)
                && fault.meets(first.start.mono, second.start.mono)
        });
        if stood_still {
            continue;
        }
        if it
            .log(&first.run)
            .is_some_and(|it| it.outcome == RunOutcome::Succeeded)
        {
            found.push(format!("{text}, and that was recorded"));
            continue;
        }
        let has_died = it
            .life(first.node, first.generation)
            .and_then(|it| it.died)
            .is_some_and(|(at, _)| at.mono >= ended && at.mono <= second.start.mono + 1_000_000);
        let process = (first.node, first.generation);
        if !has_died && explained(it, process, first.start.mono, second.start.mono).is_none() {
            found.push(format!("{text}, and nothing was done to that node"));
        }
    }
    found
}
