//! Real processes, really killed: nothing accepted is lost, and nothing runs twice without the record saying so.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;

use tasks_abstractions::run::JobLog;
use tasks_abstractions::store::{JobLogQuery, JobQuery, Paging};
use tasks_abstractions::{JobInfo, JobStatus, JobStore, RunOutcome, SystemClock};
use tasks_multitenancy::TenantScope;
use tasks_store_seaorm::{SeaOrmStore, SeaOrmStoreOptions};
use tempfile::TempDir;

const SIGKILL: i32 = 9;
const SIGABRT: i32 = 6;

struct Place {
    folder: TempDir,
}

struct Records {
    jobs: Vec<JobInfo>,
    logs: Vec<JobLog>,
    /// Started runs by job, as the code itself wrote them down.
    started: BTreeMap<String, Vec<String>>,
    ended: BTreeSet<String>,
}

impl Place {
    fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn start(&self, args: &[&str]) -> Child {
        Command::new(env!("CARGO_BIN_EXE_crash_worker"))
            .arg("--database")
            .arg(self.path("jobs.db"))
            .arg("--ledger")
            .arg(self.path("ledger"))
            .args(args)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap()
    }

    fn run(&self, args: &[&str]) -> ExitStatus {
        self.start(args).wait().unwrap()
    }

    fn ledger(&self) -> String {
        fs::read_to_string(self.path("ledger")).unwrap_or_default()
    }

    /// Reads everything that is stored, when no worker runs.
    fn records(&self) -> Records {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let (jobs, logs) = runtime.block_on(async {
            let options = SeaOrmStoreOptions::new(format!("sqlite://{}", self.path("jobs.db").display()));
            let store = SeaOrmStore::connect(options, Arc::new(SystemClock))
                .await
                .unwrap();
            let (mut jobs, mut logs) = (Vec::new(), Vec::new());
            loop {
                let paging = Paging {
                    skip: jobs.len() as u64,
                    take: Paging::MAX_TAKE,
                };
                let page = store
                    .list(
                        TenantScope::All,
                        &JobQuery {
                            paging,
                            ..JobQuery::default()
                        },
                    )
                    .await
                    .unwrap();
                jobs.extend(page.items);
                if jobs.len() as u64 >= page.total {
                    break;
                }
            }
            loop {
                let paging = Paging {
                    skip: logs.len() as u64,
                    take: Paging::MAX_TAKE,
                };
                let page = store
                    .list_logs(
                        TenantScope::All,
                        &JobLogQuery {
                            paging,
                            ..JobLogQuery::default()
                        },
                    )
                    .await
                    .unwrap();
                logs.extend(page.items);
                if logs.len() as u64 >= page.total {
                    break;
                }
            }
            (jobs, logs)
        });
        let mut started = BTreeMap::<String, Vec<String>>::new();
        let mut ended = BTreeSet::new();
        for line in self.ledger().lines() {
            let words: Vec<_> = line.split(' ').collect();
            match words[..] {
                ["start", job, run, ..] => started.entry(job.to_owned()).or_default().push(run.to_owned()),
                ["end", _, run, ..] => assert!(ended.insert(run.to_owned()), "run {run} ended twice"),
                _ => panic!("cannot read the ledger's line `{line}`"),
            }
        }
        let is_scripted = |it: &str| it == "crash.scripted";
        Records {
            jobs: jobs.into_iter().filter(|it| is_scripted(&it.type_name)).collect(),
            logs: logs.into_iter().filter(|it| is_scripted(&it.type_name)).collect(),
            started,
            ended,
        }
    }
}

impl Records {
    fn outcomes(&self, job: &JobInfo, outcome: RunOutcome) -> usize {
        self.logs
            .iter()
            .filter(|it| it.job_id == job.id && it.outcome == outcome)
            .count()
    }

