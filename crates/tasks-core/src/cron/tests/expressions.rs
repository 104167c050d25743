//! What may stand in an expression and what may not.

use super::{CronError, CronSchedule, at, dates, error, fires, schedule};

fn utc_times(expression: &str, after: &str, count: usize) -> Vec<String> {
    fires(expression, "UTC", after, count)
}

#[test]
fn six_fields_start_with_seconds() {
    assert_eq!(
        utc_times("15 30 9 * * ?", "2026-11-22T00:00:00Z", 2),
        ["2026-11-22T09:30:15Z", "2026-11-23T09:30:15Z"]
    );
}

#[test]
fn five_fields_start_with_minutes() {
    assert_eq!(
        utc_times("30 9 * * *", "2026-11-22T09:30:00Z", 2),
        ["2026-11-23T09:30:00Z", "2026-11-24T09:30:00Z"]
    );
}

#[test]
fn the_seventh_field_is_the_year() {
    assert_eq!(
        utc_times("0 0 12 1 1 ? 2027,2030/2", "2026-11-22T00:00:00Z", 3),
        [
            "2027-01-01T12:00:00Z",
            "2030-01-01T12:00:00Z",
            "2032-01-01T12:00:00Z"
        ]
    );
    assert_eq!(
        schedule("0 0 0 1 1 ? 2027", "UTC").next_after(at("2027-01-01T00:00:00Z")),
        None
    );
    assert_eq!(dates("0 0 0 1 1 ? 2199", "2026-01-01", 2), ["2199-01-01"]);
}

#[test]
fn the_next_fire_is_strictly_after() {
    let schedule = schedule("0 * * * * ?", "UTC");
    assert_eq!(
        schedule.next_after(at("2026-11-22T10:00:00Z")),
        Some(at("2026-11-22T10:01:00Z"))
    );
    assert_eq!(
        schedule.next_after(at("2026-11-22T09:59:59.999999Z")),
        Some(at("2026-11-22T10:00:00Z"))
    );
    assert_eq!(
        schedule.next_after(at("2026-11-22T10:00:00.000001Z")),
        Some(at("2026-11-22T10:01:00Z"))
    );
}

#[test]
fn sunday_is_1_in_quartz_and_0_or_7_in_unix() {
    let sundays = ["2026-11-29", "2026-12-06"];
    for expression in [
        "0 0 0 ? * 1",
        "0 0 0 ? * SUN",
        "0 0 0 * * sun",
        "0 0 * * 0",
        "0 0 * * 7",
        "0 0 * * SUN",
        "0 0 * * 7-7",
    ] {
        assert_eq!(dates(expression, "2026-11-22", 2), sundays, "{expression}");
    }
    assert_eq!(dates("0 0 0 ? * 7", "2026-11-22", 1), ["2026-11-28"]);
    assert_eq!(
        dates("0 0 * * 5-7", "2026-11-22", 3),
        ["2026-11-27", "2026-11-28", "2026-11-29"]
    );
    assert_eq!(
        dates("0 0 * * 7-1", "2026-11-22", 3),
        ["2026-11-23", "2026-11-29", "2026-11-30"]
    );
    assert_eq!(
        dates("0 0 * * 0-7", "2026-11-22", 2),
        ["2026-11-23", "2026-11-24"]
    );
    assert_eq!(
        dates("0 0 * * */2", "2026-11-22", 4),
        ["2026-11-24", "2026-11-26", "2026-11-28", "2026-11-29"]
    );
}

#[test]
fn lists_steps_and_ranges_over_the_end() {
    assert_eq!(
        utc_times("0 50-10/10 22-2/2 * * ?", "2026-11-22T12:00:00Z", 5),
        [
            "2026-11-22T22:00:00Z",
            "2026-11-22T22:10:00Z",
            "2026-11-22T22:50:00Z",
            "2026-11-23T00:00:00Z",
            "2026-11-23T00:10:00Z"
        ]
    );
    assert_eq!(
        dates("0 0 0 ? * FRI-MON", "2026-11-22", 5),
        [
            "2026-11-23",
            "2026-11-27",
            "2026-11-28",
            "2026-11-29",
            "2026-11-30"
        ]
    );
    assert_eq!(
        dates("0 0 0 30-2 * ?", "2026-11-22", 4),
        ["2026-11-30", "2026-12-01", "2026-12-02", "2026-12-30"]
    );
    assert_eq!(
        dates("0 0 0 1 NOV-feb ?", "2026-11-22", 3),
        ["2026-12-01", "2027-01-01", "2027-02-01"]
    );
    assert_eq!(
        dates("0 0 0 1,15-17,*/30 * ?", "2026-11-22", 4),
        ["2026-12-01", "2026-12-15", "2026-12-16", "2026-12-17"]
    );
    assert_eq!(
        utc_times("/20 0 0 * * ?", "2026-11-22T00:00:00Z", 2),
        ["2026-11-22T00:00:20Z", "2026-11-22T00:00:40Z"]
    );
}

