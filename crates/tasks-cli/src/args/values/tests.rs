//! Tests of values on the command line.

use chrono::TimeDelta;

use super::*;

#[test]
fn an_instant_is_rfc_3339_or_seconds() {
    let expected = of_seconds(1_800_000_000);
    for text in ["1800000000", "2027-01-15T08:00:00Z", "2027-01-15T09:00:00+01:00"] {
        assert_eq!(instant(text), Ok(expected), "{text}");
    }
    assert_eq!(instant("-9999999999999999"), Ok(DateTime::<Utc>::MIN_UTC));
    assert_eq!(instant("9999999999999999"), Ok(DateTime::<Utc>::MAX_UTC));
    for text in ["", "now", "2027-01-15", "1.5"] {
        assert!(instant(text).is_err(), "{text}");
    }
}

#[test]
fn a_past_time_is_an_instant_or_a_distance() {
    let now = of_seconds(1_800_000_000);
    assert_eq!(
        since("1h30m").map(|it| it.from(now)),
        Ok(now - TimeDelta::minutes(90))
    );
    assert_eq!(
        since("2027-01-15T07:00:00Z").map(|it| it.from(now)),
        Ok(now - TimeDelta::hours(1))
    );
    assert_eq!(
        since("99999999999d").map(|it| it.from(now)),
        Ok(DateTime::<Utc>::MIN_UTC)
    );
    // Seconds since 1970, or milliseconds ago? Neither.
    assert!(since("1800000000").is_err());
    assert!(since("yesterday").is_err());
}

#[test]
fn a_tenant_is_an_id_a_name_or_the_host() {
    assert_eq!(tenant("host"), Ok(TenantName::Id(TenantId::HOST)));
    let id = TenantId::from_name("acme");
    assert_eq!(tenant(&id.to_string()), Ok(TenantName::Id(id)));
    assert_eq!(tenant("acme"), Ok(TenantName::Named("acme".to_owned())));
    assert!(tenant(" ").is_err());
}

#[test]
fn arguments_are_json_or_a_file_of_it() {
    assert_eq!(
        job_args("{\"a\": 1}").map(|it| it.to_json()),
        Ok("{\"a\":1}".to_owned())
    );
    assert_eq!(job_args("null"), Ok(JobArgs::new()));
    let whole: Result<Vec<u8>, _> = job_args("[1, 2]").map(|it| it.to_typed().unwrap());
    assert_eq!(whole, Ok(vec![1, 2]));
    assert!(job_args("{a: 1}").is_err());
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), "{\"b\": 2}").unwrap();
    let text = format!("@{}", file.path().display());
    assert_eq!(job_args(&text).map(|it| it.to_json()), Ok("{\"b\":2}".to_owned()));
    assert!(job_args("@missing.json").unwrap_err().contains("missing.json"));
}

#[test]
fn policies_are_read() {
    let policy = retry_policy("30s").unwrap();
    assert_eq!(policy, RetryPolicy::from_base(Duration::from_secs(30)));
    let policy = retry_policy("1s,factor=2,cap=1h,jitter=0").unwrap();
    assert_eq!((policy.factor, policy.jitter), (2.0, 0.0));
    assert_eq!(policy.cap, Duration::from_secs(3600));
    // A first wait beyond the usual longest one is meant.
    assert_eq!(
        retry_policy("2d").unwrap().cap,
        Duration::from_secs(2 * 24 * 3600)
    );
    for wrong in ["", "soon", "1s,2s", "1s,factor=x", "1s,limit=3"] {
        assert!(retry_policy(wrong).is_err(), "{wrong}");
    }
    assert_eq!(misfire_policy("fire-once"), Ok(MisfirePolicy::FireOnce));
    assert_eq!(misfire_policy("skip"), Ok(MisfirePolicy::Skip));
    assert_eq!(
        misfire_policy("fire-all=12"),
        Ok(MisfirePolicy::FireAll { max: 12 })
    );
    for wrong in ["", "fire-all", "fire-all=x", "never"] {
        assert!(misfire_policy(wrong).is_err(), "{wrong}");
    }
}
