//! Real processes, really killed, on every backend: nothing accepted is lost, and nothing runs twice without the record saying so.
#![expect(clippy::unwrap_used, reason = "helpers of tests")]

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::time::{Duration, Instant};

use tasks_abstractions::{JobStatus, RunOutcome};

use crate::crash_place::{Place, Records, SHORT};

const SIGKILL: i32 = 9;
const SIGABRT: i32 = 6;

/// Makes a test of every case, each at a place of its own.
macro_rules! crash_cases {
    ($place:path) => {
        $crate::crash::crash_cases! { $place:
            killed_after_store
            killed_after_claim
            killed_after_run
            killed_before_finish
            killed_after_finish
            killed_while_taking_over
            killed_at_random
            killed_on_another_machine
            a_job_that_aborts_the_process_is_the_only_one_abandoned
            three_kills_over_thousands_of_claimed_jobs_abandon_none
            aborting_jobs_among_many_are_exactly_the_abandoned_ones
            two_processes_on_one_database_share_the_work
            a_worker_says_what_it_does
        }
    };
    ($place:path: $($case:ident)+) => {
        $(
            #[test]
            fn $case() {
                $crate::crash::$case(&$place());
            }
        )+
    };
}
pub(crate) use crash_cases;

fn killed_at(place: &Place, point: &str, on: &str) -> Records {
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
    records
}

pub(crate) fn killed_after_store(place: &Place) {
    let records = killed_at(place, "after-store", "1");
    assert_eq!(
        records.logs.len(),
        300,
        "nothing had been claimed, so nothing was interrupted"
    );
}

pub(crate) fn killed_after_claim(place: &Place) {
    let interrupted = killed_at(place, "after-claim", "2").interruptions();
    assert!(
        (1..=100).contains(&interrupted),
        "{interrupted} interruptions of at most two claims"
    );
}

pub(crate) fn killed_after_run(place: &Place) {
    killed_at(place, "after-run", "120");
}

pub(crate) fn killed_before_finish(place: &Place) {
    killed_at(place, "before-finish", "2");
}

pub(crate) fn killed_after_finish(place: &Place) {
    killed_at(place, "after-finish", "2");
}

pub(crate) fn killed_while_taking_over(place: &Place) {
    let jobs = ["--jobs", "quick:300", "--concurrency", "50"];
    let first = place.run(&[&jobs[..], &["--crash-at", "before-finish", "--crash-on", "2"]].concat());
    assert_eq!(first.signal(), Some(SIGKILL));
    let second = place.run(&[&jobs[..], &["--crash-at", "after-take-over", "--crash-on", "1"]].concat());
    assert_eq!(second.signal(), Some(SIGKILL));
    assert!(place.run(&jobs).success());
    place.records().assert_nothing_lost(300);
}

pub(crate) fn killed_at_random(place: &Place) {
    let count = place.jobs(2_000);
    let jobs = ["--jobs", &format!("quick:{count}"), "--concurrency", "40"];
    // Kills by how much of the work the ledger shows: anywhere in a transaction, and different on every machine.
    let mut kills = 0;
    for permille in [25, 60, 150, 151, 350, 550, 700, 850] {
        let mut worker = place.start(&jobs);
        while place.ledger().lines().count() < count * permille / 500 && worker.is_running() {
            std::thread::yield_now();
        }
        kills += usize::from(worker.kill().signal() == Some(SIGKILL));
    }
    assert!(
        kills >= 4,
        "only {kills} workers were killed at work; the test proves nothing"
    );
    assert!(place.run(&jobs).success());
    let records = place.records();
    records.assert_nothing_lost(count);
    let twice = records.started.values().filter(|it| it.len() > 1).count();
    // Each kill can repeat what was in flight (40) and what was ended and not yet flushed (one batch).
    assert!(
        twice <= kills * (40 + 500),
        "{twice} jobs ran more than once after {kills} kills"
    );
}

