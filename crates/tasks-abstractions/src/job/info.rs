//! The job record.

use std::collections::BTreeSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tasks_multitenancy::TenantId;
use uuid::Uuid;

use super::{
    JobArgs, JobId, JobLimits, JobPriority, JobSource, JobState, JobStatus, JobType, MisfirePolicy,
    RetryPolicy, ValidationErrors,
};
use crate::{JobDispatcherSelectors, SelectedType, Timestamp, truncate_to_micros};

/// One job or worker: its definition, its settings and its last outcome.
///
/// Durations are kept in whole milliseconds, instants in whole microseconds. Limits are those of [`JobLimits`];
/// [`JobInfo::builder`] checks them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobInfo {
    /// Names the job for all time.
    pub id: JobId,
    /// The tenant that the job belongs to and runs as. Fixed when the job is created.
    pub tenant_id: TenantId,
    /// Unique in (tenant, group) when [`is_named`](Self::is_named); else the id's text.
    pub name: String,
    /// Groups names. At most 100 characters.
    pub group: String,
    /// Name of the registered job or worker that runs it (the original's `Type`). At most 1,000 characters.
    pub type_name: String,
    /// Last result, or last error message. Cut at 1,000 characters.
    pub result: Option<String>,
    /// Who made it.
    pub source: JobSource,
    /// Arguments. At most 1 MiB of JSON by default.
    pub args: JobArgs,
    /// What the job shows: derived by the store from the stored state and from where the job's rows are.
    pub status: JobStatus,
    /// Whether a run is in flight, whatever the status says. Derived.
    pub is_running: bool,
    /// A disabled job is never armed and cannot be triggered. Default true.
    pub is_enabled: bool,
    /// For people. At most 255 characters.
    pub description: Option<String>,
    /// When it was made.
    pub creation_time: Timestamp,
    /// No run before this instant.
    pub begin_time: Timestamp,
    /// No run after this instant: a due execution that is found later ends as Expired.
    pub end_time: Option<Timestamp>,
    /// Start of the last run.
    pub last_run_time: Option<Timestamp>,
    /// When the waiting execution is due. `None` while nothing waits.
    pub next_run_time: Option<Timestamp>,
    /// How it repeats.
    pub job_type: JobType,
    /// Cron expression of a Period job. At most 50 characters by default.
    pub cron: Option<String>,
    /// IANA zone in which `cron` is read. `None` is UTC.
    pub time_zone: Option<String>,
    /// What happens to missed fires.
    pub misfire_policy: MisfirePolicy,
    /// Settled runs so far (successes and failures).
    pub trigger_count: u32,
    /// Failures in a row.
    pub try_count: u32,
    /// Failures in a row after which it is given up; 0 = no limit. Default 50.
    pub max_try_count: u32,
    /// Runs after which a repeating job is Completed; 0 = no limit.
    pub max_count: u32,
    /// Whether it was given up.
    pub is_abandoned: bool,
    /// Interruptions (a process died under the run) since the last settled run.
    pub interruptions: u32,
    /// Those of them that count: of runs made alone as suspects.
    pub suspect_interruptions: u32,
    /// Counted interruptions after which it is given up. Default 3.
    pub max_interruptions: u32,
    /// Gap between runs of a Persistent job; first retry wait of a Once job. Default 300 s.
    #[serde(with = "millis")]
    pub interval: Duration,
    /// Waits between tries. `None`: Once jobs grow from `interval`, repeating jobs wait for their next fire.
    pub retry_policy: Option<RetryPolicy>,
    /// Which of two due jobs goes first. Default Normal.
    pub priority: JobPriority,
    /// Longest run. Cancellation is requested then, and the run ends as TimedOut when the code returns. `None` = no limit.
    #[serde(with = "opt_millis")]
    pub timeout: Option<Duration>,
    /// Longest time for which the run keeps others out; after it the run is fenced. `None` = as long as it runs.
    #[serde(with = "opt_millis")]
    pub lock_timeout: Option<Duration>,
    /// Only the node of this name runs it. `None` = any node. At most 128 characters.
    pub node_name: Option<String>,
    /// Whether pinned work may move when its node is gone.
    pub failover: bool,
    /// Grows with every command and edit, never with a run. The concurrency stamp of editors.
    pub version: i64,
    /// Name of the dispatcher selector that gave it settings. At most 255 characters.
    #[serde(default)]
    pub selector: Option<String>,
    /// Which definition of a program it was made from; `None` for jobs that no program defines.
    #[serde(default)]
    pub definition: Option<DefinitionMark>,
    /// Names of the fields that people changed on a job which a program defines. They win over the program's definition.
    #[serde(default)]
    pub overrides: BTreeSet<String>,
}

