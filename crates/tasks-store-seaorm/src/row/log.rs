//! The log row.

use std::time::Duration;

use serde::ser::SerializeTuple;
use serde::{Deserialize, Serialize, Serializer};
use tasks_abstractions::job::InstanceId;
use tasks_abstractions::run::JobLog;
use tasks_abstractions::{JobId, RunId};
use tasks_multitenancy::TenantId;

use super::scalar::{Hex, coded, micros, millis, timestamp};

/// A finished execution on its way into the database.
#[derive(Debug)]
pub(crate) struct LogRow<'a>(pub(crate) &'a JobLog);

impl Serialize for LogRow<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let log = self.0;
        let mut row = to.serialize_tuple(14)?;
        row.serialize_element(&Hex(log.run_id.as_uuid()))?;
        row.serialize_element(&Hex(log.job_id.as_uuid()))?;
        row.serialize_element(&Hex(log.tenant_id.as_uuid()))?;
        row.serialize_element(&log.job_name)?;
        row.serialize_element(&log.job_group)?;
        row.serialize_element(&log.type_name)?;
        row.serialize_element(&log.outcome.code())?;
        row.serialize_element(&log.message)?;
        row.serialize_element(&log.error)?;
        row.serialize_element(&micros(log.started_at))?;
        row.serialize_element(&millis(log.duration))?;
        row.serialize_element(&log.node_name)?;
        row.serialize_element(&Hex(log.instance.as_uuid()))?;
        row.serialize_element(&log.attempt)?;
        row.end()
    }
}

/// A finished execution as it comes out of the database.
#[derive(Debug, Deserialize)]
pub(super) struct LogColumns {
    run_id: Hex,
    job_id: Hex,
    tenant_id: Hex,
    job_name: String,
    job_group: String,
    type_name: String,
    outcome: i64,
    message: Option<String>,
    error: Option<String>,
    started_at: i64,
    duration_ms: u64,
    node_name: String,
    instance: Hex,
    attempt: u32,
}

impl LogColumns {
    pub(super) const NAMES: &'static [&'static str] = &[
        "run_id",
        "job_id",
        "tenant_id",
        "job_name",
        "job_group",
        "type_name",
        "outcome",
        "message",
        "error",
        "started_at",
        "duration_ms",
        "node_name",
        "instance",
        "attempt",
    ];

    pub(super) fn into_log(self) -> Result<JobLog, String> {
        Ok(JobLog {
            run_id: RunId::new(self.run_id.0),
            job_id: JobId::new(self.job_id.0),
            tenant_id: TenantId::new(self.tenant_id.0),
            job_name: self.job_name,
            job_group: self.job_group,
            type_name: self.type_name,
            outcome: coded(self.outcome, "outcome")?,
            message: self.message,
            error: self.error,
            started_at: timestamp(self.started_at, "started_at")?,
            duration: Duration::from_millis(self.duration_ms),
            node_name: self.node_name,
            instance: InstanceId::new(self.instance.0),
            attempt: self.attempt,
        })
    }
}
