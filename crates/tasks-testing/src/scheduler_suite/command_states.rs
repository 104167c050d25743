//! Every command on jobs that were really brought into every state: what is answered, what is shown at once, and what is shown when all has
//! come to rest.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use tasks_abstractions::{
    BulkMode, CommandAnswer, EnqueueRequest, JobArgs, JobCommand, JobError, JobId, JobInfo, JobManagement,
    RunOutcome,
};
use tasks_multitenancy::TenantScope;

use super::fixture::{Gate, LIMIT, SchedulerFixture, done, pass, secs, until_cancelled};
use crate::TestHost;

/// A node whose jobs wait, fail, are done, obey, or are deaf.
fn node(fx: &impl SchedulerFixture, gate: &Gate) -> TestHost {
    let host = fx
        .node("a")
        .run("done", done)
        .run("fails", |_| async { Err(JobError::msg("no")) })
        .run("obeys", until_cancelled)
        .run("deaf", gate.job())
        .build()
        .unwrap();
    host.start();
    host
}

/// Brings a new job into the state, with the node not claiming any more.
async fn driven(host: &TestHost, state: &str) -> JobId {
    let (type_name, delay, tries, outcome) = match state {
        "failed, tried again" => ("fails", None, 5, Some(RunOutcome::Failed)),
        "abandoned" => ("fails", None, 1, Some(RunOutcome::Failed)),
        "completed" => ("done", None, 5, Some(RunOutcome::Succeeded)),
        "running" => ("obeys", None, 5, None),
        "paused, still running" | "stopped, still running" => ("deaf", None, 5, None),
        _ => ("done", Some(secs(3_600)), 5, None),
    };
    if state == "none" {
        let job = host
            .job(type_name)
            .build(&host.engine().options().limits)
            .unwrap();
        return host.store().store(job).await.unwrap().unwrap().id;
    }
    let mut request = EnqueueRequest::new(type_name, JobArgs::new());
    (request.delay, request.max_try_count) = (delay, Some(tries));
    let id = host.enqueue_with(request).await.unwrap();
    if let Some(outcome) = outcome {
        host.recorder().settled(id, outcome, 1, LIMIT).await.unwrap();
    } else if delay.is_none() {
        host.recorder().started(id, 1, LIMIT).await.unwrap();
    }
    let commands: &[JobCommand] = match state {
        "paused" | "paused, still running" => &[JobCommand::Pause],
        "stopped" | "stopped, still running" => &[JobCommand::Stop],
        "disabled" => &[JobCommand::Disable],
        "paused and disabled" => &[JobCommand::Pause, JobCommand::Disable],
        _ => &[],
    };
    for command in commands {
        assert_eq!(host.command(id, *command).await.unwrap(), CommandAnswer::Changed);
    }
    id
}

async fn shown(host: &TestHost, id: JobId) -> String {
    let Ok(job) = host.find(id).await else {
        return "gone".to_owned();
    };
    let JobInfo {
        is_running,
        is_enabled,
        is_abandoned,
        try_count,
        ..
    } = job;
    let mut text = job.status.to_string();
    for (mark, is_shown) in [
        (" running", is_running),
        (" disabled", !is_enabled),
        (" abandoned", is_abandoned),
    ] {
        text.push_str(if is_shown { mark } else { "" });
    }
    if try_count > 0 {
        write!(text, " tries {try_count}").unwrap();
    }
    if let Some(at) = job.next_run_time {
        let wait = (at - host.clock().now()).num_seconds();
        // A retry waits 300 s, give or take a tenth.
        text.push_str(match wait {
            -2..=0 => " due",
            200..=330 => " due in minutes",
            3_000..=3_600 => " due in an hour",
            _ => panic!("due in {wait} s"),
        });
    }
    text
}