/// The definition of a worker as a program last wrote it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DefinitionMark {
    /// Comes from everything that the definition says: equal definitions have equal hashes.
    pub hash: Uuid,
    /// Version of the program that wrote it. At most 64 characters.
    pub version: String,
}

impl DefinitionMark {
    /// Longest version in characters.
    pub const MAX_VERSION: usize = 64;

    /// The mark of a definition of this hash by a program of this version. A longer version is cut.
    #[must_use]
    pub fn new(hash: Uuid, version: &str) -> Self {
        Self {
            hash,
            version: version.chars().take(Self::MAX_VERSION).collect(),
        }
    }
}

impl JobInfo {
    /// Tries a Once job is given by default.
    pub const DEFAULT_MAX_TRY_COUNT: u32 = 50;
    /// Default gap: 300 s.
    pub const DEFAULT_INTERVAL: Duration = Duration::from_secs(300);
    /// Default number of counted interruptions.
    pub const DEFAULT_MAX_INTERRUPTIONS: u32 = 3;
    /// Group of enqueued jobs.
    pub const JOBS_GROUP: &'static str = "BackgroundJobs";
    /// Group of workers.
    pub const WORKERS_GROUP: &'static str = "BackgroundWorkers";

    /// Starts a job of the registered type `type_name`. `now` becomes its creation and begin time.
    pub fn builder(
        id: JobId,
        tenant: TenantId,
        type_name: impl Into<String>,
        now: Timestamp,
    ) -> JobInfoBuilder {
        let now = truncate_to_micros(now);
        JobInfoBuilder {
            job: Self {
                id,
                tenant_id: tenant,
                name: id.to_string(),
                group: Self::JOBS_GROUP.to_owned(),
                type_name: type_name.into(),
                result: None,
                source: JobSource::None,
                args: JobArgs::new(),
                status: JobStatus::None,
                is_running: false,
                is_enabled: true,
                description: None,
                creation_time: now,
                begin_time: now,
                end_time: None,
                last_run_time: None,
                next_run_time: None,
                job_type: JobType::Once,
                cron: None,
                time_zone: None,
                misfire_policy: MisfirePolicy::default(),
                trigger_count: 0,
                try_count: 0,
                max_try_count: Self::DEFAULT_MAX_TRY_COUNT,
                max_count: 0,
                is_abandoned: false,
                interruptions: 0,
                suspect_interruptions: 0,
                max_interruptions: Self::DEFAULT_MAX_INTERRUPTIONS,
                interval: Self::DEFAULT_INTERVAL,
                retry_policy: None,
                priority: JobPriority::Normal,
                timeout: None,
                lock_timeout: None,
                node_name: None,
                failover: false,
                version: 1,
                selector: None,
                definition: None,
                overrides: BTreeSet::new(),
            },
        }
    }

    /// The stored state under the shown status.
    #[must_use]
    pub const fn state(&self) -> JobState {
        self.status.state()
    }

    /// Whether a person or the application named it. A generated name is the id's text and takes part in no uniqueness check.
    #[must_use]
    pub fn is_named(&self) -> bool {
        // Ids are 36 characters of text; comparing the length first keeps this free for almost every named job.
        self.name.len() != 36 || self.name != self.id.to_string()
    }

    /// Whether it repeats.
    #[must_use]
    pub const fn is_repeating(&self) -> bool {
        !matches!(self.job_type, JobType::Once)
    }

    /// Runs left by [`max_count`](Self::max_count): `None` = no limit. A Once job has one until it is settled.
    #[must_use]
    pub const fn runs_left(&self) -> Option<u32> {
        match (self.job_type, self.max_count) {
            (JobType::Once, _) => Some(1),
            (_, 0) => None,
            (_, max) => Some(max.saturating_sub(self.trigger_count)),
        }
    }
}

/// Makes a [`JobInfo`] field by field; [`build`](Self::build) checks all of them.
#[derive(Debug, Clone)]
#[must_use]
pub struct JobInfoBuilder {
    job: JobInfo,
}

macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident: $type:ty),+ $(,)?) => {$(
        $(#[$doc])*
        pub fn $name(mut self, value: $type) -> Self {
            self.job.$name = value;
            self
        }
    )+};
}

impl JobInfoBuilder {
    setters! {
        /// Arguments.
        args: JobArgs,
        /// Who makes it.
        source: JobSource,
        /// Whether it may be armed.
        is_enabled: bool,
        /// Instant after which it no longer runs.
        end_time: Option<Timestamp>,
        /// How it repeats.
        job_type: JobType,
        /// What happens to missed fires.
        misfire_policy: MisfirePolicy,
        /// Failures in a row after which it is given up; 0 = no limit.
        max_try_count: u32,
        /// Runs after which it is Completed; 0 = no limit.
        max_count: u32,
        /// Counted interruptions after which it is given up.
        max_interruptions: u32,
        /// Gap between runs, or first retry wait.
        interval: Duration,
        /// Waits between tries.
        retry_policy: Option<RetryPolicy>,
        /// Which of two due jobs goes first.
        priority: JobPriority,
        /// Longest run.
        timeout: Option<Duration>,
        /// Longest exclusivity.
        lock_timeout: Option<Duration>,
        /// Only this node runs it; a blank name means any node.
        node_name: Option<String>,
        /// Whether pinned work may move.
        failover: bool,
        /// Text for people.
        description: Option<String>,
        /// Cron expression of a Period job.
        cron: Option<String>,
        /// IANA zone of the cron expression.
        time_zone: Option<String>,
    }

    /// Names it within (tenant, group).
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.job.name = name.into();
        self
    }

    /// Puts it into a group.
    pub fn group(mut self, group: impl Into<String>) -> Self {
        self.job.group = group.into();
        self
    }

    /// No run before this instant.
    pub fn begin_time(mut self, at: Timestamp) -> Self {
        self.job.begin_time = truncate_to_micros(at);
        self
    }

    /// Gives it the settings of the first selector that is for this type.
    pub fn selected(mut self, selectors: &JobDispatcherSelectors, of: &SelectedType<'_>) -> Self {
        if let Some(selector) = selectors.first_match(of) {
            selector.apply(&mut self.job);
        }
        self
    }

    /// Checks every field and returns the job.
    ///
    /// Blank node names become `None`; durations are cut to whole milliseconds.
    ///
    /// # Errors
    /// All faults at once, each with its field and limit.
    pub fn build(mut self, limits: &JobLimits) -> Result<JobInfo, ValidationErrors> {
        self.job.normalize();
        limits.check(&self.job)?;
        Ok(self.job)
    }
}

impl JobInfo {
    /// Brings fields to the form in which stores keep them: whole milliseconds and microseconds, blank node names and
    /// zones as `None`.
    pub fn normalize(&mut self) {
        let blank = |text: &Option<String>| text.as_ref().is_some_and(|it| it.trim().is_empty());
        if blank(&self.node_name) {
            self.node_name = None;
        }
        if blank(&self.time_zone) {
            self.time_zone = None;
        }
        if blank(&self.cron) {
            self.cron = None;
        }
        self.interval = whole_millis(self.interval);
        self.timeout = self.timeout.map(whole_millis);
        self.lock_timeout = self.lock_timeout.map(whole_millis).filter(|it| !it.is_zero());
        self.creation_time = truncate_to_micros(self.creation_time);
        self.begin_time = truncate_to_micros(self.begin_time);
        self.end_time = self.end_time.map(truncate_to_micros);
        self.last_run_time = self.last_run_time.map(truncate_to_micros);
        self.next_run_time = self.next_run_time.map(truncate_to_micros);
    }
}

fn whole_millis(it: Duration) -> Duration {
    Duration::from_millis(u64::try_from(it.as_millis()).unwrap_or(u64::MAX))
}

/// Durations as whole milliseconds.
pub(crate) mod millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(it: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(it.as_millis()).unwrap_or(u64::MAX))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}

/// Optional durations as whole milliseconds or null.
pub(crate) mod opt_millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(crate) fn serialize<S: Serializer>(it: &Option<Duration>, to: S) -> Result<S::Ok, S::Error> {
        match it {
            Some(it) => to.serialize_some(&u64::try_from(it.as_millis()).unwrap_or(u64::MAX)),
            None => to.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Duration>, D::Error> {
        Ok(Option::<u64>::deserialize(from)?.map(Duration::from_millis))
    }
}
