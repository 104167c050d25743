//! Taking due executions: which, in which order, for whom.

use std::time::Duration;

use chrono::TimeDelta;
use tasks_abstractions::JobPriority;
use tasks_abstractions::job::Lane;
use tasks_abstractions::run::{After, QueueEntry};
use tasks_abstractions::store::{ClaimFloor, ClaimRequest, ClaimedRun, PreparedJob, StoreErrorKind};
use tasks_abstractions::{JobInfo, JobStatus};

use super::fixture::StoreFixture;
use super::steps::{ALL, change, claim, join, kill, numbers, of_job, snapshot, submit};
use crate::samples::{at, claim_request, due, entry, instance_id, job_id, node, once, waiting};

fn ids(claimed: &[ClaimedRun]) -> Vec<u128> {
    numbers(claimed.iter().map(|it| it.job.id))
}

fn with_priority(number: u128, priority: JobPriority) -> JobInfo {
    JobInfo {
        priority,
        ..once(number)
    }
}

fn in_lane(number: u128, lane: &Lane, seconds: i64) -> PreparedJob {
    let job = once(number);
    let first = QueueEntry {
        lane: lane.clone(),
        ..entry(&job, at(seconds))
    };
    waiting(job, first)
}

fn from(lanes: &[Lane]) -> ClaimRequest {
    ClaimRequest {
        lanes: lanes.to_vec(),
        ..claim_request(1, 100, at(0))
    }
}

/// Smallest rank first, then earliest due, then smallest id; the limit cuts that order, and nothing that is not due comes.
pub async fn claim_takes_due_executions_in_order(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    let jobs = [
        due(with_priority(1, JobPriority::Low), at(-100)),
        due(with_priority(7, JobPriority::Normal), at(-5)),
        due(with_priority(3, JobPriority::Normal), at(-5)),
        due(with_priority(4, JobPriority::Normal), at(-9)),
        due(with_priority(5, JobPriority::High), at(0)),
        due(
            with_priority(6, JobPriority::High),
            at(0) + TimeDelta::microseconds(1),
        ),
        due(with_priority(2, JobPriority::AboveNormal), at(-1)),
    ];
    submit(&store, &jobs).await;
    assert!(claim(&store, 1, 0, at(0)).await.is_empty(), "a limit of none");
    assert_eq!(ids(&claim(&store, 1, 3, at(0)).await), [5, 2, 4]);
    assert_eq!(ids(&claim(&store, 1, 100, at(0)).await), [3, 7, 1]);
    assert!(
        claim(&store, 1, 100, at(0)).await.is_empty(),
        "6 is a microsecond early"
    );
    assert_eq!(ids(&claim(&store, 1, 100, at(1)).await), [6]);
}

/// What a claim answers is what the run row holds, and the queue row is gone.
pub async fn a_claim_answers_the_run_as_it_is_kept(fx: &impl StoreFixture) {
    let store = fx.store();
    let instance = join(&store, 1).await;
    let prepared = due(once(1), at(-5));
    submit(&store, std::slice::from_ref(&prepared)).await;
    let request = claim_request(1, 5, at(3));
    let claimed = store.claim(&request).await.expect("claim").remove(0);
    let run = &claimed.run;
    assert_eq!(
        (run.job_id, run.instance, run.claim_id),
        (job_id(1), instance, request.claim_id)
    );
    assert_eq!(Some(&run.entry), prepared.first.as_ref());
    assert_eq!((run.suspect, run.after, run.cancel), (false, After::Settle, None));
    assert_eq!((run.job_version, run.claimed_at), (1, at(3)));
    assert_eq!(claimed.job.args, prepared.job.args);
    assert_eq!((claimed.job.id, claimed.job.version), (job_id(1), 1));
    let found = snapshot(&fx.other_node(), job_id(1)).await;
    assert_eq!(found.run.as_ref(), Some(run));
    assert_eq!(found.waiting, None);
    assert_eq!(
        store.runs_of(instance).await.expect("runs_of"),
        std::slice::from_ref(run)
    );
}

