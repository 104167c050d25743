//! From a program's definition of a worker to a change of its stored job: who wins, the program, a newer program, or people.

use std::collections::BTreeSet;

use semver::Version;
use serde::Serialize;
use tasks_abstractions::run::JobSnapshot;
use tasks_abstractions::store::{Decision, JobChange, RunChange, WaitingChange};
use tasks_abstractions::{
    DefinitionMark, JobInfo, JobPriority, JobState, JobType, MisfirePolicy, RetryPolicy, Timestamp,
};
use uuid::Uuid;

use super::edit::replace_definition;

/// Namespace of the version 5 identifiers that hashes of definitions are.
const DEFINITIONS: Uuid = Uuid::from_u128(0x7461_736b_732d_5765_6c6c_2d64_6566_696e);

/// Everything that a definition says. Its JSON text is what the hash comes from, so a field may be added only at the end and only where its default leaves
/// the text as it was.
#[derive(Serialize)]
struct Said<'a> {
    name: &'a str,
    group: &'a str,
    type_name: &'a str,
    description: Option<&'a str>,
    job_type: JobType,
    cron: Option<&'a str>,
    time_zone: Option<&'a str>,
    interval_ms: u128,
    misfire_policy: MisfirePolicy,
    max_try_count: u32,
    max_count: u32,
    timeout_ms: Option<u128>,
    lock_timeout_ms: Option<u128>,
    retry_policy: Option<RetryPolicy>,
    priority: JobPriority,
    node_name: Option<&'a str>,
    selector: Option<&'a str>,
}

/// The mark of the definition that `job` was built from, written by a program of this version. Over-long versions are cut.
#[must_use]
pub fn mark_of(job: &JobInfo, version: &str) -> DefinitionMark {
    let said = Said {
        name: &job.name,
        group: &job.group,
        type_name: &job.type_name,
        description: job.description.as_deref(),
        job_type: job.job_type,
        cron: job.cron.as_deref(),
        time_zone: job.time_zone.as_deref(),
        interval_ms: job.interval.as_millis(),
        misfire_policy: job.misfire_policy,
        max_try_count: job.max_try_count,
        max_count: job.max_count,
        timeout_ms: job.timeout.map(|it| it.as_millis()),
        lock_timeout_ms: job.lock_timeout.map(|it| it.as_millis()),
        retry_policy: job.retry_policy,
        priority: job.priority,
        node_name: job.node_name.as_deref(),
        selector: job.selector.as_deref(),
    };
    // A policy of infinite numbers has no JSON form; limits refuse it before, and the hash of nothing would still be one of its own.
    let text = serde_json::to_vec(&said).unwrap_or_default();
    DefinitionMark {
        hash: Uuid::new_v5(&DEFINITIONS, &text),
        version: version.chars().take(DefinitionMark::MAX_VERSION).collect(),
    }
}

/// What a start of a program does to a worker's stored job. `defined` is the job as the program defines it, with its mark.
///
/// The definition is written only if it changed and the stored one is not of a newer program, so that old and new programs side by side do not
/// turn it to and fro. Fields that people changed stay. The waiting execution is armed anew only where the schedule changed, or nothing
/// is armed.
#[must_use]
pub fn redefine(it: &JobSnapshot, defined: &JobInfo, now: Timestamp) -> Decision {
    let (Some(stored), Some(mine)) = (&it.job.definition, &defined.definition) else {
        return replace_definition(it, &merged(&it.job, defined), now);
    };
    let order = compare(&mine.version, &stored.version);
    if stored.hash != mine.hash {
        if order.is_lt() {
            return Decision::Keep;
        }
        return replace_definition(it, &merged(&it.job, defined), now);
    }
    let is_unarmed =
        it.job.state() == JobState::Active && it.job.is_enabled && it.waiting.is_none() && it.run.is_none();
    if order.is_le() && !is_unarmed {
        return Decision::Keep;
    }
    // The same definition by a newer program: it is that program's now, so that one between both does not take it for its own.
    let job = JobInfo {
        definition: if order.is_gt() {
            defined.definition.clone()
        } else {
            it.job.definition.clone()
        },
        ..it.job.clone()
    };
    if is_unarmed {
        return super::repair::rearm(&JobSnapshot { job, ..it.clone() }, now);
    }
    Decision::Change(Box::new(JobChange {
        job,
        waiting: WaitingChange::Keep,
        run: RunChange::default(),
    }))
}

