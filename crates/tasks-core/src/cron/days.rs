//! On which days of a month a schedule fires.
//!
//! The rules are sets of bits, so that a month is answered without a search through lists.

use super::field::{FieldSpec, Item};

/// The day rule of a schedule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Days {
    /// Neither day field restricts.
    Every,
    /// Only the day of month restricts.
    OfMonth(MonthDays),
    /// Only the day of week restricts.
    OfWeek(WeekDays),
    /// Both restrict: a day of either is enough (unix).
    Either(MonthDays, WeekDays),
}

/// Days by their place in the month. Bit n of a set is day n, or n days back from the last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct MonthDays {
    days: u32,
    nearest_weekday: u32,
    back_from_last: u32,
    back_from_last_nearest_weekday: u32,
}

/// Days by their place in the week. Bit 0 is Sunday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct WeekDays {
    all: u8,
    nth: [u8; 5],
    last: u8,
}

/// A month as the rules need it.
#[derive(Debug, Clone, Copy)]
pub(super) struct MonthShape {
    /// Day of the week of the first, 0 = Sunday.
    pub(super) first_weekday: u32,
    /// Number of days.
    pub(super) length: u32,
}

impl Days {
    /// The days of a month on which the schedule fires; bit n is day n.
    pub(super) fn in_month(&self, month: MonthShape) -> u32 {
        let all = month.up_to(month.length);
        all & match self {
            Self::Every => all,
            Self::OfMonth(days) => days.in_month(month),
            Self::OfWeek(days) => days.in_month(month),
            Self::Either(month_days, week_days) => month_days.in_month(month) | week_days.in_month(month),
        }
    }
}

impl MonthDays {
    pub(super) fn new(spec: &FieldSpec, items: &[Item]) -> Self {
        let mut days = Self::default();
        for item in items {
            match *item {
                Item::LastDay { back, weekday: false } => days.back_from_last |= 1 << back,
                Item::LastDay { back, weekday: true } => days.back_from_last_nearest_weekday |= 1 << back,
                Item::NearestWeekday(day) => days.nearest_weekday |= 1 << day,
                plain => spec.each_value(plain, |day| days.days |= 1 << day),
            }
        }
        days
    }

    fn in_month(&self, month: MonthShape) -> u32 {
        let mut found = self.days;
        for day in 1..=month.length {
            let back = month.length - day;
            if self.back_from_last >> back & 1 == 1 {
                found |= 1 << day;
            }
            // A day that the month does not have has no nearest weekday either.
            let wanted =
                self.nearest_weekday >> day & 1 == 1 || self.back_from_last_nearest_weekday >> back & 1 == 1;
            if wanted {
                found |= 1 << month.nearest_weekday(day);
            }
        }
        found
    }
}

impl WeekDays {
    pub(super) fn new(spec: &FieldSpec, items: &[Item]) -> Self {
        // Sunday is `min` in both numberings (0 or 1); unix also writes it 7.
        let bit = |weekday: u32| 1_u8 << ((weekday - spec.min) % 7);
        let mut days = Self::default();
        for item in items {
            match *item {
                Item::NthWeekday { weekday, nth } => {
                    for (place, set) in days.nth.iter_mut().enumerate() {
                        if place + 1 == nth as usize {
                            *set |= bit(weekday);
                        }
                    }
                }
                Item::LastWeekday(weekday) => days.last |= bit(weekday),
                plain => spec.each_value(plain, |weekday| days.all |= bit(weekday)),
            }
        }
        days
    }

    fn in_month(&self, month: MonthShape) -> u32 {
        let mut found = 0;
        for day in 1..=month.length {
            let bit = 1_u8 << month.weekday(day);
            let nth = self
                .nth
                .iter()
                .zip(1..)
                .any(|(set, place)| set & bit != 0 && (day - 1) / 7 + 1 == place);
            let last = self.last & bit != 0 && day + 7 > month.length;
            if self.all & bit != 0 || nth || last {
                found |= 1 << day;
            }
        }
        found
    }
}

impl MonthShape {
    /// Day of the week of a day, 0 = Sunday.
    fn weekday(self, day: u32) -> u32 {
        (self.first_weekday + day - 1) % 7
    }

    /// The Monday to Friday nearest to a day, never in another month.
    fn nearest_weekday(self, day: u32) -> u32 {
        match self.weekday(day) {
            6 if day == 1 => 3,
            6 => day - 1,
            0 if day == self.length => day - 2,
            0 => day + 1,
            _ => day,
        }
    }

    fn up_to(self, day: u32) -> u32 {
        let bits = (1_u64 << (day + 1)) - 2;
        u32::try_from(bits).unwrap_or(u32::MAX - 1)
    }
}
