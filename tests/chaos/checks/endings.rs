//! Every accepted job has come to its end, or is still visible as given up; what was rolled back never was.

use tasks_abstractions::{JobInfo, JobStatus, RunOutcome};
use tests::chaos::{CHILDREN, Does, SPECIAL_TYPE, WORK_TYPE};

use crate::evidence::Evidence;

/// What a sour result is replaced by.
const REDUCED: &str = "the outcome's texts could not be stored";

pub(super) fn nothing_is_lost(it: &Evidence) -> Vec<String> {
    let mut found = Vec::new();
    for (id, accepted) in &it.accepted {
        if it.deleted.contains_key(id) {
            continue;
        }
        let Some(job) = it.jobs.get(id) else {
            found.push(format!("job {id} was accepted and is gone"));
            continue;
        };
        let does = accepted.work.does;
        let succeeded = it.count(id, RunOutcome::Succeeded);
        let shown = format!(
            "job {id} ({does:?}) shows {:?}, {succeeded} successes",
            job.status
        );
        let is_given_up = job.status == JobStatus::Stopped && job.is_abandoned;
        match does {
            Does::FailAlways | Does::Abort if !is_given_up || succeeded > 0 => {
                found.push(format!("{shown}; it should have been given up"));
            }
            Does::FailAlways | Does::Abort => {}
            _ if is_given_up && was_killed_alone(it, id, job.max_interruptions) => {}
            _ if job.status != JobStatus::Completed || succeeded != 1 => {
                found.push(format!("{shown}; it should be done once"));
            }
            Does::Sour if job.result.as_deref() != Some(REDUCED) => {
                found.push(format!(
                    "{shown}; its result {:?} should have been replaced",
                    job.result
                ));
            }
            _ => {}
        }
    }
    found
}

/// A job is also given up where kills met it again and again while it ran alone.
fn was_killed_alone(it: &Evidence, id: &str, most: u32) -> bool {
    it.count(id, RunOutcome::Interrupted) >= most as usize
}

pub(super) fn what_was_rolled_back_is_not_there(it: &Evidence) -> Vec<String> {
    let mut found = Vec::new();
    for id in &it.rolled_back {
        if it.jobs.contains_key(id) || it.orders.contains(id) || it.runs_of(id).next().is_some() {
            found.push(format!("job {id} was rolled back and is there"));
        }
    }
    for (id, accepted) in &it.accepted {
        if accepted.with_order != it.orders.contains(id) {
            found.push(format!(
                "job {id} was accepted with an order: {}; the order is there: {}",
                accepted.with_order,
                it.orders.contains(id)
            ));
        }
    }
    for (id, job) in &it.jobs {
        let is_ours = [WORK_TYPE, SPECIAL_TYPE].contains(&job.type_name.as_str());
        // Its parent may have died between the answer and the ledger.
        let is_child = job.group == CHILDREN && it.runs_of(&job.name).next().is_some();
        if is_ours && !is_child && !it.accepted.contains_key(id) && !it.rolled_back.contains(id) {
            found.push(format!("job {id} is there and nobody was told so"));
        }
    }
    found
}

/// Counters of a job are its log rows.
pub(super) fn counts_agree(it: &Evidence) -> Vec<String> {
    let mut found = Vec::new();
    let is_ours = |job: &JobInfo| job.type_name.starts_with("chaos.");
    for (id, job) in it.jobs.iter().filter(|it| is_ours(it.1)) {
        let counted = [RunOutcome::Succeeded, RunOutcome::Failed];
        let logged: usize = counted.iter().map(|outcome| it.count(id, *outcome)).sum();
        if job.trigger_count as usize != logged {
            found.push(format!(
                "job {id} counts {} runs, its log {logged}",
                job.trigger_count
            ));
        }
    }
    found
}
