//! Commands win: what is paused does not run, edits stay, what is deleted is gone.

use std::collections::HashMap;
use std::time::Duration;

use tests::chaos::Does;

use super::{micros, millis};
use crate::answers::Answer;
use crate::evidence::Evidence;
use crate::fault::Kind;

/// A claim that was on its way when a command was carried out may start its code a little later.
const ON_ITS_WAY: Duration = Duration::from_secs(1);

pub(super) fn paused_is_paused(it: &Evidence) -> Vec<String> {
    let mut found = Vec::new();
    let mut since = HashMap::new();
    for answer in &it.answers {
        match answer {
            Answer::Paused { job, at } => {
                since.insert(job.as_str(), *at);
            }
            Answer::Held { job, status, at } => {
                let Some(paused) = since.remove(job.as_str()) else {
                    continue;
                };
                if !matches!(status.as_str(), "Paused" | "Completed") {
                    found.push(format!("job {job} was paused and shows {status}"));
                }
                let from = paused.mono + micros(ON_ITS_WAY);
                for run in it
                    .runs_of(job)
                    .filter(|it| (from..at.mono).contains(&it.start.mono))
                {
                    if !stood_still(it, (run.node, run.generation), paused.mono, run.start.mono) {
                        found.push(format!(
                            "job {job} was started on node {} {} after it had been paused",
                            run.node,
                            millis(run.start.mono - paused.mono)
                        ));
                    }
                }
            }
            _ => {}
        }
    }
    found
}

/// A run of a job that was paused is asked to end with the next heartbeat of its node.
pub(super) fn pauses_reach_the_code(it: &Evidence) -> Vec<String> {
    let limit = it.settings.heartbeat + ON_ITS_WAY;
    let mut found = Vec::new();
    for answer in &it.answers {
        let Answer::Paused { job, at } = answer else {
            continue;
        };
        let does = it.accepted.get(job).map(|it| it.work.does);
        if !matches!(does, Some(Does::Long { .. })) {
            continue;
        }
        let (from, to) = (at.mono - micros(it.settings.lease), at.mono + micros(limit));
        let in_flight = it
            .runs_of(job)
            .filter(|run| (run.start.mono..run.over).contains(&at.mono));
        for run in in_flight.filter(|run| run.over > to) {
            // A node that is disturbed renews later, or has just begun to.
            let is_disturbed = it
                .faults
                .iter()
                .any(|it| it.is_of(run.node, run.generation) && it.meets(from, to));
            if !is_disturbed {
                found.push(format!(
                    "run {} of job {job} went on for {} after the job had been paused",
                    run.run,
                    millis(run.over - at.mono)
                ));
            }
        }
    }
    found
}

fn stood_still(it: &Evidence, (node, generation): (usize, u32), from: i64, to: i64) -> bool {
    it.faults
        .iter()
        .any(|it| it.kind == Kind::Stop && it.is_of(node, generation) && it.meets(from, to))
}

pub(super) fn edits_stay(it: &Evidence) -> Vec<String> {
    let mut wanted: HashMap<&str, Vec<&str>> = HashMap::new();
    for answer in &it.answers {
        if let Answer::Edited { job, text, is_sure } = answer {
            let texts = wanted.entry(job).or_default();
            if *is_sure {
                texts.clear();
            } else if texts.is_empty() {
                // It may still be as it was before.
                texts.push("");
            }
            texts.push(text);
        }
    }
    let mut found = Vec::new();
    for (id, texts) in wanted {
        let Some(job) = it.jobs.get(id) else { continue };
        let shown = job.description.as_deref().unwrap_or_default();
        if !texts.contains(&shown) {
            found.push(format!("job {id} was edited to {texts:?} and shows `{shown}`"));
        }
    }
    found
}

pub(super) fn deleted_is_gone(it: &Evidence) -> Vec<String> {
    let mut found = Vec::new();
    for (id, at) in &it.deleted {
        if it.jobs.contains_key(id) {
            found.push(format!("job {id} was deleted and is there"));
        }
        let from = at.mono + micros(ON_ITS_WAY);
        for run in it.runs_of(id).filter(|it| it.start.mono > from) {
            if !stood_still(it, (run.node, run.generation), at.mono, run.start.mono) {
                found.push(format!(
                    "job {id} was started {} after it had been deleted",
                    millis(run.start.mono - at.mono)
                ));
            }
        }
    }
    found
}
