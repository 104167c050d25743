//! The times that an expression names on a timeline without zones.

use chrono::{Datelike, NaiveDate, NaiveDateTime, NaiveTime, Timelike};

use super::days::{Days, MonthDays, MonthShape, WeekDays};
use super::field::YEARS;
use super::parse::Parts;

/// The fields of a schedule as sets of bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct NaiveSchedule {
    seconds: u64,
    minutes: u64,
    hours: u64,
    days: Days,
    months: u64,
    /// Bit n of word k is the year 1970 + 64 k + n.
    years: [u64; 4],
}

impl NaiveSchedule {
    pub(super) fn new(parts: &Parts) -> Self {
        let month_days = MonthDays::new(parts.day_of_month.spec, &parts.day_of_month.items);
        let week_days = WeekDays::new(parts.day_of_week.spec, &parts.day_of_week.items);
        let days = match (parts.day_of_month.restricts(), parts.day_of_week.restricts()) {
            (false, false) => Days::Every,
            (true, false) => Days::OfMonth(month_days),
            (false, true) => Days::OfWeek(week_days),
            (true, true) => Days::Either(month_days, week_days),
        };
        let mut years = [0_u64; 4];
        for item in &parts.year.items {
            parts.year.spec.each_value(*item, |year| {
                let place = year - YEARS.0;
                if let Some(word) = years.get_mut((place / 64) as usize) {
                    *word |= 1 << (place % 64);
                }
            });
        }
        let bits = |part: &super::parse::Part| part.spec.bits(&part.items);
        Self {
            seconds: bits(&parts.second),
            minutes: bits(&parts.minute),
            hours: bits(&parts.hour),
            days,
            months: bits(&parts.month),
            years,
        }
    }

    /// The first time named at or after `from`, whose fraction of a second must be zero. Looks at each month up to the end
    /// of the year 2199 at most once.
    pub(super) fn at_or_after(&self, from: NaiveDateTime) -> Option<NaiveDateTime> {
        let date = from.date();
        if self.has_day(date)
            && let Some(time) = self.time_at_or_after(from.time())
        {
            return Some(date.and_time(time));
        }
        let date = self.day_at_or_after(date.succ_opt()?)?;
        Some(date.and_time(self.time_at_or_after(NaiveTime::MIN)?))
    }

    fn has_day(&self, date: NaiveDate) -> bool {
        let Ok(year) = u32::try_from(date.year()) else {
            return false;
        };
        self.has_year(year)
            && self.months >> date.month() & 1 == 1
            && self.days_of(year, date.month()) >> date.day() & 1 == 1
    }

    fn has_year(&self, year: u32) -> bool {
        let Some(place) = year.checked_sub(YEARS.0) else {
            return false;
        };
        self.years
            .get((place / 64) as usize)
            .is_some_and(|word| word >> (place % 64) & 1 == 1)
    }

    fn day_at_or_after(&self, date: NaiveDate) -> Option<NaiveDate> {
        let (mut month, mut day) = (date.month(), date.day());
        let mut year = u32::try_from(date.year()).unwrap_or_default();
        if year < YEARS.0 {
            (year, month, day) = (YEARS.0, 1, 1);
        }
        while year <= YEARS.1 {
            if self.has_year(year) {
                while let Some(found) = next_bit(self.months, month) {
                    if found > month {
                        day = 1;
                    }
                    if let Some(day) = next_bit(u64::from(self.days_of(year, found)), day) {
                        return NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, found, day);
                    }
                    (month, day) = (found + 1, 1);
                }
            }
            (year, month, day) = (year + 1, 1, 1);
        }
        None
    }

    fn days_of(&self, year: u32, month: u32) -> u32 {
        let first = i32::try_from(year)
            .ok()
            .and_then(|year| NaiveDate::from_ymd_opt(year, month, 1));
        first.map_or(0, |first| {
            self.days.in_month(MonthShape {
                first_weekday: first.weekday().num_days_from_sunday(),
                length: u32::from(first.num_days_in_month()),
            })
        })
    }

    fn time_at_or_after(&self, from: NaiveTime) -> Option<NaiveTime> {
        let (hour, minute, second) = (from.hour(), from.minute(), from.second());
        let (first_minute, first_second) = (next_bit(self.minutes, 0)?, next_bit(self.seconds, 0)?);
        if self.hours >> hour & 1 == 1 {
            if self.minutes >> minute & 1 == 1
                && let Some(second) = next_bit(self.seconds, second)
            {
                return NaiveTime::from_hms_opt(hour, minute, second);
            }
            if let Some(minute) = next_bit(self.minutes, minute + 1) {
                return NaiveTime::from_hms_opt(hour, minute, first_second);
            }
        }
        NaiveTime::from_hms_opt(next_bit(self.hours, hour + 1)?, first_minute, first_second)
    }
}

/// The lowest bit set at or above `from`.
fn next_bit(bits: u64, from: u32) -> Option<u32> {
    let rest = bits.checked_shr(from)?;
    (rest != 0).then(|| from + rest.trailing_zeros())
}
