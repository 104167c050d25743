//! Tests of the job record: limits, enumerations, arguments, lanes and waits.

use std::time::Duration;

use chrono::{TimeDelta, TimeZone, Utc};
use proptest::prelude::*;
use tasks_multitenancy::TenantId;
use uuid::Uuid;

use super::*;
use crate::Timestamp;

fn now() -> Timestamp {
    Utc.with_ymd_and_hms(2026, 3, 1, 12, 0, 0).unwrap()
}

fn job() -> JobInfoBuilder {
    JobInfo::builder(JobId::new(Uuid::from_u128(7)), TenantId::HOST, "demo.job", now())
}

fn faults(builder: JobInfoBuilder) -> Vec<String> {
    match builder.build(&JobLimits::default()) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.faults().iter().map(|it| it.field.clone()).collect(),
    }
}

#[test]
fn defaults_are_those_of_the_reference() {
    let it = job().build(&JobLimits::default()).unwrap();
    assert_eq!((it.max_try_count, it.max_count, it.max_interruptions), (50, 0, 3));
    assert_eq!(it.interval, Duration::from_secs(300));
    assert_eq!(it.priority, JobPriority::Normal);
    assert!(it.is_enabled);
    assert!(!it.is_named());
}

#[test]
fn every_fault_is_reported_at_once_with_field_and_limit() {
    let all = job()
        .name("n".repeat(101))
        .group(" ")
        .description(Some("d".repeat(256)))
        .node_name(Some("n".repeat(129)))
        .interval(Duration::ZERO)
        .timeout(Some(Duration::ZERO))
        .end_time(Some(now() - TimeDelta::seconds(1)))
        .time_zone(Some("Mars/Olympus".to_owned()))
        .cron(Some("0 0 * * * ?".to_owned()))
        .max_interruptions(0)
        .retry_policy(Some(RetryPolicy {
            factor: 0.5,
            ..RetryPolicy::fixed(Duration::from_secs(1))
        }));
    let errors = all.clone().build(&JobLimits::default()).unwrap_err();
    assert_eq!(
        faults(all),
        [
            "name",
            "group",
            "description",
            "node_name",
            "cron",
            "time_zone",
            "interval",
            "timeout",
            "end_time",
            "retry_policy.factor",
            "max_interruptions"
        ]
    );
    assert!(
        errors
            .to_string()
            .contains("`name` has 101 characters; the limit is 100"),
        "{errors}"
    );
}

#[test]
fn characters_are_counted_not_bytes() {
    assert_eq!(faults(job().name("ä".repeat(100))), Vec::<String>::new());
    assert_eq!(faults(job().name("ä".repeat(101))), ["name"]);
}

#[test]
fn arguments_over_the_limit_are_refused() {
    let args: JobArgs = [("text".to_owned(), "x".repeat(1024 * 1024).into())]
        .into_iter()
        .collect();
    assert_eq!(faults(job().args(args)), ["args"]);
}

#[test]
fn blank_node_names_mean_any_node() {
    let it = job()
        .node_name(Some("  ".to_owned()))
        .build(&JobLimits::default())
        .unwrap();
    assert_eq!(it.node_name, None);
    assert_eq!(Lane::of(&it), Lane::any_node());
}

#[test]
fn enumerations_keep_the_integers_of_the_wire() {
    assert_eq!(
        JobStatus::ALL.iter().map(|it| it.code()).collect::<Vec<_>>(),
        [-1, 0, 5, 10, 15, 20, 30]
    );
    assert_eq!(
        JobType::ALL.iter().map(|it| it.code()).collect::<Vec<_>>(),
        [0, 1, 2]
    );
    assert_eq!(
        JobPriority::ALL.iter().map(|it| it.code()).collect::<Vec<_>>(),
        [5, 10, 15, 20, 25]
    );
    assert_eq!(serde_json::to_string(&JobStatus::FailedRetry).unwrap(), "15");
    assert_eq!(serde_json::from_str::<JobType>("2").unwrap(), JobType::Persistent);
    let error = serde_json::from_str::<JobPriority>("0").unwrap_err().to_string();
    assert!(
        error.contains("0 is not a JobPriority") && error.contains("Normal (15)"),
        "{error}"
    );
}

