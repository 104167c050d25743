//! `tasks cron`: when an expression fires, and what it means. Needs no database.

mod lines;

use chrono::{DateTime, FixedOffset, Offset, SecondsFormat, Utc};
use tasks_abstractions::{Clock, SystemClock, Timestamp};
use tasks_core::cron::CronSchedule;
use tasks_host::HostExit;

use crate::args::{CronAction, CronArgs, NextArgs};
use crate::failure::Failure;
use crate::output::{self, print};

/// Most fires of one answer.
pub(crate) const MAX_COUNT: u32 = 100_000;

pub(crate) fn run(args: CronArgs) -> Result<HostExit, Failure> {
    match args.action {
        CronAction::Next(args) => match args.file.clone() {
            Some(file) => lines::answer(&file, &args),
            None => next(&args),
        },
        CronAction::Explain(args) => {
            let schedule = schedule(&args.expression, &args.zone)?;
            print(&schedule.explain())?;
            Ok(HostExit::Done)
        }
    }
}

fn next(args: &NextArgs) -> Result<HostExit, Failure> {
    let schedule = schedule(args.expression.as_deref().unwrap_or_default(), &args.zone)?;
    let after = args.after.unwrap_or_else(|| SystemClock.now());
    let mut printed = 0;
    for fire in fires(&schedule, after, args.count) {
        print(&rfc_3339(schedule.local(fire)))?;
        printed += 1;
    }
    if printed == args.count {
        return Ok(HostExit::Done);
    }
    let after = after.to_rfc3339_opts(SecondsFormat::AutoSi, true);
    if printed > 0 {
        let times = if printed == 1 { "once" } else { "times" };
        let count = if printed == 1 {
            String::new()
        } else {
            format!("{printed} ")
        };
        output::error(&format!(
            "tasks: {schedule} fires only {count}{times} after {after}"
        ));
        return Ok(HostExit::Done);
    }
    output::error(&format!("tasks: {schedule} never fires after {after}"));
    Ok(HostExit::Failed)
}

/// The fires strictly after an instant, at most so many.
fn fires(schedule: &CronSchedule, after: Timestamp, count: u32) -> impl Iterator<Item = Timestamp> {
    std::iter::successors(schedule.next_after(after), |fire| schedule.next_after(*fire)).take(count as usize)
}

fn schedule(expression: &str, zone: &str) -> Result<CronSchedule, Failure> {
    CronSchedule::parse(expression, Some(zone)).map_err(|error| Failure::Usage(error.to_string()))
}

/// With the offset of the zone. An offset that is no whole number of minutes (before 1973) cannot be written in RFC 3339; there it is UTC.
fn rfc_3339(local: DateTime<FixedOffset>) -> String {
    if local.offset().local_minus_utc() % 60 == 0 {
        local.to_rfc3339_opts(SecondsFormat::Secs, false)
    } else {
        local
            .with_timezone(&Utc.fix())
            .to_rfc3339_opts(SecondsFormat::Secs, false)
    }
}