/// Every command in every state, as the table of `ARCHITECTURE.md` says; a dry run on the same job foretells the answer and changes nothing.
pub async fn every_command_on_every_state_does_what_the_table_says(fx: &impl SchedulerFixture) {
    let mut wrong = String::new();
    for (state, commands) in table() {
        let names: BTreeSet<&str> = commands.iter().map(|it| it.0).collect();
        assert_eq!(names.len(), JobCommand::ALL.len(), "{state}: {names:?}");
        for (name, expected) in commands {
            let command = JobCommand::ALL
                .into_iter()
                .find(|it| it.as_str() == name)
                .unwrap();
            let gate = Gate::new();
            let host = node(fx, &gate);
            let id = driven(&host, state).await;
            host.engine().set_claiming(false);
            let before = host.find(id).await.unwrap();
            let many = async |mode| {
                let answers = host
                    .management()
                    .command_many(TenantScope::All, &[id], command, mode)
                    .await;
                answers.unwrap().remove(0)
            };
            let foretold = many(BulkMode::DryRun).await;
            assert_eq!(
                host.find(id).await.unwrap(),
                before,
                "{state} × {command}: a dry run changes nothing"
            );
            let answer = many(BulkMode::Apply).await;
            assert_eq!(foretold, answer, "{state} × {command}");
            let mut got = match &answer {
                CommandAnswer::Changed => shown(&host, id).await,
                CommandAnswer::Unchanged => "–".to_owned(),
                CommandAnswer::Refused(_) => "refused".to_owned(),
                CommandAnswer::NotFound => panic!("{state} × {command}: not found"),
            };
            if answer == CommandAnswer::Changed {
                let version = host.find(id).await.map_or(before.version + 1, |it| it.version);
                assert_eq!(version, before.version + 1, "{state} × {command}");
                // What runs obeys, or ends now.
                pass(secs(1)).await;
                gate.open(1);
                pass(secs(1)).await;
                let rest = shown(&host, id).await;
                if rest != got {
                    write!(got, " → {rest}").unwrap();
                }
            } else {
                let after = host.find(id).await.unwrap();
                assert_eq!(
                    after, before,
                    "{state} × {command}: neither the job nor its version"
                );
            }
            if got != expected {
                writeln!(wrong, "{state} × {name} | {got}\n    expected: {expected}").unwrap();
            }
            gate.open(1);
            host.shutdown().await;
            // The next node must not find what this one left.
            host.store().remove(TenantScope::All, id).await.unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// States, each with its commands and what they do.
fn table() -> Vec<(&'static str, Vec<(&'static str, &'static str)>)> {
    let mut states: Vec<(&str, Vec<(&str, &str)>)> = Vec::new();
    for line in TABLE.lines().filter(|it| !it.is_empty()) {
        if let Some(state) = line.strip_prefix("# ") {
            states.push((state, Vec::new()));
        } else if let Some((commands, expected)) = line.split_once('|') {
            let of_state = &mut states.last_mut().unwrap().1;
            of_state.extend(commands.split_whitespace().map(|it| (it, expected.trim())));
        }
    }
    states
}

/// What is shown at once, and behind the arrow what is shown when the run has ended. The node claims nothing, so what is due stays due. `–` is
/// answered as unchanged.
const TABLE: &str = "
# queuing
pause                      | Paused
resume start cancel enable | –
stop                       | Stopped
trigger                    | Queuing due
disable                    | Queuing disabled
delete                     | gone

# failed, tried again
pause                      | Paused tries 1
resume start cancel enable | –
stop                       | Stopped tries 1
trigger                    | FailedRetry tries 1 due
disable                    | Queuing disabled tries 1
delete                     | gone

# running
pause               | Paused running → Paused
resume start enable | –
stop                | Stopped running → Stopped
trigger             | Running running
cancel              | Running running → Stopped
disable             | Running running disabled → Queuing disabled
delete              | gone

# paused
pause cancel enable | –
resume start        | Queuing due in an hour
stop                | Stopped
trigger             | Paused due
disable             | Paused disabled
delete              | gone

# paused, still running
pause cancel enable | –
resume start        | Running running → Completed
stop                | Stopped running → Completed
trigger             | Paused running → Completed due
disable             | Paused running disabled → Completed disabled
delete              | gone

# stopped
pause stop cancel enable | –
resume start             | Queuing due in an hour
trigger                  | Stopped due
disable                  | Stopped disabled
delete                   | gone

# stopped, still running
pause stop cancel enable | –
resume start             | Running running → Completed
trigger                  | Stopped running → Completed due
disable                  | Stopped running disabled → Completed disabled
delete                   | gone

# abandoned
pause stop cancel enable | –
resume start             | Queuing due
trigger                  | Stopped abandoned tries 1 due
disable                  | Stopped disabled abandoned tries 1
delete                   | gone

# completed
pause resume stop cancel enable | –
start                           | Queuing due
trigger                         | Completed due
disable                         | Completed disabled
delete                          | gone

# none
pause                | Paused
resume cancel enable | –
stop                 | Stopped
start                | Queuing due
trigger              | None due
disable              | None disabled
delete               | gone

# disabled
pause                | Paused disabled
resume enable        | Queuing due in an hour
stop                 | Stopped disabled
start cancel disable | –
trigger              | refused
delete               | gone

# paused and disabled
pause cancel disable | –
resume start         | Queuing due in an hour
stop                 | Stopped disabled
trigger              | refused
enable               | Paused
delete               | gone
";