/// Lanes that were not asked for are left alone, however urgent their work is; order holds across the lanes that were.
pub async fn claim_serves_only_the_given_lanes(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    let (any, pinned) = (Lane::any_node(), Lane::node("batch"));
    let unknown = Lane::unknown_type(Some("batch"), "suite.job");
    submit(
        &store,
        &[
            in_lane(1, &any, -1),
            in_lane(2, &pinned, -2),
            in_lane(3, &unknown, -3),
            in_lane(4, &any.suspect(), -4),
            in_lane(5, &pinned, -5),
        ],
    )
    .await;
    assert!(store.claim(&from(&[])).await.expect("claim").is_empty());
    assert!(
        store
            .claim(&from(&[Lane::node("Batch")]))
            .await
            .expect("claim")
            .is_empty()
    );
    let claimed = store.claim(&from(&[any.clone(), pinned])).await.expect("claim");
    assert_eq!(ids(&claimed), [5, 2, 1]);
    assert!(claimed.iter().all(|it| !it.run.suspect));
    assert_eq!(ids(&store.claim(&from(&[unknown])).await.expect("claim")), [3]);
    assert!(store.claim(&from(&[any])).await.expect("claim").is_empty());
}

/// An execution in a suspect lane is claimed from that lane only, and its run is a suspect.
pub async fn a_suspect_is_claimed_as_one(fx: &impl StoreFixture) {
    let store = fx.store();
    let instance = join(&store, 1).await;
    let lane = Lane::any_node().suspect();
    submit(&store, &[in_lane(1, &lane, -2), in_lane(2, &lane, -1)]).await;
    let one = ClaimRequest {
        limit: 1,
        ..from(&[lane])
    };
    let claimed = store.claim(&one).await.expect("claim");
    assert_eq!(ids(&claimed), [1]);
    assert!(claimed[0].run.suspect && claimed[0].run.entry.is_suspect());
    assert!(store.runs_of(instance).await.expect("runs_of")[0].suspect);
}

/// Jobs are claimed if they wait, whatever their state: what to do with them is the engine's business. Of a job that is not Active the
/// state is shown and not the run.
pub async fn a_waiting_job_is_claimed_in_any_state(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    let statuses = [
        JobStatus::Paused,
        JobStatus::Stopped,
        JobStatus::Completed,
        JobStatus::None,
        JobStatus::Queuing,
    ];
    for (number, status) in (1..).zip(statuses) {
        submit(&store, &[due(once(number), at(-1))]).await;
        change(&store, job_id(number), |it, _| {
            of_job(JobInfo {
                status,
                is_enabled: false,
                ..it.job.clone()
            })
        })
        .await;
        let found = snapshot(&store, job_id(number)).await;
        assert_eq!((found.job.status, found.waiting.is_some()), (status, true));
    }
    assert_eq!(ids(&claim(&store, 1, 10, at(0)).await), [1, 2, 3, 4, 5]);
    for (number, status) in (1..=4).zip(statuses) {
        let found = snapshot(&store, job_id(number)).await;
        assert_eq!((found.job.status, found.job.is_running), (status, true));
    }
    assert_eq!(snapshot(&store, job_id(5)).await.job.status, JobStatus::Running);
}

/// An instance that is unknown, dead or stopped claims nothing and is told so.
pub async fn claim_is_refused_to_a_fenced_node(fx: &impl StoreFixture) {
    let store = fx.store();
    submit(&store, &[due(once(1), at(-1))]).await;
    join(&store, 2).await;
    join(&store, 3).await;
    kill(&store, 2).await;
    store.unregister_node(instance_id(3)).await.expect("unregister");
    for number in [1, 2, 3] {
        let error = store
            .claim(&claim_request(number, 10, at(0)))
            .await
            .expect_err("refused");
        assert_eq!(error.kind(), StoreErrorKind::Fenced, "node {number}: {error}");
    }
    assert!(snapshot(&store, job_id(1)).await.waiting.is_some());
    // Nor is it when nothing waits: a node learns it at once.
    assert!(store.remove(ALL, job_id(1)).await.expect("remove"));
    let error = store
        .claim(&claim_request(2, 10, at(0)))
        .await
        .expect_err("refused");
    assert_eq!(error.kind(), StoreErrorKind::Fenced);
    // Beginning anew is a new instance.
    store.register_node(&node(4)).await.expect("register");
    assert!(claim(&store, 4, 10, at(0)).await.is_empty());
}