/// Where nothing proves the end of a node's process, its lease does, and not before it is over.
pub(crate) fn killed_on_another_machine(place: &Place) {
    let jobs = ["--jobs", "quick:300", "--concurrency", "50"];
    let killed = [&jobs[..], &["--crash-at", "before-finish", "--crash-on", "2"]].concat();
    let mut first = place.start_with_lease(SHORT, &killed);
    assert_eq!(first.wait().signal(), Some(SIGKILL));
    place.forget_processes();
    let begun = Instant::now();
    assert!(place.start_with_lease(SHORT, &jobs).wait().success());
    let took = begun.elapsed();
    assert!(
        took >= Duration::from_millis(SHORT),
        "the lease was not over after {took:?}"
    );
    let records = place.records();
    records.assert_nothing_lost(300);
    assert!(
        (1..=100).contains(&records.interruptions()),
        "{} interruptions",
        records.interruptions()
    );
}

pub(crate) fn a_job_that_aborts_the_process_is_the_only_one_abandoned(place: &Place) {
    let jobs = [
        "--jobs",
        "quick:499,abort:1",
        "--concurrency",
        "500",
        "--max-try-count",
        "1",
    ];
    let kills = run_until_done(place, &jobs, 10);
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

pub(crate) fn three_kills_over_thousands_of_claimed_jobs_abandon_none(place: &Place) {
    let count = place.jobs(4_000);
    let hold = place.path("go");
    let jobs = [
        "--jobs",
        &format!("hold:{count}"),
        "--concurrency",
        &count.to_string(),
        "--hold",
        hold.to_str().unwrap(),
        "--suspect-window",
        "50",
    ];
    for kill in 0_usize..3 {
        let before = place.ledger().lines().count();
        let mut worker = place.start(&jobs);
        // The first time all are claimed at once; after that they are suspects, which come one by one.
        let wanted = if kill == 0 { count } else { before + 3 };
        while place.ledger().lines().count() < wanted {
            assert!(worker.is_running(), "the worker ended by itself");
            std::thread::yield_now();
        }
        assert_eq!(worker.kill().signal(), Some(SIGKILL));
    }
    fs::write(&hold, "").unwrap();
    assert!(place.run(&jobs).success());
    let records = place.records();
    records.assert_nothing_lost(count);
    assert!(records.jobs.iter().all(|it| !it.is_abandoned));
}

pub(crate) fn aborting_jobs_among_many_are_exactly_the_abandoned_ones(place: &Place) {
    let (quick, aborting) = (place.jobs(480), place.jobs(20));
    let all = quick + aborting + 2;
    let jobs = [
        "--jobs",
        &format!("long:2,quick:{quick},abort:{aborting}"),
        "--concurrency",
        &all.to_string(),
        "--suspect-window",
        "100",
    ];
    let kills = run_until_done(place, &jobs, 100);
    let records = place.records();
    assert_eq!(records.jobs.len(), all);
    let abandoned: Vec<_> = records
        .jobs
        .iter()
        .filter(|it| it.is_abandoned)
        .map(|it| it.name.as_str())
        .collect();
    assert_eq!(abandoned.len(), aborting, "{abandoned:?}");
    assert!(
        abandoned.iter().all(|it| it.starts_with("abort")),
        "{abandoned:?}"
    );
    // Each dies alone three times, after all died beside each other once; one more time each is borne.
    assert!(kills <= 4 * aborting + 1, "{kills} kills");
}

pub(crate) fn two_processes_on_one_database_share_the_work(place: &Place) {
    let jobs = ["--jobs", "quick:1000", "--concurrency", "20"];
    let mut workers = [place.start(&jobs), place.start(&jobs)];
    for worker in &mut workers {
        assert!(worker.wait().success());
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

/// The lines that a worker prints.
pub(crate) fn a_worker_says_what_it_does(place: &Place) {
    let mut worker = place.start(&["--jobs", "quick:3"]);
    let lines: Vec<String> = BufReader::new(worker.output())
        .lines()
        .map(Result::unwrap)
        .collect();
    assert!(worker.wait().success());
    assert_eq!(lines, ["enqueued", "done"]);
    place.records().assert_nothing_lost(3);
}
