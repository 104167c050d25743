//! The claim of few executions, in one statement that is a transaction of its own.
//!
//! Where little is due, a claim costs its round trips: there are six of them where it is made of statements. One statement sees the database as of its beginning, so it locks the
//! jobs as well: locking a row answers what it has become, and one that is being changed is passed over. That costs the server more than reading does, which is why
//! larger claims are made otherwise.

use sea_orm::sqlx::postgres::PgRow;
use tasks_abstractions::job::Lane;
use tasks_abstractions::run::QueueEntry;
use tasks_abstractions::store::{ClaimRequest, ClaimedRun};
use tasks_abstractions::{RunId, StoreError};
use uuid::Uuid;

use super::arrays::Arrays as _;
use super::bound::Bound;
use super::columns::{head, me, native_job_columns};
use super::native::{Columns, native_job};
use crate::claim::{CLAIMING, claimed_run, in_flight, lane_names, refuse_unless_alive};
use crate::connect::Seat;
use crate::row::{coded, micros, timestamp, unreadable};
use crate::statement::On;

/// Most executions of such a claim.
const FEW: usize = 16;

/// (json lane names, now or null, instance, claim, runs): takes up to `look` executions that are due, or none where there are more than a few. Answers (state of the node,
/// now, how many there are), then of each that was taken (run, lane name, rank, due, kind, attempt, job). Without such a node, no row; where nothing was taken, one without an
/// execution.
///
/// The number stands in the text: planned for however many rows there may be, it would read all jobs. Of each lane and rank so many are locked until the end of the statement.
fn take_few(look: usize) -> String {
    format!(
        concat!(
            "WITH RECURSIVE ",
            me!(),
            ", ",
            head!(),
            ", open AS MATERIALIZED (SELECT h.lane_id, h.rank FROM head h WHERE h.rank IS NOT NULL \
               AND (SELECT min(due_at) FROM tk_job_queue WHERE lane_id = h.lane_id AND rank = h.rank) <= (SELECT now FROM me WHERE state = 0)), \
             due AS MATERIALIZED (SELECT q.* FROM open o CROSS JOIN LATERAL \
               (SELECT ctid AS place, job_id, lane_id, rank, due_at, kind, attempt FROM tk_job_queue \
                WHERE lane_id = o.lane_id AND rank = o.rank AND due_at <= (SELECT now FROM me) ORDER BY due_at, job_id LIMIT {0} FOR UPDATE SKIP LOCKED) q \
               ORDER BY q.rank, q.due_at, q.job_id LIMIT {0}), \
             ready (place, job_id, lane_id, rank, due_at, kind, attempt, id, tenant_id, name, job_group, type_name, args, codes, creation_time, begin_time, \
               max_try_count, max_interruptions, interval_ms, version, rare) AS MATERIALIZED (SELECT d.*, ",
            native_job_columns!(),
            " FROM due d CROSS JOIN LATERAL (SELECT * FROM tk_background_jobs WHERE id = d.job_id FOR NO KEY UPDATE SKIP LOCKED) j \
               WHERE (SELECT count(*) FROM due) <= {1}), \
             gone AS (DELETE FROM tk_job_queue q USING ready r WHERE q.ctid = r.place RETURNING r.*), \
             begun AS MATERIALIZED (SELECT g.*, ($5::uuid[])[(row_number() OVER ())::int] AS run_id FROM gone g), \
             runs AS (INSERT INTO tk_job_runs (job_id, run_id, instance, claim_id, lane_id, rank, due_at, kind, attempt, suspect, job_version, after, claimed_at) \
               SELECT b.job_id, b.run_id, $3, $4, b.lane_id, b.rank, b.due_at, b.kind, b.attempt, 0, b.version, 0, me.now FROM begun b CROSS JOIN me) \
             SELECT me.state, me.now, (SELECT count(*) FROM due), b.run_id, (SELECT name FROM tk_lanes WHERE id = b.lane_id), b.rank, b.due_at, b.kind, b.attempt, b.id, b.tenant_id, b.name, \
               b.job_group, b.type_name, b.args, b.codes, b.creation_time, b.begin_time, b.max_try_count, b.max_interruptions, b.interval_ms, b.version, b.rare \
             FROM me LEFT JOIN begun b ON true"
        ),
        look, FEW
    )
}

