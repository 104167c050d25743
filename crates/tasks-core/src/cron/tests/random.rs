//! Random expressions, zones and instants.

use chrono_tz::Tz;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use super::at;
use super::oracle::clock_changes;

pub(super) const HOUR: i64 = 3600;
pub(super) const DAY: i64 = 24 * HOUR;

pub(super) fn from_2000_to_2060() -> std::ops::Range<i64> {
    at("2000-01-01T00:00:00Z").timestamp()..at("2061-01-01T00:00:00Z").timestamp()
}

pub(super) fn element(low: u32, high: u32, max_step: u32) -> impl Strategy<Value = String> {
    let value = low..=high;
    prop_oneof![
        4 => value.clone().prop_map(|value| value.to_string()),
        2 => (value.clone(), value.clone()).prop_map(|(from, to)| format!("{from}-{to}")),
        2 => (value.clone(), 1..=max_step).prop_map(|(from, step)| format!("{from}/{step}")),
        1 => (value.clone(), value, 1..=max_step).prop_map(|(from, to, step)| format!("{from}-{to}/{step}")),
        1 => (2..=max_step).prop_map(|step| format!("*/{step}")),
    ]
}

pub(super) fn list(low: u32, high: u32, max_step: u32) -> impl Strategy<Value = String> {
    prop_oneof![3 => element(low, high, max_step), 1 => vec(element(low, high, max_step), 2..4).prop_map(|all| all.join(","))]
}

pub(super) fn or_star(field: impl Strategy<Value = String> + 'static) -> BoxedStrategy<String> {
    prop_oneof![Just("*".to_owned()), field].boxed()
}

pub(super) fn hours() -> impl Strategy<Value = String> {
    let near_changes = select(vec![
        "*", "*/2", "1/3", "0-3", "22-2", "1", "2", "0,23", "2,3", "*/5", "0/1", "23-1/2",
    ]);
    prop_oneof![3 => near_changes.prop_map(str::to_owned), 1 => list(0, 23, 23)]
}

pub(super) fn month_day() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => element(1, 31, 31),
        1 => Just("L".to_owned()),
        1 => Just("LW".to_owned()),
        1 => (0..=30_u32).prop_map(|back| format!("L-{back}")),
        1 => (0..=30_u32).prop_map(|back| format!("L-{back}W")),
        2 => (1..=31_u32).prop_map(|day| format!("{day}W")),
    ]
}

pub(super) fn quartz_week_day() -> impl Strategy<Value = String> {
    prop_oneof![
        5 => element(1, 7, 7),
        1 => select(vec!["MON-FRI", "FRI-MON", "SAT", "L", "SUNL", "WED#1", "sun-tue/2"]).prop_map(str::to_owned),
        2 => (1..=7_u32, 1..=5_u32).prop_map(|(weekday, nth)| format!("{weekday}#{nth}")),
        1 => (1..=7_u32).prop_map(|weekday| format!("{weekday}L")),
    ]
}

pub(super) fn several(item: impl Strategy<Value = String> + 'static) -> impl Strategy<Value = String> {
    vec(item, 1..4).prop_map(|items| items.join(","))
}

/// Day of month, month, day of week, year.
pub(super) fn quartz_days() -> impl Strategy<Value = String> {
    let days = prop_oneof![
        (several(month_day()), select(vec!["?", "*"])).prop_map(|(day, free)| (day, free.to_owned())),
        (select(vec!["?", "*"]), several(quartz_week_day())).prop_map(|(free, day)| (free.to_owned(), day)),
        Just(("*".to_owned(), "?".to_owned())),
    ];
    let month = or_star(prop_oneof![list(1, 12, 12), Just("NOV-FEB,JUL".to_owned())]);
    let year =
        prop_oneof![4 => Just("*".to_owned()), 1 => (2000..2060_u32).prop_map(|year| format!("{year}/3"))];
    (days, month, year).prop_map(|((day, weekday), month, year)| format!("{day} {month} {weekday} {year}"))
}

pub(super) fn unix_days() -> impl Strategy<Value = String> {
    // A range that ends with 7 is written out in the tests of expressions; the oracle reads 7 as 0 everywhere.
    let week_day = or_star(several(element(0, 6, 7)));
    (
        or_star(several(element(1, 31, 31))),
        or_star(list(1, 12, 12)),
        week_day,
    )
        .prop_map(|(day, month, weekday)| format!("{day} {month} {weekday}"))
}

/// Fires at whole minutes.
pub(super) fn minutely() -> impl Strategy<Value = String> {
    let time = || (or_star(list(0, 59, 59)), hours());
    let any_day = "* * ? *";
    prop_oneof![
        2 => time().prop_map(move |(minute, hour)| format!("0 {minute} {hour} {any_day}")),
        2 => (time(), quartz_days()).prop_map(|((minute, hour), days)| format!("0 {minute} {hour} {days}")),
        1 => (time(), unix_days()).prop_map(|((minute, hour), days)| format!("{minute} {hour} {days}")),
    ]
}

/// An instant near a clock change of one of the zones, or anywhere if it has none.
pub(super) fn zone_and_instant(zones: &[Tz]) -> impl Strategy<Value = (Tz, i64)> + use<> {
    (select(zones.to_vec()), from_2000_to_2060(), -20 * HOUR..20 * HOUR).prop_map(
        |(zone, anywhere, distance)| {
            let changes = clock_changes(zone, anywhere - anywhere.rem_euclid(60)..anywhere + 200 * DAY);
            let near = changes.first().map_or(anywhere, |change| change + distance);
            (zone, near - near.rem_euclid(60))
        },
    )
}