    /// Every job of `count` is Completed by one recorded success, and every further start of its code is explained by a recorded interruption.
    fn assert_nothing_lost(&self, count: usize) {
        assert_eq!(self.jobs.len(), count, "jobs in the store");
        for job in &self.jobs {
            assert_eq!(job.status, JobStatus::Completed, "{job:?}");
            assert_eq!(
                self.outcomes(job, RunOutcome::Succeeded),
                1,
                "successes of {}",
                job.name
            );
            let interrupted = self.outcomes(job, RunOutcome::Interrupted);
            let started = self.started.get(&job.id.to_string()).map_or(0, Vec::len);
            assert!(
                (1..=1 + interrupted).contains(&started),
                "{}: {started} starts, {interrupted} interruptions",
                job.name
            );
            assert_eq!(job.result.as_deref(), Some("did it"));
        }
        let interrupted = self
            .logs
            .iter()
            .filter(|it| it.outcome == RunOutcome::Interrupted)
            .count();
        assert_eq!(
            self.logs.len(),
            count + interrupted,
            "log rows are jobs and interruptions"
        );
        for log in self.logs.iter().filter(|it| it.outcome == RunOutcome::Succeeded) {
            assert!(
                self.ended.contains(&log.run_id.to_string()),
                "run {} is recorded and never ended",
                log.run_id
            );
        }
    }
}

fn killed_at(point: &str, on: &str) -> (Place, Records) {
    let place = Place::new();
    let jobs = ["--jobs", "quick:300", "--concurrency", "50"];
    let status = place.run(&[&jobs[..], &["--crash-at", point, "--crash-on", on]].concat());
    assert_eq!(
        status.signal(),
        Some(SIGKILL),
        "the worker should have died at {point}: {status}"
    );
    assert!(place.run(&jobs).success());
    let records = place.records();
    records.assert_nothing_lost(300);
    (place, records)
}

#[test]
fn killed_after_store() {
    let (_place, records) = killed_at("after-store", "1");
    assert_eq!(
        records.logs.len(),
        300,
        "nothing had been claimed, so nothing was interrupted"
    );
}

#[test]
fn killed_after_claim() {
    let (_place, records) = killed_at("after-claim", "2");
    let interrupted = records
        .logs
        .iter()
        .filter(|it| it.outcome == RunOutcome::Interrupted)
        .count();
    assert!(
        (1..=100).contains(&interrupted),
        "{interrupted} interruptions of at most two claims"
    );
}

#[test]
fn killed_after_run() {
    killed_at("after-run", "120");
}

#[test]
fn killed_before_finish() {
    killed_at("before-finish", "2");
}

#[test]
fn killed_after_finish() {
    killed_at("after-finish", "2");
}

#[test]
fn killed_while_taking_over() {
    let place = Place::new();
    let jobs = ["--jobs", "quick:300", "--concurrency", "50"];
    let first = place.run(&[&jobs[..], &["--crash-at", "before-finish", "--crash-on", "2"]].concat());
    assert_eq!(first.signal(), Some(SIGKILL));
    let second = place.run(&[&jobs[..], &["--crash-at", "after-take-over", "--crash-on", "1"]].concat());
    assert_eq!(second.signal(), Some(SIGKILL));
    assert!(place.run(&jobs).success());
    place.records().assert_nothing_lost(300);
}

#[test]
fn killed_at_random_with_two_thousand_jobs() {
    let place = Place::new();
    let jobs = ["--jobs", "quick:2000", "--concurrency", "40"];
    // Kills by how much of the work the ledger shows: anywhere in a transaction, and different on every machine.
    let mut kills = 0;
    for share in [50, 120, 300, 301, 700, 1_100, 1_400, 1_700] {
        let mut worker = place.start(&jobs);
        while place.ledger().lines().count() < share * 2 && worker.try_wait().unwrap().is_none() {
            std::thread::yield_now();
        }
        worker.kill().unwrap();
        kills += usize::from(worker.wait().unwrap().signal() == Some(SIGKILL));
    }
    assert!(
        kills >= 4,
        "only {kills} workers were killed at work; the test proves nothing"
    );
    assert!(place.run(&jobs).success());
    let records = place.records();
    records.assert_nothing_lost(2_000);
    let twice = records.started.values().filter(|it| it.len() > 1).count();
    // Each kill can repeat what was in flight (40) and what was ended and not yet flushed (one batch).
    assert!(
        twice <= kills * (40 + 500),
        "{twice} jobs ran more than once after {kills} kills"
    );
}

