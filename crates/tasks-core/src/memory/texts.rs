//! Texts that no database takes: refused here as well, so that what works on this store works on every other.

use tasks_abstractions::run::JobLog;
use tasks_abstractions::store::StoreErrorKind;
use tasks_abstractions::{JobInfo, StoreError};

/// Refuses texts with a NUL character.
pub(super) fn refuse_nul<'a>(
    of: &str,
    texts: impl IntoIterator<Item = (&'a str, Option<&'a str>)>,
) -> Result<(), StoreError> {
    for (field, text) in texts {
        if text.is_some_and(|it| it.contains('\0')) {
            return Err(StoreError::new(
                StoreErrorKind::Rejected,
                format!("the {field} of {of} contains a NUL character; send it without"),
            ));
        }
    }
    Ok(())
}

/// Refuses a job with such a text.
pub(super) fn refuse_bad_job(job: &JobInfo) -> Result<(), StoreError> {
    refuse_nul(
        "a job",
        [
            ("name", Some(job.name.as_str())),
            ("group", Some(job.group.as_str())),
            ("type", Some(job.type_name.as_str())),
            ("description", job.description.as_deref()),
            ("result", job.result.as_deref()),
            ("cron expression", job.cron.as_deref()),
            ("time zone", job.time_zone.as_deref()),
            ("node name", job.node_name.as_deref()),
            ("selector", job.selector.as_deref()),
            ("version", job.definition.as_ref().map(|it| it.version.as_str())),
        ],
    )
}

/// Refuses a log row with such a text.
pub(super) fn refuse_bad_log(log: &JobLog) -> Result<(), StoreError> {
    refuse_nul(
        "a log row",
        [
            ("job name", Some(log.job_name.as_str())),
            ("job group", Some(log.job_group.as_str())),
            ("type", Some(log.type_name.as_str())),
            ("message", log.message.as_deref()),
            ("error", log.error.as_deref()),
            ("node name", Some(log.node_name.as_str())),
        ],
    )
}
