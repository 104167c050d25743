//! A schedule in words.

use chrono_tz::Tz;

use super::field::Item;
use super::parse::{Part, Parts};

const WEEKDAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];
const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// A list of times of the day is spelled out up to this length.
const MAX_TIMES: usize = 6;

/// For example: "at 02:30, on the last Friday of the month, in January and July, Europe/London time".
pub(super) fn explain(parts: &Parts, zone: Tz) -> String {
    let mut phrases = vec![times(parts), days(parts)];
    if parts.month.restricts() {
        phrases.push(format!(
            "in {}",
            list(&parts.month, |item| plain(item, &parts.month, "month", month))
        ));
    }
    if parts.year.restricts() {
        let year = |year: u32| year.to_string();
        phrases.push(format!(
            "in {}",
            list(&parts.year, |item| plain(item, &parts.year, "year", year))
        ));
    }
    if zone == Tz::UTC {
        phrases.push("UTC".to_owned());
        return phrases.join(", ");
    }
    phrases.push(format!("{} time", zone.name()));
    let change = if parts.is_interval_like() {
        "by elapsed time: local times that a clock change skips do not fire, those that it repeats fire twice"
    } else {
        "a local time that a clock change skips fires once right after it, one that it repeats fires the first time only"
    };
    format!("{} ({change})", phrases.join(", "))
}

fn times(parts: &Parts) -> String {
    if let Some(times) = times_of_day(parts) {
        return format!("at {times}");
    }
    let mut phrases = Vec::new();
    let on_the_minute = parts.second.items == [Item::Value(0)];
    if !on_the_minute {
        phrases.push(clock_part(&parts.second, "second"));
    }
    // "every second, every minute" says no more than "every second".
    if on_the_minute || parts.minute.restricts() || parts.second.restricts() {
        phrases.push(clock_part(&parts.minute, "minute"));
    }
    if parts.hour.restricts() {
        phrases.push(clock_part(&parts.hour, "hour"));
    } else if parts.minute.restricts() {
        phrases.push("every hour".to_owned());
    }
    phrases.join(", ")
}

/// "09:00 and 17:00", where seconds, minutes and hours are single numbers and few.
fn times_of_day(parts: &Parts) -> Option<String> {
    let (hours, minutes) = (single_values(&parts.hour)?, single_values(&parts.minute)?);
    let seconds = single_values(&parts.second)?;
    let &[second] = seconds.as_slice() else {
        return None;
    };
    if hours.len() * minutes.len() > MAX_TIMES {
        return None;
    }
    let mut times = Vec::new();
    for hour in &hours {
        for minute in &minutes {
            times.push(match second {
                0 => format!("{hour:02}:{minute:02}"),
                second => format!("{hour:02}:{minute:02}:{second:02}"),
            });
        }
    }
    Some(join_and(&times))
}

fn single_values(part: &Part) -> Option<Vec<u32>> {
    let mut values = part
        .items
        .iter()
        .map(|item| match item {
            Item::Value(value) => Some(*value),
            _ => None,
        })
        .collect::<Option<Vec<_>>>()?;
    values.sort_unstable();
    values.dedup();
    Some(values)
}

/// Seconds, minutes or hours: "every 10 minutes", "at minutes 5 and 35", "in hours 9 to 17".
fn clock_part(part: &Part, unit: &str) -> String {
    let number = |value: u32| value.to_string();
    let (words, is_one, is_list) = match *part.items.as_slice() {
        [Item::Every { step: 1 } | Item::From { start: 0, step: 1 }] => return format!("every {unit}"),
        [Item::Every { step } | Item::From { start: 0, step }]
            if (part.spec.max + 1).is_multiple_of(step) =>
        {
            return format!("every {step} {unit}s");
        }
        // Any other step starts over with each minute, hour or day, so that its fires are not equally far apart.
        [item @ (Item::Every { step } | Item::From { step, .. })] => {
            let mut values = Vec::new();
            part.spec.each_value(item, |value| values.push(value));
            if let [first, .., last] = *values.as_slice()
                && values.len() > MAX_TIMES
            {
                let every = if step == 1 {
                    unit.to_owned()
                } else {
                    format!("{step} {unit}s")
                };
                return format!(
                    "every {every} from {unit} {first} to {unit} {last} of each {}",
                    whole(unit)
                );
            }
            let words: Vec<_> = values.iter().copied().map(number).collect();
            (join_and(&words), values.len() == 1, true)
        }
        ref items => (
            list(part, |item| plain(item, part, unit, number)),
            items.len() == 1,
            items.iter().all(|item| matches!(item, Item::Value(_))),
        ),
    };
    let preposition = if is_list && unit != "hour" { "at" } else { "in" };
    let plural = if is_one && is_list { "" } else { "s" };
    format!("{preposition} {unit}{plural} {words}")
}

