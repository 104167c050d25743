//! Two runs of one job at a time: only while the node of the first is taken for dead and lives.

use super::{micros, millis};
use crate::evidence::{Evidence, Run};
use crate::fault::Kind;

/// Pairs of runs of one job whose code ran at the same time, the earlier one first.
pub(crate) fn overlaps(it: &Evidence) -> Vec<(&Run, &Run)> {
    let mut found = Vec::new();
    for runs in it.runs_of_job.values() {
        for (at, first) in runs.iter().enumerate() {
            let first = &it.runs[*first];
            let during = runs[at + 1..]
                .iter()
                .map(|at| &it.runs[*at])
                .take_while(|second| second.start.mono < first.over);
            found.extend(during.map(|second| (first, second)));
        }
    }
    found
}

pub(super) fn no_two_runs_overlap_without_a_cause(it: &Evidence) -> Vec<String> {
    let bound = micros(it.settings.rescue_bound());
    let mut found = Vec::new();
    for (first, second) in overlaps(it) {
        let process = (first.node, first.generation);
        let until = second.start.mono;
        let cause = it.faults.iter().find(|fault| {
            let kind = fault.kind;
            (kind.explains_overlap() && kind != Kind::Kill)
                && fault.is_of(process.0, process.1)
                && fault.meets(until - bound, until)
        });
        // A process that was asked to end leaves behind what does not end in time.
        let was_asked = it
            .life(process.0, process.1)
            .and_then(|it| it.asked)
            .is_some_and(|asked| asked.mono <= until);
        if cause.is_none() && !was_asked {
            found.push(format!(
                "job {} ran on node {} ({}) and, {} before that was over, on node {} ({})",
                first.job,
                first.node,
                first.run,
                millis(first.over.saturating_sub(until)),
                second.node,
                second.run
            ));
        }
    }
    found
}
