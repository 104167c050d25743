//! Limits of a job's fields. Every fault names the field and the limit, and all faults are reported at once.

use std::fmt;
use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{DefinitionMark, JobInfo, JobType};
use crate::JobTypeSelector;

/// One thing that is wrong with one field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldFault {
    /// Name of the field.
    pub field: String,
    /// What is wrong and what was expected.
    pub problem: String,
}

impl FieldFault {
    /// A fault of `field`.
    #[must_use]
    pub fn new(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self {
            field: field.into(),
            problem: problem.into(),
        }
    }
}

impl fmt::Display for FieldFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` {}", self.field, self.problem)
    }
}

/// Everything that is wrong with an input. Never empty.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ValidationErrors(Vec<FieldFault>);

impl ValidationErrors {
    /// `Ok` where there is no fault, else all of them.
    ///
    /// # Errors
    /// The faults themselves.
    pub fn from_faults(faults: Vec<FieldFault>) -> Result<(), Self> {
        if faults.is_empty() {
            Ok(())
        } else {
            Err(Self(faults))
        }
    }

    /// An error of one fault.
    #[must_use]
    pub fn one(field: impl Into<String>, problem: impl Into<String>) -> Self {
        Self(vec![FieldFault::new(field, problem)])
    }

    /// The faults.
    #[must_use]
    pub fn faults(&self) -> &[FieldFault] {
        &self.0
    }
}

impl fmt::Display for ValidationErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, fault) in self.0.iter().enumerate() {
            if i > 0 {
                f.write_str("; ")?;
            }
            fault.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ValidationErrors {}

/// Limits of a job's fields, in characters where they are texts. The defaults are the original's, but for `args_bytes`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobLimits {
    /// Cron expression. Defaults to 50.
    pub cron: usize,
    /// Name. Defaults to 100.
    pub name: usize,
    /// Group. Defaults to 100.
    pub group: usize,
    /// Node name. Defaults to 128.
    pub node_name: usize,
    /// Name of the job's type. Defaults to 1,000.
    pub type_name: usize,
    /// Description. Defaults to 255.
    pub description: usize,
    /// Result, at which it is cut. Defaults to 1,000.
    pub result: usize,
    /// Message of a log row, at which it is cut. Defaults to 1,000.
    pub log_message: usize,
    /// Error text of a log row, at which it is cut. Defaults to 8,000.
    pub log_error: usize,
    /// JSON text of the arguments, in bytes. Defaults to 1 MiB.
    pub args_bytes: usize,
    /// Shortest interval. Defaults to 1 ms.
    pub min_interval: Duration,
    /// Longest interval, timeout and lock timeout. Defaults to 10 years.
    pub max_duration: Duration,
}

impl Default for JobLimits {
    fn default() -> Self {
        Self {
            cron: 50,
            name: 100,
            group: 100,
            node_name: 128,
            type_name: 1_000,
            description: 255,
            result: 1_000,
            log_message: 1_000,
            log_error: 8_000,
            args_bytes: 1024 * 1024,
            min_interval: Duration::from_millis(1),
            max_duration: Duration::from_secs(10 * 366 * 24 * 60 * 60),
        }
    }
}

/// Latest instant that every supported database keeps: the end of the year 9999 in microseconds.
const LATEST: i64 = 253_402_300_799;

impl JobLimits {
    /// Checks every field of `job`.
    ///
    /// # Errors
    /// All faults at once.
    pub fn check(&self, job: &JobInfo) -> Result<(), ValidationErrors> {
        let mut faults = Vec::new();
        required("name", &job.name, self.name, &mut faults);
        required("group", &job.group, self.group, &mut faults);
        required("type_name", &job.type_name, self.type_name, &mut faults);
        optional(
            "description",
            job.description.as_deref(),
            self.description,
            &mut faults,
        );
        optional("node_name", job.node_name.as_deref(), self.node_name, &mut faults);
        optional("cron", job.cron.as_deref(), self.cron, &mut faults);
        optional(
            "selector",
            job.selector.as_deref(),
            JobTypeSelector::MAX_NAME,
            &mut faults,
        );
        optional(
            "definition.version",
            job.definition.as_ref().map(|it| it.version.as_str()),
            DefinitionMark::MAX_VERSION,
            &mut faults,
        );
        if job.node_name.as_deref().is_some_and(|it| it.contains('/')) {
            faults.push(FieldFault::new(
                "node_name",
                "contains `/`; expected a name without it",
            ));
        }
        let args = job.args.to_json().len();
        if args > self.args_bytes {
            faults.push(FieldFault::new(
                "args",
                format!(
                    "take {args} bytes as JSON; the limit is {} bytes: keep large data elsewhere and pass its key",
                    self.args_bytes
                ),
            ));
        }
        self.check_schedule(job, &mut faults);
        self.check_times(job, &mut faults);
        if let Some(policy) = &job.retry_policy {
            policy.check(&mut faults);
        }
        if job.max_interruptions == 0 {
            faults.push(FieldFault::new("max_interruptions", "is 0; expected at least 1"));
        }
        ValidationErrors::from_faults(faults)
    }

    fn check_schedule(&self, job: &JobInfo, faults: &mut Vec<FieldFault>) {
        match (job.job_type, &job.cron) {
            (JobType::Period, None) => {
                faults.push(FieldFault::new(
                    "cron",
                    "is missing; a Period job needs a cron expression",
                ));
            }
            (JobType::Once | JobType::Persistent, Some(_)) => {
                faults.push(FieldFault::new("cron", "is set; only a Period job has one"));
            }
            _ => {}
        }
        if let Some(zone) = &job.time_zone
            && zone.parse::<chrono_tz::Tz>().is_err()
        {
            faults.push(FieldFault::new(
                "time_zone",
                format!("`{zone}` is unknown; expected an IANA name such as Europe/London"),
            ));
        }
        if !(self.min_interval..=self.max_duration).contains(&job.interval) {
            faults.push(FieldFault::new(
                "interval",
                format!(
                    "is {:?}; expected {:?} to {:?}",
                    job.interval, self.min_interval, self.max_duration
                ),
            ));
        }
        for (field, value) in [("timeout", job.timeout), ("lock_timeout", job.lock_timeout)] {
            if let Some(value) = value
                && (value.is_zero() || value > self.max_duration)
            {
                faults.push(FieldFault::new(
                    field,
                    format!("is {value:?}; expected 1 ms to {:?}, or none", self.max_duration),
                ));
            }
        }
    }

    fn check_times(&self, job: &JobInfo, faults: &mut Vec<FieldFault>) {
        let latest = DateTime::<Utc>::from_timestamp(LATEST, 0).unwrap_or(DateTime::<Utc>::MAX_UTC);
        let times = [("begin_time", Some(job.begin_time)), ("end_time", job.end_time)];
        for (field, at) in times
            .into_iter()
            .filter_map(|(field, at)| at.map(|at| (field, at)))
        {
            if at < DateTime::<Utc>::UNIX_EPOCH || at > latest {
                faults.push(FieldFault::new(field, format!("is {at}; expected 1970 to 9999")));
            }
        }
        if job.end_time.is_some_and(|end| end <= job.begin_time) {
            faults.push(FieldFault::new(
                "end_time",
                "is not after begin_time; the job would never run",
            ));
        }
    }
}

fn required(field: &str, text: &str, limit: usize, faults: &mut Vec<FieldFault>) {
    if text.trim().is_empty() {
        faults.push(FieldFault::new(field, "is blank; expected a name"));
    }
    optional(field, Some(text), limit, faults);
}

fn optional(field: &str, text: Option<&str>, limit: usize, faults: &mut Vec<FieldFault>) {
    let Some(text) = text else { return };
    // Bytes bound characters from above, so short texts need no count.
    let length = if text.len() <= limit {
        text.len()
    } else {
        text.chars().count()
    };
    if length > limit {
        faults.push(FieldFault::new(
            field,
            format!("has {length} characters; the limit is {limit}"),
        ));
    }
    if text.contains('\0') {
        faults.push(FieldFault::new(field, "contains a NUL character"));
    }
}
