//! Whether checks tell what is wrong from what has a cause.

use std::time::Duration;

use tests::chaos::{CRON, Does, EndKind, Moment, WORK_TYPE, Work};

use super::{interruptions, locks, overlap, rescue, violations};
use crate::answers::Answer;
use crate::evidence::{Accepted, Evidence, Hold, Known, Late, Run, Settled};
use crate::fault::{Fault, Kind};
use crate::node::{Ending, Life};
use crate::place::Backend;
use crate::settings::{Pace, Settings};

const SECOND: i64 = 1_000_000;

fn at(seconds: i64) -> Moment {
    Moment {
        mono: seconds * SECOND,
        wall: seconds * SECOND,
    }
}

fn evidence(faults: Vec<Fault>) -> Evidence {
    let lives = [1, 2].map(|node| Life {
        node,
        generation: 1,
        is_older: false,
        born: at(-1_000),
        asked: Some(at(1_000)),
        died: Some((at(1_001), Ending::Code(0))),
    });
    Evidence::of(Known {
        backend: Backend::Postgres,
        settings: Settings::new(Pace::Quick, Duration::from_secs(60)),
        faults,
        lives: lives.to_vec(),
        found: Vec::new(),
    })
}

fn run(run: &str, node: usize, from: i64, to: i64) -> Run {
    Run {
        run: run.to_owned(),
        job: "job".to_owned(),
        type_name: WORK_TYPE.to_owned(),
        node,
        generation: 1,
        start: at(from),
        interruptions: 0,
        due: None,
        end: Some((at(to), EndKind::Done, None)),
        settled: None,
        over: at(to).mono,
    }
}

fn fault(kind: Kind, node: usize, from: i64, to: i64) -> Fault {
    Fault {
        kind,
        node: Some((node, 1)),
        begin: at(from),
        end: Some(at(to)),
    }
}

fn overlapping(faults: Vec<Fault>) -> Vec<String> {
    let mut it = evidence(faults);
    it.runs = vec![run("first", 1, 10, 30), run("second", 2, 20, 25)];
    it.index();
    overlap::no_two_runs_overlap_without_a_cause(&it)
}

#[test]
fn an_overlap_needs_a_cause_on_the_node_of_the_first_run() {
    assert_eq!(overlapping(Vec::new()).len(), 1);
    assert_eq!(overlapping(vec![fault(Kind::Stop, 1, 12, 28)]).len(), 0);
    assert_eq!(overlapping(vec![fault(Kind::Stop, 2, 12, 28)]).len(), 1);
    assert_eq!(
        overlapping(vec![fault(Kind::Stop, 1, 1, 3)]).len(),
        1,
        "that was too long before"
    );
    assert_eq!(
        overlapping(vec![fault(Kind::Clock, 1, 12, 28)]).len(),
        1,
        "leases do not depend on clocks"
    );
}

#[test]
fn runs_one_after_the_other_do_not_overlap() {
    let mut it = evidence(Vec::new());
    it.runs = vec![run("first", 1, 10, 20), run("second", 2, 20, 25)];
    it.index();
    assert!(overlap::overlaps(&it).is_empty());
}

fn taken(after: i64) -> Evidence {
    let mut it = evidence(vec![fault(Kind::Kill, 1, 12, 12)]);
    let mut lost = run("first", 1, 10, 12);
    lost.end = None;
    it.runs = vec![lost];
    it.settled.push(Settled {
        run: "successor".to_owned(),
        job: "job".to_owned(),
        node: 2,
        generation: 1,
        at: at(12 + after),
        outcome: "Interrupted".to_owned(),
        is_applied: true,
    });
    it.index();
    it
}

#[test]
fn a_rescue_is_measured_from_the_fault() {
    let it = taken(5);
    assert_eq!(rescue::rescues(&it)[0].took, Duration::from_secs(5));
    assert!(rescue::rescued_in_time(&it).is_empty());
    let late = i64::try_from(it.settings.rescue_bound().as_secs()).unwrap() + 2;
    assert_eq!(rescue::rescued_in_time(&taken(late)).len(), 1);
}

