//! Commands on many jobs: by ids, by a filter, foretold, in steps.

use std::sync::Arc;

use tasks_abstractions::store::JobQuery;
use tasks_abstractions::{
    BulkAnswer, BulkMode, CommandAnswer, EnqueueRequest, JobArgs, JobCommand, JobError, JobId, JobInfo,
    JobManagement, JobQueue, JobStatus, RunOutcome,
};
use tasks_multitenancy::TenantScope;

use super::faulty_queue::Call;
use super::fixture::{Gate, LIMIT, SchedulerFixture, done, pass, secs};
use crate::{TestHost, samples};

const ALL: TenantScope = TenantScope::All;

fn of_status(status: JobStatus) -> JobQuery {
    JobQuery {
        status: Some(status),
        ..JobQuery::default()
    }
}

async fn delayed(host: &TestHost, tenant: u128, count: usize) -> Vec<JobId> {
    let jobs: Vec<_> = (0..count)
        .map(|_| {
            let mut request = EnqueueRequest::new("t", JobArgs::new());
            (request.tenant_id, request.delay) = (Some(samples::tenant(tenant)), Some(secs(3_600)));
            host.jobs().prepare_request(request).unwrap()
        })
        .collect();
    let ids = jobs.iter().map(|it| it.job.id).collect();
    host.jobs().submit(jobs).await.unwrap();
    ids
}

/// The ids in order, each with its answer, also unknown and repeated ones; no ids, no answers.
pub async fn many_ids_are_answered_one_by_one(fx: &impl SchedulerFixture) {
    use CommandAnswer::{Changed, NotFound, Refused, Unchanged};
    let host = fx.node("a").run("t", done).build().unwrap();
    let ids = delayed(&host, 1, 3).await;
    host.command(ids[1], JobCommand::Disable).await.unwrap();
    let asked = [ids[2], samples::job_id(9), ids[0], ids[1], ids[2]];
    let many = async |command| {
        let it = host.management();
        it.command_many(ALL, &asked, command, BulkMode::Apply)
            .await
            .unwrap()
    };
    let answers = many(JobCommand::Trigger).await;
    assert!(
        matches!(&answers[..], [Changed, NotFound, Changed, Refused(_), Unchanged]),
        "{answers:?}"
    );
    let answers = many(JobCommand::Delete).await;
    assert_eq!(answers, [Changed, NotFound, Changed, Changed, NotFound]);
    let none = host
        .management()
        .command_many(ALL, &[], JobCommand::Stop, BulkMode::Apply)
        .await;
    assert!(none.unwrap().is_empty());
}

/// 1,200 jobs by a filter that the command itself makes false: each is reached once, in transactions of at most 500, and none of another tenant.
pub async fn a_filter_reaches_all_although_the_command_changes_what_it_looks_at(fx: &impl SchedulerFixture) {
    let queue = fx.faulty_queue();
    let host = fx
        .node("a")
        .queue(Arc::clone(&queue) as Arc<dyn JobQueue>)
        .run("t", done)
        .build()
        .unwrap();
    let (one, two) = (
        TenantScope::One(samples::tenant(1)),
        TenantScope::One(samples::tenant(2)),
    );
    delayed(&host, 1, 1_200).await;
    delayed(&host, 2, 300).await;
    let bulk = async |scope, status, command, mode| {
        host.management()
            .command_where(scope, &of_status(status), command, mode)
            .await
            .unwrap()
    };
    let all = |number| BulkAnswer {
        matched: number,
        changed: number,
        ..BulkAnswer::default()
    };
    let steps = [
        (JobStatus::Queuing, JobCommand::Pause, JobStatus::Paused),
        (JobStatus::Paused, JobCommand::Stop, JobStatus::Stopped),
        (JobStatus::Stopped, JobCommand::Start, JobStatus::Queuing),
    ];
    for (from, command, to) in steps {
        assert_eq!(
            bulk(one, from, command, BulkMode::DryRun).await,
            all(1_200),
            "{command}"
        );
        let before = queue.calls(Call::Change);
        assert_eq!(
            bulk(one, from, command, BulkMode::Apply).await,
            all(1_200),
            "{command}"
        );
        assert_eq!(queue.calls(Call::Change) - before, 3, "{command}");
        assert_eq!(host.store().counts(one).await.unwrap().of(to), 1_200, "{command}");
        assert_eq!(
            bulk(one, from, command, BulkMode::Apply).await,
            BulkAnswer::default(),
            "{command}: none is left"
        );
        assert_eq!(
            host.store().counts(two).await.unwrap().of(JobStatus::Queuing),
            300,
            "{command}"
        );
    }
    assert_eq!(
        bulk(one, JobStatus::Queuing, JobCommand::Delete, BulkMode::Apply).await,
        all(1_200)
    );
    assert_eq!(host.store().counts(one).await.unwrap().of(JobStatus::Queuing), 0);
}

