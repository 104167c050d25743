//! Values at their limits: instants, texts, numbers, arguments.

use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use serde_json::json;
use tasks_abstractions::run::QueueEntry;
use tasks_abstractions::store::JobQuery;
use tasks_abstractions::{
    DefinitionMark, JobArgs, JobInfo, JobLimits, JobPriority, JobSource, JobType, MisfirePolicy, RetryPolicy,
    Timestamp,
};

use super::fixture::StoreFixture;
use super::steps::{ALL, claim, claim_one, finish, join, listed, logs_of, snapshot, submit};
use crate::samples::{at, claim_request, done, due, entry, job_id, once, unarmed, waiting};

fn instant(text: &str) -> Timestamp {
    let parsed = DateTime::parse_from_rfc3339(text).expect("a valid instant");
    parsed.with_timezone(&chrono::Utc)
}

/// A job with every field set to something other than its default.
fn full() -> JobInfo {
    let mut args = JobArgs::new();
    args.insert("path", "/tmp/ä");
    args.insert("nested", json!({"a": [1, 2.5, null, true, "x"], "b": {}}));
    JobInfo {
        name: "every field".to_owned(),
        group: "group".to_owned(),
        result: Some("former".to_owned()),
        source: JobSource::System,
        args,
        is_enabled: false,
        description: Some(String::new()),
        begin_time: at(5),
        end_time: Some(at(50)),
        last_run_time: Some(at(3)),
        job_type: JobType::Period,
        cron: Some("0 0/5 * * * ?".to_owned()),
        time_zone: Some("Asia/Tokyo".to_owned()),
        misfire_policy: MisfirePolicy::FireAll { max: 17 },
        trigger_count: u32::MAX,
        try_count: 11,
        max_try_count: 12,
        max_count: 13,
        is_abandoned: true,
        interruptions: 14,
        suspect_interruptions: 15,
        max_interruptions: 16,
        interval: Duration::from_millis(1),
        retry_policy: Some(RetryPolicy {
            base: Duration::from_millis(1_500),
            factor: 1.25,
            cap: Duration::from_secs(60),
            jitter: 0.5,
        }),
        timeout: Some(JobLimits::default().max_duration),
        lock_timeout: Some(Duration::from_millis(1)),
        node_name: Some("node/ü".replace('/', "-")),
        failover: true,
        version: 7,
        selector: Some("Namespace:shop".to_owned()),
        definition: Some(DefinitionMark {
            hash: job_id(77).as_uuid(),
            version: "1.2.3-rc.1".to_owned(),
        }),
        overrides: ["cron", "priority"].map(ToOwned::to_owned).into(),
        ..once(1)
    }
}

/// Every field of a job, set to something other than its default, comes back.
pub async fn every_field_of_a_job_comes_back(fx: &impl StoreFixture) {
    let job = full();
    let skip = JobInfo {
        misfire_policy: MisfirePolicy::Skip,
        interval: JobLimits::default().max_duration,
        ..once(2)
    };
    submit(&fx.store(), &[unarmed(job.clone()), unarmed(skip.clone())]).await;
    assert_eq!(snapshot(&fx.other_node(), job_id(1)).await.job, job);
    assert_eq!(snapshot(&fx.other_node(), job_id(2)).await.job, skip);
}

/// Gives a job one of the fields of another.
type Set = fn(&mut JobInfo, JobInfo);

/// What few jobs have.
const RARE: [Set; 18] = [
    |it, full| it.description = full.description,
    |it, full| it.result = full.result,
    |it, full| it.cron = full.cron,
    |it, full| it.time_zone = full.time_zone,
    |it, _| it.misfire_policy = MisfirePolicy::Skip,
    |it, full| it.misfire_policy = full.misfire_policy,
    |it, full| it.end_time = full.end_time,
    |it, full| it.last_run_time = full.last_run_time,
    |it, full| it.is_abandoned = full.is_abandoned,
    |it, full| it.retry_policy = full.retry_policy,
    |it, full| it.timeout = full.timeout,
    |it, full| it.lock_timeout = full.lock_timeout,
    |it, full| it.node_name = full.node_name,
    |it, full| it.failover = full.failover,
    |it, full| it.selector = full.selector,
    |it, full| it.definition = full.definition,
    |it, full| it.overrides = full.overrides,
    |it, full| it.name = full.name,
];

