//! A run that was taken over is asked to end, soon and for the right reason.

use std::time::Duration;

use super::{micros, millis, was_under};
use crate::evidence::Evidence;

pub(super) fn a_fenced_run_ends_soon(it: &Evidence) -> Vec<String> {
    let mut found = Vec::new();
    // The ledger and a busy machine take their time as well.
    let grace = micros(it.settings.heartbeat * 3 + Duration::from_secs(2));
    for taken in it
        .settled
        .iter()
        .filter(|it| it.outcome == "Interrupted" && it.is_applied)
    {
        for run in it.runs_of(&taken.job) {
            if !was_under(run, taken) || run.over == i64::MAX {
                continue;
            }
            // Nothing can be asked of a process that stands still.
            let woken = it
                .faults
                .iter()
                .filter(|fault| fault.is_of(run.node, run.generation) && fault.begin.mono < run.over)
                .filter_map(|fault| fault.end)
                .map(|end| end.mono)
                // Noted right after it was done.
                .filter(|end| *end <= run.over + 200_000)
                .max();
            let from = woken.unwrap_or(taken.at.mono).max(taken.at.mono);
            if run.over - from > grace {
                found.push(format!(
                    "run {} of job {} went on for {} on node {} after it had been taken over",
                    run.run,
                    run.job,
                    millis(run.over - from),
                    run.node
                ));
            }
        }
    }
    for run in &it.runs {
        let reason = run.end.as_ref().and_then(|it| it.2.as_deref());
        if reason == Some("Deleted") && !it.deleted.contains_key(&run.job) {
            found.push(format!(
                "run {} was told that its job {} is deleted, which it is not",
                run.run, run.job
            ));
        }
    }
    found
}
