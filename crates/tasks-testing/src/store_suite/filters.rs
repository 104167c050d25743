//! Filters of the list of jobs, each alone and together.

use tasks_abstractions::store::{JobQuery, JobSort};
use tasks_abstractions::{JobInfo, JobPriority, JobSource, JobStatus, JobType};

use super::fixture::StoreFixture;
use super::steps::{ALL, listed, numbers, submit};
use crate::samples::{at, job_id, once, unarmed};

/// Every filter alone, texts literally and by case; several together must all hold.
pub async fn list_filters_by_every_field(fx: &impl StoreFixture) {
    let store = fx.store();
    let a = JobInfo {
        name: "Nightly 100% a_b".to_owned(),
        group: "reports".to_owned(),
        type_name: "app.Report".to_owned(),
        description: Some("für Ärzte 🩺".to_owned()),
        priority: JobPriority::High,
        source: JobSource::User,
        job_type: JobType::Persistent,
        node_name: Some("batch-1".to_owned()),
        is_enabled: false,
        is_abandoned: true,
        begin_time: at(100),
        end_time: Some(at(1_000)),
        last_run_time: Some(at(50)),
        creation_time: at(-50),
        ..once(1)
    };
    let b = JobInfo {
        name: "nightly 100x acb".to_owned(),
        group: "Reports".to_owned(),
        ..once(2)
    };
    submit(&store, &[unarmed(a), unarmed(b), unarmed(once(3))]).await;
    let only = |set: fn(&mut JobQuery)| {
        let mut query = JobQuery {
            sort: JobSort::Name,
            ..JobQuery::default()
        };
        set(&mut query);
        query
    };
    let filters: [(&str, JobQuery); 23] = [
        ("name", only(|it| it.name = Some("Nightly 100% a_b".to_owned()))),
        ("group", only(|it| it.group = Some("reports".to_owned()))),
        ("type part", only(|it| it.type_name = Some("app.Rep".to_owned()))),
        (
            "filter in name",
            only(|it| it.filter = Some("Nightly".to_owned())),
        ),
        (
            "filter in group",
            only(|it| it.filter = Some("reports".to_owned())),
        ),
        ("filter in type", only(|it| it.filter = Some("app.R".to_owned()))),
        (
            "filter in description",
            only(|it| it.filter = Some("Ärzte 🩺".to_owned())),
        ),
        (
            "a percent sign is itself",
            only(|it| it.filter = Some("100%".to_owned())),
        ),
        (
            "an underscore is itself",
            only(|it| it.filter = Some("a_b".to_owned())),
        ),
        ("priority", only(|it| it.priority = Some(JobPriority::High))),
        ("source", only(|it| it.source = Some(JobSource::User))),
        ("type of job", only(|it| it.job_type = Some(JobType::Persistent))),
        ("node", only(|it| it.node_name = Some("batch-1".to_owned()))),
        ("enabled", only(|it| it.is_enabled = Some(false))),
        ("abandoned", only(|it| it.is_abandoned = Some(true))),
        ("begins from", only(|it| it.begin_time = Some(at(100)))),
        ("ends until", only(|it| it.end_time = Some(at(1_000)))),
        ("last run from", only(|it| it.begin_last_run_time = Some(at(50)))),
        ("last run until", only(|it| it.end_last_run_time = Some(at(50)))),
        ("made until", only(|it| it.end_creation_time = Some(at(-50)))),
        ("ids", only(|it| it.ids = Some(vec![job_id(1), job_id(77)]))),
        (
            "made from and until",
            only(|it| (it.begin_creation_time, it.end_creation_time) = (Some(at(-50)), Some(at(-1)))),
        ),
        (
            "several",
            only(|it| {
                (it.filter, it.is_enabled, it.status) =
                    (Some("100".to_owned()), Some(false), Some(JobStatus::None))
            }),
        ),
    ];
    for (what, query) in filters {
        let page = store.list(ALL, &query).await.expect("list");
        assert_eq!(
            (page.total, numbers(page.items.iter().map(|it| it.id))),
            (1, vec![1]),
            "{what}"
        );
    }
    let others: [(&str, JobQuery); 10] = [
        ("case counts", only(|it| it.filter = Some("NIGHTLY".to_owned()))),
        (
            "a backslash is itself",
            only(|it| it.filter = Some("\\%".to_owned())),
        ),
        (
            "a quote is itself",
            only(|it| it.name = Some("' OR 1=1 --".to_owned())),
        ),
        ("part of a name", only(|it| it.name = Some("Nightly".to_owned()))),
        ("begins later", only(|it| it.begin_time = Some(at(101)))),
        ("ends earlier", only(|it| it.end_time = Some(at(999)))),
        ("last run later", only(|it| it.begin_last_run_time = Some(at(51)))),
        ("last run earlier", only(|it| it.end_last_run_time = Some(at(49)))),
        ("no ids", only(|it| it.ids = Some(Vec::new()))),
        (
            "one of two does not hold",
            only(|it| (it.group, it.priority) = (Some("Reports".to_owned()), Some(JobPriority::High))),
        ),
    ];
    for (what, query) in others {
        let page = store.list(ALL, &query).await.expect("list");
        assert_eq!((page.total, page.items.len()), (0, 0), "{what}");
    }
    let enabled = only(|it| it.is_enabled = Some(true));
    assert_eq!(listed(&store, ALL, &enabled).await.len(), 2);
    let kept = only(|it| it.is_abandoned = Some(false));
    assert_eq!(listed(&store, ALL, &kept).await.len(), 2);
    let made = only(|it| it.begin_creation_time = Some(at(0)));
    assert_eq!(listed(&store, ALL, &made).await.len(), 2);
}
