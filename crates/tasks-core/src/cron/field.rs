//! One field of an expression: what may stand in it, and the items it is made of.
//!
//! A field is a list of [`Item`]s separated by commas. [`FieldSpec`] says which numbers and names a field takes; the day
//! fields of the Quartz form take more (`?`, `L`, `W`, `#`), which [`Extras`] switches on.

use super::error::CronError;

/// One item of a field's list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    /// `?`: the other day field decides.
    Any,
    /// `*` (step 1) or `*/n`.
    Every { step: u32 },
    /// `a/n`: from `a` to the end of the field.
    From { start: u32, step: u32 },
    /// A number or name.
    Value(u32),
    /// `a-b` or `a-b/n`. Where `b` lies before `a` it goes on over the end of the field.
    Range { from: u32, to: u32, step: u32 },
    /// `L`, `L-n`: the last day of the month or one `back` from it; with `W` the Monday to Friday nearest to it.
    LastDay { back: u32, weekday: bool },
    /// `nW`: the Monday to Friday nearest to a day, in the same month.
    NearestWeekday(u32),
    /// `w#n`: the nth of a day of the week in the month.
    NthWeekday { weekday: u32, nth: u32 },
    /// `wL`: the last of a day of the week in the month.
    LastWeekday(u32),
}

/// What a field takes beside numbers, names, `*`, ranges and steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extras {
    None,
    QuartzDayOfMonth,
    QuartzDayOfWeek,
}

/// The numbers and names of a field.
#[derive(Debug)]
pub(super) struct FieldSpec {
    /// Its name in errors.
    pub(super) name: &'static str,
    /// What an error says was expected.
    pub(super) expected: &'static str,
    /// Smallest number.
    pub(super) min: u32,
    /// Largest number of `*` and of open ranges.
    pub(super) max: u32,
    /// Largest number that may be written: 7 for the unix day of week, where 0 and 7 are Sunday; else `max`.
    pub(super) max_written: u32,
    /// Largest step.
    pub(super) max_step: u32,
    /// Names of the numbers from `min` on.
    pub(super) names: &'static [&'static str],
    /// A range may go on over the end of the field.
    pub(super) wraps: bool,
    /// Forms of the Quartz day fields.
    pub(super) extras: Extras,
}

/// First and last year that a schedule looks at.
pub(super) const YEARS: (u32, u32) = (1970, 2199);

const WEEKDAYS: &[&str] = &["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"];
const MONTHS: &[&str] = &[
    "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC",
];

const fn numbers(name: &'static str, expected: &'static str, min: u32, max: u32, max_step: u32) -> FieldSpec {
    FieldSpec {
        name,
        expected,
        min,
        max,
        max_written: max,
        max_step,
        names: &[],
        wraps: true,
        extras: Extras::None,
    }
}

pub(super) static SECOND: FieldSpec = numbers(
    "second",
    "0-59, `*`, a list (`0,30`), a range (`10-20`) or a step (`0/15`) of at most 59",
    0,
    59,
    59,
);
pub(super) static MINUTE: FieldSpec = numbers(
    "minute",
    "0-59, `*`, a list (`0,30`), a range (`10-20`) or a step (`0/15`) of at most 59",
    0,
    59,
    59,
);
pub(super) static HOUR: FieldSpec = numbers(
    "hour",
    "0-23, `*`, a list (`9,17`), a range (`9-17`, `22-2`) or a step (`0/6`) of at most 23",
    0,
    23,
    23,
);
pub(super) static QUARTZ_DAY_OF_MONTH: FieldSpec = FieldSpec {
    extras: Extras::QuartzDayOfMonth,
    ..numbers(
        "day-of-month",
        "1-31, `*`, `?`, `L`, `LW`, `L-3` (at most 30), `15W`, a list, a range or a step of at most 31",
        1,
        31,
        31,
    )
};
pub(super) static UNIX_DAY_OF_MONTH: FieldSpec = numbers(
    "day-of-month",
    "1-31, `*`, a list, a range or a step of at most 31 (`?`, `L` and `W` need the form with seconds first)",
    1,
    31,
    31,
);
pub(super) static MONTH: FieldSpec = FieldSpec {
    names: MONTHS,
    ..numbers(
        "month",
        "1-12 or JAN-DEC, `*`, a list, a range or a step of at most 12",
        1,
        12,
        12,
    )
};
pub(super) static QUARTZ_DAY_OF_WEEK: FieldSpec = FieldSpec {
    names: WEEKDAYS,
    extras: Extras::QuartzDayOfWeek,
    ..numbers(
        "day-of-week",
        "1-7 (1 = Sunday) or SUN-SAT, `*`, `?`, `L`, `6L`, `6#3` (first to fifth), a list, a range or a step of at most 7",
        1,
        7,
        7,
    )
};
pub(super) static UNIX_DAY_OF_WEEK: FieldSpec = FieldSpec {
    names: WEEKDAYS,
    max_written: 7,
    ..numbers(
        "day-of-week",
        "0-7 (0 and 7 = Sunday) or SUN-SAT, `*`, a list, a range or a step of at most 7 \
         (`?`, `L` and `#` need the form with seconds first)",
        0,
        6,
        7,
    )
};
pub(super) static YEAR: FieldSpec = FieldSpec {
    wraps: false,
    ..numbers(
        "year",
        "1970-2199, `*`, a list, a range from an earlier to a later year, or a step of at most 229",
        YEARS.0,
        YEARS.1,
        YEARS.1 - YEARS.0,
    )
};