#[test]
fn last_days_of_the_month() {
    assert_eq!(
        dates("0 0 0 L * ?", "2028-01-01", 3),
        ["2028-01-31", "2028-02-29", "2028-03-31"]
    );
    assert_eq!(
        dates("0 0 0 L-3 * ?", "2027-02-01", 2),
        ["2027-02-25", "2027-03-28"]
    );
    // Three days before the last of February is the 25th, but 29 days before it is no day.
    assert_eq!(
        dates("0 0 0 L-29 * ?", "2027-01-15", 3),
        ["2027-03-02", "2027-04-01", "2027-05-02"]
    );
    // 31 January 2026 is a Saturday, 31 May a Sunday.
    assert_eq!(
        dates("0 0 0 LW 1,5 ?", "2026-01-01", 2),
        ["2026-01-30", "2026-05-29"]
    );
    assert_eq!(
        dates("0 0 0 l,1 * ?", "2026-11-22", 3),
        ["2026-11-30", "2026-12-01", "2026-12-31"]
    );
    // 28 February 2026 is a Saturday, so the 27th is asked for and stays.
    assert_eq!(dates("0 0 0 L-1W 2 ?", "2026-01-01", 1), ["2026-02-27"]);
}

#[test]
fn working_days_nearest_to_a_day_stay_in_the_month() {
    // 15 August 2026 is a Saturday, 15 November a Sunday.
    assert_eq!(
        dates("0 0 0 15W 8,11 ?", "2026-01-01", 2),
        ["2026-08-14", "2026-11-16"]
    );
    // 1 August 2026 is a Saturday; the day before would be July.
    assert_eq!(dates("0 0 0 1W 8 ?", "2026-01-01", 1), ["2026-08-03"]);
    // 31 May 2026 is a Sunday; the day after would be June.
    assert_eq!(dates("0 0 0 31W 5 ?", "2026-01-01", 1), ["2026-05-29"]);
    assert_eq!(
        dates("0 0 0 31W * ?", "2026-02-01", 2),
        ["2026-03-31", "2026-05-29"]
    );
}

#[test]
fn days_of_the_week_by_their_place_in_the_month() {
    assert_eq!(
        dates("0 0 0 ? * 6#3", "2026-11-01", 2),
        ["2026-11-20", "2026-12-18"]
    );
    assert_eq!(dates("0 0 0 ? * fri#3", "2026-11-01", 1), ["2026-11-20"]);
    assert_eq!(
        dates("0 0 0 ? * MON#5", "2026-11-01", 2),
        ["2026-11-30", "2027-03-29"]
    );
    assert_eq!(
        dates("0 0 0 ? * 6L", "2026-11-01", 2),
        ["2026-11-27", "2026-12-25"]
    );
    assert_eq!(
        dates("0 0 0 ? * SUNL", "2026-11-01", 2),
        ["2026-11-29", "2026-12-27"]
    );
    assert_eq!(
        dates("0 0 0 ? * L", "2026-11-22", 2),
        ["2026-11-28", "2026-12-05"]
    );
    assert_eq!(
        dates("0 0 0 ? * MON#1,FRIL", "2026-11-01", 3),
        ["2026-11-02", "2026-11-27", "2026-12-07"]
    );
}

#[test]
fn unix_day_fields_are_joined_by_or() {
    assert_eq!(
        dates("0 0 13 * FRI", "2026-11-10", 4),
        ["2026-11-13", "2026-11-20", "2026-11-27", "2026-12-04"]
    );
    assert_eq!(
        dates("0 0 13 * 1", "2026-11-10", 3),
        ["2026-11-13", "2026-11-16", "2026-11-23"]
    );
    assert_eq!(
        dates("0 0 */10 * 1", "2026-11-22", 3),
        ["2026-11-23", "2026-11-30", "2026-12-01"]
    );
    assert_eq!(
        dates("0 0 */1 * 1", "2026-11-22", 2),
        ["2026-11-23", "2026-11-30"]
    );
    assert_eq!(dates("0 0 1 * *", "2026-11-22", 2), ["2026-12-01", "2027-01-01"]);
}

