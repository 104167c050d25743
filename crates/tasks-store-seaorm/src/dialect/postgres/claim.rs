//! The claim: due queue rows are locked and taken out, their jobs read, and the rows of the runs written.
//!
//! Statements of their own, because the jobs must be read as they were when the locks were there: in one statement a claim could pair a queue row with a job as it was
//! before an edit. Jobs come back in columns of their own types here, for making JSON of them costs the server more than the rest of the claim.

use std::sync::Arc;

use sea_orm::{QueryResult, Value};
use tasks_abstractions::job::Lane;
use tasks_abstractions::run::QueueEntry;
use tasks_abstractions::store::{ClaimRequest, ClaimedRun};
use tasks_abstractions::{JobInfo, RunId, StoreError, Timestamp};
use uuid::Uuid;

use super::arrays::Arrays as _;
use super::bound::Bound;
use super::columns::{head, me, native_job_columns};
use super::native::{Columns, native_job, pg_row};
use crate::claim::{CLAIMING, claimed_run, in_flight, lane_names, refuse_unless_alive};
use crate::connect::Seat;
use crate::row::{coded, micros, timestamp};
use crate::statement::{On, column};

/// (json lane names, now or null, instance); answers (state of the node, now, lane id, lane name, rank) of lanes where something is due, smallest rank
/// first; where nothing is due, one row without a lane; without such a node, none.
const HEADS: &str = concat!(
    "WITH RECURSIVE ",
    me!(),
    ", ",
    head!(),
    "SELECT me.state, me.now, d.lane_id, (SELECT name FROM tk_lanes WHERE id = d.lane_id), d.rank FROM me LEFT JOIN \
       (SELECT lane_id, rank::bigint AS rank FROM head h WHERE rank IS NOT NULL \
        AND (SELECT min(due_at) FROM tk_job_queue WHERE lane_id = h.lane_id AND rank = h.rank) <= (SELECT now FROM me)) d ON true \
     ORDER BY d.rank, d.lane_id"
);

/// (jobs); answers them
const READ: &str = concat!(
    "SELECT ",
    native_job_columns!(),
    " FROM tk_background_jobs j WHERE j.id = ANY($1::uuid[])"
);

/// (instance, claim, now, jobs, runs, lanes, ranks, due, kinds, attempts, suspects, versions)
const BEGIN_RUNS: &str = "INSERT INTO tk_job_runs (job_id, run_id, instance, claim_id, lane_id, rank, due_at, kind, attempt, suspect, job_version, after, claimed_at) \
    SELECT unnest($4::uuid[]), unnest($5::uuid[]), $1, $2, unnest($6::bigint[]), unnest($7::smallint[]), unnest($8::bigint[]), unnest($9::smallint[]), \
    unnest($10::bigint[]), unnest($11::smallint[]), unnest($12::bigint[]), 0, $3";

/// A waiting execution whose row is taken out.
struct Locked {
    job: Uuid,
    lane_id: i64,
    run: RunId,
    entry: QueueEntry,
}

/// Claims, in the transaction `on`. `None` where a row is not as it should be: then nothing of this transaction may stay, and each row has to be looked at by itself.
pub(crate) async fn claim(
    on: On<'_, Seat>,
    request: &ClaimRequest,
    new_run: impl Fn() -> RunId,
) -> Result<Option<Vec<ClaimedRun>>, StoreError> {
    let mut locking = Locking {
        on,
        new_run,
        locked: Vec::new(),
    };
    let now = if request.floors.is_empty() || request.floors.len() > on.dialect.lanes_at_once() {
        locking.everywhere(request).await?
    } else {
        locking.after_floors(request).await?
    };
    match now {
        Ok(Some(now)) if !locking.locked.is_empty() => begin_runs(on, request, now, locking.locked).await,
        Ok(_) => Ok(Some(Vec::new())),
        Err(unreadable) => {
            tracing::debug!(why = unreadable, "a waiting execution cannot be read");
            Ok(None)
        }
    }
}

/// The present instant, if there is anything; or why a row cannot be read.
type Now = Result<Option<Timestamp>, String>;

/// Waiting executions, as they are locked.
struct Locking<'c, F> {
    on: On<'c, Seat>,
    new_run: F,
    locked: Vec<Locked>,
}

