//! Which selector applies to what, and what it gives.

use std::time::Duration;

use super::*;
use crate::prelude::*;
use crate::{JobId, JobLimits, SystemClock};
use chrono::DateTime;
use tasks_multitenancy::TenantId;

inject! { struct Bill; }

#[async_trait]
impl BackgroundJob for Bill {
    const NAME: &'static str = "billing.send-invoice";
    type Args = ();
    async fn execute(&self, (): (), _: &JobRunnableContext) -> JobResult {
        Ok(Outcome::Done)
    }
}

struct Purge;

fn job() -> SelectedType<'static> {
    SelectedType {
        name: Bill::NAME,
        kind: SelectedKind::Job,
        rust_type: Some(RustType::of::<Bill>()),
    }
}

fn worker() -> SelectedType<'static> {
    SelectedType {
        name: "shop.purge",
        kind: SelectedKind::Worker,
        rust_type: Some(RustType::of::<Purge>()),
    }
}

fn once() -> JobInfo {
    let id = JobId::from_name(TenantId::HOST, "g", "n");
    JobInfo::builder(id, TenantId::HOST, Bill::NAME, DateTime::UNIX_EPOCH)
        .build(&JobLimits::default())
        .unwrap()
}

fn every_minute() -> JobInfo {
    JobInfo {
        job_type: JobType::Persistent,
        interval: Duration::from_secs(60),
        ..once()
    }
}

#[test]
fn the_first_match_wins_and_nothing_is_merged() {
    let mut selectors = JobDispatcherSelectors::new();
    selectors
        .add_job::<Bill>(|it| it.priority(JobPriority::High))
        .add_all(|it| it.node_name("batch").priority(JobPriority::Low));
    let mut bill = once();
    selectors.first_match(&job()).unwrap().apply(&mut bill);
    assert_eq!(
        (bill.priority, bill.node_name.as_deref()),
        (JobPriority::High, None)
    );
    assert_eq!(
        bill.selector.as_deref(),
        Some("Job:tasks_abstractions::selector::tests::Bill")
    );
    let mut purge = every_minute();
    selectors.first_match(&worker()).unwrap().apply(&mut purge);
    assert_eq!(
        (purge.priority, purge.node_name.as_deref()),
        (JobPriority::Low, Some("batch"))
    );
    assert_eq!(purge.selector.as_deref(), Some("All"));
}

#[test]
fn a_namespace_is_that_of_the_name_or_of_the_path() {
    let matches = |namespace: &str, it: SelectedType<'_>| {
        let mut selectors = JobDispatcherSelectors::new();
        selectors.add_namespace(namespace, |it| it);
        selectors.first_match(&it).is_some()
    };
    assert!(matches("billing", job()));
    assert!(matches("billing.send-invoice", job()));
    assert!(matches("tasks_abstractions::selector", job()));
    assert!(!matches("bill", job()), "a namespace ends at a separator");
    assert!(!matches("shop", job()));
    assert!(!matches("tasks_abstractions::sel", job()));
    assert!(matches("shop", worker()));
}

#[test]
fn a_worker_is_found_by_its_type_and_a_job_by_its_name() {
    let mut selectors = JobDispatcherSelectors::new();
    selectors.add_worker::<Purge>(|it| it).add_job::<Bill>(|it| it);
    let by_name = SelectedType {
        rust_type: None,
        ..job()
    };
    assert_eq!(
        selectors.first_match(&by_name).map(JobTypeSelector::name),
        Some("Job:tasks_abstractions::selector::tests::Bill")
    );
    let as_worker = SelectedType {
        kind: SelectedKind::Worker,
        ..job()
    };
    assert!(selectors.first_match(&as_worker).is_none());
    assert!(selectors.first_match(&worker()).is_some());
}

