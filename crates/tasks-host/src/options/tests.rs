//! Tests of reading options. Environment variables are covered by tests of whole programs: a process has but one environment.

use std::io::Write;
use std::time::Duration;

use tasks_core::{DurableFinish, Retention};
use tasks_multitenancy::{TenantId, TenantInfo};

use super::duration::duration_text;
use super::layers::{Layers, variable};
use super::{HostOptions, parse_duration};
use crate::Problems;

fn read(toml: &str) -> (HostOptions, Problems) {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(toml.as_bytes()).expect("written");
    let mut problems = Problems::default();
    let layers = Layers {
        file: Some(file.path().to_owned()),
        reads_environment: false,
    };
    let options = layers.read(Vec::new(), &mut problems);
    (options, problems)
}

#[test]
fn a_file_sets_options_and_leaves_the_others() {
    let (options, problems) = read(
        "node_name = \"n\"\nmax_concurrency = 3\nheartbeat = \"1s\"\nlease = 9000\ndurable_finish = \"each\"\ndatabase = \"sqlite://x.db\"\n\
         [limits]\nargs_bytes = 10\n[app]\nanything = 1\n",
    );
    assert!(problems.is_empty(), "{problems}");
    assert_eq!(options.engine.node_name, "n");
    assert_eq!(options.engine.max_concurrency, 3);
    assert_eq!(options.engine.heartbeat, Duration::from_secs(1));
    assert_eq!(options.engine.lease, Duration::from_secs(9));
    assert_eq!(options.engine.durable_finish, DurableFinish::Each);
    assert_eq!(options.engine.limits.args_bytes, 10);
    assert_eq!(options.database.as_deref(), Some("sqlite://x.db"));
    assert_eq!(
        options.engine.finish_batch,
        HostOptions::default().engine.finish_batch
    );
}

#[test]
fn every_fault_is_reported() {
    let (_, problems) = read(
        "max_concurrency = \"many\"\nheartbeat = \"5 years\"\nlease = \"1s\"\nis_execution_enabled = 7\ntypo = 1\n[limits]\ncorn = 3\n",
    );
    let text = problems.to_string();
    for expected in [
        "`max_concurrency`",
        "`heartbeat`",
        "`lease`",
        "`is_execution_enabled`",
        "`typo`",
        "`limits.corn`",
    ] {
        assert!(text.contains(expected), "{expected} is not in: {text}");
    }
    assert_eq!(problems.lines().len(), 6, "{text}");
}

#[test]
fn a_missing_file_and_bad_toml_are_faults() {
    let mut problems = Problems::default();
    let layers = Layers {
        file: Some("/no/such/file.toml".into()),
        reads_environment: false,
    };
    layers.read(Vec::new(), &mut problems);
    assert!(problems.to_string().contains("/no/such/file.toml"), "{problems}");
    let (_, problems) = read("a = = b");
    assert_eq!(problems.lines().len(), 1, "{problems}");
}

#[test]
fn code_has_the_last_word() {
    let mut problems = Problems::default();
    let layers = Layers {
        file: None,
        reads_environment: false,
    };
    let options = layers.read(vec![Box::new(|it| it.engine.max_concurrency = 0)], &mut problems);
    assert_eq!(options.engine.max_concurrency, 0);
    assert_eq!(
        problems.lines(),
        ["option `max_concurrency` is 0; expected 1 to 100000"]
    );
}

#[test]
fn durations_are_read_as_people_write_them() {
    for (text, millis) in [
        ("500", 500),
        ("500ms", 500),
        ("20s", 20_000),
        ("1m30s", 90_000),
        ("1h 1ms", 3_600_001),
        ("1d", 86_400_000),
    ] {
        assert_eq!(parse_duration(text), Ok(Duration::from_millis(millis)), "{text}");
    }
    for text in ["", "s", "5 years", "-1s", "1.5s", "99999999999999999999s", "5s5"] {
        assert!(parse_duration(text).is_err(), "{text}");
    }
}

#[test]
fn a_key_names_its_variable() {
    assert_eq!(variable("limits.args_bytes"), "TASKS_LIMITS__ARGS_BYTES");
}

#[test]
fn a_file_of_all_defaults_changes_nothing() {
    let names = HostOptions::names();
    let file: String = names
        .iter()
        .filter_map(|it| Some(format!("{} = {}\n", it.key, it.default.as_ref()?)))
        .collect();
    let (options, problems) = read(&file);
    assert!(problems.is_empty(), "{problems}");
    assert_eq!(options, HostOptions::default());
    let without: Vec<&str> = names
        .iter()
        .filter(|it| it.default.is_none())
        .map(|it| it.key.as_str())
        .collect();
    assert_eq!(
        without,
        ["database", "schema", "node_name", "command_poll_interval"]
    );
    let lease = names.iter().find(|it| it.key == "lease").expect("an option");
    assert_eq!(
        (lease.variable.as_str(), lease.default.as_deref()),
        ("TASKS_LEASE", Some("\"20s\""))
    );
}

#[test]
fn durations_are_written_as_they_are_read() {
    for (millis, text) in [
        (0, "0s"),
        (2, "2ms"),
        (90_000, "1m30s"),
        (3_600_001, "1h1ms"),
        (86_400_000 * 3660, "3660d"),
    ] {
        let duration = Duration::from_millis(millis);
        assert_eq!(duration_text(duration), text);
        assert_eq!(parse_duration(text), Ok(duration));
    }
}