/// (jobs, claim): executions of the claim wait again as they did.
const PUT_BACK: &str = "WITH r AS (DELETE FROM tk_job_runs WHERE job_id = ANY($1::uuid[]) AND claim_id = $2 AND after = 0 AND cancel IS NULL \
       RETURNING job_id, lane_id, rank, due_at, kind, attempt) \
     INSERT INTO tk_job_queue (job_id, lane_id, rank, due_at, kind, attempt) SELECT job_id, lane_id, rank, due_at, kind, attempt FROM r";

/// What such a claim took.
#[derive(Default)]
pub(crate) struct Few {
    pub(crate) claimed: Vec<ClaimedRun>,
    /// Whether something is due that was not taken: more than a few, or all of them just being changed.
    pub(crate) is_more: bool,
    /// Jobs that cannot be read. Their executions are in flight and have to be [put back](put_back).
    pub(crate) unreadable: Vec<Uuid>,
}

/// Whether a claim may be made so. Suspects are claimed otherwise, and so is where there is known to be more than can be taken.
pub(crate) fn may_be_few(request: &ClaimRequest) -> bool {
    request.floors.is_empty() && request.limit > 0 && !request.lanes.iter().any(Lane::is_suspect)
}

/// Claims a few executions, which is committed with the answer. Where more are due, and asked for, it claims none: what is committed must not wait for others to be claimed.
pub(crate) async fn claim_few(
    on: On<'_, Seat>,
    request: &ClaimRequest,
    new_run: impl Fn() -> RunId,
) -> Result<Few, StoreError> {
    let look = request.limit.min(FEW + 1);
    let rows = Bound::default()
        .with(lane_names(&request.lanes)?)
        .with(request.now.map(micros))
        .with(request.instance.as_uuid())
        .with(request.claim_id.as_uuid())
        .uuids((0..look).map(|_| new_run().as_uuid()))
        .rows(on, take_few(look), CLAIMING)
        .await?;
    let Some(first) = rows.first() else {
        refuse_unless_alive(None, request.instance, CLAIMING)?;
        return Ok(Few::default());
    };
    let head = head(first).map_err(|why| unreadable("the answer to a claim", &why))?;
    refuse_unless_alive(Some(head.state), request.instance, CLAIMING)?;
    let mut few = Few::default();
    for row in &rows {
        let Some(job) = job_of(row) else { continue };
        match claimed(row, request, head.now) {
            Ok(run) => few.claimed.push(run),
            Err(why) => {
                tracing::debug!(%job, why, "a claimed execution cannot be read");
                few.unreadable.push(job);
            }
        }
    }
    few.is_more = few.claimed.is_empty() && few.unreadable.is_empty() && head.due > 0;
    few.claimed
        .sort_unstable_by_key(|it| (it.run.entry.rank, it.run.entry.due_at, it.run.job_id));
    Ok(few)
}

/// What every row begins with.
struct Head {
    state: i64,
    now: i64,
    due: i64,
}

fn head(row: &PgRow) -> Result<Head, String> {
    let mut from = Columns::of(row, 0);
    Ok(Head {
        state: from.next()?,
        now: from.next()?,
        due: from.next()?,
    })
}

/// The first column of the execution, and that of the job.
const EXECUTION: usize = 3;
const JOB: usize = 9;

/// Nothing in a row without an execution.
fn job_of(row: &PgRow) -> Option<Uuid> {
    Columns::of(row, JOB).next().ok()
}

fn claimed(row: &PgRow, request: &ClaimRequest, now: i64) -> Result<ClaimedRun, String> {
    let now = timestamp(now, "now")?;
    let mut from = Columns::of(row, EXECUTION);
    let run = RunId::new(from.next()?);
    let entry = QueueEntry {
        lane: Lane::from_name(from.next()?),
        rank: from.next()?,
        due_at: timestamp(from.next()?, "due_at")?,
        kind: coded(from.small()?, "kind")?,
        attempt: from.count()?,
    };
    let job = native_job(row, JOB).map_err(|it| it.to_string())?;
    Ok(claimed_run(in_flight(job), entry, request, run, now))
}

/// Lets executions of jobs that cannot be read wait again, as if they had not been claimed.
pub(crate) async fn put_back(
    on: On<'_, Seat>,
    request: &ClaimRequest,
    jobs: &[Uuid],
) -> Result<(), StoreError> {
    Bound::default()
        .uuids(jobs.iter().copied())
        .with(request.claim_id.as_uuid())
        .execute(on, PUT_BACK, CLAIMING)
        .await
        .map(drop)
}
