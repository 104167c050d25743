//! Cron schedules: which instants an expression names in a time zone.
//!
//! # Expressions
//!
//! **Six or seven fields** are read as Quartz does: second, minute, hour, day of month, month, day of week and, if given,
//! year (1970 to 2199). Sunday is 1. **Five fields** are read as unix does: minute, hour, day of month, month, day of week,
//! where 0 and 7 are Sunday. `@yearly` (`@annually`), `@monthly`, `@weekly`, `@daily` (`@midnight`) and `@hourly` stand for
//! the start of each. Names (`JAN`, `MON`) have three letters in any case.
//!
//! | form | where | meaning |
//! |---|---|---|
//! | `*` | all | every |
//! | `a,b` | all | each item of the list; every form below may be one, but for `?` |
//! | `a-b` | all | from a to b; `22-2` and `FRI-MON` go on over the end (not years) |
//! | `*/n`, `a/n`, `a-b/n` | all | every nth from the start of the field, from a, within the range |
//! | `?` | Quartz days | the other day field decides; the same as `*` |
//! | `L`, `L-3` | Quartz day of month | the last day, three days before it; none in a month too short for it |
//! | `15W`, `LW`, `L-3W` | Quartz day of month | the Monday to Friday nearest to that day, in the same month; none in a month without that day |
//! | `6#3` | Quartz day of week | the third Friday of the month |
//! | `6L`, `FRIL` | Quartz day of week | the last Friday of the month; `L` alone is Saturday |
//!
//! A day field restricts unless it is `*`, `*/1` or `?`. Where both restrict, the Quartz form is an error, and the unix form
//! fires on the days of either.
//!
//! # Time zones
//!
//! An expression whose hour field is `*`, `*/n` or `a/n` means a distance in time: it fires at every instant whose local
//! time matches. Local times skipped by a clock change do not exist, repeated ones fire twice. Every other expression means
//! times of the day: each fires once, a repeated one the first time, a skipped one at the first instant after the change,
//! where several skipped ones and a regular one are one fire.
//!
//! From the year 2100 on the time zone database in use knows no more changes: zones keep their winter offset.
//!
//! # Why not the `cron` crate
//!
//! Its parser does not name the field at fault, knows neither `L`, `W`, `#` nor ranges over the end, accepts years only up to
//! 2100, and joins both day fields with "and". Its iterator skips times in a gap, doubles repeated ones and can go backwards
//! among them. Its field sets can only be had through that parser, so that every field would have to be rewritten as numbers
//! for it first; a set of bits is less than that, and no slower to read (about 2 µs an expression against 2 to 5 µs). The
//! tests compare the two where they mean the same.

mod days;
mod error;
mod explain;
mod field;
mod naive;
mod parse;
mod schedule;
mod zone;

pub use error::CronError;
pub use schedule::{CronSchedule, TIME_ZONE_DATABASE};

#[cfg(test)]
mod tests;
