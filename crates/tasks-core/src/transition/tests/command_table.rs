//! Every cell of state × command, for each type of job.

use std::collections::BTreeSet;

use tasks_abstractions::run::{After, CancelReason, JobSnapshot, QueueEntry, RunInfo, RunKind};
use tasks_abstractions::store::Decision;
use tasks_abstractions::{JobCommand, JobInfo, JobStatus, JobType};

use super::rows::{
    TYPES, asked_to_end, blocks, cell_for, entry, job, now, run, sec, show_decision, snapshot,
};
use crate::transition::decide;

type Rows = (JobInfo, Option<QueueEntry>, Option<RunInfo>);

/// The rows behind the name of a block of the table.
pub(super) fn rows(name: &str, job_type: JobType) -> JobSnapshot {
    let mut job = job(job_type);
    job.is_enabled = !name.starts_with("disabled");
    let mut words = name.split([' ', ',']).filter(|it| *it != "disabled");
    job.status = match words.next().unwrap_or_default() {
        "paused" => JobStatus::Paused,
        "stopped" => JobStatus::Stopped,
        "completed" => JobStatus::Completed,
        "none" => JobStatus::None,
        _ => JobStatus::Queuing,
    };
    if name.contains("abandoned") {
        (job.is_abandoned, job.try_count) = (true, 3);
        (job.interruptions, job.suspect_interruptions) = (5, 3);
    }
    if name.contains("exhausted") {
        (job.max_count, job.trigger_count) = (4, 4);
    }
    if name.contains("expired") {
        job.end_time = Some(sec(-1));
    }
    let (job, waiting, run) = executions(name, job);
    snapshot(job, waiting, run)
}

fn executions(name: &str, mut job: JobInfo) -> Rows {
    let after = [After::Settle, After::RunAgain, After::Arm, After::ArmUnlessDone]
        .into_iter()
        .find(|it| name.contains(&format!("after {}", it.code())));
    if let Some(after) = after {
        let kind = if name.contains("manual") {
            RunKind::Manual
        } else {
            RunKind::Schedule
        };
        let reason = match name {
            _ if name.contains("requested") => Some(CancelReason::Requested),
            _ if kind == RunKind::Manual => None,
            _ if name.starts_with("paused") => Some(CancelReason::Paused),
            _ if name.starts_with("stopped") => Some(CancelReason::Stopped),
            _ if name.starts_with("disabled") => Some(CancelReason::Disabled),
            _ => None,
        };
        let run = run(kind, after);
        let run = match reason {
            Some(reason) => asked_to_end(run, reason),
            None => run,
        };
        return (job, None, Some(run));
    }
    let waiting = match name {
        _ if name.contains("manual snoozed") => Some(entry(RunKind::Manual, sec(90))),
        _ if name.contains("manual") => Some(entry(RunKind::Manual, sec(-5))),
        "waiting" => Some(entry(RunKind::Schedule, sec(1_200))),
        "due" => Some(entry(RunKind::Schedule, sec(-5))),
        "retry" => {
            job.try_count = 2;
            Some(QueueEntry {
                attempt: 3,
                ..entry(RunKind::Retry, sec(450))
            })
        }
        "suspect" => {
            (job.interruptions, job.suspect_interruptions) = (2, 1);
            let entry = entry(RunKind::Schedule, sec(-5));
            Some(QueueEntry {
                lane: entry.lane.suspect(),
                ..entry
            })
        }
        _ => None,
    };
    (job, waiting, None)
}

