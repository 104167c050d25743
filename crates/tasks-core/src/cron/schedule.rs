//! A cron expression with its zone, and the instants it names.

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Datelike, FixedOffset, Offset};
use chrono_tz::Tz;
use tasks_abstractions::Timestamp;

use super::error::CronError;
use super::explain::explain;
use super::field::YEARS;
use super::naive::NaiveSchedule;
use super::parse::Parts;
use super::zone::ZoneTimeline;

/// A cron expression read in a time zone: tells when it fires next. See the [module](super) for what it may say.
///
/// ```
/// use chrono::DateTime;
/// use tasks_core::cron::CronSchedule;
///
/// let schedule = CronSchedule::parse("0 0/10 9-17 ? * MON-FRI", Some("Europe/London"))?;
/// let after = DateTime::parse_from_rfc3339("2026-11-20T17:55:00Z")?.to_utc();
/// let next = schedule.next_after(after).map(|at| at.to_rfc3339());
/// assert_eq!(next.as_deref(), Some("2026-11-23T09:00:00+00:00"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CronSchedule {
    expression: String,
    zone: Tz,
    parts: Parts,
    naive: NaiveSchedule,
}

impl CronSchedule {
    /// Reads `expression` in the IANA zone `zone`, such as `Europe/London`. `None` is UTC. Costs a few microseconds.
    ///
    /// # Errors
    /// What is wrong: the number of fields, one field with what was expected there, two restricted day fields, or the zone.
    pub fn parse(expression: &str, zone: Option<&str>) -> Result<Self, CronError> {
        let zone = match zone {
            None => Tz::UTC,
            Some(zone) => Tz::from_str(zone).map_err(|_| CronError::Zone {
                zone: zone.to_owned(),
            })?,
        };
        let parts = Parts::parse(expression)?;
        let naive = NaiveSchedule::new(&parts);
        Ok(Self {
            expression: expression.to_owned(),
            zone,
            parts,
            naive,
        })
    }

    /// The first fire strictly after `after`. `None` when there is none any more: the search ends with the local year 2199.
    /// Fires lie on whole seconds in the years 1970 to 2199.
    #[must_use]
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let last_year = i32::try_from(YEARS.1).ok()?;
        if after.year() > last_year + 1 {
            return None;
        }
        let after = after.timestamp().max(BEFORE_ALL_YEARS);
        let timeline = ZoneTimeline(self.zone);
        let fire = if self.parts.is_interval_like() {
            timeline.next_matching_instant(&self.naive, after)
        } else {
            timeline.next_time_of_day(&self.naive, after)
        };
        DateTime::from_timestamp(fire?, 0)
    }

    /// The expression as it was given.
    #[must_use]
    pub fn expression(&self) -> &str {
        &self.expression
    }

    /// IANA name of the zone in which the expression is read; `UTC` where none was given.
    #[must_use]
    pub fn zone(&self) -> &'static str {
        self.zone.name()
    }

    /// An instant as the clocks of the zone show it, with the offset that they have then.
    #[must_use]
    pub fn local(&self, at: Timestamp) -> DateTime<FixedOffset> {
        let local = at.with_timezone(&self.zone);
        local.with_timezone(&local.offset().fix())
    }

    /// The schedule in English words, with what happens when the clocks change where the zone is not UTC.
    #[must_use]
    pub fn explain(&self) -> String {
        explain(&self.parts, self.zone)
    }
}

/// Version of the IANA time zone database, whose rules all schedules follow, such as `2025b`. It is part of the program: a later one comes with a new
/// build.
pub const TIME_ZONE_DATABASE: &str = chrono_tz::IANA_TZDB_VERSION;

/// Two days before 1970, which comes before the local year 1970 in every zone.
const BEFORE_ALL_YEARS: i64 = -2 * 24 * 3600;

/// The expression, followed by its zone in brackets.
impl fmt::Display for CronSchedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.expression, self.zone.name())
    }
}