/// What is found where a node, whose clock was wrong, ran the fires of a worker at 10, 12 and 16 seconds.
fn found_of_a_missing_fire(backend: Backend) -> Vec<String> {
    let mut it = evidence(vec![Fault {
        kind: Kind::Clock,
        node: Some((1, 1)),
        begin: at(11),
        end: Some(at(14)),
    }]);
    it.backend = backend;
    for fire in [10, 12, 16] {
        let mut run = run(
            &uuid::Uuid::from_u128(fire).to_string(),
            1,
            fire as i64,
            fire as i64,
        );
        run.type_name = CRON.to_owned();
        run.due = Some(fire as i64 * SECOND);
        run.settled = Some(at(fire as i64));
        it.logs.push(log_of(&run));
        it.runs.push(run);
    }
    it.index();
    let mut found = super::cron::every_fire_once(&it);
    found.retain(|it| it.starts_with("chaos.cron "));
    found
}

#[test]
fn a_fire_without_a_run_is_missing_whatever_the_clock_of_a_node_says() {
    for server in [Backend::Postgres, Backend::Mysql] {
        let found = found_of_a_missing_fire(server);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("12000000 µs and 16000000 µs"), "{found:?}");
    }
}

#[test]
fn a_wrong_clock_explains_a_missing_fire_where_it_is_the_clock_of_the_database() {
    assert!(found_of_a_missing_fire(Backend::Sqlite).is_empty());
}

fn log_of(run: &Run) -> tasks_abstractions::run::JobLog {
    use tasks_abstractions::job::InstanceId;
    tasks_abstractions::run::JobLog {
        run_id: run.run.parse().unwrap(),
        job_id: tasks_abstractions::JobId::new(uuid::Uuid::nil()),
        tenant_id: tasks_multitenancy::TenantId::HOST,
        job_name: String::new(),
        job_group: String::new(),
        type_name: run.type_name.clone(),
        outcome: tasks_abstractions::RunOutcome::Succeeded,
        message: None,
        error: None,
        started_at: chrono::DateTime::UNIX_EPOCH,
        duration: Duration::ZERO,
        node_name: String::new(),
        instance: InstanceId::new(uuid::Uuid::nil()),
        attempt: 1,
    }
}

#[test]
fn an_accepted_job_that_is_nowhere_is_lost() {
    let mut it = evidence(Vec::new());
    let work = Work {
        serial: 1,
        does: Does::Quick { millis: 1 },
    };
    it.answers.push(Answer::Accepted {
        job: "job".to_owned(),
        work,
        with_order: false,
    });
    it.index();
    let checks: Vec<&str> = violations(&it).iter().map(|it| it.check).collect();
    assert!(checks.contains(&"lost"), "{checks:?}");
}

#[test]
fn a_process_that_ends_by_itself_is_found() {
    let mut it = evidence(Vec::new());
    it.lives[0].asked = None;
    it.lives[1].died = Some((at(20), Ending::Signal(9)));
    assert_eq!(super::members::processes_end_as_asked(&it).len(), 2);
}

/// A process that was stopped with the lock of the file in its hands holds up whoever starts; on servers it holds no such lock.
#[test]
fn a_start_may_fail_where_another_process_may_hold_the_whole_file() {
    let failed = |backend, faults| {
        let mut it = evidence(faults);
        it.backend = backend;
        it.lives[0].asked = None;
        it.lives[0].born = at(15);
        it.lives[0].died = Some((at(20), Ending::Code(1)));
        super::members::processes_end_as_asked(&it).len()
    };
    let stopped = || vec![fault(Kind::Stop, 2, 14, 22)];
    assert_eq!(failed(Backend::Sqlite, stopped()), 0);
    assert_eq!(failed(Backend::Sqlite, vec![fault(Kind::Stop, 2, 5, 10)]), 1);
    assert_eq!(failed(Backend::Sqlite, Vec::new()), 1);
    assert_eq!(failed(Backend::Postgres, stopped()), 1);
}

fn late(faults: Vec<Fault>, calls: u64, stall: u64) -> Evidence {
    let mut it = evidence(faults);
    it.came_late(&Late {
        process: (1, 1),
        since: at(10),
        at: at(16),
        calls: Duration::from_secs(calls),
        stall: Duration::from_secs(stall),
    });
    it
}

