//! Every cell of state × outcome, for each type of job.

use std::collections::BTreeSet;

use tasks_abstractions::run::{After, CancelReason, RunInfo, RunKind};
use tasks_abstractions::{JobInfo, JobStatus, JobType, RunOutcome};

use super::rows::{TYPES, asked_to_end, blocks, cell_for, job, run, sec, settled, show_settlement, suspect};

/// The job and its run behind the name of a block. Five runs lie behind the job, the last of them failed, and it was interrupted twice,
/// once as a suspect.
fn rows(name: &str, job_type: JobType, outcome: RunOutcome) -> (JobInfo, RunInfo) {
    let mut job = job(job_type);
    (job.trigger_count, job.try_count) = (5, 1);
    (job.interruptions, job.suspect_interruptions) = (2, 1);
    job.is_enabled = !name.starts_with("disabled");
    if outcome == RunOutcome::Expired {
        job.end_time = Some(sec(-90));
    }
    let mut words = name.split([' ', ',']).filter(|it| *it != "disabled");
    job.status = match words.next().unwrap_or_default() {
        "paused" => JobStatus::Paused,
        "stopped" => JobStatus::Stopped,
        "completed" => JobStatus::Completed,
        "none" => JobStatus::None,
        _ => JobStatus::Queuing,
    };
    let kind = [RunKind::Retry, RunKind::Trigger, RunKind::Manual]
        .into_iter()
        .find(|it| name.contains(&it.as_str().to_lowercase()));
    let after = [After::RunAgain, After::Arm, After::ArmUnlessDone]
        .into_iter()
        .find(|it| name.contains(&format!("after {}", it.code())));
    let mut run = run(kind.unwrap_or(RunKind::Schedule), after.unwrap_or(After::Settle));
    if name.contains("suspect") {
        run = suspect(run);
    }
    let reason = [
        CancelReason::Requested,
        CancelReason::Paused,
        CancelReason::Stopped,
    ]
    .into_iter()
    .find(|it| name.contains(&format!("cancel {it}")));
    if let Some(reason) = reason {
        run = asked_to_end(run, reason);
    }
    (job, run)
}