/// What a unit is a part of.
fn whole(unit: &str) -> &'static str {
    match unit {
        "second" => "minute",
        "minute" => "hour",
        _ => "day",
    }
}

fn days(parts: &Parts) -> String {
    let month_days = || list(&parts.day_of_month, |item| month_day(item, &parts.day_of_month));
    let week_days = || list(&parts.day_of_week, |item| week_day(item, &parts.day_of_week));
    match (parts.day_of_month.restricts(), parts.day_of_week.restricts()) {
        (false, false) => "every day".to_owned(),
        (true, false) => format!("on {}", month_days()),
        (false, true) => format!("on {}", week_days()),
        (true, true) => format!("on {} or on {}", month_days(), week_days()),
    }
}

fn month_day(item: Item, part: &Part) -> String {
    match item {
        Item::LastDay {
            back: 0,
            weekday: false,
        } => "the last day of the month".to_owned(),
        Item::LastDay {
            back: 0,
            weekday: true,
        } => "the last working day (Monday to Friday) of the month".to_owned(),
        Item::LastDay { back, weekday: false } => {
            format!(
                "the day {back} {} before the last day of the month",
                plural(back, "day")
            )
        }
        Item::LastDay { back, weekday: true } => format!(
            "the working day (Monday to Friday) nearest to {back} {} before the last day of the month",
            plural(back, "day")
        ),
        Item::NearestWeekday(day) => {
            format!("the working day (Monday to Friday) nearest to day {day} of the month")
        }
        Item::Value(day) => format!("day {day} of the month"),
        Item::Range { from, to, step: 1 } => format!("days {from} to {to} of the month"),
        other => plain(other, part, "day", |day| format!("day {day} of the month")),
    }
}

fn week_day(item: Item, part: &Part) -> String {
    let name = |value: u32| weekday(value - part.spec.min);
    match item {
        Item::NthWeekday { weekday, nth } => format!("the {} {} of the month", ordinal(nth), name(weekday)),
        Item::LastWeekday(weekday) => format!("the last {} of the month", name(weekday)),
        other => plain(other, part, "day", name),
    }
}

/// The forms that every field has.
fn plain(item: Item, part: &Part, unit: &str, name: impl Fn(u32) -> String) -> String {
    let first = part.spec.min;
    match item {
        Item::Value(value) => name(value),
        Item::Range { from, to, step: 1 } => format!("{} to {}", name(from), name(to)),
        Item::Range { from, to, step } => {
            format!(
                "every {} {unit} from {} to {}",
                ordinal(step),
                name(from),
                name(to)
            )
        }
        Item::Every { step: 1 } => format!("every {unit}"),
        Item::Every { step } => format!("every {} {unit} from {} on", ordinal(step), name(first)),
        Item::From { start, step: 1 } => format!("every {unit} from {} on", name(start)),
        Item::From { start, step } => format!("every {} {unit} from {} on", ordinal(step), name(start)),
        Item::Any
        | Item::LastDay { .. }
        | Item::NearestWeekday(_)
        | Item::NthWeekday { .. }
        | Item::LastWeekday(_) => {
            format!("every {unit}")
        }
    }
}

fn list(part: &Part, words: impl Fn(Item) -> String) -> String {
    join_and(&part.items.iter().map(|item| words(*item)).collect::<Vec<_>>())
}

fn join_and(words: &[String]) -> String {
    match words {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn weekday(from_sunday: u32) -> String {
    WEEKDAYS
        .get(from_sunday as usize % 7)
        .copied()
        .unwrap_or_default()
        .to_owned()
}

fn month(number: u32) -> String {
    MONTHS
        .get(number.saturating_sub(1) as usize)
        .copied()
        .unwrap_or_default()
        .to_owned()
}

fn plural(count: u32, unit: &str) -> String {
    if count == 1 {
        unit.to_owned()
    } else {
        format!("{unit}s")
    }
}

fn ordinal(number: u32) -> String {
    let ending = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}
