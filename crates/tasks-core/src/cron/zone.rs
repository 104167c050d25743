//! From times on the wall to instants: what becomes of a schedule when the clocks change.
//!
//! *Times of the day* (`0 30 2 * * ?`) fire once for each local time: at its first occurrence where the clocks go back, and
//! at the first instant after the change where they go forward over it. *Intervals* (hour field `*`, `*/n`, `a/n`) fire at
//! every instant whose local time matches, so skipped times have no fire and repeated ones two.

use chrono::offset::LocalResult;
use chrono::{DateTime, NaiveDateTime, Offset, TimeZone};
use chrono_tz::{GapInfo, Tz};

use super::naive::NaiveSchedule;

const HOUR: i64 = 3600;

/// What an interval search looks at from where it stands, and around a far candidate: more than any clock was ever moved.
const WINDOW: i64 = 48 * HOUR;

/// Two changes of a zone are further apart than this, so looking at its offset in such steps misses none. (From 1970 on the
/// nearest ones of the whole time zone database are a week apart.)
const BETWEEN_CHANGES: i64 = 3 * HOUR;

/// A zone's offsets, in whole seconds since 1970.
#[derive(Debug, Clone, Copy)]
pub(super) struct ZoneTimeline(pub(super) Tz);

impl ZoneTimeline {
    /// The first fire of times of the day after `after`.
    pub(super) fn next_time_of_day(self, schedule: &NaiveSchedule, after: i64) -> Option<i64> {
        let local = schedule.at_or_after(naive(self.first_unreached(after)?)?)?;
        self.first_instant(local)
    }

    /// The first instant after `after` whose local time matches.
    pub(super) fn next_matching_instant(self, schedule: &NaiveSchedule, after: i64) -> Option<i64> {
        let mut from = after + 1;
        loop {
            let offset = self.offset(from)?;
            let local = schedule.at_or_after(naive(from + offset)?);
            let candidate = local.map(|local| local.and_utc().timestamp() - offset);
            let until = candidate.map_or(from + WINDOW, |candidate| candidate.min(from + WINDOW));
            if let Some(change) = self.next_change(from, until) {
                // Another offset, perhaps back to local times that were passed already.
                from = change;
                continue;
            }
            match candidate {
                Some(candidate) if candidate <= until => return Some(candidate),
                // Far away: go near it, but look again at the changes around it.
                Some(candidate) => from = until.max(candidate - WINDOW),
                None => return None,
            }
        }
    }

    /// The smallest local time that the clock has neither shown nor skipped up to `instant`, so that its first instant is later.
    fn first_unreached(self, instant: i64) -> Option<i64> {
        let local = instant + self.offset(instant)?;
        if let LocalResult::Ambiguous(a, b) = self.0.offset_from_local_datetime(&naive(local)?) {
            let (a, b) = (
                i64::from(a.fix().local_minus_utc()),
                i64::from(b.fix().local_minus_utc()),
            );
            let (first, second) = (local - a.max(b), local - a.min(b));
            if second == instant {
                // In the second pass: everything up to the change was passed already.
                return self.next_change(first, second).map(|change| change + a.max(b));
            }
        }
        Some(local + 1)
    }

    /// The first instant whose local time is `local` or, where that is skipped, the first one after the change.
    fn first_instant(self, local: NaiveDateTime) -> Option<i64> {
        let seconds = local.and_utc().timestamp();
        match self.0.offset_from_local_datetime(&local) {
            LocalResult::Single(offset) => Some(seconds - i64::from(offset.fix().local_minus_utc())),
            LocalResult::Ambiguous(a, b) => {
                Some(seconds - i64::from(a.fix().local_minus_utc().max(b.fix().local_minus_utc())))
            }
            LocalResult::None => GapInfo::new(&local, &self.0)?.end.map(|end| end.timestamp()),
        }
    }

    /// The first instant in `(from, to]` with another offset than the instant before it.
    fn next_change(self, from: i64, to: i64) -> Option<i64> {
        let offset = self.offset(from)?;
        let mut same = from;
        while same < to {
            let mut other = to.min(same + BETWEEN_CHANGES);
            if self.offset(other)? == offset {
                same = other;
                continue;
            }
            while other - same > 1 {
                let middle = same + (other - same) / 2;
                if self.offset(middle)? == offset {
                    same = middle
                } else {
                    other = middle
                }
            }
            return Some(other);
        }
        None
    }

    fn offset(self, instant: i64) -> Option<i64> {
        Some(i64::from(
            self.0
                .offset_from_utc_datetime(&naive(instant)?)
                .fix()
                .local_minus_utc(),
        ))
    }
}

fn naive(seconds: i64) -> Option<NaiveDateTime> {
    DateTime::from_timestamp(seconds, 0).map(|at| at.naive_utc())
}
