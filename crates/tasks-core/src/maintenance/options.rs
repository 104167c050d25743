//! Options of the system jobs.

use std::collections::BTreeMap;
use std::time::Duration;

use tasks_abstractions::{FieldFault, JobLimits};

use crate::cron::CronSchedule;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Retentions that may be [`Retention::None`]: what failed is kept for somebody to look at.
const MAY_BE_NONE: [&str; 2] = ["completed", "logs"];

/// How long something is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retention {
    /// For ever.
    Forever,
    /// For this long.
    For(Duration),
    /// Not at all: what succeeds is removed in the moment in which its outcome is written. Only for completed jobs and for log rows of successes.
    None,
}

/// What is kept of a job that succeeds, in the moment in which its outcome is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kept {
    /// The job itself, where it has come to its end.
    pub job: bool,
    /// A log row of the run.
    pub log: bool,
}

impl Kept {
    /// Everything.
    pub const ALL: Self = Self { job: true, log: true };
}

/// Retention of one type, where it differs from that of all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TypeRetention {
    /// Completed jobs.
    pub completed: Option<Retention>,
    /// Jobs that a person stopped.
    pub stopped: Option<Retention>,
    /// Jobs that were given up.
    pub abandoned: Option<Retention>,
    /// Log rows of successes.
    pub logs: Option<Retention>,
    /// Log rows of everything else.
    pub failed_logs: Option<Retention>,
}

/// Options of the cleaning job. Only Once jobs without executions are ever removed; a job's log rows outlive it for their own time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CleaningOptions {
    /// Whether this program has the cleaning job. Defaults to true.
    pub enabled: bool,
    /// When the cleaning job runs, in UTC. Defaults to every ten minutes.
    pub cron: String,
    /// Most rows of one transaction. Defaults to 1,000.
    pub batch: usize,
    /// How long completed jobs are kept, counted from the start of their last run; or for ever (`never`); or not at all (`none`). Defaults to 15 days.
    pub completed: Retention,
    /// How long jobs that a person stopped are kept. Defaults to 90 days.
    pub stopped: Retention,
    /// How long jobs that were given up are kept. Defaults to 90 days.
    pub abandoned: Retention,
    /// How long log rows of successes are kept, counted from the start of the run; `none`: successes write none. Defaults to 15 days.
    pub logs: Retention,
    /// How long log rows of everything else are kept. Defaults to 90 days.
    pub failed_logs: Retention,
    /// How long rows of nodes that are gone are kept, counted from their last renewal. Defaults to 1 day.
    pub nodes: Retention,
    /// Retention by type, by the type's exact name. Defaults to none.
    pub types: BTreeMap<String, TypeRetention>,
}

impl CleaningOptions {
    /// What is kept of a job of this type that succeeds. It holds whether or not this program has the cleaning job.
    #[must_use]
    pub fn kept_of(&self, type_name: &str) -> Kept {
        let own = self.types.get(type_name);
        let is_kept = |own: Option<Retention>, of_all| own.unwrap_or(of_all) != Retention::None;
        Kept {
            job: is_kept(own.and_then(|it| it.completed), self.completed),
            log: is_kept(own.and_then(|it| it.logs), self.logs),
        }
    }
}

impl Default for CleaningOptions {
    fn default() -> Self {
        Self {
            enabled: true,
            cron: "0 0/10 * * * ?".to_owned(),
            batch: 1_000,
            completed: Retention::For(15 * DAY),
            stopped: Retention::For(90 * DAY),
            abandoned: Retention::For(90 * DAY),
            logs: Retention::For(15 * DAY),
            failed_logs: Retention::For(90 * DAY),
            nodes: Retention::For(DAY),
            types: BTreeMap::new(),
        }
    }
}

/// Options of the checking job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckingOptions {
    /// Whether this program has the checking job. Defaults to true.
    pub enabled: bool,
    /// When the checking job runs, in UTC. Defaults to every two hours.
    pub cron: String,
    /// Jobs that are looked at in one step. Defaults to 1,000.
    pub batch: usize,
}

impl Default for CheckingOptions {
    fn default() -> Self {
        Self {
            enabled: true,
            cron: "0 0 0/2 * * ?".to_owned(),
            batch: 1_000,
        }
    }
}

/// Options of all system jobs. Checked at start; all faults are reported at once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MaintenanceOptions {
    /// Of the cleaning job.
    pub cleaning: CleaningOptions,
    /// Of the checking job.
    pub checking: CheckingOptions,
}

impl MaintenanceOptions {
    /// Neither of the jobs: for programs on a store that others look after.
    #[must_use]
    pub fn off() -> Self {
        let mut options = Self::default();
        options.cleaning.enabled = false;
        options.checking.enabled = false;
        options
    }

    /// Everything that is wrong with them.
    #[must_use]
    pub fn faults(&self, limits: &JobLimits) -> Vec<FieldFault> {
        let mut faults = Vec::new();
        let (cleaning, checking) = (&self.cleaning, &self.checking);
        for (field, cron) in [
            ("cleaning.cron", &cleaning.cron),
            ("checking.cron", &checking.cron),
        ] {
            if cron.chars().count() > limits.cron {
                faults.push(FieldFault::new(
                    field,
                    format!("has over {} characters", limits.cron),
                ));
            }
            if let Err(error) = CronSchedule::parse(cron, None) {
                faults.push(FieldFault::new(field, error.to_string()));
            }
        }
        for (field, batch) in [
            ("cleaning.batch", cleaning.batch),
            ("checking.batch", checking.batch),
        ] {
            if !(1..=10_000).contains(&batch) {
                faults.push(FieldFault::new(field, format!("is {batch}; expected 1 to 10000")));
            }
        }
        let mut retention = |field: String, it: Retention| {
            let expected = format!("expected 1 s to {:?}, or never", limits.max_duration);
            match it {
                Retention::For(time) if !(Duration::from_secs(1)..=limits.max_duration).contains(&time) => {
                    faults.push(FieldFault::new(field, format!("is {time:?}; {expected}")));
                }
                Retention::None if !MAY_BE_NONE.contains(&field.rsplit('.').next().unwrap_or_default()) => {
                    faults.push(FieldFault::new(
                        field,
                        format!("is none, which only what succeeded may be; {expected}"),
                    ));
                }
                Retention::For(_) | Retention::Forever | Retention::None => {}
            }
        };
        for (field, it) in [
            ("completed", cleaning.completed),
            ("stopped", cleaning.stopped),
            ("abandoned", cleaning.abandoned),
            ("logs", cleaning.logs),
            ("failed_logs", cleaning.failed_logs),
            ("nodes", cleaning.nodes),
        ] {
            retention(format!("cleaning.{field}"), it);
        }
        for (name, it) in &cleaning.types {
            for (field, it) in [
                ("completed", it.completed),
                ("stopped", it.stopped),
                ("abandoned", it.abandoned),
                ("logs", it.logs),
                ("failed_logs", it.failed_logs),
            ] {
                if let Some(it) = it {
                    retention(format!("cleaning.types.{name}.{field}"), it);
                }
            }
        }
        faults
    }
}