#[test]
fn business_is_a_class_of_its_own() {
    assert!(!JobExceptionType::System.contains(JobExceptionType::Business));
    assert!(JobExceptionType::Business.contains(JobExceptionType::Business));
    assert!(JobExceptionType::All.contains(JobExceptionType::Business));
}

#[test]
fn arguments_round_trip_in_any_shape() {
    assert_eq!(JobArgs::from_typed(&()).unwrap().to_typed::<()>().ok(), Some(()));
    assert_eq!(
        JobArgs::from_typed("x").unwrap().to_typed::<String>().unwrap(),
        "x"
    );
    assert_eq!(
        JobArgs::from_typed(&vec![1, 2])
            .unwrap()
            .to_typed::<Vec<i32>>()
            .unwrap(),
        [1, 2]
    );
    let args = JobArgs::from_json(r#"{"a":"t","n":5,"z":null}"#).unwrap();
    assert_eq!(args.get_string("a").unwrap(), "t");
    assert_eq!(args.get_string("n").unwrap(), "5");
    assert_eq!(args.get_or_default_string("z", "d"), "d");
    assert!(
        args.get_string("q")
            .unwrap_err()
            .to_string()
            .contains("`q` is missing")
    );
    assert_eq!(args.get_job_data::<i64>("n").unwrap(), 5);
    assert_eq!(args.try_get_job_data::<i64>("a"), None);
    assert!(args.get_or_default_job_data::<i64>("a").is_err());
    assert_eq!(args.get_or_default_job_data::<i64>("q").unwrap(), 0);
    assert!(
        args.to_typed::<i64>()
            .unwrap_err()
            .to_string()
            .contains("do not fit `i64`")
    );
}

/// What a store has read is text at first. It says the same as what was written, in every way to ask.
#[test]
fn arguments_out_of_a_text_are_those_that_were_written() {
    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Bill {
        number: u64,
        #[serde(default)]
        lines: Vec<String>,
    }
    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    struct Wrapped(Bill);
    #[derive(Debug, PartialEq, serde::Serialize, serde::Deserialize)]
    enum Either {
        Bill(Bill),
        Nothing,
    }
    fn same<T: std::fmt::Debug + PartialEq + serde::Serialize + serde::de::DeserializeOwned>(value: &T) {
        let written = JobArgs::from_typed(value).unwrap();
        let read = JobArgs::from_json(written.to_json()).unwrap();
        assert_eq!(written.to_typed::<T>().unwrap(), *value);
        assert_eq!(read.to_typed::<T>().unwrap(), *value);
        assert_eq!(read.to_json(), written.to_json());
        assert_eq!(read.is_empty(), written.is_empty());
        assert_eq!(format!("{read:?}"), format!("{written:?}"));
        assert_eq!(
            serde_json::to_string(&read).unwrap(),
            serde_json::to_string(&written).unwrap()
        );
        assert_eq!(read, written);
    }
    let bill = || Bill {
        number: 7,
        lines: vec!["a $ and \"quotes\"".to_owned()],
    };
    same(&bill());
    same(&());
    same(&None::<Bill>);
    same(&Some(bill()));
    same(&Wrapped(bill()));
    same(&Either::Bill(bill()));
    same(&Either::Nothing);
    same(&"$".to_owned());
    same(&vec![bill(), bill()]);
    same(&u64::MAX);
    same(&std::collections::BTreeMap::from([
        ("$".to_owned(), 1),
        ("b".to_owned(), 2),
    ]));
    // Of a type that takes anything, too, what was kept whole comes back, and nothing else is taken for it.
    same(&serde_json::json!([1, 2]));
    same(&serde_json::json!({"$": 1, "b": 2}));
    // Nothing is nothing, in however many spaces.
    assert_eq!(
        JobArgs::from_json(" { } ")
            .unwrap()
            .to_typed::<Option<Bill>>()
            .unwrap(),
        None
    );

    let mut args = JobArgs::from_json(r#"{"number":7}"#).unwrap();
    assert_eq!(args.insert("number", 8), Some(7.into()));
    assert_eq!(args.insert("lines", Vec::<String>::new()), None);
    assert_eq!(
        args.to_typed::<Bill>().unwrap(),
        Bill {
            number: 8,
            lines: vec![]
        }
    );
    assert_eq!(args.iter().count(), 2);
    // The last of two of one name counts, as in a map.
    let twice = JobArgs::from_json(r#"{"number":1,"number":2}"#).unwrap();
    assert_eq!(twice.to_typed::<Bill>().unwrap().number, 2);
}

/// A text of which some part could not be read later is refused at once.
#[test]
fn arguments_are_read_whole_or_not_at_all() {
    for text in [
        "",
        "null",
        "[]",
        "1",
        "\"x\"",
        "{",
        r#"{"a":}"#,
        r#"{"a":1} x"#,
        r#"{"a":[1,{"b":1e999}]}"#,
        r#"{"a":"\ud800"}"#,
        r#"{1:2}"#,
    ] {
        let refused = JobArgs::from_json(text).unwrap_err().to_string();
        assert!(
            refused.contains("do not fit `a JSON object`"),
            "{text}: {refused}"
        );
    }
}

#[test]
fn names_give_the_same_id_for_ever() {
    let id = JobId::from_name(TenantId::HOST, "BackgroundWorkers", "shop.purge-carts");
    assert_eq!(
        id,
        JobId::from_name(TenantId::HOST, "BackgroundWorkers", "shop.purge-carts")
    );
    assert_ne!(
        JobId::from_name(TenantId::HOST, "ab", "c"),
        JobId::from_name(TenantId::HOST, "a", "bc")
    );
    assert_eq!(id.as_uuid().get_version_num(), 5);
}

#[test]
fn lanes_keep_pins_and_suspicion_apart() {
    let lane = Lane::node("batch-1");
    assert_eq!(lane.suspect().as_str(), "suspect/node:batch-1");
    assert_eq!(lane.suspect().suspect(), lane.suspect());
    assert_eq!(lane.suspect().base(), lane);
    assert_eq!(Lane::unknown_type(Some("a"), "t").as_str(), "node:a/type:t");
    assert_eq!(rank_of(JobPriority::High), 0);
    assert!(rank_of(JobPriority::Low) > rank_of(JobPriority::Normal));
}

#[test]
fn default_waits_grow_by_half() {
    let policy = RetryPolicy::from_base(Duration::from_secs(300));
    let waits: Vec<_> = (1..=4).map(|n| policy.wait(n, 0.5).as_secs()).collect();
    assert_eq!(waits, [300, 450, 675, 1012]);
    assert_eq!(policy.wait(50, 0.5), RetryPolicy::DEFAULT_CAP);
}

proptest! {
    #[test]
    fn waits_stay_within_cap_and_jitter(failures in 0u32..2_000, chance in 0.0f64..=1.0, base in 1u64..100_000) {
        let policy = RetryPolicy::from_base(Duration::from_secs(base));
        let wait = policy.wait(failures, chance).as_secs_f64();
        let middle = policy.wait(failures, 0.5).as_secs_f64();
        prop_assert!(wait <= policy.cap.as_secs_f64() * 1.1 + 1e-6);
        prop_assert!((wait - middle).abs() <= middle * 0.1 + 1e-6);
        prop_assert!(policy.wait(failures + 1, 0.5) >= policy.wait(failures, 0.5));
    }
}

#[test]
fn lanes_say_which_node_and_which_type_they_need() {
    let parts = |lane: &Lane| {
        (
            lane.pin().map(ToOwned::to_owned),
            lane.needed_type().map(ToOwned::to_owned),
        )
    };
    let some = |text: &str| Some(text.to_owned());
    for (lane, expected) in [
        (Lane::any_node(), (None, None)),
        (Lane::node("n"), (some("n"), None)),
        (Lane::unknown_type(None, "a/node:b"), (None, some("a/node:b"))),
        (
            Lane::unknown_type(Some("n"), "type:t"),
            (some("n"), some("type:t")),
        ),
    ] {
        assert_eq!(parts(&lane), expected, "{lane}");
        assert_eq!(parts(&lane.suspect()), expected, "{lane}");
    }
}