/// A mixed lot of jobs: some wait, run, are held, abandoned, done, disabled.
async fn mixed(host: &TestHost, gate: &Gate) -> Vec<JobId> {
    let mut ids = delayed(host, 1, 6).await;
    for (id, command) in ids[1..]
        .iter()
        .zip([JobCommand::Pause, JobCommand::Stop, JobCommand::Disable])
    {
        host.command(*id, command).await.unwrap();
    }
    for type_name in ["t", "fails"] {
        let mut request = EnqueueRequest::new(type_name, JobArgs::new());
        request.max_try_count = Some(1);
        ids.push(host.enqueue_with(request).await.unwrap());
    }
    ids.push(host.enqueue("deaf").await.unwrap());
    ids.push(host.enqueue("deaf").await.unwrap());
    host.recorder()
        .wait_for("all of them", LIMIT, |it| it.started() >= 4 && it.settled() >= 2)
        .await
        .unwrap();
    host.command(ids[9], JobCommand::Stop).await.unwrap();
    host.engine().set_claiming(false);
    pass(secs(1)).await;
    assert!(host.engine().executing() >= 2, "{gate:?}");
    ids
}

/// What a dry run foretells is what the command then does, on jobs in all conditions; and it changes nothing.
pub async fn a_dry_run_foretells_what_happens(fx: &impl SchedulerFixture) {
    for command in JobCommand::ALL {
        let gate = Gate::new();
        let host = fx
            .node("a")
            .run("t", done)
            .run("fails", |_| async { Err(JobError::msg("no")) })
            .run("deaf", gate.job())
            .build()
            .unwrap();
        host.start();
        let ids = mixed(&host, &gate).await;
        let before = host.store().snapshots(ALL, &ids).await.unwrap();
        let query = JobQuery {
            ids: Some(ids.clone()),
            ..JobQuery::default()
        };
        let bulk = async |mode| {
            host.management()
                .command_where(ALL, &query, command, mode)
                .await
                .unwrap()
        };
        let foretold = bulk(BulkMode::DryRun).await;
        assert_eq!(
            host.store().snapshots(ALL, &ids).await.unwrap(),
            before,
            "{command}"
        );
        assert_eq!(bulk(BulkMode::Apply).await, foretold, "{command}");
        assert_eq!(foretold.matched, 10, "{command}");
        assert_eq!(
            foretold.changed + foretold.unchanged + foretold.refused,
            10,
            "{command}"
        );
        let again = bulk(BulkMode::Apply).await;
        assert_eq!(again.changed, 0, "{command}: {again:?}");
        gate.open(2);
        host.shutdown().await;
        host.management()
            .command_where(ALL, &JobQuery::default(), JobCommand::Delete, BulkMode::Apply)
            .await
            .unwrap();
    }
}

/// Refusals are counted, and the first hundred are told with their reasons.
pub async fn refusals_are_told_up_to_a_hundred(fx: &impl SchedulerFixture) {
    let host = fx.node("a").run("t", done).build().unwrap();
    delayed(&host, 1, 150).await;
    let query = JobQuery::default();
    let bulk = async |command| {
        host.management()
            .command_where(ALL, &query, command, BulkMode::Apply)
            .await
            .unwrap()
    };
    bulk(JobCommand::Disable).await;
    let refused = bulk(JobCommand::Trigger).await;
    assert_eq!((refused.matched, refused.changed, refused.refused), (150, 0, 150));
    assert_eq!(refused.reasons.len(), BulkAnswer::MAX_REASONS);
    assert!(
        refused
            .reasons
            .iter()
            .all(|(_, reason)| reason.contains("disabled"))
    );
}