impl<F: Fn() -> RunId> Locking<'_, F> {
    /// Rank by rank, over all lanes of a rank by due time.
    async fn everywhere(&mut self, request: &ClaimRequest) -> Result<Now, StoreError> {
        let on = self.on;
        let values = vec![
            lane_names(&request.lanes)?.into(),
            Value::BigInt(request.now.map(micros)),
            on.dialect.uuid(request.instance.as_uuid()),
        ];
        let heads = on.rows(HEADS, values, CLAIMING).await?;
        let state = heads.first().map(|it| column(it, 0, CLAIMING)).transpose()?;
        refuse_unless_alive(state, request.instance, CLAIMING)?;
        let mut now = 0;
        let mut ranks: Vec<(i64, Vec<(i64, Lane)>)> = Vec::new();
        for row in &heads {
            now = column(row, 1, CLAIMING)?;
            let Some(id): Option<i64> = column(row, 2, CLAIMING)? else {
                continue;
            };
            let name: String = column(row, 3, CLAIMING)?;
            let rank: i64 = column(row, 4, CLAIMING)?;
            let lane = (id, Lane::from_name(&name));
            match ranks.last_mut() {
                Some((last, lanes)) if *last == rank && lanes.len() < on.dialect.lanes_at_once() => {
                    lanes.push(lane);
                }
                _ => ranks.push((rank, vec![lane])),
            }
        }
        for (rank, lanes) in ranks {
            let left = request.limit.saturating_sub(self.locked.len());
            if left == 0 {
                break;
            }
            let mut values: Vec<Value> = vec![now.into(), limit(left), rank.into()];
            values.extend(lanes.iter().map(|(id, _)| Value::from(*id)));
            let rows = on.rows(super::take_rows(lanes.len()), values, CLAIMING).await?;
            let lane_of = |branch: usize| lanes.get(branch).map(|(_, lane)| lane);
            if let Err(why) = self.take(&rows, lane_of) {
                return Ok(Err(why));
            }
        }
        Ok(timestamp(now, "now").map(Some))
    }

    /// Only there. Answers nothing to a node that is not alive: it looks everywhere next, and is told.
    async fn after_floors(&mut self, request: &ClaimRequest) -> Result<Now, StoreError> {
        let mut values = vec![
            Value::BigInt(request.now.map(micros)),
            limit(request.limit),
            self.on.dialect.uuid(request.instance.as_uuid()),
        ];
        for it in &request.floors {
            values.extend([it.lane.as_str().into(), it.rank.into(), micros(it.due_at).into()]);
        }
        let sql = super::take_rows_from(request.floors.len());
        let rows = self.on.rows(sql, values, CLAIMING).await?;
        let Some(first) = rows.first() else {
            return Ok(Ok(None));
        };
        let now = column(first, 7, CLAIMING)?;
        let lane_of = |branch: usize| request.floors.get(branch).map(|it| &it.lane);
        Ok(self
            .take(&rows, lane_of)
            .and_then(|()| timestamp(now, "now").map(Some)))
    }

    fn take<'l>(
        &mut self,
        rows: &[QueryResult],
        lane_of: impl Fn(usize) -> Option<&'l Lane>,
    ) -> Result<(), String> {
        for row in rows {
            let mut from = Columns::of(pg_row(row)?, 0);
            let job = from.next()?;
            let branch: i32 = from.next()?;
            let lane = usize::try_from(branch).ok().and_then(&lane_of);
            self.locked.push(Locked {
                job,
                lane_id: from.next()?,
                run: (self.new_run)(),
                entry: QueueEntry {
                    lane: lane.ok_or("it is in a lane that was not asked for")?.clone(),
                    rank: from.next()?,
                    due_at: timestamp(from.next()?, "due_at")?,
                    kind: coded(from.small()?, "kind")?,
                    attempt: from.count()?,
                },
            });
        }
        Ok(())
    }
}

fn limit(most: usize) -> Value {
    i64::try_from(most).unwrap_or(i64::MAX).into()
}

async fn begin_runs(
    on: On<'_, Seat>,
    request: &ClaimRequest,
    now: Timestamp,
    locked: Vec<Locked>,
) -> Result<Option<Vec<ClaimedRun>>, StoreError> {
    // By job, so that the jobs are found among the answers, which come in any order, and the rows are written in that of the index.
    let mut order: Vec<usize> = (0..locked.len()).collect();
    order.sort_unstable_by_key(|at| locked[*at].job);
    let ids = || Bound::default().uuids(order.iter().map(|at| locked[*at].job));
    let rows = ids().rows(on, READ, CLAIMING).await?;
    let mut jobs: Vec<Option<Arc<JobInfo>>> = locked.iter().map(|_| None).collect();
    for row in &rows {
        let job = match native_job(row, 0) {
            Ok(job) => in_flight(job),
            Err(error) => {
                tracing::debug!(%error, "a waiting job cannot be read");
                return Ok(None);
            }
        };
        if let Ok(found) = order.binary_search_by_key(&job.id.as_uuid(), |at| locked[*at].job) {
            jobs[order[found]] = Some(job);
        }
    }
    let Some(jobs) = jobs.into_iter().collect::<Option<Vec<_>>>() else {
        tracing::debug!("a waiting execution has no job");
        return Ok(None);
    };
    let sorted = || order.iter().map(|at| &locked[*at]);
    Bound::default()
        .with(request.instance.as_uuid())
        .with(request.claim_id.as_uuid())
        .with(micros(now))
        .uuids(sorted().map(|it| it.job))
        .uuids(sorted().map(|it| it.run.as_uuid()))
        .bigints(sorted().map(|it| it.lane_id))
        .smallints(sorted().map(|it| it.entry.rank))
        .bigints(sorted().map(|it| micros(it.entry.due_at)))
        .smallints(sorted().map(|it| it.entry.kind.code()))
        .bigints(sorted().map(|it| i64::from(it.entry.attempt)))
        .smallints(sorted().map(|it| i16::from(it.entry.is_suspect())))
        .bigints(order.iter().map(|at| jobs[*at].version))
        .execute(on, BEGIN_RUNS, CLAIMING)
        .await?;
    let claimed = jobs
        .into_iter()
        .zip(locked)
        .map(|(job, it)| claimed_run(job, it.entry, request, it.run, now));
    Ok(Some(claimed.collect()))
}
