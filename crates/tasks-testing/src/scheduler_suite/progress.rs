//! What runs say of how far they have come: stored with the run now and then, and shown.

use std::sync::Arc;

use chrono::TimeDelta;
use tasks_abstractions::run::{Progress, RunProgress};
use tasks_abstractions::{JobManagement, JobQueue, Outcome, RunOutcome};
use tasks_multitenancy::TenantScope;

use super::faulty_queue::Call;
use super::fixture::{Gate, LIMIT, SchedulerFixture, pass, secs};
use crate::{TestHost, samples};

/// The progress that other programs see of the only run.
async fn shown(host: &TestHost) -> Option<RunProgress> {
    let runs = host.management().runs(TenantScope::All, 10).await.unwrap();
    assert_eq!(runs.len(), 1);
    runs[0].run.as_ref().and_then(|it| it.progress.clone())
}

/// A run that reports all the time costs the store a write a second, and other nodes see how far it is.
pub async fn progress_is_stored_once_a_second_at_most(fx: &impl SchedulerFixture) {
    let queue = fx.faulty_queue();
    let host = fx
        .node("a")
        .queue(Arc::clone(&queue) as Arc<dyn JobQueue>)
        .run("t", |ctx| async move {
            for done in 1..=1_000 {
                ctx.progress(done, 1_000, format!("row {done}"));
                pass(secs(10) / 1_000).await;
            }
            Ok(Outcome::Done)
        })
        .build()
        .unwrap();
    let other = fx.node("b").build().unwrap();
    host.start();
    let ids = host.enqueue_many("t", 20).await.unwrap();
    for id in &ids {
        host.recorder().started(*id, 1, LIMIT).await.unwrap();
    }
    pass(secs(5)).await;
    let runs = other.management().runs(TenantScope::All, 100).await.unwrap();
    assert_eq!(runs.len(), 20);
    for it in runs {
        let progress = it.run.and_then(|it| it.progress).unwrap();
        assert!((390..=500).contains(&progress.done), "{progress:?}");
        assert_eq!(
            (progress.total, progress.message),
            (1_000, format!("row {}", progress.done))
        );
        assert!(fx.now() - progress.at <= TimeDelta::milliseconds(1_100));
    }
    for id in &ids {
        host.recorder()
            .settled(*id, RunOutcome::Succeeded, 1, secs(20))
            .await
            .unwrap();
    }
    let writes = queue.calls(Call::Progress);
    assert!(
        (8..=12).contains(&writes),
        "{writes} writes in ten seconds of 20 runs"
    );
    pass(secs(60)).await;
    assert_eq!(
        queue.calls(Call::Progress),
        writes,
        "nothing new, nothing written"
    );
    assert!(
        other
            .management()
            .runs(TenantScope::All, 10)
            .await
            .unwrap()
            .is_empty()
    );
}

/// The first report is there at once, the last one within a second; a run that says nothing has none.
pub async fn progress_is_shown_soon_and_kept_as_it_was_said(fx: &impl SchedulerFixture) {
    let gate = Gate::new();
    let wait = gate.clone();
    let host = fx
        .node("a")
        .run("t", move |ctx| {
            let wait = wait.clone();
            async move {
                wait.pass().await;
                ctx.progress(1, 0, "eins");
                ctx.progress(2, 0, "ü".repeat(2_000));
                wait.pass().await;
                ctx.progress(u64::MAX, u64::MAX, "drei");
                wait.pass().await;
                Ok(Outcome::Done)
            }
        })
        .build()
        .unwrap();
    host.start();
    let id = host.enqueue("t").await.unwrap();
    host.recorder().started(id, 1, LIMIT).await.unwrap();
    pass(secs(5)).await;
    assert_eq!(shown(&host).await, None);
    gate.open(1);
    pass(secs(1) / 100).await;
    let progress = shown(&host).await.unwrap();
    assert_eq!((progress.done, progress.total), (2, 0), "the latest one counts");
    assert_eq!(progress.message.chars().count(), 1_000, "cut");
    gate.open(1);
    pass(secs(1)).await;
    let progress = shown(&host).await.unwrap();
    assert_eq!(
        (progress.done, progress.total, progress.message.as_str()),
        (Progress::MAX_COUNT, Progress::MAX_COUNT, "drei"),
        "no more than stores can keep"
    );
    // It belongs to the run: the next one begins without.
    gate.open(1);
    host.recorder()
        .settled(id, RunOutcome::Succeeded, 1, secs(1))
        .await
        .unwrap();
    host.command(id, tasks_abstractions::JobCommand::Trigger)
        .await
        .unwrap();
    host.recorder().started(id, 2, secs(1)).await.unwrap();
    pass(secs(2)).await;
    assert_eq!(shown(&host).await, None);
}

/// While the store is away the latest report is kept, and stored when it is back. The run does not notice.
pub async fn progress_outlasts_an_outage(fx: &impl SchedulerFixture) {
    let gate = Gate::new();
    let wait = gate.clone();
    let host = fx
        .node("a")
        .run("t", move |ctx| {
            let wait = wait.clone();
            async move {
                ctx.progress(1, 2, "before");
                wait.pass().await;
                ctx.progress(2, 2, "meanwhile");
                wait.pass().await;
                Ok(Outcome::Done)
            }
        })
        .build()
        .unwrap();
    host.start();
    let id = host.enqueue("t").await.unwrap();
    host.recorder().started(id, 1, LIMIT).await.unwrap();
    pass(secs(2)).await;
    fx.store().set_available(false);
    gate.open(1);
    pass(secs(5)).await;
    fx.store().set_available(true);
    pass(secs(5)).await;
    assert_eq!(
        shown(&host).await.map(|it| it.message).as_deref(),
        Some("meanwhile")
    );
    gate.open(1);
    host.recorder()
        .settled(id, RunOutcome::Succeeded, 1, secs(5))
        .await
        .unwrap();
}

/// Another tenant sees neither the run nor its progress.
pub async fn progress_is_hidden_from_other_tenants(fx: &impl SchedulerFixture) {
    let gate = Gate::new();
    let wait = gate.clone();
    let host = fx
        .node("a")
        .run("t", move |ctx| {
            let wait = wait.clone();
            async move {
                ctx.progress(1, 2, "secret");
                wait.pass().await;
                Ok(Outcome::Done)
            }
        })
        .build()
        .unwrap();
    host.start();
    let mut request = tasks_abstractions::EnqueueRequest::new("t", tasks_abstractions::JobArgs::new());
    request.tenant_id = Some(samples::tenant(1));
    let id = host.enqueue_with(request).await.unwrap();
    host.recorder().started(id, 1, LIMIT).await.unwrap();
    pass(secs(2)).await;
    assert_eq!(shown(&host).await.map(|it| it.message).as_deref(), Some("secret"));
    let of = async |number| {
        let scope = TenantScope::One(samples::tenant(number));
        host.management().runs(scope, 10).await.unwrap().len()
    };
    assert_eq!((of(1).await, of(2).await), (1, 0));
}