#[test]
fn a_late_renewal_excuses_only_where_something_stood_still() {
    for (calls, stall) in [(5, 0), (0, 5)] {
        let it = late(Vec::new(), calls, stall);
        assert_eq!(it.faults.len(), 1);
        let fault = &it.faults[0];
        assert_eq!((fault.kind, fault.node), (Kind::Starved, Some((1, 1))));
        assert_eq!((fault.begin, fault.end), (at(10), Some(at(16))));
        assert!(it.found.is_empty(), "{:?}", it.found);
    }
    let mut it = evidence(Vec::new());
    it.came_late(&Late {
        process: (1, 1),
        since: at(10),
        at: at(12),
        calls: Duration::from_secs(2),
        stall: Duration::ZERO,
    });
    assert_eq!(it.faults[0].kind, Kind::Slow);
    assert!(!Kind::Slow.explains_overlap());
    let it = late(Vec::new(), 0, 0);
    assert!(it.faults.is_empty());
    assert_eq!(it.found.len(), 1, "the engine renewed too late by itself");
    // A reason that is known is enough; one that only makes everything slow is none.
    let it = late(vec![fault(Kind::Cut, 1, 9, 12)], 5, 5);
    assert_eq!((it.faults.len(), it.found.len()), (1, 0));
    let it = late(vec![fault(Kind::Clock, 1, 9, 12)], 5, 0);
    assert_eq!((it.faults.len(), it.found.len()), (2, 0));
    let it = late(vec![fault(Kind::Cut, 2, 9, 12)], 0, 0);
    assert_eq!(
        (it.faults.len(), it.found.len()),
        (1, 1),
        "that of another node is no reason"
    );
}

#[test]
fn an_overlap_after_a_late_renewal_has_a_cause() {
    let starved = fault(Kind::Starved, 1, 9, 16);
    assert!(overlapping(vec![starved]).is_empty());
    let of_the_other = fault(Kind::Starved, 2, 9, 16);
    assert_eq!(overlapping(vec![of_the_other]).len(), 1);
}

/// A job that kills its processes, each of which lives on for so many seconds after its start.
fn killing(lived: &[i64]) -> Vec<String> {
    let mut it = evidence(Vec::new());
    it.lives = (1_u32..)
        .zip(lived)
        .map(|(generation, lived)| Life {
            node: 1,
            generation,
            is_older: false,
            born: at(0),
            asked: None,
            died: Some((at(i64::from(generation) * 10 + lived), Ending::Signal(6))),
        })
        .collect();
    it.runs = (1_u32..)
        .zip(lived)
        .map(|(generation, _)| Run {
            generation,
            end: None,
            ..run(&format!("run {generation}"), 1, i64::from(generation) * 10, 0)
        })
        .collect();
    let work = Work {
        serial: 0,
        does: Does::Abort,
    };
    it.accepted.insert(
        "job".to_owned(),
        Accepted {
            work,
            with_order: false,
        },
    );
    it.index();
    interruptions::what_kills_its_process_is_given_up(&it)
}

#[test]
fn what_kills_its_process_is_started_so_often_and_not_more() {
    assert_eq!(killing(&[0, 0, 0, 0]).len(), 0);
    assert_eq!(killing(&[0, 0, 0, 0, 0]).len(), 1);
    // The window in which a run is suspected is a second here.
    assert_eq!(killing(&[0, 0, 0, 1, 0]).len(), 0);
    assert_eq!(killing(&[0, 0, 0, 1, 0, 0]).len(), 1);
}

#[test]
fn a_lock_is_held_by_one_run_at_a_time() {
    let hold = |run: &str, node, from, to| Hold {
        key: "key".to_owned(),
        run: run.to_owned(),
        process: (node, 1),
        from: at(from).mono,
        to: at(to).mono,
    };
    let found = |faults, holds: Vec<Hold>| {
        let mut it = evidence(faults);
        it.holds = holds;
        locks::no_lock_is_held_twice_without_a_cause(&it).len()
    };
    let twice = || vec![hold("second", 2, 20, 25), hold("first", 1, 10, 30)];
    assert_eq!(found(Vec::new(), twice()), 1);
    assert_eq!(found(vec![fault(Kind::Stop, 1, 12, 28)], twice()), 0);
    assert_eq!(found(vec![fault(Kind::Stop, 2, 12, 28)], twice()), 1);
    assert_eq!(
        found(
            Vec::new(),
            vec![hold("first", 1, 10, 20), hold("second", 2, 20, 25)]
        ),
        0
    );
}