/// What every job has.
const COMMON: [Set; 19] = [
    |_, _| {},
    |it, full| it.group = full.group,
    |it, full| it.args = full.args,
    |it, full| it.source = full.source,
    |it, full| it.is_enabled = full.is_enabled,
    |it, full| it.begin_time = full.begin_time,
    |it, full| it.job_type = full.job_type,
    |it, _| it.job_type = JobType::Persistent,
    |it, full| it.trigger_count = full.trigger_count,
    |it, full| it.try_count = full.try_count,
    |it, full| it.max_try_count = full.max_try_count,
    |it, full| it.max_count = full.max_count,
    |it, full| it.interruptions = full.interruptions,
    |it, full| it.suspect_interruptions = full.suspect_interruptions,
    |it, full| it.max_interruptions = full.max_interruptions,
    |it, full| it.interval = full.interval,
    |it, full| it.priority = full.priority,
    |it, _| it.priority = JobPriority::High,
    |it, full| it.version = full.version,
];

fn with_one_field(number: u128, set: Set) -> JobInfo {
    let mut job = once(number);
    set(&mut job, full());
    job
}

/// Each field that few jobs have comes back where a job has just that one.
pub async fn a_rare_field_alone_comes_back(fx: &impl StoreFixture) {
    for (number, set) in (1_u128..).zip(RARE) {
        let job = with_one_field(number, set);
        submit(&fx.store(), &[unarmed(job.clone())]).await;
        assert_eq!(snapshot(&fx.other_node(), job_id(number)).await.job, job);
    }
}

/// A claim answers each job with all that is stored of it, whichever field it has besides those that all have.
pub async fn a_claim_reads_every_field_of_a_job(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    let sets = COMMON.into_iter().chain(RARE);
    let mut jobs: Vec<JobInfo> = (1_u128..)
        .zip(sets)
        .map(|(number, set)| with_one_field(number, set))
        .collect();
    jobs.push(JobInfo {
        id: job_id(1_000),
        name: "all of them".to_owned(),
        ..full()
    });
    let due: Vec<_> = jobs
        .into_iter()
        .map(|job| waiting(job, entry(&once(1), at(0))))
        .collect();
    submit(&store, &due).await;
    let claimed = claim(&store, 1, due.len(), at(1)).await;
    assert_eq!(claimed.len(), due.len());
    for it in claimed {
        assert_eq!(*it.job, snapshot(&fx.other_node(), it.job.id).await.job);
        let written = due
            .iter()
            .find(|due| due.job.id == it.job.id)
            .expect("a job that was stored");
        let as_it_waited = JobInfo {
            status: written.job.status,
            is_running: false,
            next_run_time: written.job.next_run_time,
            ..JobInfo::clone(&it.job)
        };
        assert_eq!(as_it_waited, written.job);
    }
}

/// Instants keep their microseconds, from 1970 to the end of 9999, in every column, and none is read as negative or wrapped.
pub async fn times_come_back_to_the_microsecond(fx: &impl StoreFixture) {
    let store = fx.store();
    let precision = fx.capabilities().time_precision;
    assert!(
        precision <= Duration::from_micros(1),
        "instants are whole microseconds everywhere"
    );
    join(&store, 1).await;
    let edges = [
        "1970-01-01T00:00:00Z",
        "1970-01-01T00:00:00.000001Z",
        "2026-03-29T01:00:00.999999Z",
        "2038-01-19T03:14:08.000001Z",
        "2040-02-29T23:59:59.123456Z",
        "9999-12-31T23:59:59Z",
    ];
    for (number, text) in (1_u128..).zip(edges) {
        let edge = instant(text);
        let job = JobInfo {
            creation_time: edge,
            begin_time: edge,
            end_time: Some(edge),
            last_run_time: Some(edge),
            ..once(number)
        };
        let prepared = due(job, edge);
        submit(&store, std::slice::from_ref(&prepared)).await;
        let found = snapshot(&store, job_id(number)).await;
        assert_eq!(found.job, prepared.job, "{text}");
        assert_eq!(found.waiting, prepared.first, "{text}");
        assert!(found.job.begin_time >= DateTime::UNIX_EPOCH, "{text}");

        let run = claim_one(&store, 1, edge).await;
        assert_eq!(run.run.claimed_at, edge, "{text}");
        let held = snapshot(&store, job_id(number)).await.run.expect("in flight");
        assert_eq!((held.claimed_at, held.entry.due_at), (edge, edge), "{text}");
        let mut ended = done(&run);
        let log = ended.settlement.log.as_mut().expect("a log");
        log.started_at = edge;
        log.duration = Duration::from_millis(7);
        ended.settlement.update.last_run_time = Some(edge);
        finish(&store, &[ended.clone()]).await;
        assert_eq!(
            logs_of(&store, job_id(number)).await,
            [ended.settlement.log.expect("a log")]
        );
        assert_eq!(
            snapshot(&store, job_id(number)).await.job.last_run_time,
            Some(edge)
        );
    }
}