#[test]
fn a_job_that_aborts_the_process_is_the_only_one_abandoned() {
    let place = Place::new();
    let jobs = [
        "--jobs",
        "quick:499,abort:1",
        "--concurrency",
        "500",
        "--max-try-count",
        "1",
    ];
    let kills = run_until_done(&place, &jobs, 10);
    let records = place.records();
    assert_eq!(records.jobs.len(), 500);
    for job in &records.jobs {
        let is_poison = job.name.starts_with("abort");
        assert_eq!(job.is_abandoned, is_poison, "{job:?}");
        assert_eq!(
            job.status,
            if is_poison {
                JobStatus::Stopped
            } else {
                JobStatus::Completed
            },
            "{job:?}"
        );
        assert_eq!(
            records.outcomes(job, RunOutcome::Succeeded),
            usize::from(!is_poison)
        );
    }
    assert!(
        (3..=4).contains(&kills),
        "the job was tried with others once and alone three times, not {kills} times"
    );
}

#[test]
fn three_kills_over_four_thousand_claimed_jobs_abandon_none() {
    let place = Place::new();
    let hold = place.path("go");
    let jobs = [
        "--jobs",
        "hold:4000",
        "--concurrency",
        "4000",
        "--hold",
        hold.to_str().unwrap(),
        "--suspect-window",
        "50",
    ];
    for kill in 0_usize..3 {
        let before = place.ledger().lines().count();
        let mut worker = place.start(&jobs);
        // The first time all are claimed at once; after that they are suspects, which come one by one.
        let wanted = if kill == 0 { 4_000 } else { before + 3 };
        while place.ledger().lines().count() < wanted {
            assert!(worker.try_wait().unwrap().is_none(), "the worker ended by itself");
            std::thread::yield_now();
        }
        worker.kill().unwrap();
        assert_eq!(worker.wait().unwrap().signal(), Some(SIGKILL));
    }
    fs::write(&hold, "").unwrap();
    assert!(place.run(&jobs).success());
    let records = place.records();
    records.assert_nothing_lost(4_000);
    assert!(records.jobs.iter().all(|it| !it.is_abandoned));
}

#[test]
fn twenty_aborting_jobs_among_many_are_exactly_the_abandoned_ones() {
    let place = Place::new();
    let jobs = [
        "--jobs",
        "long:2,quick:480,abort:20",
        "--concurrency",
        "502",
        "--suspect-window",
        "100",
    ];
    let kills = run_until_done(&place, &jobs, 100);
    let records = place.records();
    assert_eq!(records.jobs.len(), 502);
    let abandoned: Vec<_> = records
        .jobs
        .iter()
        .filter(|it| it.is_abandoned)
        .map(|it| it.name.as_str())
        .collect();
    assert_eq!(abandoned.len(), 20, "{abandoned:?}");
    assert!(
        abandoned.iter().all(|it| it.starts_with("abort")),
        "{abandoned:?}"
    );
    assert!(kills <= 61 + 20, "{kills} kills");
}

#[test]
fn two_processes_on_one_file_share_the_work() {
    let place = Place::new();
    let jobs = ["--jobs", "quick:1000", "--concurrency", "20"];
    let mut workers = [place.start(&jobs), place.start(&jobs)];
    for worker in &mut workers {
        assert!(worker.wait().unwrap().success());
    }
    let records = place.records();
    records.assert_nothing_lost(1_000);
    assert_eq!(
        records.logs.len(),
        1_000,
        "nobody died, so nothing was interrupted"
    );
    assert!(
        records.started.values().all(|it| it.len() == 1),
        "a job ran twice"
    );
}

/// Starts the worker until it ends by itself; answers how often it aborted.
fn run_until_done(place: &Place, jobs: &[&str], most: usize) -> usize {
    for kills in 0..=most {
        let status = place.run(jobs);
        if status.success() {
            return kills;
        }
        assert_eq!(status.signal(), Some(SIGABRT), "{status}");
    }
    panic!("still not done after {most} starts");
}

/// The line that a worker prints when its jobs are stored.
#[test]
fn a_worker_says_what_it_does() {
    let place = Place::new();
    let mut worker = place.start(&["--jobs", "quick:3"]);
    let lines: Vec<String> = BufReader::new(worker.stdout.take().unwrap())
        .lines()
        .map(Result::unwrap)
        .collect();
    assert!(worker.wait().unwrap().success());
    assert_eq!(lines, ["enqueued", "done"]);
    place.records().assert_nothing_lost(3);
}
