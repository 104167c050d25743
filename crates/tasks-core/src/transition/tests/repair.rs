//! Jobs that begin anew by hand, and jobs that should be armed and are not: every state, for each type of job.

use std::collections::BTreeSet;

use tasks_abstractions::store::{Decision, WaitingChange};
use tasks_abstractions::{JobArgs, JobInfo, JobPriority, JobType};

use super::command_table::rows;
use super::rows::{TYPES, blocks, cell_for, now, sec, show_decision, snapshot};
use crate::transition::{rearm, requeue};

#[test]
fn requeue_and_rearm_in_every_state_do_what_the_table_says() {
    let mut wrong = Vec::new();
    for (state, lines) in blocks(TABLE) {
        let mut seen = BTreeSet::new();
        for (what, cells) in &lines {
            assert!(seen.insert(what[0]), "{state}: {what:?} twice");
            for job_type in TYPES {
                let it = rows(state, job_type);
                let got = match what[0] {
                    "requeue" => show_decision(&it, &requeue(&it, None, now())),
                    "rearm" => show_decision(&it, &rearm(&it, now())),
                    other => panic!("`{other}` is not tested here"),
                };
                let expected = cell_for(cells, job_type);
                if got != expected {
                    wrong.push(format!(
                        "{state} × {} ({job_type}): {got}\n    expected: {expected}",
                        what[0]
                    ));
                }
            }
        }
        assert_eq!(seen.len(), 2, "{state}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn new_arguments_replace_the_former_ones_and_none_keep_them() {
    let args = |number: u32| JobArgs::from_typed(&number).unwrap();
    let mut it = rows("stopped abandoned", JobType::Once);
    it.job.args = args(1);
    let of = |decision| match decision {
        Decision::Change(change) => change.job,
        other => panic!("{other:?}"),
    };
    assert_eq!(of(requeue(&it, None, now())).args, args(1));
    let anew = of(requeue(&it, Some(&args(2)), now()));
    assert_eq!(anew.args, args(2));
    let job = JobInfo {
        args: args(1),
        status: it.job.status,
        is_abandoned: true,
        try_count: 3,
        interruptions: 5,
        suspect_interruptions: 3,
        next_run_time: None,
        ..anew
    };
    assert_eq!(job, it.job, "nothing else changes");
}

#[test]
fn a_retry_that_stood_back_comes_forward_with_the_rank_of_its_job() {
    let mut it = rows("retry", JobType::Once);
    it.job.priority = JobPriority::High;
    it.waiting.as_mut().unwrap().rank = 20;
    let decision = requeue(&it, None, now());
    assert_eq!(show_decision(&it, &decision), "Active, trigger now rank 0");
}

#[test]
fn a_job_whose_end_has_passed_while_it_waited_is_not_run_anew() {
    let mut it = rows("due", JobType::Persistent);
    it.job.end_time = Some(sec(-1));
    let Decision::Refuse(reason) = requeue(&it, None, now()) else {
        panic!("it can only expire");
    };
    assert!(reason.contains("end time"), "{reason}");
    it.job.end_time = Some(now());
    assert!(matches!(requeue(&it, None, now()), Decision::Change(_)));
}

#[test]
fn rearming_keeps_tries_and_counts_the_next_one() {
    let mut it = rows("lost", JobType::Once);
    it.job.try_count = 4;
    let Decision::Change(change) = rearm(&it, now()) else {
        panic!("it has nothing that runs");
    };
    let WaitingChange::Set(entry) = &change.waiting else {
        panic!("{change:?}");
    };
    assert_eq!((change.job.try_count, entry.attempt), (4, 5));
}

#[test]
fn a_repaired_job_needs_no_second_repair() {
    for job_type in TYPES {
        let it = rows("lost", job_type);
        let Decision::Change(change) = rearm(&it, now()) else {
            panic!("it has nothing that runs");
        };
        let WaitingChange::Set(entry) = change.waiting else {
            panic!("{job_type} has runs left");
        };
        let repaired = snapshot(change.job, Some(entry), None);
        assert_eq!(rearm(&repaired, now()), Decision::Keep);
    }
}

/// What each leaves behind. Times are relative to now; `–` changes nothing. A cell holds for every type of job but those that have their own.
const TABLE: &str = r"
# waiting
requeue | Active, trigger now
rearm   | –

# due
requeue | Active, trigger -5s
rearm   | –

# retry
requeue | Active, trigger now
rearm   | –

# suspect
requeue | Active, trigger -5s in suspect/default
rearm   | –

# lost
requeue | Active, trigger now
rearm   | Active, schedule now | Period: Active, schedule +30m

# lost exhausted
requeue | refused | Once: Active, trigger now
rearm   | Completed | Once: Active, schedule now

# lost expired
requeue | refused
rearm   | Completed

# running after 0
requeue | refused
rearm   | –

# running after 1
requeue | refused
rearm   | –

# running after 2
requeue | refused
rearm   | –

# running after 3
requeue | refused
rearm   | –

# running after 0, requested to end
requeue | refused
rearm   | –

# paused
requeue | Active, trigger now
rearm   | –

# paused exhausted
requeue | refused | Once: Active, trigger now
rearm   | –

# paused, running after 0
requeue | refused
rearm   | –

# paused, manual waiting
requeue | Active, trigger -5s
rearm   | –

# paused, manual snoozed
requeue | Active, trigger now
rearm   | –

# paused, manual running after 0
requeue | refused
rearm   | –

# stopped
requeue | Active, trigger now
rearm   | –

# stopped abandoned
requeue | Active, trigger now
rearm   | –

# stopped, running after 0
requeue | refused
rearm   | –

# completed
requeue | Active, trigger now
rearm   | –

# completed exhausted
requeue | refused | Once: Active, trigger now
rearm   | –

# completed expired
requeue | refused
rearm   | –

# completed, manual waiting
requeue | Active, trigger -5s | Once: Active, trigger -5s
rearm   | –

# completed, manual running after 0
requeue | refused
rearm   | –

# none
requeue | Active, trigger now
rearm   | –

# disabled
requeue | refused
rearm   | –

# disabled, running after 0
requeue | refused
rearm   | –

# disabled paused
requeue | refused
rearm   | –

# disabled stopped
requeue | refused
rearm   | –

# disabled completed
requeue | refused
rearm   | –
";
