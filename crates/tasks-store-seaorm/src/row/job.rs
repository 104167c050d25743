//! The job row: 40 columns and the name key.

use std::time::Duration;

use serde::ser::SerializeTuple;
use serde::{Deserialize, Serialize, Serializer};
use tasks_abstractions::job::{JobState, JobStatus};
use tasks_abstractions::{DefinitionMark, JobArgs, JobId, JobInfo, MisfirePolicy, RetryPolicy};
use tasks_multitenancy::TenantId;
use uuid::Uuid;

use super::scalar::{Hex, coded, micros, millis, timestamp};

/// What keeps names unique in (tenant, group): 16 bytes that come from all three, or nothing for a generated name.
pub(crate) fn name_key(job: &JobInfo) -> Option<Uuid> {
    job.is_named()
        .then(|| JobId::from_name(job.tenant_id, &job.group, &job.name).as_uuid())
}

/// A job on its way into the database.
#[derive(Debug)]
pub(crate) struct JobRow<'a> {
    pub(crate) job: &'a JobInfo,
    pub(crate) state: JobState,
}

impl Serialize for JobRow<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let job = self.job;
        let (misfire, misfire_max) = match job.misfire_policy {
            MisfirePolicy::FireOnce => (0, 0),
            MisfirePolicy::Skip => (1, 0),
            MisfirePolicy::FireAll { max } => (2, max),
        };
        let retry = match &job.retry_policy {
            Some(policy) => Some(serde_json::to_string(policy).map_err(serde::ser::Error::custom)?),
            None => None,
        };
        let overrides = match job.overrides.is_empty() {
            true => None,
            false => Some(serde_json::to_string(&job.overrides).map_err(serde::ser::Error::custom)?),
        };
        let mut row = to.serialize_tuple(41)?;
        row.serialize_element(&Hex(job.id.as_uuid()))?;
        row.serialize_element(&Hex(job.tenant_id.as_uuid()))?;
        row.serialize_element(&job.name)?;
        row.serialize_element(&job.group)?;
        row.serialize_element(&job.type_name)?;
        row.serialize_element(&job.args.to_json())?;
        row.serialize_element(&job.description)?;
        row.serialize_element(&job.result)?;
        row.serialize_element(&job.source.code())?;
        row.serialize_element(&self.state.code())?;
        row.serialize_element(&u8::from(job.is_enabled))?;
        row.serialize_element(&job.job_type.code())?;
        row.serialize_element(&job.cron)?;
        row.serialize_element(&job.time_zone)?;
        row.serialize_element(&misfire)?;
        row.serialize_element(&misfire_max)?;
        row.serialize_element(&micros(job.creation_time))?;
        row.serialize_element(&micros(job.begin_time))?;
        row.serialize_element(&job.end_time.map(micros))?;
        row.serialize_element(&job.last_run_time.map(micros))?;
        row.serialize_element(&job.trigger_count)?;
        row.serialize_element(&job.try_count)?;
        row.serialize_element(&job.max_try_count)?;
        row.serialize_element(&job.max_count)?;
        row.serialize_element(&u8::from(job.is_abandoned))?;
        row.serialize_element(&job.interruptions)?;
        row.serialize_element(&job.suspect_interruptions)?;
        row.serialize_element(&job.max_interruptions)?;
        row.serialize_element(&millis(job.interval))?;
        row.serialize_element(&retry)?;
        row.serialize_element(&job.priority.code())?;
        row.serialize_element(&job.timeout.map(millis))?;
        row.serialize_element(&job.lock_timeout.map(millis))?;
        row.serialize_element(&job.node_name)?;
        row.serialize_element(&u8::from(job.failover))?;
        row.serialize_element(&job.version)?;
        row.serialize_element(&name_key(job).map(Hex))?;
        row.serialize_element(&job.selector)?;
        row.serialize_element(&job.definition.as_ref().map(|it| Hex(it.hash)))?;
        row.serialize_element(&job.definition.as_ref().map(|it| it.version.as_str()))?;
        row.serialize_element(&overrides)?;
        row.end()
    }
}

