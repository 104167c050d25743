//! Jobs under which processes die: the one that kills is found, the innocent are not dragged down.

use std::sync::{Arc, Mutex};

use tasks_abstractions::{
    EnqueueRequest, JobArgs, JobCommand, JobId, JobInfo, JobManagement, JobPriority, JobStatus, RunOutcome,
};
use tasks_multitenancy::TenantScope;

use super::fixture::{LIMIT, SchedulerFixture, done, endless, pass, secs};
use super::retries::Notices;
use crate::{Recorder, TestHost};

/// A node on which `t` never ends by itself, as under a process that is killed.
fn doomed(fx: &impl SchedulerFixture, recorder: &Arc<Recorder>) -> TestHost {
    fx.node("doomed")
        .options(|it| it.max_concurrency = 1_000)
        .recorder(recorder)
        .run("t", endless)
        .run("ok", done)
        .build()
        .unwrap()
}

/// Three kills in a row over 500 claimed jobs abandon none: only a run that was alone as a suspect counts.
pub async fn kills_over_a_batch_abandon_nobody(fx: &impl SchedulerFixture) {
    let recorder = Arc::new(Recorder::new());
    let host = doomed(fx, &recorder);
    let ids = host.enqueue_many("t", 500).await.unwrap();
    host.start();
    recorder
        .wait_for("500 starts", LIMIT, |it| it.started() == 500)
        .await
        .unwrap();
    host.kill();
    for kill in 1..3 {
        let host = doomed(fx, &recorder);
        host.start();
        recorder
            .wait_for("one suspect at a time", LIMIT, |it| it.started() == 500 + kill)
            .await
            .unwrap();
        pass(secs(10)).await;
        assert_eq!(recorder.look(crate::Record::started), 500 + kill);
        host.kill();
    }
    let healthy = fx
        .node("healthy")
        .recorder(&recorder)
        .run("t", done)
        .build()
        .unwrap();
    healthy.start();
    recorder
        .wait_for("500 successes", LIMIT, |it| {
            it.count(RunOutcome::Succeeded) == 500
        })
        .await
        .unwrap();
    let stored = healthy.store().snapshots(TenantScope::All, &ids).await.unwrap();
    assert_eq!(stored.len(), 500);
    for job in stored.into_iter().map(|it| it.job) {
        assert_eq!((job.status, job.is_abandoned), (JobStatus::Completed, false));
        assert_eq!((job.interruptions, job.suspect_interruptions), (0, 0));
    }
}

/// A job that kills every process is given up after three counted interruptions, and told of once; the others are done.
pub async fn a_poison_job_is_found_and_abandoned(fx: &impl SchedulerFixture) {
    let recorder = Arc::new(Recorder::new());
    let notices = Arc::new(Notices::default());
    let mut poison = None;
    let mut kills = 0;
    loop {
        let host = fx
            .patient_node("a")
            .recorder(&recorder)
            .channel(Arc::clone(&notices) as _)
            .run("t", endless)
            .run("ok", done)
            .build()
            .unwrap();
        if poison.is_none() {
            host.enqueue_many("ok", 20).await.unwrap();
            poison = Some(host.enqueue("t").await.unwrap());
        }
        let id = poison.unwrap();
        host.start();
        recorder
            .wait_for("the poison to run, or to be given up", LIMIT, |it| {
                it.started_of(id) == kills + 1 || it.settled_of(id, RunOutcome::Interrupted) == 4
            })
            .await
            .unwrap();
        if recorder.look(|it| it.settled_of(id, RunOutcome::Interrupted)) == 4 {
            recorder
                .wait_for("everything else and both deliveries", LIMIT, |it| {
                    it.count(RunOutcome::Succeeded) == 22
                })
                .await
                .unwrap();
            let job = host.find(id).await.unwrap();
            assert_eq!(
                (
                    job.status,
                    job.is_abandoned,
                    job.interruptions,
                    job.suspect_interruptions
                ),
                (JobStatus::Stopped, true, 4, 3)
            );
            pass(secs(3600)).await;
            assert_eq!(recorder.look(|it| it.started_of(id)), 4);
            let told = notices.delivered.lock().unwrap().clone();
            assert_eq!(
                told.iter().map(|it| (it.job_id, it.outcome)).collect::<Vec<_>>(),
                [(id, RunOutcome::Interrupted)]
            );
            return;
        }
        // The innocent are done before the process dies, so that it is about the poison alone.
        pass(secs(1)).await;
        kills += 1;
        host.kill();
    }
}