#[test]
fn one_quartz_day_field_must_be_free() {
    for expression in ["0 0 0 ? * MON", "0 0 0 * * MON", "0 0 0 */1 * 2"] {
        assert_eq!(dates(expression, "2026-11-22", 1), ["2026-11-23"], "{expression}");
    }
    for expression in ["0 0 0 * * ?", "0 0 0 ? * *", "0 0 0 ? * ?", "0 0 0 * * *"] {
        assert_eq!(dates(expression, "2026-11-22", 1), ["2026-11-23"], "{expression}");
    }
    let error = error("0 0 0 13 * FRI");
    assert!(
        matches!(&error, CronError::BothDays { day_of_month, day_of_week } if day_of_month == "13" && day_of_week == "FRI")
    );
    assert!(
        error.to_string().contains("day-of-month") && error.to_string().contains("day-of-week"),
        "{error}"
    );
}

#[test]
fn shortcuts() {
    for (shortcut, expected) in [
        ("@yearly", "2027-01-01T00:00:00Z"),
        ("@annually", "2027-01-01T00:00:00Z"),
        ("@monthly", "2026-12-01T00:00:00Z"),
        ("@weekly", "2026-11-29T00:00:00Z"),
        ("@daily", "2026-11-24T00:00:00Z"),
        ("@midnight", "2026-11-24T00:00:00Z"),
        ("@hourly", "2026-11-23T11:00:00Z"),
        (" @Hourly ", "2026-11-23T11:00:00Z"),
    ] {
        assert_eq!(
            utc_times(shortcut, "2026-11-23T10:00:00Z", 1),
            [expected],
            "{shortcut}"
        );
    }
    assert_eq!(
        error("@reboot"),
        CronError::Shortcut {
            text: "@reboot".to_owned()
        }
    );
}

#[test]
fn the_number_of_fields_is_checked() {
    for (expression, found) in [("", 0), ("  ", 0), ("* * * *", 4), ("0 0 0 * * ? * *", 8)] {
        assert_eq!(error(expression), CronError::FieldCount { found }, "{expression}");
    }
    let tabs_and_spaces = schedule(" 0\t0  0 * * ? ", "UTC");
    assert_eq!(tabs_and_spaces.expression(), " 0\t0  0 * * ? ");
}

#[test]
fn a_wrong_part_is_reported_with_its_field() {
    let cases = [
        ("60 0 0 * * ?", "second", "60"),
        ("0/60 0 0 * * ?", "second", "0/60"),
        ("0 60 0 * * ?", "minute", "60"),
        ("0 0,61 0 * * ?", "minute", "61"),
        ("0 */0 0 * * ?", "minute", "*/0"),
        ("0 5/ 0 * * ?", "minute", "5/"),
        ("0 / 0 * * ?", "minute", "/"),
        ("0 ? 0 * * ?", "minute", "?"),
        ("0 0 24 * * ?", "hour", "24"),
        ("0 0 -1 * * ?", "hour", "-1"),
        ("0 0 +1 * * ?", "hour", "+1"),
        ("0 0 1- * * ?", "hour", "1-"),
        ("0 0 1-2-3 * * ?", "hour", "1-2-3"),
        ("0 0 1/2/3 * * ?", "hour", "1/2/3"),
        ("0 0 0/24 * * ?", "hour", "0/24"),
        ("0 0 1, * * ?", "hour", ""),
        ("0 0 ٣ * * ?", "hour", "٣"),
        ("0 0 1*2 * * ?", "hour", "1*2"),
        ("0 0 99999999999999999999 * * ?", "hour", "99999999999999999999"),
        ("0 0 0 0 * ?", "day-of-month", "0"),
        ("0 0 0 32 * ?", "day-of-month", "32"),
        ("0 0 0 L-31 * ?", "day-of-month", "L-31"),
        ("0 0 0 L3 * ?", "day-of-month", "L3"),
        ("0 0 0 W * ?", "day-of-month", "W"),
        ("0 0 0 32W * ?", "day-of-month", "32W"),
        ("0 0 0 1-5W * ?", "day-of-month", "1-5W"),
        ("0 0 0 WL * ?", "day-of-month", "WL"),
        ("0 0 0 ?,5 * ?", "day-of-month", "?,5"),
        ("0 0 0 MON * ?", "day-of-month", "MON"),
        ("0 0 0 ? 0 *", "month", "0"),
        ("0 0 0 ? 13 *", "month", "13"),
        ("0 0 0 ? JANUARY *", "month", "JANUARY"),
        ("0 0 0 ? L *", "month", "L"),
        ("0 0 0 ? * 0", "day-of-week", "0"),
        ("0 0 0 ? * 8", "day-of-week", "8"),
        ("0 0 0 ? * FUN", "day-of-week", "FUN"),
        ("0 0 0 ? * 6#0", "day-of-week", "6#0"),
        ("0 0 0 ? * 6#6", "day-of-week", "6#6"),
        ("0 0 0 ? * #2", "day-of-week", "#2"),
        ("0 0 0 ? * LL", "day-of-week", "LL"),
        ("0 0 0 ? * MON/8", "day-of-week", "MON/8"),
        ("0 0 0 * * ? 1969", "year", "1969"),
        ("0 0 0 * * ? 2200", "year", "2200"),
        ("0 0 0 * * ? 2030-2020", "year", "2030-2020"),
        ("0 0 0 * * ? ?", "year", "?"),
        ("60 * * * *", "minute", "60"),
        ("0 24 * * *", "hour", "24"),
        ("0 0 L * *", "day-of-month", "L"),
        ("0 0 ? * 1", "day-of-month", "?"),
        ("0 0 15W * *", "day-of-month", "15W"),
        ("0 0 * * 8", "day-of-week", "8"),
        ("0 0 * * 5L", "day-of-week", "5L"),
        ("0 0 * * 5#2", "day-of-week", "5#2"),
    ];
    for (expression, field, text) in cases {
        let error = error(expression);
        let CronError::Field {
            field: found,
            text: part,
            ..
        } = &error
        else {
            panic!("{expression}: {error}")
        };
        assert_eq!((*found, part.as_str()), (field, text), "{expression}");
        assert!(
            error
                .to_string()
                .contains(&format!("cron field {field}: `{text}`")),
            "{error}"
        );
        assert!(error.to_string().contains("expected "), "{error}");
    }
}