/// An execution is not claimed a microsecond early, also beyond 2038.
pub async fn a_far_due_time_is_kept_to_the_microsecond(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    let far = instant("2040-06-15T12:00:00.000001Z");
    submit(&store, &[due(once(1), far)]).await;
    let early = far - TimeDelta::microseconds(1);
    assert!(claim(&store, 1, 10, early).await.is_empty());
    assert_eq!(claim_one(&store, 1, far).await.run.entry.due_at, far);
}

/// Non-ASCII, four-byte, right-to-left and quoting texts come back as they are, in jobs, logs and lanes, and are found by filters.
pub async fn texts_of_any_language_come_back(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    let texts = [
        "Größe Ångström İstanbul ß",
        "日本語のジョブ 한국어 中文",
        "😀👩‍👩‍👧‍👦🏳️‍🌈 𝔘𝔫𝔦",
        "مهمة خلفية עברית \u{202e}reversed\u{202c}",
        "'; DROP TABLE tk_jobs; -- \" ` \\ % _ [a-z] {} $1 ?1 :x @p",
        "  leading, trailing \t and \r\n lines \u{1} \u{7f} \u{feff}",
        "e\u{301} is not é",
    ];
    for (number, text) in (1_u128..).zip(texts) {
        let mut args = JobArgs::new();
        args.insert(text, text);
        let job = JobInfo {
            name: text.to_owned(),
            group: text.to_owned(),
            type_name: text.to_owned(),
            description: Some(text.to_owned()),
            args,
            ..once(number)
        };
        let first = QueueEntry {
            lane: tasks_abstractions::job::Lane::node(text),
            ..entry(&job, at(0))
        };
        let lane = first.lane.clone();
        submit(&store, &[waiting(job.clone(), first)]).await;
        let mut ask = claim_request(1, 5, at(0));
        ask.lanes = vec![lane.clone()];
        let run = store.claim(&ask).await.expect("claim").remove(0);
        assert_eq!(run.run.entry.lane, lane, "{text}");
        assert_eq!((&run.job.name, &run.job.args), (&job.name, &job.args), "{text}");
        let mut ended = done(&run);
        ended.settlement.update.result = Some(text.to_owned());
        let log = ended.settlement.log.as_mut().expect("a log");
        log.message = Some(text.to_owned());
        log.error = Some(text.to_owned());
        log.node_name = text.to_owned();
        finish(&store, &[ended.clone()]).await;
        assert_eq!(
            logs_of(&store, job_id(number)).await,
            [ended.settlement.log.expect("a log")]
        );
        let found = snapshot(&store, job_id(number)).await.job;
        assert_eq!(found.result.as_deref(), Some(text));
        assert_eq!(
            (found.group.as_str(), found.description.as_deref()),
            (text, Some(text))
        );
        for query in [
            JobQuery {
                filter: Some(text.to_owned()),
                ..JobQuery::default()
            },
            JobQuery {
                name: Some(text.to_owned()),
                ..JobQuery::default()
            },
        ] {
            assert_eq!(listed(&store, ALL, &query).await, [number], "{text}");
        }
    }
}

/// Results of 1,000, errors of 8,000 and types of 1,000 characters, all of four bytes, and arguments of 1 MiB are kept whole.
pub async fn long_texts_and_arguments_are_kept_whole(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    let mut args = JobArgs::new();
    args.insert("blob", "ж".repeat((1024 * 1024 - 64) / 2));
    assert!(args.to_json().len() > 1024 * 1024 - 128);
    let job = JobInfo {
        name: "𝔫".repeat(100),
        group: "𝔤".repeat(100),
        type_name: "𝔱".repeat(1_000),
        description: Some("𝔡".repeat(255)),
        node_name: Some("𝔬".repeat(128)),
        args,
        ..once(1)
    };
    let mut prepared = due(job.clone(), at(0));
    if let Some(first) = &mut prepared.first {
        first.lane = tasks_abstractions::job::Lane::any_node();
    }
    submit(&store, &[prepared.clone()]).await;
    assert_eq!(snapshot(&store, job_id(1)).await.job, prepared.job);
    let run = claim_one(&store, 1, at(0)).await;
    assert_eq!(run.job.args, job.args);
    let mut ended = done(&run);
    ended.settlement.update.result = Some("🦀".repeat(1_000));
    let log = ended.settlement.log.as_mut().expect("a log");
    log.message = Some("🦀".repeat(1_000));
    log.error = Some("💥".repeat(8_000));
    finish(&store, &[ended.clone()]).await;
    assert_eq!(
        logs_of(&store, job_id(1)).await,
        [ended.settlement.log.expect("a log")]
    );
    assert_eq!(
        snapshot(&store, job_id(1)).await.job.result,
        ended.settlement.update.result
    );
}