/// A suspect that has run for the window is none any more: the next one starts then, and a later kill does not count against it.
pub async fn a_suspect_proves_harmless_by_running(fx: &impl SchedulerFixture) {
    let recorder = Arc::new(Recorder::new());
    let host = doomed(fx, &recorder);
    let ids = host.enqueue_many("t", 2).await.unwrap();
    host.start();
    recorder
        .wait_for("two starts", LIMIT, |it| it.started() == 2)
        .await
        .unwrap();
    host.kill();
    let host = doomed(fx, &recorder);
    host.start();
    recorder
        .wait_for("the first suspect", LIMIT, |it| it.started() == 3)
        .await
        .unwrap();
    pass(secs(29)).await;
    assert_eq!(recorder.look(crate::Record::started), 3);
    recorder
        .wait_for("the second suspect", secs(3), |it| it.started() == 4)
        .await
        .unwrap();
    pass(secs(10)).await;
    host.kill();
    let next = fx.node("next").run("other", done).build().unwrap();
    next.start();
    next.recorder()
        .wait_for("both interruptions", LIMIT, |it| {
            it.count(RunOutcome::Interrupted) == 2
        })
        .await
        .unwrap();
    let mut counted = Vec::new();
    for id in &ids {
        let job = next.find(*id).await.unwrap();
        assert_eq!(job.interruptions, 2);
        counted.push(job.suspect_interruptions);
    }
    counted.sort_unstable();
    assert_eq!(counted, [0, 1]);
}

/// A suspect does not wait for a whole backlog: it gets its turn within seconds.
pub async fn a_backlog_does_not_starve_suspects(fx: &impl SchedulerFixture) {
    let recorder = Arc::new(Recorder::new());
    let host = doomed(fx, &recorder);
    let id = host.enqueue("t").await.unwrap();
    host.start();
    recorder.started(id, 1, LIMIT).await.unwrap();
    host.kill();
    let host = fx
        .node("b")
        .options(|it| it.max_concurrency = 2)
        .run("t", done)
        .run("busy", |ctx| async move {
            pass(secs(1)).await;
            done(ctx).await
        })
        .build()
        .unwrap();
    for _ in 0..300 {
        let mut request = EnqueueRequest::new("busy", JobArgs::new());
        request.priority = Some(JobPriority::High);
        host.enqueue_with(request).await.unwrap();
    }
    host.start();
    host.recorder()
        .settled(id, RunOutcome::Interrupted, 1, secs(60))
        .await
        .unwrap();
    host.recorder()
        .settled(id, RunOutcome::Succeeded, 1, secs(10))
        .await
        .unwrap();
}

/// Starting an abandoned job anew forgets its interruptions; a settled run does so as well.
pub async fn interruptions_are_forgotten(fx: &impl SchedulerFixture) {
    let recorder = Arc::new(Recorder::new());
    let host = doomed(fx, &recorder);
    let job = JobInfo {
        max_interruptions: 1,
        ..host.job("t").build(&host.engine().options().limits).unwrap()
    };
    let id: JobId = job.id;
    host.management().create(job).await.unwrap();
    host.start();
    recorder.started(id, 1, LIMIT).await.unwrap();
    host.kill();
    let host = doomed(fx, &recorder);
    host.start();
    recorder.started(id, 2, LIMIT).await.unwrap();
    host.kill();
    let host = doomed(fx, &recorder);
    host.start();
    recorder
        .settled(id, RunOutcome::Interrupted, 2, LIMIT)
        .await
        .unwrap();
    assert!(host.find(id).await.unwrap().is_abandoned);
    host.command(id, JobCommand::Start).await.unwrap();
    let job = host.find(id).await.unwrap();
    assert_eq!(
        (job.is_abandoned, job.interruptions, job.suspect_interruptions),
        (false, 0, 0)
    );
    recorder.started(id, 3, secs(5)).await.unwrap();
}

/// A job whose process died under it and that was held meanwhile goes on when it is resumed: its next run is told that its code may have run in part.
pub async fn a_resumed_job_is_told_of_its_interruptions(fx: &impl SchedulerFixture) {
    let recorder = Arc::new(Recorder::new());
    let host = doomed(fx, &recorder);
    host.start();
    let id = host.enqueue("t").await.unwrap();
    recorder.started(id, 1, LIMIT).await.unwrap();
    host.kill();
    let told = Arc::new(Mutex::new(Vec::new()));
    let telling = Arc::clone(&told);
    let host = fx
        .node("a")
        .recorder(&recorder)
        .run("t", move |ctx| {
            telling.lock().unwrap().push(ctx.interruptions());
            done(ctx)
        })
        .build()
        .unwrap();
    host.command(id, JobCommand::Pause).await.unwrap();
    host.start();
    recorder
        .settled(id, RunOutcome::Interrupted, 1, LIMIT)
        .await
        .unwrap();
    assert_eq!(host.find(id).await.unwrap().status, JobStatus::Paused);
    host.command(id, JobCommand::Resume).await.unwrap();
    recorder
        .settled(id, RunOutcome::Succeeded, 1, LIMIT)
        .await
        .unwrap();
    assert_eq!(*told.lock().unwrap(), [1]);
    assert_eq!(host.find(id).await.unwrap().interruptions, 0, "it has settled");
}
