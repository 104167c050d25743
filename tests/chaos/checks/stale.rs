//! What is recorded is what ran: no outcome of a run that had been taken over, and none without a run.

use tasks_abstractions::RunOutcome;
use tests::chaos::{EndKind, SPECIAL_TYPE, WORK_TYPE};

use super::was_under;
use crate::evidence::Evidence;

pub(super) fn recorded_is_what_ran(it: &Evidence) -> Vec<String> {
    let mut found = Vec::new();
    logs_have_their_runs(it, &mut found);
    answers_are_kept(it, &mut found);
    nothing_after_a_take_over(it, &mut found);
    found
}

fn logs_have_their_runs(it: &Evidence, found: &mut Vec<String>) {
    let known: std::collections::HashMap<_, _> = it.runs.iter().map(|run| (run.run.as_str(), run)).collect();
    for log in &it.logs {
        let run = log.run_id.to_string();
        let is_ours = log.type_name.starts_with("chaos.");
        let seen = known.get(run.as_str());
        let text = format!("run {run} of job {} is recorded as {}", log.job_id, log.outcome);
        match (log.outcome, seen) {
            _ if !is_ours => {}
            (RunOutcome::Interrupted, Some(_)) => {
                found.push(format!("{text} under the id of the run that was interrupted"));
            }
            (RunOutcome::Interrupted, None) => {}
            // Deleted under its run, by whoever deleted it.
            (RunOutcome::Cancelled, None) if it.deleted.contains_key(&log.job_id.to_string()) => {}
            (_, None) => found.push(format!("{text} and never ran")),
            (RunOutcome::Succeeded, Some(seen)) if !matches!(seen.end, Some((_, EndKind::Done, _))) => {
                found.push(format!("{text}, and its code ended as {:?}", seen.end));
            }
            (RunOutcome::Failed, Some(seen)) if !matches!(seen.end, Some((_, EndKind::Failed, _))) => {
                found.push(format!("{text}, and its code ended as {:?}", seen.end));
            }
            (RunOutcome::Succeeded | RunOutcome::Failed | RunOutcome::Cancelled, Some(_)) => {}
            (_, Some(_)) => found.push(format!("{text}, which no job of this run does")),
        }
    }
}

/// What a node was answered for an outcome is what the log says.
fn answers_are_kept(it: &Evidence, found: &mut Vec<String>) {
    for settled in &it.settled {
        let log = it.log(&settled.run);
        let is_recorded = log.is_some_and(|log| log.outcome.to_string() == settled.outcome);
        let is_deleted = it.deleted.contains_key(&settled.job);
        let text = format!("run {} of job {} ({})", settled.run, settled.job, settled.outcome);
        if settled.is_applied && !is_recorded {
            found.push(format!("{text} was answered as stored and is not"));
        }
        if !settled.is_applied && log.is_some() && !is_deleted {
            found.push(format!("{text} was answered as taken over and is recorded"));
        }
    }
}

/// A run whose job was taken over while its code ran is not recorded.
fn nothing_after_a_take_over(it: &Evidence, found: &mut Vec<String>) {
    for taken in it
        .settled
        .iter()
        .filter(|it| it.outcome == "Interrupted" && it.is_applied)
    {
        for run in it.runs_of(&taken.job) {
            let is_ours = [WORK_TYPE, SPECIAL_TYPE].contains(&run.type_name.as_str());
            // The line may have been written late, where its process stood still in between.
            let is_late = it.faults.iter().any(|fault| {
                fault.is_of(taken.node, taken.generation)
                    && fault.meets(run.start.mono, taken.at.mono)
                    && fault.kind == crate::fault::Kind::Stop
            });
            if is_ours && was_under(run, taken) && !is_late && it.log(&run.run).is_some() {
                found.push(format!(
                    "run {} of job {} is recorded although node {} had taken it over",
                    run.run, run.job, taken.node
                ));
            }
        }
    }
}