#[test]
fn names_that_are_there_are_an_error_for_predicates_and_ignored_for_the_rest() {
    let mut selectors = JobDispatcherSelectors::new();
    selectors.add("mine", |_| false, |it| it).unwrap();
    let again = selectors.add("mine", |_| true, |it| it).unwrap_err();
    assert_eq!(again, DuplicateSelector("mine".to_owned()));
    selectors
        .add_all(|it| it.max_count(1_u32))
        .add_all(|it| it.max_count(2_u32));
    assert_eq!(selectors.get("All").unwrap().settings().max_count, Some(1));
    let guids = crate::SequentialGuidGenerator::new(Arc::new(SystemClock));
    selectors
        .add_unnamed(&guids, |_| true, |it| it)
        .add_unnamed(&guids, |_| true, |it| it);
    assert_eq!(selectors.iter().count(), 4);
}

#[test]
fn selectors_are_removed_by_name_and_type() {
    let mut selectors = JobDispatcherSelectors::new();
    selectors
        .add_job::<Bill>(|it| it)
        .add_worker::<Purge>(|it| it)
        .add_all(|it| it);
    assert!(selectors.remove_job::<Bill>() && !selectors.remove_job::<Bill>());
    assert!(selectors.remove_worker::<Purge>() && !selectors.remove_worker::<Purge>());
    assert!(selectors.remove_by_name("All") && !selectors.remove_by_name("All"));
    assert_eq!(selectors.iter().count(), 0);
}

#[test]
fn every_setting_reaches_a_worker() {
    let settings = SelectedSettings::default()
        .lock_timeout(Duration::from_secs(1))
        .node_name("n")
        .cron("0 0 * * * ?")
        .time_zone("Asia/Tokyo")
        .priority(JobPriority::High)
        .max_count(3_u32)
        .max_try_count(4_u32)
        .timeout(Duration::from_secs(5))
        .retry_policy(RetryPolicy::fixed(Duration::from_secs(6)));
    let mut it = every_minute();
    settings.apply(&mut it);
    assert_eq!(it.lock_timeout, Some(Duration::from_secs(1)));
    assert_eq!(it.node_name.as_deref(), Some("n"));
    assert_eq!(
        (it.job_type, it.cron.as_deref()),
        (JobType::Period, Some("0 0 * * * ?"))
    );
    assert_eq!(it.time_zone.as_deref(), Some("Asia/Tokyo"));
    assert_eq!(
        (it.priority, it.max_count, it.max_try_count),
        (JobPriority::High, 3, 4)
    );
    assert_eq!(it.timeout, Some(Duration::from_secs(5)));
    assert_eq!(it.retry_policy, Some(RetryPolicy::fixed(Duration::from_secs(6))));
    it.build_check();
    SelectedSettings::default()
        .interval(Duration::from_secs(7))
        .apply(&mut it);
    assert_eq!(
        (
            it.job_type,
            it.interval,
            it.cron.as_deref(),
            it.time_zone.as_deref()
        ),
        (JobType::Persistent, Duration::from_secs(7), None, None)
    );
    it.build_check();
}

#[test]
fn a_job_that_is_done_once_stays_one() {
    let mut it = once();
    SelectedSettings::default()
        .cron("0 0 * * * ?")
        .max_count(3_u32)
        .interval(Duration::from_secs(7))
        .apply(&mut it);
    assert_eq!(
        (it.job_type, it.cron.as_deref(), it.max_count),
        (JobType::Once, None, 0)
    );
    assert_eq!(it.interval, Duration::from_secs(7));
    it.build_check();
}

#[test]
fn settings_without_meaning_are_reported() {
    let mut selectors = JobDispatcherSelectors::new();
    selectors
        .add_job::<Bill>(|it| it.cron("0 0 * * * ?"))
        .add_worker::<Purge>(|it| it.cron("0 0 * * * ?").interval(Duration::from_secs(1)))
        .add_all(|it| it.cron("0 0 * * * ?"));
    selectors.add("x".repeat(256), |_| true, |it| it).unwrap();
    let faults = selectors.faults();
    assert_eq!(faults.len(), 3, "{faults:?}");
    assert!(faults[0].field.starts_with("selectors.Job:"), "{faults:?}");
}

impl JobInfo {
    fn build_check(&self) {
        JobLimits::default().check(self).unwrap();
    }
}
