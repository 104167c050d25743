//! Two runs of one job at a time: only while the node of the first is taken for dead and lives.

use super::{may_be_fenced, millis};
use crate::evidence::{Evidence, Run};

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
    let mut found = Vec::new();
    for (first, second) in overlaps(it) {
        let until = second.start.mono;
        if !may_be_fenced(it, (first.node, first.generation), until) {
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
