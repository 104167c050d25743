//! Interruptions are counted: the next run knows, and a job that kills its process is found.

use tasks_abstractions::RunOutcome;
use tests::chaos::{Does, GROUPS};

use crate::evidence::Evidence;

pub(super) fn the_next_run_knows(it: &Evidence) -> Vec<String> {
    let mut found = Vec::new();
    // A resume begins the count anew.
    let is_held = |id: &str| {
        it.jobs
            .get(id)
            .is_none_or(|it| GROUPS.contains(&it.group.as_str()))
    };
    for id in it.accepted.keys().filter(|id| !is_held(id)) {
        let interrupted = it.count(id, RunOutcome::Interrupted);
        let succeeded: Vec<_> = it
            .logs_of(id)
            .filter(|it| it.outcome == RunOutcome::Succeeded)
            .collect();
        // Any other outcome begins the count anew.
        let (&[done], true) = (&succeeded[..], it.logs_of(id).count() == interrupted + 1) else {
            continue;
        };
        let run = done.run_id.to_string();
        if let Some(run) = it.runs_of(id).find(|it| it.run == run)
            && run.interruptions as usize != interrupted
        {
            found.push(format!(
                "job {id} was interrupted {interrupted} times, and its last run was told {}",
                run.interruptions
            ));
        }
    }
    found
}

pub(super) fn what_kills_its_process_is_given_up(it: &Evidence) -> Vec<String> {
    let mut found = Vec::new();
    for (id, accepted) in &it.accepted {
        let most = it.jobs.get(id).map_or(3, |it| it.max_interruptions as usize);
        // A process that takes its time to die has shown that this run does it no harm: the engine cannot know better.
        let window = i64::try_from(it.settings.suspect_window.as_micros()).unwrap_or(i64::MAX);
        let starts = it
            .runs_of(id)
            .filter(|run| {
                it.end_was_seen(run)
                    .is_none_or(|end| end - run.start.mono < window)
            })
            .count();
        // Once beside others, then alone.
        if accepted.work.does == Does::Abort && starts > most + 1 {
            found.push(format!(
                "job {id} kills its process and was started {starts} times"
            ));
        }
    }
    found
}
