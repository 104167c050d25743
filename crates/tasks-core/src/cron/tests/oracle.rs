//! An independent reading of the rules, by walking through time one step after the other.
//!
//! It shares no code with the implementation: expressions are interpreted from their text value by value, days are judged
//! by looking at the calendar around them, and what happens at clock changes follows from the walk alone.

use std::ops::Range;

use chrono::{DateTime, Datelike, Days, NaiveDate, NaiveDateTime, TimeZone, Timelike, Weekday};
use chrono_tz::Tz;

/// An expression, as tables of the values that its text admits.
pub(super) struct Oracle {
    seconds: Vec<bool>,
    minutes: Vec<bool>,
    hours: Vec<bool>,
    months: Vec<bool>,
    month_days: String,
    week_days: String,
    years: String,
    first_weekday_number: u32,
    either_day: bool,
    elapsed_time: bool,
}

impl Oracle {
    pub(super) fn new(expression: &str) -> Self {
        let text = expression.to_uppercase();
        let fields: Vec<&str> = text.split_whitespace().collect();
        let unix = fields.len() == 5;
        let fields = if unix {
            [&["0"], fields.as_slice()].concat()
        } else {
            fields
        };
        let months = (1..).zip("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(' '));
        let month = months.fold(fields[4].to_owned(), |text, (number, name)| {
            text.replace(name, &number.to_string())
        });
        let first_weekday_number = u32::from(!unix);
        let week_days = (first_weekday_number..)
            .zip("SUN MON TUE WED THU FRI SAT".split(' '))
            .fold(fields[5].to_owned(), |text, (number, name)| {
                text.replace(name, &number.to_string())
            });
        let hour = fields[2];
        Self {
            seconds: table(fields[0], 0, 59),
            minutes: table(fields[1], 0, 59),
            hours: table(hour, 0, 23),
            months: table(&month, 1, 12),
            month_days: fields[3].to_owned(),
            week_days,
            years: fields.get(6).copied().unwrap_or("*").to_owned(),
            first_weekday_number,
            either_day: unix,
            elapsed_time: !hour.contains(',') && (hour == "*" || hour.contains('/') && !hour.contains('-')),
        }
    }

    /// The fires in a window of instants, found by a walk in steps of `step` seconds that starts early enough to have seen
    /// every clock change that matters.
    pub(super) fn fires(&self, zone: Tz, window: Range<i64>, step: i64) -> Vec<i64> {
        self.fires_on(&walk(zone, &window, step), window.start)
    }

    /// The fires from `start` on, on a walk made before.
    pub(super) fn fires_on(&self, walk: &[(i64, NaiveDateTime)], start: i64) -> Vec<i64> {
        let mut fires = Vec::new();
        let mut days = DayMemo(None);
        if self.elapsed_time {
            for (instant, local) in walk {
                if *instant >= start && self.names(*local, &mut days) {
                    fires.push(*instant);
                }
            }
            return fires;
        }
        // The wall clock's furthest reading so far: each local time counts when the clock first reaches or passes it.
        let &[(first, mut reached), (second, _), ..] = walk else {
            return fires;
        };
        let step = chrono::TimeDelta::seconds(second - first);
        for (instant, local) in &walk[1..] {
            let mut fire = false;
            while reached < *local {
                reached += step;
                fire |= *instant >= start && self.names(reached, &mut days);
            }
            if fire {
                fires.push(*instant);
            }
        }
        fires
    }

    /// Does the expression name this local time?
    fn names(&self, local: NaiveDateTime, days: &mut DayMemo) -> bool {
        self.seconds[local.second() as usize]
            && self.minutes[local.minute() as usize]
            && self.hours[local.hour() as usize]
            && days.get(local.date(), |date| self.names_day(date))
    }

    pub(super) fn names_day(&self, date: NaiveDate) -> bool {
        let year = u32::try_from(date.year()).unwrap();
        let free = |field: &str| matches!(field, "*" | "?" | "*/1");
        let by_month_day = self.month_days.split(',').any(|item| month_day(item, date));
        let by_week_day = self.week_days.split(',').any(|item| self.week_day(item, date));
        let day = match (free(&self.month_days), free(&self.week_days)) {
            (true, true) => true,
            (false, true) => by_month_day,
            (true, false) => by_week_day,
            (false, false) if self.either_day => by_month_day || by_week_day,
            (false, false) => panic!("both day fields are restricted"),
        };
        day && self.months[date.month() as usize]
            && self.years.split(',').any(|item| admits(item, year, 1970, 2199))
    }

    fn week_day(&self, item: &str, date: NaiveDate) -> bool {
        let number = date.weekday().num_days_from_sunday() + self.first_weekday_number;
        if item == "L" {
            return date.weekday() == Weekday::Sat;
        }
        if let Some((weekday, nth)) = item.split_once('#') {
            let so_far = (1..=date.day())
                .filter(|day| date.with_day(*day).unwrap().weekday() == date.weekday())
                .count();
            return weekday == number.to_string() && so_far.to_string() == nth;
        }
        if let Some(weekday) = item.strip_suffix('L') {
            return weekday == number.to_string() && (date + Days::new(7)).month() != date.month();
        }
        if self.first_weekday_number == 1 {
            admits(item, number, 1, 7)
        } else {
            item == "7" && number == 0 || item != "7" && admits(item, number, 0, 6)
        }
    }
}

/// The instants of a window with their local times, from 27 hours before it on: no clock was ever put back further.
pub(super) fn walk(zone: Tz, window: &Range<i64>, step: i64) -> Vec<(i64, NaiveDateTime)> {
    let start = window.start - 27 * 3600;
    (start..window.end)
        .step_by(usize::try_from(step).unwrap())
        .map(|instant| {
            let utc = DateTime::from_timestamp(instant, 0).unwrap().naive_utc();
            (instant, zone.from_utc_datetime(&utc).naive_local())
        })
        .collect()
}

/// The instants in a window from which on the zone has another offset. Offsets change at whole minutes, and never twice
/// in a day.
pub(super) fn clock_changes(zone: Tz, window: Range<i64>) -> Vec<i64> {
    let shift = |instant: i64| {
        let utc = DateTime::from_timestamp(instant, 0).unwrap().naive_utc();
        zone.from_utc_datetime(&utc).naive_local() - utc
    };
    let mut changes = Vec::new();
    let mut known = shift(window.start);
    for instant in window.step_by(12 * 3600) {
        if shift(instant) != known {
            changes.extend(
                (instant - 12 * 3600..=instant)
                    .step_by(60)
                    .find(|minute| shift(*minute) != known),
            );
            known = shift(instant);
        }
    }
    changes
}

struct DayMemo(Option<(NaiveDate, bool)>);

impl DayMemo {
    fn get(&mut self, date: NaiveDate, judge: impl Fn(NaiveDate) -> bool) -> bool {
        match self.0 {
            Some((known, answer)) if known == date => answer,
            _ => self.0.insert((date, judge(date))).1,
        }
    }
}

fn table(field: &str, low: u32, high: u32) -> Vec<bool> {
    (0..=high)
        .map(|value| value >= low && field.split(',').any(|item| admits(item, value, low, high)))
        .collect()
}

/// Does a plain item admit a value? Walks from its start to its end, over the end of the field if need be.
fn admits(item: &str, value: u32, low: u32, high: u32) -> bool {
    let (base, step) = item
        .split_once('/')
        .map_or((item, 1), |(base, step)| (base, step.parse::<u32>().unwrap()));
    let (start, end) = match base {
        "*" | "?" => (low, high),
        base => match base.split_once('-') {
            Some((start, end)) => (start.parse().unwrap(), end.parse().unwrap()),
            None if item.contains('/') => (base.parse().unwrap(), high),
            None => (base.parse().unwrap(), base.parse().unwrap()),
        },
    };
    let (mut current, mut steps) = (start, 0);
    loop {
        if current == value && steps % step == 0 {
            return true;
        }
        if current == end {
            return false;
        }
        current = if current == high { low } else { current + 1 };
        steps += 1;
    }
}

fn month_day(item: &str, date: NaiveDate) -> bool {
    if let Some(item) = item.strip_suffix('W') {
        let is_wanted = |day: u32| date.with_day(day).is_some_and(|date| month_day(item, date));
        let Some(wanted) = (1..=31).find(|day| is_wanted(*day)) else {
            return false;
        };
        let working = |day: &u32| {
            date.with_day(*day)
                .is_some_and(|date| !matches!(date.weekday(), Weekday::Sat | Weekday::Sun))
        };
        return (1..=31).filter(working).min_by_key(|day| day.abs_diff(wanted)) == Some(date.day());
    }
    if let Some(back) = item.strip_prefix('L') {
        let back: u64 = if back.is_empty() {
            0
        } else {
            back[1..].parse().unwrap()
        };
        let last = date + Days::new(back);
        return last.month() == date.month() && (last + Days::new(1)).month() != date.month();
    }
    admits(item, date.day(), 1, 31)
}