#[test]
fn every_outcome_in_every_state_leads_where_the_table_says() {
    let mut wrong = Vec::new();
    for (state, lines) in blocks(TABLE) {
        let mut seen = BTreeSet::new();
        for (outcomes, cells) in &lines {
            for outcome in outcomes {
                let outcome: RunOutcome = outcome.parse().unwrap();
                assert!(seen.insert(outcome), "{state}: {outcome} twice");
                for job_type in TYPES {
                    let (job, run) = rows(state, job_type, outcome);
                    let got = show_settlement(&settled(&job, &run, outcome));
                    let expected = cell_for(cells, job_type);
                    if got != expected {
                        wrong.push(format!(
                            "{state} × {outcome} ({job_type}): {got}\n    expected: {expected}"
                        ));
                    }
                }
            }
        }
        assert_eq!(seen.len(), RunOutcome::ALL.len(), "{state}: {seen:?}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// State, runs, tries and interruptions (all, as a suspect), then the execution that waits: its kind and due time, `#` its attempt where that
/// is not 1.
const TABLE: &str = r"
# active
Succeeded                 | Active 6 0 0/0, schedule +30m | Once: Completed 6 0 0/0, – | Persistent: Active 6 0 0/0, schedule +10m
Failed Panicked TimedOut  | Once: Active 6 2 0/0, retry +450s #3 | Period: Active 6 2 0/0, schedule +30m #3 | Persistent: Active 6 2 0/0, schedule +10m #3
Cancelled                 | Once: Stopped 5 1 0/0, – | Period: Active 5 1 0/0, schedule +30m #2 | Persistent: Active 5 1 0/0, schedule +10m #2
Interrupted               | Active 5 1 3/1, schedule -1m in suspect/default
Expired                   | Completed 5 1 2/1, –
Skipped                   | Once: Active 5 1 2/1, schedule now #2 | Period: Active 5 1 2/1, schedule +30m #2 | Persistent: Active 5 1 2/1, schedule +10m #2
Snoozed                   | Active 5 1 0/0, schedule +90s
Returned                  | Active 5 1 2/1, schedule -1m

# active retry
Succeeded                 | Active 6 0 0/0, schedule +30m | Once: Completed 6 0 0/0, – | Persistent: Active 6 0 0/0, schedule +10m
Failed Panicked TimedOut  | Once: Active 6 2 0/0, retry +450s #3 | Period: Active 6 2 0/0, schedule +30m #3 | Persistent: Active 6 2 0/0, schedule +10m #3
Cancelled                 | Once: Stopped 5 1 0/0, – | Period: Active 5 1 0/0, schedule +30m #2 | Persistent: Active 5 1 0/0, schedule +10m #2
Interrupted               | Active 5 1 3/1, retry -1m in suspect/default
Expired                   | Completed 5 1 2/1, –
Skipped                   | Once: Active 5 1 2/1, schedule now #2 | Period: Active 5 1 2/1, schedule +30m #2 | Persistent: Active 5 1 2/1, schedule +10m #2
Snoozed                   | Active 5 1 0/0, retry +90s
Returned                  | Active 5 1 2/1, retry -1m

# active trigger
Succeeded                 | Active 6 0 0/0, schedule +30m | Once: Completed 6 0 0/0, – | Persistent: Active 6 0 0/0, schedule +10m
Failed Panicked TimedOut  | Once: Active 6 2 0/0, retry +450s #3 | Period: Active 6 2 0/0, schedule +30m #3 | Persistent: Active 6 2 0/0, schedule +10m #3
Cancelled                 | Once: Stopped 5 1 0/0, – | Period: Active 5 1 0/0, schedule +30m #2 | Persistent: Active 5 1 0/0, schedule +10m #2
Interrupted               | Active 5 1 3/1, trigger -1m in suspect/default
Expired                   | Completed 5 1 2/1, –
Skipped                   | Once: Active 5 1 2/1, schedule now #2 | Period: Active 5 1 2/1, schedule +30m #2 | Persistent: Active 5 1 2/1, schedule +10m #2
Snoozed                   | Active 5 1 0/0, trigger +90s
Returned                  | Active 5 1 2/1, trigger -1m

# active suspect
Succeeded                 | Active 6 0 0/0, schedule +30m | Once: Completed 6 0 0/0, – | Persistent: Active 6 0 0/0, schedule +10m
Failed Panicked TimedOut  | Once: Active 6 2 0/0, retry +450s #3 | Period: Active 6 2 0/0, schedule +30m #3 | Persistent: Active 6 2 0/0, schedule +10m #3
Cancelled                 | Once: Stopped 5 1 0/0, – | Period: Active 5 1 0/0, schedule +30m #2 | Persistent: Active 5 1 0/0, schedule +10m #2
Interrupted               | Active 5 1 3/2, schedule -1m in suspect/default
Expired                   | Completed 5 1 2/1, –
Skipped                   | Once: Active 5 1 2/1, schedule now #2 in suspect/default | Period: Active 5 1 2/1, schedule +30m #2 in suspect/default | Persistent: Active 5 1 2/1, schedule +10m #2 in suspect/default
Snoozed                   | Active 5 1 0/0, schedule +90s
Returned                  | Active 5 1 2/1, schedule -1m in suspect/default

# active, cancel Requested
Succeeded                 | Active 6 0 0/0, schedule +30m | Once: Completed 6 0 0/0, – | Persistent: Active 6 0 0/0, schedule +10m
Failed Panicked TimedOut  | Once: Active 6 2 0/0, retry +450s #3 | Period: Active 6 2 0/0, schedule +30m #3 | Persistent: Active 6 2 0/0, schedule +10m #3
Cancelled                 | Once: Stopped 5 1 0/0, – | Period: Active 5 1 0/0, schedule +30m #2 | Persistent: Active 5 1 0/0, schedule +10m #2
Interrupted               | Once: Stopped 5 1 3/1, – | Period: Active 5 1 3/1, schedule +30m #2 | Persistent: Active 5 1 3/1, schedule +10m #2
Expired                   | Completed 5 1 2/1, –
Skipped                   | Once: Active 5 1 2/1, schedule now #2 | Period: Active 5 1 2/1, schedule +30m #2 | Persistent: Active 5 1 2/1, schedule +10m #2
Snoozed                   | Active 5 1 0/0, schedule +90s
Returned                  | Active 5 1 2/1, schedule -1m

# active after 1
Succeeded                 | Active 6 0 0/0, trigger now
Failed Panicked TimedOut  | Active 6 2 0/0, trigger now #3
Cancelled                 | Active 5 1 0/0, trigger now #2
Interrupted               | Active 5 1 3/1, trigger -1m in suspect/default
Expired                   | Completed 5 1 2/1, –
Skipped                   | Active 5 1 2/1, trigger now #2
Snoozed                   | Active 5 1 0/0, trigger now #2
Returned                  | Active 5 1 2/1, trigger -1m

# active after 2
Succeeded                 | Active 6 0 0/0, schedule now | Period: Active 6 0 0/0, schedule +30m
Failed Panicked TimedOut  | Active 6 2 0/0, schedule now #3 | Period: Active 6 2 0/0, schedule +30m #3
Cancelled                 | Active 5 1 0/0, schedule now #2 | Period: Active 5 1 0/0, schedule +30m #2
Interrupted               | Active 5 1 3/1, schedule now #2 in suspect/default | Period: Active 5 1 3/1, schedule +30m #2 in suspect/default
Expired                   | Completed 5 1 2/1, –
Skipped                   | Active 5 1 2/1, schedule now #2 | Period: Active 5 1 2/1, schedule +30m #2
Snoozed                   | Active 5 1 0/0, schedule now #2 | Period: Active 5 1 0/0, schedule +30m #2
Returned                  | Active 5 1 2/1, schedule now #2 | Period: Active 5 1 2/1, schedule +30m #2

# active after 3, cancel Paused
Succeeded                 | Active 6 0 0/0, schedule +30m | Once: Completed 6 0 0/0, – | Persistent: Active 6 0 0/0, schedule +10m
Failed Panicked TimedOut  | Active 6 2 0/0, schedule now #3 | Period: Active 6 2 0/0, schedule +30m #3
Cancelled                 | Active 5 1 0/0, schedule now #2 | Period: Active 5 1 0/0, schedule +30m #2
Interrupted               | Active 5 1 3/1, schedule now #2 in suspect/default | Period: Active 5 1 3/1, schedule +30m #2 in suspect/default
Expired                   | Completed 5 1 2/1, –
Skipped                   | Active 5 1 2/1, schedule now #2 | Period: Active 5 1 2/1, schedule +30m #2
Snoozed                   | Active 5 1 0/0, schedule now #2 | Period: Active 5 1 0/0, schedule +30m #2
Returned                  | Active 5 1 2/1, schedule now #2 | Period: Active 5 1 2/1, schedule +30m #2

# active manual after 3
Succeeded                 | Active 6 0 0/0, schedule +30m | Once: Completed 6 0 0/0, – | Persistent: Active 6 0 0/0, schedule +10m
Failed Panicked TimedOut  | Active 6 2 0/0, schedule now #3 | Period: Active 6 2 0/0, schedule +30m #3
Cancelled                 | Active 5 1 0/0, schedule now #2 | Period: Active 5 1 0/0, schedule +30m #2
Interrupted               | Active 5 1 3/1, trigger -1m #2 in suspect/default
Expired                   | Completed 5 1 2/1, –
Skipped                   | Active 5 1 2/1, schedule now #2 | Period: Active 5 1 2/1, schedule +30m #2
Snoozed                   | Active 5 1 0/0, schedule now #2 | Period: Active 5 1 0/0, schedule +30m #2
Returned                  | Active 5 1 2/1, trigger -1m #2

# disabled
Succeeded                 | Active 6 0 0/0, – | Once: Completed 6 0 0/0, –
Failed Panicked TimedOut  | Active 6 2 0/0, –
Cancelled Snoozed         | Active 5 1 0/0, –
Interrupted               | Active 5 1 3/1, –
Expired Skipped Returned  | Active 5 1 2/1, –

# disabled after 2
Succeeded                 | Active 6 0 0/0, –
Failed Panicked TimedOut  | Active 6 2 0/0, –
Cancelled Snoozed         | Active 5 1 0/0, –
Interrupted               | Active 5 1 3/1, –
Expired Skipped Returned  | Active 5 1 2/1, –

# paused, cancel Paused
Succeeded                 | Paused 6 0 0/0, – | Once: Completed 6 0 0/0, –
Failed Panicked TimedOut  | Paused 6 2 0/0, –
Cancelled Snoozed         | Paused 5 1 0/0, –
Interrupted               | Paused 5 1 3/1, –
Expired Skipped Returned  | Paused 5 1 2/1, –

# paused after 1, cancel Paused
Succeeded                 | Paused 6 0 0/0, manual now | Once: Completed 6 0 0/0, manual now
Failed Panicked TimedOut  | Paused 6 2 0/0, manual now #3
Cancelled Snoozed         | Paused 5 1 0/0, manual now #2
Interrupted               | Paused 5 1 3/1, manual now #2 in suspect/default
Expired Skipped Returned  | Paused 5 1 2/1, manual now #2

# paused after 2, cancel Paused
Succeeded                 | Paused 6 0 0/0, –
Failed Panicked TimedOut  | Paused 6 2 0/0, –
Cancelled Snoozed         | Paused 5 1 0/0, –
Interrupted               | Paused 5 1 3/1, –
Expired Skipped Returned  | Paused 5 1 2/1, –

# stopped, cancel Stopped
Succeeded                 | Stopped 6 0 0/0, – | Once: Completed 6 0 0/0, –
Failed Panicked TimedOut  | Stopped 6 2 0/0, –
Cancelled Snoozed         | Stopped 5 1 0/0, –
Interrupted               | Stopped 5 1 3/1, –
Expired Skipped Returned  | Stopped 5 1 2/1, –

# stopped after 1, cancel Stopped
Succeeded                 | Stopped 6 0 0/0, manual now | Once: Completed 6 0 0/0, manual now
Failed Panicked TimedOut  | Stopped 6 2 0/0, manual now #3
Cancelled Snoozed         | Stopped 5 1 0/0, manual now #2
Interrupted               | Stopped 5 1 3/1, manual now #2 in suspect/default
Expired Skipped Returned  | Stopped 5 1 2/1, manual now #2

# paused manual
Succeeded                 | Paused 6 1 0/0, –
Failed Panicked TimedOut  | Paused 6 1 0/0, –
Cancelled                 | Paused 5 1 0/0, –
Interrupted               | Paused 5 1 3/1, manual -1m in suspect/default
Expired Skipped           | Paused 5 1 2/1, –
Snoozed                   | Paused 5 1 0/0, manual +90s
Returned                  | Paused 5 1 2/1, manual -1m

# paused manual suspect
Succeeded                 | Paused 6 1 0/0, –
Failed Panicked TimedOut  | Paused 6 1 0/0, –
Cancelled                 | Paused 5 1 0/0, –
Interrupted               | Paused 5 1 3/2, manual -1m in suspect/default
Expired Skipped           | Paused 5 1 2/1, –
Snoozed                   | Paused 5 1 0/0, manual +90s
Returned                  | Paused 5 1 2/1, manual -1m in suspect/default

# paused manual after 1
Succeeded                 | Paused 6 1 0/0, manual now #2
Failed Panicked TimedOut  | Paused 6 1 0/0, manual now #2
Cancelled Snoozed         | Paused 5 1 0/0, manual now #2
Interrupted               | Paused 5 1 3/1, manual -1m in suspect/default
Expired Skipped           | Paused 5 1 2/1, manual now #2
Returned                  | Paused 5 1 2/1, manual -1m

# paused manual, cancel Requested
Succeeded                 | Paused 6 1 0/0, –
Failed Panicked TimedOut  | Paused 6 1 0/0, –
Cancelled                 | Paused 5 1 0/0, –
Interrupted               | Paused 5 1 3/1, –
Expired Skipped           | Paused 5 1 2/1, –
Snoozed                   | Paused 5 1 0/0, manual +90s
Returned                  | Paused 5 1 2/1, manual -1m

# paused manual after 1, cancel Requested
Succeeded                 | Paused 6 1 0/0, manual now #2
Failed Panicked TimedOut  | Paused 6 1 0/0, manual now #2
Cancelled Snoozed         | Paused 5 1 0/0, manual now #2
Interrupted               | Paused 5 1 3/1, manual now #2 in suspect/default
Expired Skipped           | Paused 5 1 2/1, manual now #2
Returned                  | Paused 5 1 2/1, manual -1m

# completed manual
Succeeded                 | Completed 6 1 0/0, –
Failed Panicked TimedOut  | Completed 6 1 0/0, –
Cancelled                 | Completed 5 1 0/0, –
Interrupted               | Completed 5 1 3/1, manual -1m in suspect/default
Expired Skipped           | Completed 5 1 2/1, –
Snoozed                   | Completed 5 1 0/0, manual +90s
Returned                  | Completed 5 1 2/1, manual -1m

# none manual
Succeeded                 | None 6 1 0/0, –
Failed Panicked TimedOut  | None 6 1 0/0, –
Cancelled                 | None 5 1 0/0, –
Interrupted               | None 5 1 3/1, manual -1m in suspect/default
Expired Skipped           | None 5 1 2/1, –
Snoozed                   | None 5 1 0/0, manual +90s
Returned                  | None 5 1 2/1, manual -1m

# disabled paused manual
Succeeded                 | Paused 6 1 0/0, –
Failed Panicked TimedOut  | Paused 6 1 0/0, –
Cancelled Snoozed         | Paused 5 1 0/0, –
Interrupted               | Paused 5 1 3/1, –
Expired Skipped Returned  | Paused 5 1 2/1, –
";