#[test]
fn an_unknown_zone_is_named() {
    for zone in ["Europe/Atlantis", "", "+01:00"] {
        let error = CronSchedule::parse("@daily", Some(zone)).unwrap_err();
        assert_eq!(
            error,
            CronError::Zone {
                zone: zone.to_owned()
            }
        );
    }
    assert_eq!(CronSchedule::parse("@daily", None).unwrap().zone(), "UTC");
    assert_eq!(schedule("@daily", "Europe/London").zone(), "Europe/London");
    assert_eq!(
        schedule("@daily", "Europe/London").to_string(),
        "@daily (Europe/London)"
    );
}

#[test]
fn schedules_that_never_fire_end_the_search() {
    for expression in [
        "0 0 0 30 2 ?",
        "0 0 0 31 4,6,9,11 ?",
        "* * * 30 FEB ?",
        "0 0 30 2 *",
        "0 0 0 29 2 ? 2027",
        "0 0 0 L-30 2 ?",
    ] {
        for zone in ["UTC", "Europe/London", "Pacific/Apia"] {
            for after in [
                "1900-01-01T00:00:00Z",
                "2026-11-22T00:00:00Z",
                "2199-12-30T00:00:00Z",
            ] {
                assert_eq!(
                    schedule(expression, zone).next_after(at(after)),
                    None,
                    "{expression} {zone} {after}"
                );
            }
        }
    }
}

#[test]
fn the_search_has_a_first_and_a_last_year() {
    let every_second = schedule("* * * * * ?", "UTC");
    assert_eq!(
        every_second.next_after(at("1066-10-14T09:00:00Z")),
        Some(at("1970-01-01T00:00:00Z"))
    );
    assert_eq!(
        every_second.next_after(at("2199-12-31T23:59:58Z")),
        Some(at("2199-12-31T23:59:59Z"))
    );
    assert_eq!(every_second.next_after(at("2199-12-31T23:59:59Z")), None);
    for zone in [
        "UTC",
        "Pacific/Kiritimati",
        "Pacific/Pago_Pago",
        "Africa/Monrovia",
    ] {
        for expression in ["* * * * * ?", "0 30 2 * * ?"] {
            let schedule = schedule(expression, zone);
            assert_eq!(
                schedule.next_after(chrono::DateTime::<chrono::Utc>::MAX_UTC),
                None
            );
            let tz: chrono_tz::Tz = zone.parse().unwrap();
            let first = schedule
                .next_after(chrono::DateTime::<chrono::Utc>::MIN_UTC)
                .unwrap();
            assert_eq!(
                first.with_timezone(&tz).date_naive().to_string(),
                "1970-01-01",
                "{expression} {zone}"
            );
        }
    }
}
