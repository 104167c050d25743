//! Tests of cron schedules.

/// What a reading of the rules by walking through time says; shares no code with the implementation.
mod oracle;

/// What may stand in an expression and what may not.
mod expressions;

/// Schedules in words.
mod words;

/// Known clock changes, written out.
mod zones;

/// Random expressions, zones and instants.
mod random;

/// Random and systematic comparison with the oracle and with the `cron` crate.
mod properties;

use chrono::{DateTime, SecondsFormat};
use tasks_abstractions::Timestamp;

use super::{CronError, CronSchedule};

fn at(text: &str) -> Timestamp {
    DateTime::parse_from_rfc3339(text).unwrap().to_utc()
}

fn schedule(expression: &str, zone: &str) -> CronSchedule {
    CronSchedule::parse(expression, Some(zone)).unwrap_or_else(|error| panic!("{expression}: {error}"))
}

/// The next fires after an instant, as local times with their offset.
fn fires(expression: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
    let schedule = schedule(expression, zone);
    let tz: chrono_tz::Tz = zone.parse().unwrap();
    std::iter::successors(schedule.next_after(at(after)), |fire| schedule.next_after(*fire))
        .take(count)
        .map(|fire| fire.with_timezone(&tz).to_rfc3339_opts(SecondsFormat::Secs, true))
        .collect()
}

/// The dates of the next fires in UTC.
fn dates(expression: &str, after: &str, count: usize) -> Vec<String> {
    fires(expression, "UTC", &format!("{after}T00:00:00Z"), count)
        .into_iter()
        .map(|fire| fire.split('T').next().unwrap().to_owned())
        .collect()
}

fn error(expression: &str) -> CronError {
    match CronSchedule::parse(expression, None) {
        Ok(_) => panic!("`{expression}` was accepted"),
        Err(error) => error,
    }
}
