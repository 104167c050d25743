//! What holds for every stored worker, every definition, and whatever people changed.

use std::collections::BTreeSet;
use std::time::Duration;

use proptest::prelude::*;
use tasks_abstractions::run::{JobSnapshot, RunKind};
use tasks_abstractions::store::Decision;
use tasks_abstractions::{DefinitionMark, JobInfo, JobPriority, JobState, JobType};
use uuid::Uuid;

use super::properties::{jobs, runs};
use super::rows::{applied, entry, now, sec, snapshot};
use crate::transition::{changed_by_people, forget_overrides, mark_of, rearm, redefine, requeue, retire};

const FIELDS: [&str; 14] = [
    "description",
    "job_type",
    "cron",
    "time_zone",
    "interval",
    "begin_time",
    "misfire_policy",
    "max_try_count",
    "max_count",
    "timeout",
    "lock_timeout",
    "retry_policy",
    "priority",
    "node_name",
];
const VERSIONS: [&str; 4] = ["1.0.0", "1.1.0", "2.0.0", "no version"];

prop_compose! {
    /// What a program of some version says.
    fn definitions()(
        job in jobs(),
        minutes in 1_u64..100,
        texts in prop::array::uniform3(prop::option::of("[a-c]")),
        seconds in prop::array::uniform2(prop::option::of(1_u64..5)),
        version in 0..VERSIONS.len(),
    ) -> JobInfo {
        let mut job = job;
        if job.job_type == JobType::Once {
            job.job_type = JobType::Persistent;
        }
        job.interval = Duration::from_secs(minutes * 60);
        [job.description, job.node_name, job.selector] = texts;
        job.time_zone = (job.job_type == JobType::Period).then(|| "Asia/Tokyo".to_owned());
        [job.timeout, job.lock_timeout] = seconds.map(|it| it.map(Duration::from_secs));
        job.definition = Some(mark_of(&job, VERSIONS[version]));
        job
    }
}

prop_compose! {
    /// A stored worker: by any definition, in any condition, changed by people in any of its fields.
    fn stored()(
        defined in definitions(),
        (job, run) in runs(),
        overrides in prop::collection::btree_set(0..FIELDS.len(), 0..6),
        where_it_is in 0..3_u8,
        due in -100_i64..10_000,
    ) -> JobSnapshot {
        let job = JobInfo {
            status: job.status,
            is_enabled: job.is_enabled,
            trigger_count: job.trigger_count,
            try_count: job.try_count,
            end_time: job.end_time,
            overrides: overrides.iter().map(|it| FIELDS[*it].to_owned()).collect(),
            ..defined
        };
        let is_armed = job.state() == JobState::Active && job.is_enabled;
        match where_it_is {
            0 => snapshot(job, None, Some(run)),
            1 if is_armed => snapshot(job, Some(entry(RunKind::Schedule, sec(due))), None),
            _ => snapshot(job, None, None),
        }
    }
}