#[test]
fn retention_is_read_by_ending_and_by_type() {
    let (options, problems) = read(
        "[cleaning]\ncompleted = \"2d\"\nabandoned = \"never\"\nbatch = 10\n\
         [cleaning.types.\"billing.send-invoice\"]\nlogs = \"365d\"\ncompleted = \"never\"\n\
         [cleaning.types.\"thumbnail\"]\nlogs = \"none\"\ncompleted = \"none\"\n\
         [checking]\nenabled = false\n",
    );
    assert!(problems.is_empty(), "{problems}");
    let cleaning = &options.maintenance.cleaning;
    let days = |it: u64| Retention::For(Duration::from_secs(it * 86_400));
    assert_eq!(
        (cleaning.completed, cleaning.abandoned, cleaning.batch),
        (days(2), Retention::Forever, 10)
    );
    let of_type = cleaning.types["billing.send-invoice"];
    assert_eq!(
        (of_type.logs, of_type.completed, of_type.abandoned),
        (Some(days(365)), Some(Retention::Forever), None)
    );
    assert!(cleaning.enabled && !options.maintenance.checking.enabled);
    let kept = |name| (cleaning.kept_of(name).job, cleaning.kept_of(name).log);
    assert_eq!(kept("thumbnail"), (false, false));
    assert_eq!(kept("billing.send-invoice"), (true, true));
}

#[test]
fn wrong_retention_is_reported_with_its_place() {
    let (_, problems) = read(
        "[cleaning]\ncron = \"often\"\nlogs = \"0s\"\nstopped = \"none\"\n[cleaning.types.t]\nlogs = \"soon\"\nlog = \"1d\"\n[checking]\nbatch = 0\n",
    );
    let text = problems.to_string();
    for expected in [
        "`cleaning.cron`",
        "`cleaning.logs`",
        "`cleaning.stopped`",
        "`cleaning.types.t.logs`",
        "`cleaning.types.t.log`",
        "`checking.batch`",
    ] {
        assert!(text.contains(expected), "{expected} is not in: {text}");
    }
    assert_eq!(problems.lines().len(), 6, "{text}");
}

struct Purge;

#[test]
fn every_fault_of_selectors_is_found_before_start_and_named_by_its_selector() {
    let mut problems = Problems::default();
    let layers = Layers {
        file: None,
        reads_environment: false,
    };
    let select = |options: &mut HostOptions| {
        options
            .selectors
            .add_worker::<Purge>(|it| {
                it.cron("0 0 * * *")
                    .time_zone("Asia/Tokyo")
                    .timeout(Duration::from_secs(5))
            })
            .add_namespace("a", |it| it.cron("every day"))
            .add_namespace("b", |it| it.time_zone("Mars/Olympus"))
            .add_namespace("c", |it| it.node_name("a/b").interval(Duration::ZERO))
            .add_namespace("d", |it| it.cron("0 0 0 30 2 ?"))
            .add_namespace("e", |it| it.cron("0 0 * * *").interval(Duration::from_secs(5)));
    };
    layers.read(vec![Box::new(select)], &mut problems);
    let text = problems.to_string();
    for (selector, field) in [
        ("a", ".cron"),
        ("b", ".time_zone"),
        ("c", ".node_name"),
        ("c", ".interval"),
        ("d", ".cron"),
        ("e", ""),
    ] {
        let found = text
            .matches(&format!("selectors.Namespace:{selector}{field}`"))
            .count();
        assert_eq!(found, 1, "{selector}{field} in {text}");
    }
    assert!(!text.contains("Purge"), "{text}");
}

#[test]
fn tenants_are_read_from_their_tables() {
    let (options, problems) = read(
        "[tenants.acme]\nname = \"Acme\"\n[tenants.globex]\n\
         [tenants.\"old.one\"]\nid = \"0190b0c0-0000-7000-8000-00000000000a\"\nactive = false\n",
    );
    assert!(problems.is_empty(), "{problems}");
    let mut old = TenantInfo::new(
        "0190b0c0-0000-7000-8000-00000000000a".parse().expect("an id"),
        "old.one",
    );
    old.is_active = false;
    assert_eq!(
        options.tenants,
        [
            TenantInfo::new(TenantId::from_name("acme"), "Acme"),
            TenantInfo::new(TenantId::from_name("globex"), "globex"),
            old
        ]
    );
}

#[test]
fn every_fault_of_tenants_is_reported() {
    let (_, problems) = read(
        "[tenants]\nsolo = \"Solo\"\n[tenants.a]\nname = \" \"\n[tenants.b]\nid = \"b\"\nactiv = true\n[tenants.c]\nactive = \"maybe\"\n\
         [tenants.d]\nname = \"C\"\n[tenants.e]\nid = \"00000000-0000-0000-0000-000000000000\"\n\
         [tenants.f]\nid = \"0190b0c0-0000-7000-8000-00000000000a\"\n[tenants.g]\nid = \"0190b0c0-0000-7000-8000-00000000000a\"\n\
         [tenants.h]\nname = 7\n",
    );
    let text = problems.to_string();
    for expected in [
        "`tenants.solo` is no option",
        "has a blank name",
        "`tenants.b.id`: `b`: ",
        "`tenants.b.activ` is no option",
        "`tenants.c.active`: `maybe` is neither",
        "have the same name `C`",
        "tenant `e` has the nil UUID",
        "tenants `f` and `g` have the same id",
        "`tenants.h.name`: ",
    ] {
        assert!(text.contains(expected), "{expected} is not in: {text}");
    }
    assert_eq!(problems.lines().len(), 9, "{text}");
}

#[test]
fn a_debug_text_of_options_has_no_password() {
    let (options, problems) = read("database = \"postgres://u:secret@host/db\"\nschema = \"jobs\"\n");
    assert!(problems.is_empty(), "{problems}");
    assert_eq!(options.schema.as_deref(), Some("jobs"));
    let debug = format!("{options:?}");
    assert!(!debug.contains("secret") && debug.contains("jobs"), "{debug}");
}