impl JobRow<'_> {
    /// Whether it has nothing but what [`PlainRow`] writes: no history, no schedule, no name of its own, no settings that most jobs leave alone.
    pub(crate) fn is_plain(&self) -> bool {
        let job = self.job;
        let texts = [
            &job.description,
            &job.result,
            &job.cron,
            &job.time_zone,
            &job.node_name,
            &job.selector,
        ];
        let counts = [
            job.trigger_count,
            job.try_count,
            job.interruptions,
            job.suspect_interruptions,
        ];
        texts.into_iter().all(Option::is_none)
            && counts == [0; 4]
            && job.misfire_policy == MisfirePolicy::FireOnce
            && (job.end_time, job.last_run_time, job.timeout, job.lock_timeout) == (None, None, None, None)
            && !job.is_abandoned
            && !job.failover
            && !job.is_named()
            && job.retry_policy.is_none()
            && job.definition.is_none()
            && job.overrides.is_empty()
    }
}

/// A job without anything rare on its way into the database: 18 columns; all others are NULL or 0.
#[derive(Debug)]
pub(crate) struct PlainRow<'a>(pub(crate) &'a JobRow<'a>);

impl Serialize for PlainRow<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let job = self.0.job;
        let mut row = to.serialize_tuple(18)?;
        row.serialize_element(&Hex(job.id.as_uuid()))?;
        row.serialize_element(&Hex(job.tenant_id.as_uuid()))?;
        row.serialize_element(&job.name)?;
        row.serialize_element(&job.group)?;
        row.serialize_element(&job.type_name)?;
        row.serialize_element(&job.args.to_json())?;
        row.serialize_element(&job.source.code())?;
        row.serialize_element(&self.0.state.code())?;
        row.serialize_element(&u8::from(job.is_enabled))?;
        row.serialize_element(&job.job_type.code())?;
        row.serialize_element(&micros(job.creation_time))?;
        row.serialize_element(&micros(job.begin_time))?;
        row.serialize_element(&job.max_try_count)?;
        row.serialize_element(&job.max_count)?;
        row.serialize_element(&job.max_interruptions)?;
        row.serialize_element(&millis(job.interval))?;
        row.serialize_element(&job.priority.code())?;
        row.serialize_element(&job.version)?;
        row.end()
    }
}

/// A job as it comes out of the database. The fields are in column order: what few jobs have comes last, and is left out where a job has nothing of it.
#[derive(Debug, Deserialize)]
pub(crate) struct JobColumns {
    pub(crate) id: Hex,
    pub(crate) tenant_id: Hex,
    pub(crate) name: String,
    pub(crate) job_group: String,
    pub(crate) type_name: String,
    pub(crate) args: String,
    pub(crate) source: i64,
    pub(crate) state: i64,
    pub(crate) is_enabled: i64,
    pub(crate) job_type: i64,
    pub(crate) creation_time: i64,
    pub(crate) begin_time: i64,
    pub(crate) trigger_count: u32,
    pub(crate) try_count: u32,
    pub(crate) max_try_count: u32,
    pub(crate) max_count: u32,
    pub(crate) interruptions: u32,
    pub(crate) suspect_interruptions: u32,
    pub(crate) max_interruptions: u32,
    pub(crate) interval_ms: u64,
    pub(crate) priority: i64,
    pub(crate) version: i64,
    #[serde(default)]
    pub(crate) description: Option<String>,
    #[serde(default)]
    pub(crate) result: Option<String>,
    #[serde(default)]
    pub(crate) cron: Option<String>,
    #[serde(default)]
    pub(crate) time_zone: Option<String>,
    #[serde(default)]
    pub(crate) misfire_policy: i64,
    #[serde(default)]
    pub(crate) misfire_max: u32,
    #[serde(default)]
    pub(crate) end_time: Option<i64>,
    #[serde(default)]
    pub(crate) last_run_time: Option<i64>,
    #[serde(default)]
    pub(crate) is_abandoned: i64,
    #[serde(default)]
    pub(crate) retry_policy: Option<String>,
    #[serde(default)]
    pub(crate) timeout_ms: Option<u64>,
    #[serde(default)]
    pub(crate) lock_timeout_ms: Option<u64>,
    #[serde(default)]
    pub(crate) node_name: Option<String>,
    #[serde(default)]
    pub(crate) failover: i64,
    #[serde(default)]
    pub(crate) selector: Option<String>,
    #[serde(default)]
    pub(crate) definition_hash: Option<Hex>,
    #[serde(default)]
    pub(crate) definition_version: Option<String>,
    #[serde(default)]
    pub(crate) overrides: Option<String>,
}