/// The rows after the decision, with what a store must never have checked.
fn then(it: &JobSnapshot, decision: &Decision) -> JobSnapshot {
    let there = match decision {
        Decision::Change(change) => applied(it, change),
        Decision::Keep | Decision::Refuse(_) => it.clone(),
        Decision::Delete(_) => panic!("nothing here deletes"),
    };
    assert!(there.waiting.is_none() || there.run.is_none());
    if there.waiting.is_some() {
        assert!(there.job.is_enabled, "nothing waits on a disabled job");
    }
    there
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_people_changed_wins_and_the_rest_is_the_programs(it in stored(), program in definitions()) {
        let decision = redefine(&it, &program, now());
        let there = then(&it, &decision);
        let is_written = there.job.definition == program.definition && it.job.definition != program.definition;
        let (old, new) = (&it.job, &there.job);
        let differing = changed_by_people(&program, new);
        for field in ["description", "misfire_policy", "max_try_count", "max_count", "timeout", "lock_timeout", "retry_policy", "priority", "node_name"] {
            let is_kept = old.overrides.contains(field) || !is_written;
            if is_kept {
                prop_assert!(!changed_by_people(old, new).contains(field), "{field} is not people's");
            } else {
                prop_assert!(!differing.contains(field), "{field} is not the program's");
            }
        }
        prop_assert_eq!(&old.overrides, &new.overrides);
        prop_assert_eq!((old.trigger_count, old.end_time), (new.trigger_count, new.end_time));
        let goes_on_anew = old.state() == JobState::Completed && new.state() == JobState::Active;
        prop_assert!(old.try_count == new.try_count || (goes_on_anew && new.try_count == 0));
        // Never a cron job without an expression, nor an expression without a meaning.
        prop_assert_eq!(new.cron.is_some(), new.job_type == JobType::Period);
        prop_assert!(new.time_zone.is_none() || new.job_type == JobType::Period);
        if old.overrides.contains("interval") {
            prop_assert_eq!(old.interval, new.interval);
        }
    }

    #[test]
    fn a_second_start_changes_nothing_more(it in stored(), program in definitions()) {
        let there = then(&it, &redefine(&it, &program, now()));
        prop_assert_eq!(redefine(&there, &program, now()), Decision::Keep);
    }

    #[test]
    fn every_start_leaves_an_active_worker_armed_or_completed(it in stored(), program in definitions()) {
        let there = then(&it, &redefine(&it, &program, now()));
        let is_to_run = there.job.state() == JobState::Active && there.job.is_enabled;
        prop_assert!(!is_to_run || there.waiting.is_some() || there.run.is_some());
        // Who is held stays held, and nobody is given up by a start.
        if matches!(it.job.state(), JobState::Paused | JobState::Stopped | JobState::None) {
            prop_assert_eq!(it.job.state(), there.job.state());
        }
    }

    #[test]
    fn equal_definitions_have_equal_hashes_and_others_have_not(a in definitions(), b in definitions()) {
        let said = |it: &JobInfo| JobInfo {
            definition: None,
            selector: it.selector.clone(),
            ..JobInfo {
                status: a.status,
                is_enabled: true,
                begin_time: now(),
                end_time: None,
                trigger_count: 0,
                try_count: 0,
                interruptions: 0,
                suspect_interruptions: 0,
                max_interruptions: 3,
                ..it.clone()
            }
        };
        let hash = |it: &JobInfo| mark_of(it, "1.0.0").hash;
        prop_assert_eq!(hash(&a) == hash(&b), said(&a) == said(&b));
        prop_assert_eq!(hash(&a), hash(&said(&a)));
    }

    #[test]
    fn forgetting_overrides_lets_the_same_program_write_all_of_its_definition(it in stored(), program in definitions()) {
        let mut it = it;
        it.job.definition = program.definition.clone();
        let forgotten = then(&it, &forget_overrides(&it, now()));
        prop_assert!(forgotten.job.overrides.is_empty());
        if it.job.overrides.is_empty() {
            return Ok(());
        }
        let there = then(&forgotten, &redefine(&forgotten, &program, now()));
        let mut differing = changed_by_people(&program, &there.job);
        // A start is no change of schedule, so when it began stays; a cron worker has no interval.
        differing.remove("begin_time");
        if program.cron.is_some() {
            differing.remove("interval");
        }
        prop_assert_eq!(differing, BTreeSet::new());
    }

    #[test]
    fn a_retired_worker_is_never_armed_by_an_older_program(it in stored(), program in definitions()) {
        let by = DefinitionMark::new(Uuid::nil(), "3.0.0");
        let there = then(&it, &retire(&it, &by));
        if it.job.definition.as_ref().is_some_and(|it| it.version != "no version") {
            prop_assert!(!there.job.is_enabled && there.waiting.is_none());
        }
        let mut older = program;
        older.definition = Some(mark_of(&older, "2.9.9"));
        let after = then(&there, &redefine(&there, &older, now()));
        prop_assert_eq!(after, there);
    }

    #[test]
    fn requeue_runs_now_or_refuses_and_rearm_repairs_only_what_is_broken(it in stored()) {
        let decision = requeue(&it, None, now());
        let there = then(&it, &decision);
        match decision {
            Decision::Refuse(_) => {}
            _ => {
                prop_assert!(there.waiting.as_ref().is_some_and(|it| it.due_at <= now() && it.kind == RunKind::Trigger));
                prop_assert_eq!((there.job.state(), there.job.try_count, there.job.is_abandoned), (JobState::Active, 0, false));
            }
        }
        let is_broken = it.job.state() == JobState::Active && it.job.is_enabled && it.waiting.is_none() && it.run.is_none();
        let decision = rearm(&it, now());
        prop_assert_eq!(is_broken, decision != Decision::Keep);
        let there = then(&it, &decision);
        prop_assert_eq!(rearm(&there, now()), Decision::Keep);
        prop_assert!(!is_broken || there.waiting.is_some() || there.job.state() == JobState::Completed);
    }

    #[test]
    fn a_priority_that_people_gave_orders_what_waits(priority in 0..JobPriority::ALL.len(), program in definitions()) {
        let mut job = program.clone();
        job.priority = JobPriority::ALL[priority];
        job.overrides = BTreeSet::from(["priority".to_owned()]);
        let it = snapshot(job, None, None);
        let there = then(&it, &redefine(&it, &program, now()));
        if let Some(waiting) = there.waiting {
            prop_assert_eq!(waiting.rank, tasks_abstractions::job::rank_of(JobPriority::ALL[priority]));
        }
    }
}