/// Zero where something is due, the time to the earliest of the lanes, none where none waits.
pub async fn next_due_counts_to_the_earliest(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    let (any, pinned) = (Lane::any_node(), Lane::node("batch"));
    let both = [any.clone(), pinned.clone()];
    assert_eq!(store.next_due(&both, Some(at(0))).await.expect("next_due"), None);
    submit(
        &store,
        &[
            in_lane(1, &any, 90),
            in_lane(2, &pinned, 20),
            due(with_priority(3, JobPriority::High), at(120)),
            in_lane(4, &Lane::node("other"), -60),
        ],
    )
    .await;
    let next = async |lanes: &[Lane], seconds| {
        store
            .next_due(lanes, Some(at(seconds)))
            .await
            .expect("next_due")
            .map(|it| it.as_millis())
    };
    assert_eq!(next(&both, 0).await, Some(20_000));
    assert_eq!(next(&both[..1], 0).await, Some(90_000));
    assert_eq!(next(&both, 20).await, Some(0));
    assert_eq!(next(&both, 500).await, Some(0));
    assert_eq!(next(&[], 0).await, None);
    claim(&store, 1, 10, at(200)).await;
    assert_eq!(
        store.next_due(&[any], Some(at(0))).await.expect("next_due"),
        None,
        "what is in flight does not wait"
    );
    let micros = at(20) - TimeDelta::microseconds(1);
    let left = store.next_due(&[pinned], Some(micros)).await.expect("next_due");
    assert_eq!(left, Some(Duration::from_micros(1)));
}

/// The store's clock does not go backwards between two calls and is kept in whole microseconds. One of this process tells the same.
pub async fn the_clock_of_the_store_tells_microseconds(fx: &impl StoreFixture) {
    let store = fx.store();
    let first = store.now().await.expect("now");
    let second = fx.other_node().now().await.expect("now");
    assert!(second >= first - TimeDelta::seconds(1), "{first} then {second}");
    assert_eq!(first, tasks_abstractions::truncate_to_micros(first));
    if let Some(clock) = store.clock() {
        let told = clock.now();
        assert!(told >= first, "{first} then {told}");
    }
}

/// Every lane in which something waits is named, due or not, and what waits there comes by id in steps; what was claimed does not wait.
pub async fn waiting_lanes_hold_what_waits(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    assert_eq!(store.waiting_lanes().await.expect("waiting_lanes"), []);
    let (apart, common) = (Lane::node("n").suspect(), Lane::any_node());
    let in_lane = |number: u128, lane: &Lane, seconds| {
        let mut job = due(once(number), at(seconds));
        if let Some(first) = &mut job.first {
            first.lane = lane.clone();
        }
        job
    };
    let jobs = [
        in_lane(3, &apart, 500),
        in_lane(1, &apart, 0),
        in_lane(2, &apart, 5),
        in_lane(4, &common, 0),
    ];
    submit(&store, &jobs).await;
    let lanes = async || {
        let mut lanes = store.waiting_lanes().await.expect("waiting_lanes");
        lanes.sort();
        lanes
    };
    let mut both = [apart.clone(), common.clone()];
    both.sort();
    assert_eq!(lanes().await, both);
    let waiting = async |after: Option<u128>, limit| {
        let ids = store.waiting_in(&apart, after.map(job_id), limit).await;
        numbers(ids.expect("waiting_in"))
    };
    assert_eq!(waiting(None, 2).await, [1, 2]);
    assert_eq!(waiting(Some(2), 2).await, [3]);
    super::steps::claim_one(&store, 1, at(0)).await;
    assert_eq!(lanes().await, std::slice::from_ref(&apart));
    let unknown = store.waiting_in(&Lane::node("other"), None, 10).await;
    assert_eq!(unknown.expect("waiting_in"), []);
}

/// A claim under floors may leave out what lies before them, never what is to be found from them on; one without floors finds everything.
pub async fn a_claim_finds_what_lies_from_its_floors_on(fx: &impl StoreFixture) {
    let store = fx.store();
    join(&store, 1).await;
    let jobs = [
        due(once(1), at(-9)),
        due(once(2), at(-5)),
        due(once(3), at(-5)),
        due(once(4), at(-1)),
        due(once(5), at(1)),
    ];
    submit(&store, &jobs).await;
    let rank = jobs[0].first.as_ref().expect("armed").rank;
    let floor = |lane, rank| ClaimFloor {
        lane,
        rank,
        due_at: at(-5),
    };
    let under = ClaimRequest {
        floors: vec![
            floor(Lane::any_node(), rank),
            floor(Lane::node("nobody"), rank),
            floor(Lane::any_node(), rank - 1),
        ],
        ..claim_request(1, 10, at(0))
    };
    let claimed = store.claim(&under).await.expect("claim");
    let ids: Vec<_> = claimed.iter().map(|it| it.job.id).collect();
    let expected = [job_id(2), job_id(3), job_id(4)];
    assert!(expected.iter().all(|it| ids.contains(it)), "{ids:?}");
    assert!(ids.is_sorted_by_key(|id| *id), "earliest first: {ids:?}");
    assert!(claimed.iter().all(|it| it.run.claimed_at == at(0)));
    let rest = claim(&store, 1, 10, at(0)).await.len();
    assert_eq!(ids.len() + rest, 4, "what is due was claimed once");
}