impl JobColumns {
    /// Names of the columns, for messages.
    pub(crate) const NAMES: &'static [&'static str] = &[
        "id",
        "tenant_id",
        "name",
        "job_group",
        "type_name",
        "args",
        "source",
        "state",
        "is_enabled",
        "job_type",
        "creation_time",
        "begin_time",
        "trigger_count",
        "try_count",
        "max_try_count",
        "max_count",
        "interruptions",
        "suspect_interruptions",
        "max_interruptions",
        "interval_ms",
        "priority",
        "version",
        "description",
        "result",
        "cron",
        "time_zone",
        "misfire_policy",
        "misfire_max",
        "end_time",
        "last_run_time",
        "is_abandoned",
        "retry_policy",
        "timeout_ms",
        "lock_timeout_ms",
        "node_name",
        "failover",
        "selector",
        "definition_hash",
        "definition_version",
        "overrides",
    ];

    pub(super) fn id(&self) -> JobId {
        JobId::new(self.id.0)
    }

    /// The job in its stored state; the caller derives the shown status.
    pub(crate) fn into_job(self) -> Result<JobInfo, String> {
        let misfire_policy = match self.misfire_policy {
            0 => MisfirePolicy::FireOnce,
            1 => MisfirePolicy::Skip,
            2 => MisfirePolicy::FireAll {
                max: self.misfire_max,
            },
            other => return Err(format!("`misfire_policy` is {other}; expected 0 to 2")),
        };
        let retry_policy = match &self.retry_policy {
            Some(text) => Some(
                serde_json::from_str::<RetryPolicy>(text).map_err(|it| format!("`retry_policy`: {it}"))?,
            ),
            None => None,
        };
        let optional = |at: Option<i64>, column| at.map(|it| timestamp(it, column)).transpose();
        let state: JobState = coded(self.state, "state")?;
        let definition = self.definition_hash.map(|hash| DefinitionMark {
            hash: hash.0,
            version: self.definition_version.unwrap_or_default(),
        });
        let overrides = match &self.overrides {
            Some(text) => serde_json::from_str(text).map_err(|it| format!("`overrides`: {it}"))?,
            None => std::collections::BTreeSet::new(),
        };
        Ok(JobInfo {
            id: JobId::new(self.id.0),
            tenant_id: TenantId::new(self.tenant_id.0),
            args: JobArgs::from_json(self.args).map_err(|it| format!("`args`: {it}"))?,
            source: coded(self.source, "source")?,
            status: JobStatus::from(state),
            is_running: false,
            is_enabled: self.is_enabled != 0,
            creation_time: timestamp(self.creation_time, "creation_time")?,
            begin_time: timestamp(self.begin_time, "begin_time")?,
            end_time: optional(self.end_time, "end_time")?,
            last_run_time: optional(self.last_run_time, "last_run_time")?,
            next_run_time: None,
            job_type: coded(self.job_type, "job_type")?,
            misfire_policy,
            interval: Duration::from_millis(self.interval_ms),
            retry_policy,
            priority: coded(self.priority, "priority")?,
            timeout: self.timeout_ms.map(Duration::from_millis),
            lock_timeout: self.lock_timeout_ms.map(Duration::from_millis),
            is_abandoned: self.is_abandoned != 0,
            failover: self.failover != 0,
            name: self.name,
            group: self.job_group,
            type_name: self.type_name,
            result: self.result,
            description: self.description,
            cron: self.cron,
            time_zone: self.time_zone,
            trigger_count: self.trigger_count,
            try_count: self.try_count,
            max_try_count: self.max_try_count,
            max_count: self.max_count,
            interruptions: self.interruptions,
            suspect_interruptions: self.suspect_interruptions,
            max_interruptions: self.max_interruptions,
            node_name: self.node_name,
            version: self.version,
            selector: self.selector,
            definition,
            overrides,
        })
    }
}
