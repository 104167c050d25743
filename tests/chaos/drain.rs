//! The end of a run: nothing is done to the nodes any more, and they finish what is left.

use std::time::Instant;

use anyhow::Result;
use tasks_abstractions::store::{JobQuery, NodeState, Paging};
use tasks_abstractions::{JobManagement as _, JobQueue as _, JobStatus, JobStore as _, JobType};
use tasks_core::EngineManagement;
use tasks_multitenancy::TenantScope;
use tasks_store_seaorm::SeaOrmStore;

use crate::cluster::Cluster;
use crate::place::Place;
use crate::waiting::look;

const WAITING: [JobStatus; 3] = [JobStatus::Queuing, JobStatus::FailedRetry, JobStatus::Paused];

/// Waits until nothing is left to do and every node is a living member; what is found instead is answered.
pub(crate) async fn drain(
    cluster: &mut Cluster,
    place: &mut Place,
    store: &SeaOrmStore,
) -> Result<Vec<String>> {
    let began = Instant::now();
    let (mut least, mut changed) = (u64::MAX, Instant::now());
    loop {
        cluster.tick(place).await?;
        look().await;
        let left = unfinished(store).await?;
        if left == 0 {
            break;
        }
        if left < least {
            (least, changed) = (left, Instant::now());
        }
        if changed.elapsed() > cluster.settings.stuck_after()
            || began.elapsed() > cluster.settings.drain_limit()
        {
            return left_behind(store, left).await;
        }
    }
    let asked = Instant::now();
    loop {
        cluster.tick(place).await?;
        look().await;
        let nodes = store.nodes().await?;
        let alive = nodes.iter().filter(|it| it.state == NodeState::Alive).count();
        if alive == cluster.len() {
            return Ok(Vec::new());
        }
        if asked.elapsed() > cluster.settings.rescue_bound() * 2 {
            return Ok(vec![format!(
                "{} nodes run and {alive} of them are living members",
                cluster.len()
            )]);
        }
    }
}

/// Jobs that have not come to their end. Workers never do.
async fn unfinished(store: &SeaOrmStore) -> Result<u64> {
    let left = count(store, &WAITING).await? + count(store, &[JobStatus::Running]).await?;
    if left > 0 {
        return Ok(left);
    }
    // One that ran while the waiting ones were counted, and waits for its next try since, was in neither count.
    count(store, &WAITING).await
}

async fn count(store: &SeaOrmStore, shown: &[JobStatus]) -> Result<u64> {
    let mut count = 0;
    for status in shown {
        count += store.list(TenantScope::All, &of_status(*status)).await?.total;
    }
    Ok(count)
}

fn of_status(status: JobStatus) -> JobQuery {
    JobQuery {
        status: Some(status),
        job_type: Some(JobType::Once),
        paging: Paging { skip: 0, take: 5 },
        ..JobQuery::default()
    }
}

async fn left_behind(store: &SeaOrmStore, left: u64) -> Result<Vec<String>> {
    let mut found = vec![format!("{left} jobs are left and nothing happens to them")];
    for status in WAITING.into_iter().chain([JobStatus::Running]) {
        for job in store.list(TenantScope::All, &of_status(status)).await?.items {
            found.push(format!("job {} shows {status:?}: {}", job.id, job.args.to_json()));
        }
    }
    Ok(found)
}

/// Looks at every job as the system's own check does: whatever it repairs was lost by the engine.
pub(crate) async fn check_rows(management: &EngineManagement) -> Result<Vec<String>> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let report = management.check(after, 1_000).await?;
        let repaired = report.rearmed.iter().chain(&report.completed);
        found.extend(repaired.map(|it| format!("job {it} was active and nothing was armed for it")));
        after = report.next;
        if after.is_none() {
            return Ok(found);
        }
    }
}