/// Jobs that are made while the command walks are left out: it ends.
pub async fn a_command_by_filter_ends_although_jobs_keep_coming(fx: &impl SchedulerFixture) {
    let host = fx.node("a").run("t", done).build().unwrap();
    let ids = delayed(&host, 1, 10).await;
    pass(secs(1)).await;
    let query = JobQuery {
        // What the caller asks for counts where it is narrower.
        end_creation_time: Some(fx.now() + chrono::TimeDelta::days(1)),
        ..JobQuery::default()
    };
    let coming = JobInfo {
        creation_time: fx.now() + chrono::TimeDelta::seconds(1),
        begin_time: fx.now() + chrono::TimeDelta::hours(1),
        ..host.job("t").build(&host.engine().options().limits).unwrap()
    };
    let coming = host.management().create(coming).await.unwrap();
    let answer = host
        .management()
        .command_where(ALL, &query, JobCommand::Pause, BulkMode::Apply)
        .await
        .unwrap();
    assert_eq!(answer.changed, ids.len() as u64);
    assert_eq!(host.find(coming.id).await.unwrap().status, JobStatus::Queuing);
    let early = JobQuery {
        end_creation_time: Some(fx.now() - chrono::TimeDelta::hours(1)),
        ..query
    };
    let answer = host
        .management()
        .command_where(ALL, &early, JobCommand::Stop, BulkMode::Apply)
        .await
        .unwrap();
    assert_eq!(answer.matched, 0);
}

/// All given-up jobs of exactly one type are started again, then those of every type; others are left alone.
pub async fn given_up_jobs_of_a_type_are_started_again(fx: &impl SchedulerFixture) {
    let host = fx
        .node("a")
        .run("mail", |_| async { Err(JobError::msg("no")) })
        .run("mail.bulk", |_| async { Err(JobError::msg("no")) })
        .run("t", done)
        .build()
        .unwrap();
    host.start();
    let mut ids = Vec::new();
    for type_name in ["mail", "mail", "mail.bulk", "t"] {
        let mut request = EnqueueRequest::new(type_name, JobArgs::new());
        request.max_try_count = Some(1);
        ids.push(host.enqueue_with(request).await.unwrap());
    }
    host.recorder()
        .wait_for("all of them", LIMIT, |it| {
            ids[..3]
                .iter()
                .all(|id| it.settled_of(*id, RunOutcome::Failed) == 1)
                && it.settled_of(ids[3], RunOutcome::Succeeded) == 1
        })
        .await
        .unwrap();
    let stopped = host
        .enqueue_with({
            let mut request = EnqueueRequest::new("mail", JobArgs::new());
            request.delay = Some(secs(60));
            request
        })
        .await
        .unwrap();
    host.command(stopped, JobCommand::Stop).await.unwrap();
    let retry = async |type_name, mode| {
        host.management()
            .retry_abandoned(ALL, type_name, mode)
            .await
            .unwrap()
    };
    let two = BulkAnswer {
        matched: 2,
        changed: 2,
        ..BulkAnswer::default()
    };
    assert_eq!(retry(Some("mail"), BulkMode::DryRun).await, two);
    assert_eq!(host.recorder().look(|it| it.started_of(ids[0])), 1);
    assert_eq!(retry(Some("mail"), BulkMode::Apply).await, two);
    for (id, runs) in ids.iter().zip([2, 2, 1]) {
        host.recorder()
            .settled(*id, RunOutcome::Failed, runs, secs(1))
            .await
            .unwrap();
    }
    pass(secs(10)).await;
    assert_eq!(host.recorder().look(|it| it.started_of(ids[2])), 1);
    assert_eq!(retry(None, BulkMode::Apply).await.changed, 3);
    for (id, runs) in ids.iter().zip([3, 3, 2]) {
        host.recorder()
            .settled(*id, RunOutcome::Failed, runs, secs(1))
            .await
            .unwrap();
    }
    assert_eq!(
        host.find(stopped).await.unwrap().status,
        JobStatus::Stopped,
        "it was not given up"
    );
    assert_eq!(host.recorder().look(|it| it.started_of(ids[3])), 1);
    host.command(ids[0], JobCommand::Disable).await.unwrap();
    assert_eq!(
        retry(None, BulkMode::Apply).await.matched,
        2,
        "who disabled it did not mean this"
    );
    pass(secs(10)).await;
    assert_eq!(host.recorder().look(|it| it.started_of(ids[0])), 3);
}
