//! Values on the command line: instants, durations, tenants, arguments, retry and misfire policies.

use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tasks_abstractions::{JobArgs, MisfirePolicy, RetryPolicy, Timestamp};
use tasks_host::parse_duration;
use tasks_multitenancy::TenantId;

use super::TenantName;

/// Reads an instant: RFC 3339, or seconds since 1970.
pub(crate) fn instant(text: &str) -> Result<Timestamp, String> {
    if let Ok(seconds) = text.parse::<i64>() {
        return Ok(of_seconds(seconds));
    }
    DateTime::parse_from_rfc3339(text)
        .map(|at| at.to_utc())
        .map_err(|_| "expected RFC 3339, such as 2027-01-31T09:00:00Z, or seconds since 1970".to_owned())
}

/// Seconds since 1970; those that lie further away than dates reach are the earliest or the latest instant.
pub(crate) fn of_seconds(seconds: i64) -> Timestamp {
    DateTime::from_timestamp(seconds, 0).unwrap_or(if seconds < 0 {
        DateTime::<Utc>::MIN_UTC
    } else {
        DateTime::<Utc>::MAX_UTC
    })
}

/// A time that has passed: an instant, or how long ago.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Since {
    At(Timestamp),
    Ago(Duration),
}

impl Since {
    /// The instant.
    pub(crate) fn from(self, now: Timestamp) -> Timestamp {
        match self {
            Self::At(at) => at,
            Self::Ago(ago) => TimeDelta::from_std(ago)
                .ok()
                .and_then(|ago| now.checked_sub_signed(ago))
                .unwrap_or(DateTime::<Utc>::MIN_UTC),
        }
    }
}

/// Reads `24h`, or RFC 3339.
pub(crate) fn since(text: &str) -> Result<Since, String> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Ok(Since::At(at.to_utc()));
    }
    match parse_duration(text) {
        // A number alone could mean either.
        Ok(ago) if text.trim().parse::<u64>().is_err() => Ok(Since::Ago(ago)),
        _ => Err("expected how long ago, such as 24h, or RFC 3339, such as 2027-01-31T09:00:00Z".to_owned()),
    }
}

/// Reads `host`, the id of a tenant, or its name.
pub(crate) fn tenant(text: &str) -> Result<TenantName, String> {
    if text.trim().is_empty() {
        return Err("expected the id or the name of a tenant, or host".to_owned());
    }
    if text.eq_ignore_ascii_case("host") {
        return Ok(TenantName::Id(TenantId::HOST));
    }
    let id = text.parse().map(TenantName::Id);
    Ok(id.unwrap_or_else(|_| TenantName::Named(text.to_owned())))
}

/// Reads arguments of a job: JSON, or `@FILE` with JSON in it.
pub(crate) fn job_args(text: &str) -> Result<JobArgs, String> {
    let json = match text.strip_prefix('@') {
        None => text.to_owned(),
        Some(file) => std::fs::read_to_string(Path::new(file)).map_err(|error| format!("{file}: {error}"))?,
    };
    let value: serde_json::Value =
        serde_json::from_str(&json).map_err(|error| format!("expected JSON or @FILE: {error}"))?;
    JobArgs::from_typed(&value).map_err(|error| error.to_string())
}

/// Reads `BASE[,factor=F][,cap=DURATION][,jitter=J]`.
pub(crate) fn retry_policy(text: &str) -> Result<RetryPolicy, String> {
    let mut parts = text.split(',');
    let mut policy = RetryPolicy::from_base(parse_duration(parts.next().unwrap_or_default())?);
    policy.cap = policy.cap.max(policy.base);
    for part in parts {
        let number = |text: &str| {
            text.parse::<f64>()
                .map_err(|_| format!("`{part}`: expected a number"))
        };
        match part.split_once('=') {
            Some(("factor", text)) => policy.factor = number(text)?,
            Some(("jitter", text)) => policy.jitter = number(text)?,
            Some(("cap", text)) => policy.cap = parse_duration(text)?,
            _ => {
                return Err(format!(
                    "`{part}`: expected a first wait and what differs from the defaults, such as 30s,factor=2,cap=1h,jitter=0"
                ));
            }
        }
    }
    Ok(policy)
}

/// Reads `fire-once`, `skip` or `fire-all=MAX`.
pub(crate) fn misfire_policy(text: &str) -> Result<MisfirePolicy, String> {
    match text {
        "fire-once" => return Ok(MisfirePolicy::FireOnce),
        "skip" => return Ok(MisfirePolicy::Skip),
        _ => {}
    }
    match text.strip_prefix("fire-all=").map(str::parse) {
        Some(Ok(max)) => Ok(MisfirePolicy::FireAll { max }),
        _ => Err("expected fire-once, skip, or fire-all=MAX with the most fires to make up for".to_owned()),
    }
}

#[cfg(test)]
mod tests;
