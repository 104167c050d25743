//! Tables for people, and how values are written in them.

use std::fmt::Display;
use std::time::Duration;

use comfy_table::{Table, presets};
use tasks_abstractions::{JobInfo, JobStatus, JobType, Timestamp};

/// A table with this header and no rows.
pub(crate) fn table<const N: usize>(header: [&str; N]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::UTF8_BORDERS_ONLY).set_header(header);
    table
}

/// The status, and what it does not say.
pub(crate) fn status(job: &JobInfo) -> String {
    let abandoned = if job.is_abandoned { " (given up)" } else { "" };
    let running = if job.is_running && job.status != JobStatus::Running {
        " (running)"
    } else {
        ""
    };
    let disabled = if job.is_enabled { "" } else { " (disabled)" };
    format!("{}{abandoned}{running}{disabled}", job.status)
}

/// How a job repeats.
pub(crate) fn repeats(job: &JobInfo) -> String {
    match job.job_type {
        JobType::Once => "once".to_owned(),
        JobType::Persistent => format!("{} after each run", duration(job.interval)),
        JobType::Period => format!(
            "{} ({})",
            job.cron.as_deref().unwrap_or_default(),
            job.time_zone.as_deref().unwrap_or("UTC")
        ),
    }
}

/// The name, where somebody gave one.
pub(crate) fn name(job: &JobInfo) -> &str {
    if job.is_named() { &job.name } else { "" }
}

pub(crate) fn instant(at: Option<Timestamp>) -> String {
    at.map_or_else(String::new, |it| it.format("%Y-%m-%d %H:%M:%S%.3fZ").to_string())
}

pub(crate) fn optional(it: Option<&impl Display>) -> String {
    it.map_or_else(String::new, ToString::to_string)
}

/// In units that people read: `250ms`, `12.3s`, `5m`, `1h 30m`, `2d`.
pub(crate) fn duration(it: Duration) -> String {
    let millis = it.as_millis();
    if millis < 1_000 {
        return format!("{millis}ms");
    }
    let seconds = it.as_secs();
    if seconds < 60 {
        return match it.subsec_millis() / 100 {
            0 => format!("{seconds}s"),
            tenths => format!("{seconds}.{tenths}s"),
        };
    }
    let parts = [
        (seconds / 86_400, "d"),
        (seconds / 3_600 % 24, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
    ];
    let mut parts = parts.into_iter().skip_while(|(count, _)| *count == 0);
    let parts = [parts.next(), parts.next()].into_iter().flatten();
    let words: Vec<_> = parts
        .filter(|(count, _)| *count > 0)
        .map(|(count, unit)| format!("{count}{unit}"))
        .collect();
    words.join(" ")
}

/// The first line, cut where it is long.
pub(crate) fn short(text: &str) -> String {
    const MOST: usize = 60;
    let line = text.lines().next().unwrap_or_default();
    let mut cut: String = line.chars().take(MOST).collect();
    if cut.len() < text.len() {
        cut.push('…');
    }
    cut
}

#[cfg(test)]
mod tests;