impl FieldSpec {
    /// Reads a field.
    pub(super) fn parse(&'static self, text: &str) -> Result<Vec<Item>, CronError> {
        let items = text
            .split(',')
            .map(|part| self.item(part).ok_or_else(|| self.fault(part)))
            .collect::<Result<Vec<_>, _>>()?;
        if items.len() > 1 && items.contains(&Item::Any) {
            return Err(self.fault(text));
        }
        Ok(items)
    }

    /// Calls `visit` with every number that the item names; the day forms that depend on the month name none.
    pub(super) fn each_value(&self, item: Item, mut visit: impl FnMut(u32)) {
        let (from, to, step) = match item {
            Item::Every { step } => (self.min, self.max, step),
            Item::From { start, step } => (start, self.max.max(start), step),
            Item::Value(value) => (value, value, 1),
            Item::Range { from, to, step } => (from, to, step),
            Item::Any
            | Item::LastDay { .. }
            | Item::NearestWeekday(_)
            | Item::NthWeekday { .. }
            | Item::LastWeekday(_) => return,
        };
        let size = self.max - self.min + 1;
        let length = if from <= to { to - from } else { to + size - from };
        let mut offset = 0;
        while offset <= length {
            let value = from + offset;
            visit(if value > self.max { value - size } else { value });
            offset += step.max(1);
        }
    }

    /// The numbers of a field with numbers below 64, as a set of bits.
    pub(super) fn bits(&self, items: &[Item]) -> u64 {
        let mut bits = 0_u64;
        for item in items {
            self.each_value(*item, |value| bits |= 1 << value);
        }
        bits
    }

    fn fault(&self, text: &str) -> CronError {
        CronError::Field {
            field: self.name,
            text: text.to_owned(),
            expected: self.expected.to_owned(),
        }
    }

    fn item(&self, text: &str) -> Option<Item> {
        if let Some(item) = self.day_form(text) {
            return Some(item);
        }
        let (base, step) = match text.split_once('/') {
            Some((base, step)) => (base, Some(self.step(step)?)),
            None => (text, None),
        };
        if base == "*" || (base.is_empty() && step.is_some()) {
            return Some(Item::Every {
                step: step.unwrap_or(1),
            });
        }
        let Some((from, to)) = base.split_once('-') else {
            let value = self.value(base)?;
            return Some(step.map_or(Item::Value(value), |step| Item::From { start: value, step }));
        };
        let (mut from, mut to) = (self.value(from)?, self.value(to)?);
        // A unix week that starts with 7 starts with Sunday, as it does with 0.
        if from > self.max {
            from = self.min;
            to = if to > self.max { self.min } else { to };
        }
        if from > to && !self.wraps {
            return None;
        }
        Some(Item::Range {
            from,
            to,
            step: step.unwrap_or(1),
        })
    }

    fn day_form(&self, text: &str) -> Option<Item> {
        if self.extras == Extras::None {
            return None;
        }
        if text == "?" {
            return Some(Item::Any);
        }
        match self.extras {
            Extras::QuartzDayOfMonth => self.month_day_form(text),
            Extras::QuartzDayOfWeek => self.weekday_form(text),
            Extras::None => None,
        }
    }

    fn month_day_form(&self, text: &str) -> Option<Item> {
        let (base, weekday) = match text.strip_suffix(['W', 'w']) {
            Some(base) => (base, true),
            None => (text, false),
        };
        if let Some(rest) = base.strip_prefix(['L', 'l']) {
            let back = if rest.is_empty() {
                0
            } else {
                number(rest.strip_prefix('-')?)?
            };
            return (back <= 30).then_some(Item::LastDay { back, weekday });
        }
        if weekday {
            self.value(base).map(Item::NearestWeekday)
        } else {
            None
        }
    }

    fn weekday_form(&self, text: &str) -> Option<Item> {
        if let Some((weekday, nth)) = text.split_once('#') {
            let (weekday, nth) = (self.value(weekday)?, number(nth)?);
            return (1..=5)
                .contains(&nth)
                .then_some(Item::NthWeekday { weekday, nth });
        }
        match text.strip_suffix(['L', 'l'])? {
            // Quartz: the last day of the week, which is Saturday.
            "" => Some(Item::Value(self.max)),
            weekday => self.value(weekday).map(Item::LastWeekday),
        }
    }

    fn value(&self, text: &str) -> Option<u32> {
        let named = self.names.iter().position(|name| name.eq_ignore_ascii_case(text));
        match named.and_then(|position| u32::try_from(position).ok()) {
            Some(position) => Some(self.min + position),
            None => number(text).filter(|value| (self.min..=self.max_written).contains(value)),
        }
    }

    fn step(&self, text: &str) -> Option<u32> {
        number(text).filter(|step| (1..=self.max_step).contains(step))
    }
}

/// Digits only: `u32::from_str` would take a sign too.
fn number(text: &str) -> Option<u32> {
    let digits = !text.is_empty() && text.len() <= 4 && text.bytes().all(|byte| byte.is_ascii_digit());
    if digits { text.parse().ok() } else { None }
}