/// Order of two versions, by the rules of semantic versioning; versions that are none count as equal to every other, so that the last start wins.
fn compare(one: &str, other: &str) -> std::cmp::Ordering {
    match (Version::parse(one), Version::parse(other)) {
        (Ok(one), Ok(other)) => one.cmp_precedence(&other),
        _ => std::cmp::Ordering::Equal,
    }
}

/// The fields of `old` that differ in `new`, of those that a program's definition says: once people change them, theirs win.
#[must_use]
pub fn changed_by_people(old: &JobInfo, new: &JobInfo) -> BTreeSet<String> {
    let fields = [
        ("description", old.description != new.description),
        ("job_type", old.job_type != new.job_type),
        ("cron", old.cron != new.cron),
        ("time_zone", old.time_zone != new.time_zone),
        ("interval", old.interval != new.interval),
        ("misfire_policy", old.misfire_policy != new.misfire_policy),
        ("max_try_count", old.max_try_count != new.max_try_count),
        ("max_count", old.max_count != new.max_count),
        ("timeout", old.timeout != new.timeout),
        ("lock_timeout", old.lock_timeout != new.lock_timeout),
        ("retry_policy", old.retry_policy != new.retry_policy),
        ("priority", old.priority != new.priority),
        ("node_name", old.node_name != new.node_name),
    ];
    fields
        .into_iter()
        .filter(|(_, is_changed)| *is_changed)
        .map(|(field, _)| field.to_owned())
        .collect()
}

/// The stored job with what the program's definition says, but for what people changed. Settings that no definition has stay as they are,
/// and so does the begin time: a start of the program is no change of schedule. A new schedule begins as that of a new worker does.
fn merged(stored: &JobInfo, defined: &JobInfo) -> JobInfo {
    let kept = |field: &str| stored.overrides.contains(field);
    // Whether it repeats by cron or by interval is one decision: a job whose cron people changed is a cron job.
    let keeps_kind = kept("job_type") || kept("cron");
    let job_type = if keeps_kind {
        stored.job_type
    } else {
        defined.job_type
    };
    let is_cron = job_type == JobType::Period;
    let cron = if keeps_kind { &stored.cron } else { &defined.cron };
    let time_zone = if kept("time_zone") || (keeps_kind && defined.cron.is_none()) {
        &stored.time_zone
    } else {
        &defined.time_zone
    };
    let interval = if kept("interval") || defined.cron.is_some() || !defined.is_repeating() {
        stored.interval
    } else {
        defined.interval
    };
    let is_new_schedule = stored.job_type != job_type
        || stored.cron != *cron
        || (is_cron && stored.time_zone != *time_zone)
        || (job_type == JobType::Persistent && stored.interval != interval);
    macro_rules! by {
        ($field:ident) => {
            if kept(stringify!($field)) {
                stored.$field.clone()
            } else {
                defined.$field.clone()
            }
        };
    }
    JobInfo {
        begin_time: if is_new_schedule {
            defined.begin_time
        } else {
            stored.begin_time
        },
        name: defined.name.clone(),
        group: defined.group.clone(),
        type_name: defined.type_name.clone(),
        source: defined.source,
        description: by!(description),
        job_type,
        cron: cron.clone(),
        time_zone: if is_cron { time_zone.clone() } else { None },
        interval,
        misfire_policy: by!(misfire_policy),
        max_try_count: by!(max_try_count),
        max_count: by!(max_count),
        timeout: by!(timeout),
        lock_timeout: by!(lock_timeout),
        retry_policy: by!(retry_policy),
        priority: by!(priority),
        node_name: by!(node_name),
        selector: defined.selector.clone(),
        definition: defined.definition.clone(),
        ..stored.clone()
    }
}
