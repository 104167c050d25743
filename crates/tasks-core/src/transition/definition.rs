//! From a program's definition of a worker to a change of its stored job: who wins, the program, a newer program, or people.

use std::collections::BTreeSet;

use semver::Version;
use serde::Serialize;
use tasks_abstractions::run::{After, JobSnapshot};
use tasks_abstractions::store::{Decision, JobChange, RunChange, WaitingChange};
use tasks_abstractions::{
    DefinitionMark, JobInfo, JobPriority, JobState, JobType, MisfirePolicy, RetryPolicy, Timestamp,
};
use uuid::Uuid;

use super::command::go_on;
use super::edit::{is_schedule_changed, replace_definition};
use super::repair::rearm;

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
    DefinitionMark::new(Uuid::new_v5(&DEFINITIONS, &text), version)
}

/// What a start of a program does to a worker's stored job. `defined` is the job as the program defines it, with its mark.
///
/// The definition is written only if it changed and the stored one is not of a newer program, so that old and new programs side by side do not
/// turn it to and fro. Fields that people changed stay. The waiting execution is armed anew only where the schedule changed, or nothing
/// is armed; a worker that had nothing left to run goes on where its new schedule fires again.
#[must_use]
pub fn redefine(it: &JobSnapshot, defined: &JobInfo, now: Timestamp) -> Decision {
    let (Some(stored), Some(mine)) = (&it.job.definition, &defined.definition) else {
        return written(it, &merged(&it.job, defined), now);
    };
    let order = compare(&mine.version, &stored.version);
    let is_same = stored.hash == mine.hash;
    if !is_same && order.is_ge() {
        let mut job = merged(&it.job, defined);
        // What a program took out of service comes back with it; what people disabled stays disabled.
        job.is_enabled |= stored.hash == retired();
        return written(it, &job, now);
    }
    // The same definition by a newer program: it is that program's now, so that one between both does not take it for its own.
    let is_taken_on = is_same && order.is_gt();
    let mark = if is_taken_on { mine } else { stored };
    let job = JobInfo {
        definition: Some(mark.clone()),
        ..it.job.clone()
    };
    match rearm(
        &JobSnapshot {
            job: job.clone(),
            ..it.clone()
        },
        now,
    ) {
        Decision::Keep if is_taken_on => {}
        other => return other,
    }
    Decision::Change(Box::new(JobChange {
        job,
        waiting: WaitingChange::Keep,
        run: RunChange::default(),
    }))
}

/// Takes a worker's job out of service whose place others have: a worker of the whole cluster became one of every node, or the other way round. It
/// stays in the store, disabled; a run in flight comes to its end. A program that has the worker in the former way again brings it back, and so can
/// people.
#[must_use]
pub fn retire(it: &JobSnapshot, by: &DefinitionMark) -> Decision {
    let is_ours = it
        .job
        .definition
        .as_ref()
        .is_none_or(|stored| stored.hash != retired() && compare(&by.version, &stored.version).is_ge());
    if !is_ours {
        return Decision::Keep;
    }
    Decision::Change(Box::new(JobChange {
        job: JobInfo {
            is_enabled: false,
            next_run_time: None,
            definition: Some(DefinitionMark {
                hash: retired(),
                version: by.version.clone(),
            }),
            ..it.job.clone()
        },
        waiting: WaitingChange::Remove,
        run: RunChange {
            after: Some(After::Settle),
            cancel: None,
        },
    }))
}

/// Lets the program's definition count again for every field that people changed. It is written with the next start of a program that has it.
#[must_use]
pub fn forget_overrides(it: &JobSnapshot, now: Timestamp) -> Decision {
    if it.job.overrides.is_empty() {
        return Decision::Keep;
    }
    let mut job = it.job.clone();
    if job.overrides.contains("begin_time") {
        // No program says when a stored worker begins: without people's word it has begun.
        job.begin_time = job.begin_time.min(now);
    }
    job.overrides.clear();
    if let Some(mark) = &mut job.definition {
        // The next start of a program finds a definition that is not its own.
        mark.hash = Uuid::nil();
    }
    replace_definition(it, &job, now)
}

/// The hash of definitions that were taken out of service.
fn retired() -> Uuid {
    Uuid::new_v5(&DEFINITIONS, b"retired")
}

/// Writes a definition. As an edit, but for a worker that had come to the end of its schedule: people did not end it, so a schedule that fires again
/// lets it go on.
fn written(it: &JobSnapshot, new: &JobInfo, now: Timestamp) -> Decision {
    let edited = replace_definition(it, new, now);
    let is_new_schedule = it.job.state() == JobState::Completed && is_schedule_changed(&it.job, new);
    let Decision::Change(change) = &edited else {
        return edited;
    };
    if !is_new_schedule || !new.is_enabled {
        return edited;
    }
    let fresh = JobSnapshot {
        job: change.job.clone(),
        ..it.clone()
    };
    match go_on(&fresh, now) {
        Decision::Change(change) => Decision::Change(change),
        _ => edited,
    }
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
        ("begin_time", old.begin_time != new.begin_time),
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
/// and so does the begin time: a start of the program is no change of schedule. A new schedule begins when the definition says, unless people
/// said when.
fn merged(stored: &JobInfo, defined: &JobInfo) -> JobInfo {
    let kept = |field: &str| stored.overrides.contains(field);
    // Whether it repeats by cron or by interval is one decision: a worker whose interval people changed does not become a cron job.
    let is_by_interval = stored.job_type == JobType::Persistent;
    let keeps_kind = kept("job_type") || kept("cron") || (kept("interval") && is_by_interval);
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
        begin_time: if is_new_schedule && !kept("begin_time") {
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
