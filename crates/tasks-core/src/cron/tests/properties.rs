//! Random and systematic comparison with the oracle and with the `cron` crate.

use std::str::FromStr;

use chrono::offset::LocalResult;
use chrono::{DateTime, NaiveDate, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use proptest::prelude::*;
use proptest::sample::select;

use super::super::CronSchedule;
use super::oracle::{Oracle, clock_changes, walk};
use super::random::{
    DAY, HOUR, element, from_2000_to_2060, hours, list, minutely, or_star, quartz_days, unix_days,
    zone_and_instant,
};
use super::{at, schedule};

const ZONES: [Tz; 9] = [
    Tz::Europe__London,
    Tz::America__New_York,
    Tz::America__Sao_Paulo,
    Tz::Australia__Lord_Howe,
    Tz::Africa__Casablanca,
    Tz::Asia__Kathmandu,
    Tz::Asia__Shanghai,
    Tz::Pacific__Apia,
    Tz::America__St_Johns,
];

fn instant(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(seconds, 0).unwrap()
}

/// Asks the schedule from just before the window on, fire by fire, up to the first fire outside.
fn fires_in(schedule: &CronSchedule, window: std::ops::Range<i64>) -> Vec<i64> {
    let just_before = instant(window.start) - TimeDelta::microseconds(1);
    std::iter::successors(schedule.next_after(just_before), |fire| {
        schedule.next_after(*fire)
    })
    .map(|fire| fire.timestamp())
    .take_while(|fire| *fire < window.end)
    .collect()
}

/// The fire after any instant of a window must be the oracle's first one after it.
fn assert_next_from_anywhere(
    schedule: &CronSchedule,
    expected: &[i64],
    window: std::ops::Range<i64>,
    step: usize,
) {
    for after in window.clone().step_by(step) {
        let first = expected.iter().copied().find(|fire| *fire > after);
        let next = schedule
            .next_after(instant(after))
            .map(|next| next.timestamp())
            .filter(|next| *next < window.end);
        assert_eq!(next, first, "{schedule} after {}", instant(after));
    }
}

#[test]
fn every_clock_change_from_2000_to_2060_is_as_the_oracle_says() {
    let expressions = [
        "* * * * *",
        "0 30 * * * ?",
        "0 0/7 1/2 * * ?",
        "0 30 2 * * ?",
        "0 0/20 0-3 * * ?",
        "0 15,45 22-2/2 * * ?",
        "0 0 0 * * ?",
        "0 1 0,1,2,3,23 ? * SUN,SAT,MON",
        "0 59 0,1,2 L * ?",
        "*/10 23-3 1-7 * SUN",
    ];
    let oracles = expressions.map(Oracle::new);
    let mut changes_seen = 0;
    for zone in ZONES {
        for change in clock_changes(zone, from_2000_to_2060()) {
            changes_seen += 1;
            let window = change - 3 * HOUR..change + 3 * HOUR;
            let walk = walk(zone, &window, 60);
            for (expression, oracle) in expressions.iter().zip(&oracles) {
                let expected = oracle.fires_on(&walk, window.start);
                let schedule = schedule(expression, zone.name());
                assert_eq!(
                    fires_in(&schedule, window.clone()),
                    expected,
                    "{schedule} around {}",
                    instant(change)
                );
                assert_next_from_anywhere(&schedule, &expected, change - HOUR..window.end, 1501);
            }
        }
    }
    assert!(
        changes_seen > 500,
        "the zones change their clocks about 600 times, not {changes_seen}"
    );
}

#[test]
fn a_time_of_day_fires_once_for_each_date() {
    let first = NaiveDate::from_ymd_opt(2000, 1, 1).unwrap();
    for zone in ZONES {
        let schedule = schedule("0 30 2 * * ?", zone.name());
        let mut fire = schedule
            .next_after(instant(from_2000_to_2060().start - DAY))
            .unwrap();
        let mut date = fire.with_timezone(&zone).date_naive();
        assert!(date <= first);
        while date.to_string().as_str() < "2061" {
            let next = schedule.next_after(fire).unwrap();
            // Apia's missing day fires at the start of the one after it.
            let expected = if date.to_string() == "2011-12-29" && zone == Tz::Pacific__Apia {
                NaiveDate::from_ymd_opt(2011, 12, 31).unwrap()
            } else if date.to_string() == "2011-12-31" && next.timestamp() - fire.timestamp() < 3 * HOUR {
                date
            } else {
                date.succ_opt().unwrap()
            };
            (fire, date) = (next, next.with_timezone(&zone).date_naive());
            assert_eq!(date, expected, "{zone}");
        }
    }
}

fn config(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

proptest! {
    #![proptest_config(config(250))]

    #[test]
    fn minute_by_minute_it_fires_as_the_oracle_says(
        expression in minutely(),
        (zone, middle) in zone_and_instant(&ZONES),
        seed in 0..6000_i64,
    ) {
        let window = middle - 30 * HOUR..middle + 30 * HOUR;
        let expected = Oracle::new(&expression).fires(zone, window.clone(), 60);
        let schedule = schedule(&expression, zone.name());
        prop_assert_eq!(fires_in(&schedule, window.clone()), expected.clone());
        assert_next_from_anywhere(&schedule, &expected, window.start + seed..window.end, 5003);
    }

    #[test]
    fn it_fires_as_the_oracle_says_in_every_zone_of_the_database(
        expression in minutely(),
        (zone, middle) in zone_and_instant(&chrono_tz::TZ_VARIANTS),
    ) {
        let window = middle - 30 * HOUR..middle + 30 * HOUR;
        let expected = Oracle::new(&expression).fires(zone, window.clone(), 60);
        prop_assert_eq!(fires_in(&schedule(&expression, zone.name()), window), expected);
    }
}

proptest! {
    #![proptest_config(config(25))]

    #[test]
    fn second_by_second_it_fires_as_the_oracle_says(
        second in or_star(list(0, 59, 59)),
        minute in or_star(list(0, 59, 59)),
        hour in hours(),
        (zone, middle) in zone_and_instant(&ZONES),
    ) {
        let expression = format!("{second} {minute} {hour} * * ?");
        let window = middle - 2 * HOUR..middle + 2 * HOUR;
        let expected = Oracle::new(&expression).fires(zone, window.clone(), 1);
        let schedule = schedule(&expression, zone.name());
        prop_assert_eq!(fires_in(&schedule, window.clone()), expected.clone());
        assert_next_from_anywhere(&schedule, &expected, window, 1009);
    }
}

proptest! {
    #![proptest_config(config(60))]

    #[test]
    fn day_by_day_it_fires_as_the_oracle_says(days in prop_oneof![quartz_days(), unix_days()], start in 0..20_000_i64) {
        let time = if days.split(' ').count() == 3 { "0 12" } else { "0 0 12" };
        let expression = format!("{time} {days}");
        let oracle = Oracle::new(&expression);
        let schedule = schedule(&expression, "UTC");
        let noon = from_2000_to_2060().start + start * DAY + DAY / 2;
        let window = noon..(noon + 2500 * DAY).min(from_2000_to_2060().end);
        let expected: Vec<i64> = window
            .clone()
            .step_by(usize::try_from(DAY).unwrap())
            .filter(|fire| oracle.names_day(instant(*fire).date_naive()))
            .collect();
        prop_assert_eq!(fires_in(&schedule, window), expected, "{}", expression);
    }

    #[test]
    fn noons_of_matching_days_are_found_in_every_zone(
        days in quartz_days(),
        zone in select(ZONES.to_vec()),
        start in 0..22_000_i64,
        is_interval in any::<bool>(),
    ) {
        // Both name 12:00 alone, but one means a distance in time and the other a time of the day.
        let hour = if is_interval { "12/12" } else { "12" };
        let expression = format!("0 0 {hour} {days}");
        let oracle = Oracle::new(&expression);
        let start = from_2000_to_2060().start + start * DAY;
        let first = instant(start).with_timezone(&zone).date_naive() + TimeDelta::days(1);
        let expected: Vec<i64> = first
            .iter_days()
            .take(2500)
            .filter(|date| oracle.names_day(*date))
            .filter_map(|date| match zone.from_local_datetime(&date.and_hms_opt(12, 0, 0).unwrap()) {
                LocalResult::Single(noon) => Some(noon.timestamp()),
                LocalResult::Ambiguous(..) => panic!("{zone} has {date} twice"),
                // The day that Apia left out counts at its end, unless only distances in time count.
                LocalResult::None => (!is_interval).then(|| at("2011-12-31T00:00:00+14:00").timestamp()),
            })
            .collect();
        let schedule = schedule(&expression, zone.name());
        let found: Vec<i64> =
            std::iter::successors(schedule.next_after(instant(start + DAY / 2)), |fire| schedule.next_after(*fire))
                .map(|fire| fire.timestamp())
                .skip_while(|fire| instant(*fire).with_timezone(&zone).date_naive() < first)
                .take(expected.len())
                .collect();
        prop_assert_eq!(found, expected, "{}", expression);
    }

    #[test]
    fn plain_expressions_fire_as_in_the_cron_crate(
        minute in or_star((0..60_u32).prop_map(|minute| minute.to_string())),
        hour in or_star(element(0, 23, 23).prop_filter("the crate has no ranges over the end", |text| ascends(text))),
        day in or_star((1..=28_u32, 1..=9_u32).prop_map(|(day, step)| format!("{day}/{step}"))),
        weekday in or_star(select(vec!["MON-FRI", "1", "7", "2,4,6", "TUE"]).prop_map(str::to_owned)),
        after in from_2000_to_2060(),
    ) {
        let weekday = if day == "*" { weekday } else { "*".to_owned() };
        let expression = format!("0 {minute} {hour} {day} * {weekday}");
        let theirs = cron::Schedule::from_str(&expression).unwrap();
        let ours = CronSchedule::parse(&expression, None).unwrap();
        let mut fire = instant(after);
        for expected in theirs.after(&instant(after)).take(40) {
            fire = ours.next_after(fire).unwrap();
            prop_assert_eq!(fire, expected, "{}", expression);
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in "[-0-9*?/,#LWa-zA-Z@ ]{0,30}") {
        if let Ok(schedule) = CronSchedule::parse(&text, Some("Europe/London")) {
            let _ = schedule.next_after(at("2026-11-22T00:00:00Z"));
            prop_assert!(!schedule.explain().is_empty());
        }
    }
}

fn ascends(text: &str) -> bool {
    let range = text.split('/').next().unwrap_or_default();
    range
        .split_once('-')
        .is_none_or(|(from, to)| from.parse::<u32>().unwrap() <= to.parse::<u32>().unwrap())
}
