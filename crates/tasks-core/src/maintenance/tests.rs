//! What one cleaning removes, and which options are wrong.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use tasks_abstractions::store::{Cleanup, CleanupTarget, JobEnd, TypeFilter};
use tasks_abstractions::{JobLimits, RunOutcome, Timestamp};

use super::{CleaningOptions, Kept, MaintenanceOptions, Retention, TypeRetention, plan};

fn now() -> Timestamp {
    DateTime::from_timestamp(1_800_000_000, 0).unwrap()
}

fn steps_for(options: &CleaningOptions, target: CleanupTarget) -> Vec<Cleanup> {
    plan(options, now())
        .into_iter()
        .filter(|it| it.target == target)
        .collect()
}

#[test]
fn every_ending_has_its_own_retention() {
    let options = CleaningOptions::default();
    let days = |target| {
        let steps = steps_for(&options, target);
        assert_eq!(steps.len(), 1, "{target:?}");
        assert_eq!((&steps[0].types, steps[0].limit), (&TypeFilter::All, 1_000));
        (now() - steps[0].before).num_days()
    };
    assert_eq!(days(CleanupTarget::Jobs(JobEnd::Completed)), 15);
    assert_eq!(days(CleanupTarget::Jobs(JobEnd::Stopped)), 90);
    assert_eq!(days(CleanupTarget::Jobs(JobEnd::Abandoned)), 90);
    assert_eq!(days(CleanupTarget::Nodes), 1);
    for outcome in RunOutcome::ALL {
        let steps = steps_for(&options, CleanupTarget::Logs(Some(*outcome)));
        let found: Vec<i64> = steps.iter().map(|it| (now() - it.before).num_days()).collect();
        let expected: &[i64] = match outcome {
            RunOutcome::Succeeded => &[15],
            // Never recorded.
            RunOutcome::Returned => &[],
            _ => &[90],
        };
        assert_eq!(found, expected, "{outcome}");
    }
}

#[test]
fn a_type_with_a_retention_of_its_own_is_left_out_of_that_of_all() {
    let mut options = CleaningOptions::default();
    let week = Retention::For(Duration::from_secs(7 * 86_400));
    for (name, completed) in [
        ("kept", Some(Retention::Forever)),
        ("short", Some(week)),
        ("plain", None),
    ] {
        let of_type = TypeRetention {
            completed,
            ..TypeRetention::default()
        };
        options.types.insert(name.to_owned(), of_type);
    }
    let steps = steps_for(&options, CleanupTarget::Jobs(JobEnd::Completed));
    assert_eq!(steps.len(), 2);
    assert_eq!(steps[0].types, TypeFilter::Only(vec!["short".to_owned()]));
    assert_eq!(steps[0].before, now() - TimeDelta::days(7));
    assert_eq!(
        steps[1].types,
        TypeFilter::Except(vec!["kept".to_owned(), "short".to_owned()])
    );
    let stopped = steps_for(&options, CleanupTarget::Jobs(JobEnd::Stopped));
    assert_eq!(
        stopped[0].types,
        TypeFilter::All,
        "nothing is said of stopped ones"
    );
}

#[test]
fn what_is_kept_for_ever_is_never_removed() {
    let forever = Retention::Forever;
    let options = CleaningOptions {
        completed: forever,
        stopped: forever,
        abandoned: forever,
        logs: forever,
        failed_logs: forever,
        nodes: forever,
        ..CleaningOptions::default()
    };
    assert_eq!(plan(&options, now()), []);
}

#[test]
fn what_is_not_kept_at_all_is_known_by_type_and_cleaned_where_it_was_kept_before() {
    let mut options = CleaningOptions {
        completed: Retention::None,
        ..CleaningOptions::default()
    };
    let own = |completed, logs| TypeRetention {
        completed,
        logs,
        ..TypeRetention::default()
    };
    let day = Retention::For(Duration::from_secs(86_400));
    options.types.insert("kept".to_owned(), own(Some(day), None));
    options
        .types
        .insert("quiet".to_owned(), own(None, Some(Retention::None)));
    let kept = |name| options.kept_of(name);
    let (job, log) = (true, true);
    assert_eq!(kept("other"), Kept { job: false, log });
    assert_eq!(kept("kept"), Kept { job, log });
    assert_eq!(
        kept("quiet"),
        Kept {
            job: false,
            log: false
        }
    );
    assert_eq!(CleaningOptions::default().kept_of("other"), Kept::ALL);

    let steps = steps_for(&options, CleanupTarget::Jobs(JobEnd::Completed));
    let (of_type, rest) = (&steps[0], &steps[1]);
    assert_eq!(of_type.before, now() - TimeDelta::days(1));
    assert_eq!(
        (&rest.types, rest.before),
        (&TypeFilter::Except(vec!["kept".to_owned()]), now())
    );
}

#[test]
fn what_failed_is_kept_for_a_while_at_least() {
    let none = Some(Retention::None);
    let mut options = MaintenanceOptions::default();
    options.cleaning.completed = Retention::None;
    options.cleaning.logs = Retention::None;
    assert_eq!(options.faults(&JobLimits::default()), []);
    options.cleaning.failed_logs = Retention::None;
    let of_type = TypeRetention {
        completed: none,
        stopped: none,
        abandoned: none,
        logs: none,
        failed_logs: none,
    };
    options.cleaning.types.insert("t".to_owned(), of_type);
    let faults = options.faults(&JobLimits::default());
    let fields: Vec<&str> = faults.iter().map(|it| it.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "cleaning.failed_logs",
            "cleaning.types.t.stopped",
            "cleaning.types.t.abandoned",
            "cleaning.types.t.failed_logs"
        ]
    );
    let text = faults[0].to_string();
    assert!(
        text.contains("is none, which only what succeeded may be"),
        "{text}"
    );
}

#[test]
fn wrong_options_are_found_all_at_once() {
    let limits = JobLimits::default();
    assert_eq!(MaintenanceOptions::default().faults(&limits), []);
    let mut options = MaintenanceOptions::default();
    options.cleaning.cron = "every day".to_owned();
    options.cleaning.batch = 0;
    options.cleaning.logs = Retention::For(Duration::ZERO);
    options.checking.batch = 10_001;
    options.cleaning.types.insert(
        "t".to_owned(),
        TypeRetention {
            abandoned: Some(Retention::For(Duration::MAX)),
            ..TypeRetention::default()
        },
    );
    let fields: Vec<String> = options.faults(&limits).into_iter().map(|it| it.field).collect();
    assert_eq!(
        fields,
        [
            "cleaning.cron",
            "cleaning.batch",
            "checking.batch",
            "cleaning.logs",
            "cleaning.types.t.abandoned"
        ]
    );
}