#[test]
fn every_command_in_every_state_does_what_the_table_says() {
    let mut wrong = Vec::new();
    for (state, lines) in blocks(TABLE) {
        let mut seen = BTreeSet::new();
        for (commands, cells) in &lines {
            for command in commands {
                let command = JobCommand::ALL
                    .into_iter()
                    .find(|it| it.as_str() == *command)
                    .unwrap();
                assert!(seen.insert(command.as_str()), "{state}: {command} twice");
                for job_type in TYPES {
                    let it = rows(state, job_type);
                    let got = show_decision(&it, &decide(command, &it, now()));
                    let expected = cell_for(cells, job_type);
                    if got != expected {
                        wrong.push(format!(
                            "{state} × {command} ({job_type}): {got}\n    expected: {expected}"
                        ));
                    }
                }
            }
        }
        assert_eq!(seen.len(), JobCommand::ALL.len(), "{state}: {seen:?}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// What each command leaves behind. Times are relative to the command; `–` changes nothing. A cell holds for every type of job but those
/// that have their own.
const TABLE: &str = r#"
# waiting
pause                | Paused
stop                 | Stopped
resume start enable  | –
trigger              | Active, trigger now
cancel               | –
disable              | Active disabled
delete               | gone

# due
pause                | Paused
stop                 | Stopped
resume start enable  | –
trigger              | –
cancel               | –
disable              | Active disabled
delete               | gone

# retry
pause                | Paused tries 2
stop                 | Stopped tries 2
resume start enable  | –
trigger              | Active tries 2, retry now #3
cancel               | –
disable              | Active disabled tries 2
delete               | gone

# suspect
pause                | Paused interrupted 2/1
stop                 | Stopped interrupted 2/1
resume start enable  | –
trigger              | –
cancel               | –
disable              | Active disabled interrupted 2/1
delete               | gone

# running after 0
pause                | Paused, running after 0 cancel Paused
stop                 | Stopped, running after 0 cancel Stopped
resume start enable  | –
trigger              | Active, running after 1
cancel               | Active, running after 0 cancel Requested
disable              | Active disabled, running after 0 cancel Disabled
delete               | gone, logged Cancelled "deleted while running"

# running after 1
pause                | Paused, running after 0 cancel Paused
stop                 | Stopped, running after 0 cancel Stopped
resume start enable  | –
trigger              | –
cancel               | Active, running after 1 cancel Requested
disable              | Active disabled, running after 0 cancel Disabled
delete               | gone, logged Cancelled "deleted while running"

# running after 2
pause                | Paused, running after 0 cancel Paused
stop                 | Stopped, running after 0 cancel Stopped
resume start enable  | –
trigger              | Active, running after 1
cancel               | Active, running after 2 cancel Requested
disable              | Active disabled, running after 0 cancel Disabled
delete               | gone, logged Cancelled "deleted while running"

# running after 3
pause                | Paused, running after 0 cancel Paused
stop                 | Stopped, running after 0 cancel Stopped
resume start enable  | –
trigger              | Active, running after 1
cancel               | Active, running after 3 cancel Requested
disable              | Active disabled, running after 0 cancel Disabled
delete               | gone, logged Cancelled "deleted while running"

# running after 0, requested to end
pause                | Paused, running after 0 cancel Paused
stop                 | Stopped, running after 0 cancel Stopped
resume start enable  | –
trigger              | Active, running after 1 cancel Requested
cancel               | –
disable              | Active disabled, running after 0 cancel Disabled
delete               | gone, logged Cancelled "deleted while running"

# paused
pause                | –
stop                 | Stopped
resume start         | Active, schedule now | Period: Active, schedule +30m
trigger              | Paused, manual now
cancel enable        | –
disable              | Paused disabled
delete               | gone

# paused exhausted
pause                | –
stop                 | Stopped
resume start         | refused | Once: Active, schedule now
trigger              | Paused, manual now
cancel enable        | –
disable              | Paused disabled
delete               | gone

# paused, running after 0
pause                | –
stop                 | Stopped, running after 0 cancel Stopped
resume start         | Active, running after 3 cancel Paused
trigger              | Paused, running after 1 cancel Paused
cancel enable        | –
disable              | Paused disabled, running after 0 cancel Paused
delete               | gone, logged Cancelled "deleted while running"

# paused, running after 1
pause                | –
stop                 | Stopped, running after 0 cancel Stopped
resume start         | Active, running after 1 cancel Paused
trigger              | –
cancel enable        | –
disable              | Paused disabled, running after 0 cancel Paused
delete               | gone, logged Cancelled "deleted while running"

# paused, running after 2
pause                | –
stop                 | Stopped, running after 0 cancel Stopped
resume start         | Active, running after 2 cancel Paused
trigger              | Paused, running after 1 cancel Paused
cancel enable        | –
disable              | Paused disabled, running after 0 cancel Paused
delete               | gone, logged Cancelled "deleted while running"

# paused, manual waiting
pause                | –
stop                 | Stopped
resume start         | Active, trigger -5s
trigger              | –
cancel enable        | –
disable              | Paused disabled
delete               | gone

# paused, manual snoozed
pause                | –
stop                 | Stopped
resume start         | Active, schedule now | Period: Active, trigger +90s
trigger              | Paused, manual now
cancel enable        | –
disable              | Paused disabled
delete               | gone

# paused, manual running after 0
pause                | –
stop                 | Stopped, running after 0 cancel Stopped
resume start         | Active, running after 3
trigger              | Paused, running after 1
cancel               | Paused, running after 0 cancel Requested
enable               | –
disable              | Paused disabled, running after 0
delete               | gone, logged Cancelled "deleted while running"

# stopped
pause stop           | –
resume start         | Active, schedule now | Period: Active, schedule +30m
trigger              | Stopped, manual now
cancel enable        | –
disable              | Stopped disabled
delete               | gone

# stopped abandoned
pause stop           | –
resume start         | Active, schedule now | Period: Active, schedule +30m
trigger              | Stopped abandoned tries 3 interrupted 5/3, manual now
cancel enable        | –
disable              | Stopped disabled abandoned tries 3 interrupted 5/3
delete               | gone

# stopped, running after 0
pause stop           | –
resume start         | Active, running after 3 cancel Stopped
trigger              | Stopped, running after 1 cancel Stopped
cancel enable        | –
disable              | Stopped disabled, running after 0 cancel Stopped
delete               | gone, logged Cancelled "deleted while running"

# completed
pause stop resume    | –
start                | Active, schedule now | Period: Active, schedule +30m
trigger              | Completed, manual now
cancel enable        | –
disable              | Completed disabled
delete               | gone

# completed exhausted
pause stop resume    | –
start                | refused | Once: Active, schedule now
trigger              | Completed, manual now
cancel enable        | –
disable              | Completed disabled
delete               | gone

# completed expired
pause stop resume    | –
start                | refused
trigger              | Completed, manual now
cancel enable        | –
disable              | Completed disabled
delete               | gone

# completed, manual waiting
pause stop resume    | –
start                | Active, trigger -5s
trigger cancel       | –
enable               | –
disable              | Completed disabled
delete               | gone

# completed, manual running after 0
pause stop resume    | –
start                | Active, running after 3
trigger              | Completed, running after 1
cancel               | Completed, running after 0 cancel Requested
enable               | –
disable              | Completed disabled, running after 0
delete               | gone, logged Cancelled "deleted while running"

# completed exhausted, manual running after 0
pause stop resume    | –
start                | refused | Once: Active, running after 3
trigger              | Completed, running after 1
cancel               | Completed, running after 0 cancel Requested
enable               | –
disable              | Completed disabled, running after 0
delete               | gone, logged Cancelled "deleted while running"

# none
pause                | Paused
stop                 | Stopped
resume               | –
start                | Active, schedule now | Period: Active, schedule +30m
trigger              | None, manual now
cancel enable        | –
disable              | None disabled
delete               | gone

# none, manual running after 0
pause                | Paused, running after 0 cancel Paused
stop                 | Stopped, running after 0 cancel Stopped
resume               | –
start                | Active, running after 3
trigger              | None, running after 1
cancel               | None, running after 0 cancel Requested
enable               | –
disable              | None disabled, running after 0
delete               | gone, logged Cancelled "deleted while running"

# disabled
pause                | Paused disabled
stop                 | Stopped disabled
resume enable        | Active, schedule now | Period: Active, schedule +30m
trigger              | refused
start cancel disable | –
delete               | gone

# disabled, running after 0
pause                | Paused disabled, running after 0 cancel Paused
stop                 | Stopped disabled, running after 0 cancel Stopped
resume enable        | Active, running after 3 cancel Disabled
trigger              | refused
start cancel disable | –
delete               | gone, logged Cancelled "deleted while running"

# disabled, running after 2
pause                | Paused disabled, running after 0 cancel Paused
stop                 | Stopped disabled, running after 0 cancel Stopped
resume enable        | Active, running after 2 cancel Disabled
trigger              | refused
start cancel disable | –
delete               | gone, logged Cancelled "deleted while running"

# disabled paused
pause                | –
stop                 | Stopped disabled
resume start         | Active, schedule now | Period: Active, schedule +30m
trigger              | refused
cancel disable       | –
enable               | Paused
delete               | gone

# disabled stopped
pause stop           | –
resume start         | Active, schedule now | Period: Active, schedule +30m
trigger              | refused
cancel disable       | –
enable               | Stopped
delete               | gone

# disabled completed
pause stop resume    | –
start                | Active, schedule now | Period: Active, schedule +30m
trigger              | refused
cancel disable       | –
enable               | Completed
delete               | gone

# disabled none
pause                | Paused disabled
stop                 | Stopped disabled
resume               | –
start                | Active, schedule now | Period: Active, schedule +30m
trigger              | refused
cancel disable       | –
enable               | None
delete               | gone
"#;

#[test]
fn a_trigger_keeps_a_late_fire_from_being_skipped() {
    let mut job = job(JobType::Period);
    job.misfire_policy = tasks_abstractions::MisfirePolicy::Skip;
    let it = snapshot(job, Some(entry(RunKind::Schedule, sec(-600))), None);
    let decision = decide(JobCommand::Trigger, &it, now());
    assert_eq!(show_decision(&it, &decision), "Active, trigger -10m");
}

#[test]
fn a_trigger_of_a_suspect_leaves_it_one() {
    let mut it = rows("suspect", JobType::Once);
    it.waiting.as_mut().unwrap().due_at = sec(60);
    it.job.next_run_time = Some(sec(60));
    let decision = decide(JobCommand::Trigger, &it, now());
    assert_eq!(
        show_decision(&it, &decision),
        "Active interrupted 2/1, trigger now in suspect/default"
    );
}

#[test]
fn resume_waits_for_the_begin_time() {
    for (job_type, expected) in [
        (JobType::Once, "Active, schedule +90m"),
        (JobType::Period, "Active, schedule +90m"),
        (JobType::Persistent, "Active, schedule +90m"),
    ] {
        let mut it = rows("paused", job_type);
        it.job.begin_time = sec(90 * 60);
        let decision = decide(JobCommand::Resume, &it, now());
        assert_eq!(show_decision(&it, &decision), expected);
    }
}

#[test]
fn start_of_a_completed_once_job_does_not_wait_for_its_begin_time() {
    let mut it = rows("completed", JobType::Once);
    it.job.begin_time = sec(90 * 60);
    let decision = decide(JobCommand::Start, &it, now());
    assert_eq!(show_decision(&it, &decision), "Active, schedule now");
}

#[test]
fn the_log_of_a_deleted_run_names_it() {
    let it = rows("running after 0", JobType::Once);
    let Decision::Delete(Some(log)) = decide(JobCommand::Delete, &it, now()) else {
        panic!("expected a deletion with a log row");
    };
    let run = it.run.unwrap();
    assert_eq!((log.run_id, log.job_id), (run.run_id, it.job.id));
    assert_eq!((log.started_at, log.duration.as_secs()), (run.claimed_at, 60));
}
