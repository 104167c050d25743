//! Taking due executions out of the queue, and over from nodes that are gone.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ConnectionTrait, QueryResult, Value};
use tasks_abstractions::job::{InstanceId, Lane};
use tasks_abstractions::run::{After, QueueEntry, RunInfo};
use tasks_abstractions::store::{ClaimRequest, ClaimedRun, NodeState, StoreErrorKind, TakeOver, TakenOver};
use tasks_abstractions::{JobId, JobInfo, JobStatus, RunId, StoreError, Timestamp};
use uuid::Uuid;

use crate::dialect::RowLocks;
#[cfg(feature = "postgres")]
use crate::dialect::postgres;
use crate::row::{Hex, json_rows, micros, read_parts, read_run, stored_job, uuid_at};
use crate::statement::{On, column};
use crate::store::{SeaOrmStore, lock_jobs};

pub(crate) const CLAIMING: &str = "claim due executions";
const TAKING: &str = "take over runs of dead nodes";

/// How often runs of dead nodes are looked for while others take what was found.
const LOOKS: usize = 4;

impl SeaOrmStore {
    pub(crate) async fn claim_due(&self, request: &ClaimRequest) -> Result<Vec<ClaimedRun>, StoreError> {
        #[cfg(feature = "postgres")]
        if let Some(seats) = self.seats() {
            let seat = self.on_seat(CLAIMING, seats.begin()).await?;
            match postgres::claim::claim(self.on(&seat), request, || self.new_run()).await {
                Ok(Some(claimed)) if !claimed.is_empty() => {
                    self.on_seat(CLAIMING, seat.commit()).await?;
                    return Ok(claimed);
                }
                Ok(Some(none)) => {
                    self.on_seat(CLAIMING, seat.rollback()).await?;
                    return Ok(none);
                }
                Err(error) if error.kind() != StoreErrorKind::Rejected => return Err(error),
                // A row that cannot be read, or should not be: one by one, so that all others are claimed.
                Ok(None) | Err(_) => self.on_seat(CLAIMING, seat.rollback()).await?,
            }
        }
        self.claim_row_by_row(request).await
    }

    async fn claim_row_by_row(&self, request: &ClaimRequest) -> Result<Vec<ClaimedRun>, StoreError> {
        let tx = self.begin(CLAIMING).await?;
        let on = self.on(&tx);
        let clock = must_live(on, request.instance, CLAIMING).await?;
        let now = self.now_from(request.now, clock)?;
        let due = due_executions(on, request, now).await?;
        if due.is_empty() {
            self.rollback(tx, CLAIMING).await?;
            return Ok(Vec::new());
        }
        let mut claimed = due
            .into_iter()
            .map(|(job, entry)| claimed_run(job, entry, request, self.new_run(), now))
            .collect::<Vec<_>>();
        move_to_runs(on, request, now, &mut claimed).await?;
        self.commit(tx, CLAIMING).await?;
        Ok(claimed)
    }

    pub(crate) async fn time_to_next(
        &self,
        lanes: &[Lane],
        now: Option<Timestamp>,
    ) -> Result<Option<Duration>, StoreError> {
        let doing = "look for the next due time";
        let on = self.reading();
        let now = self.now_on(on, now).await?;
        let row = on
            .row(on.dialect.sql().next_due, vec![lane_names(lanes)?.into()], doing)
            .await?;
        let due: Option<i64> = row.map(|it| column(&it, 0, doing)).transpose()?.flatten();
        Ok(due.map(|it| Duration::from_micros(u64::try_from(it.saturating_sub(micros(now))).unwrap_or(0))))
    }

    pub(crate) async fn take_over_runs(&self, request: &TakeOver) -> Result<Vec<TakenOver>, StoreError> {
        for _ in 1..LOOKS {
            if let Some(taken) = self.take_over_once(request).await? {
                return Ok(taken);
            }
        }
        Ok(self.take_over_once(request).await?.unwrap_or_default())
    }

    /// `None` where all that was found went to another node meanwhile: there may be more.
    async fn take_over_once(&self, request: &TakeOver) -> Result<Option<Vec<TakenOver>>, StoreError> {
        let tx = self.begin(TAKING).await?;
        let on = self.on(&tx);
        let clock = must_live(on, request.instance, TAKING).await?;
        let now = self.now_from(request.now, clock)?;
        let sql = on.dialect.sql();
        let Some(rows) = orphaned_runs(on, request.limit).await? else {
            self.rollback(tx, TAKING).await?;
            return Ok(None);
        };
        let mut taken = Vec::with_capacity(rows.len());
        for row in &rows {
            match self.taken(row, request, now) {
                Ok(it) => taken.push(it),
                // One unreadable row must not keep all others from being rescued.
                Err(it) => tracing::error!(error = %it, "a run of a dead node is passed over"),
            }
        }
        if taken.is_empty() {
            self.rollback(tx, TAKING).await?;
            return Ok(Some(taken));
        }
        let uuid = |it: Uuid| on.dialect.uuid(it);
        let keys = || {
            taken.iter().map(|it| {
                let run = &it.claimed.run;
                (
                    Hex(run.job_id.as_uuid()),
                    Hex(it.former_run.as_uuid()),
                    Hex(run.run_id.as_uuid()),
                    run.job_version,
                )
            })
        };
        for (json, _) in json_rows(keys())? {
            let values: Vec<Value> = vec![
                json.into(),
                uuid(request.instance.as_uuid()),
                uuid(request.claim_id.as_uuid()),
                micros(now).into(),
            ];
            on.execute(sql.take_runs, values, TAKING).await?;
        }
        let former = json_rows(taken.iter().map(|it| Hex(it.former_run.as_uuid())))?;
        on.execute_batches(sql.delete_locks, former, TAKING).await?;
        self.commit(tx, TAKING).await?;
        Ok(Some(taken))
    }

    fn taken(&self, row: &QueryResult, request: &TakeOver, now: Timestamp) -> Result<TakenOver, StoreError> {
        let former = read_run(row, 1)?;
        let job = in_flight(stored_job(row)?);
        let run_id = self.new_run();
        #[cfg(feature = "chaos-mutants")]
        let run_id = if crate::mutants::is("take-over-keeps-run-id") {
            former.run_id
        } else {
            run_id
        };
        Ok(TakenOver {
            former_run: former.run_id,
            former_instance: former.instance,
            former_node: column(row, 2, TAKING)?,
            claimed: ClaimedRun {
                run: RunInfo {
                    run_id,
                    instance: request.instance,
                    claim_id: request.claim_id,
                    claimed_at: now,
                    job_version: job.version,
                    ..former
                },
                job: Arc::new(job),
            },
        })
    }
}

/// Runs of nodes that are gone, locked where rows have locks: answers `None` where some were found, and none is left now.
async fn orphaned_runs<C: ConnectionTrait>(
    on: On<'_, C>,
    limit: usize,
) -> Result<Option<Vec<QueryResult>>, StoreError> {
    let sql = on.dialect.sql();
    let limit: Value = i64::try_from(limit).unwrap_or(i64::MAX).into();
    let Some(locks) = sql.rows else {
        return on.rows(sql.orphaned_runs, vec![limit], TAKING).await.map(Some);
    };
    let mut jobs = Vec::new();
    for row in on.rows(locks.orphans, vec![limit], TAKING).await? {
        jobs.push(JobId::new(uuid_at(&row, 0, "the job of a run")?));
    }
    lock_jobs(on, jobs.iter().copied(), TAKING).await?;
    let mut rows = Vec::with_capacity(jobs.len());
    for (json, _) in json_rows(jobs.iter().map(|it| Hex(it.as_uuid())))? {
        rows.extend(on.rows(sql.orphaned_runs, vec![json.into()], TAKING).await?);
    }
    Ok((jobs.is_empty() || !rows.is_empty()).then_some(rows))
}

/// Fails with kind `Fenced` where the instance is no living member. Answers the clock of a database that has one.
pub(crate) async fn must_live<C: ConnectionTrait>(
    on: On<'_, C>,
    instance: InstanceId,
    doing: &str,
) -> Result<Option<i64>, StoreError> {
    let row = on
        .row(
            on.dialect.sql().node_state,
            vec![on.dialect.uuid(instance.as_uuid())],
            doing,
        )
        .await?;
    let state: Option<i64> = row.as_ref().map(|it| column(it, 0, doing)).transpose()?;
    refuse_unless_alive(state, instance, doing)?;
    let clock = row.as_ref().map(|it| column(it, 1, doing)).transpose()?;
    Ok(clock.flatten())
}

/// Fails with kind `Fenced` unless `state` is that of a living member.
pub(crate) fn refuse_unless_alive(
    state: Option<i64>,
    instance: InstanceId,
    doing: &str,
) -> Result<(), StoreError> {
    if state == Some(i64::from(NodeState::Alive.code())) {
        return Ok(());
    }
    Err(StoreError::new(
        StoreErrorKind::Fenced,
        format!("cannot {doing}: node {instance} is no living member; cancel its runs and register it anew"),
    ))
}

pub(crate) fn lane_names(lanes: &[Lane]) -> Result<String, StoreError> {
    serde_json::to_string(&lanes.iter().map(Lane::as_str).collect::<Vec<_>>()).map_err(|it| {
        StoreError::new(
            StoreErrorKind::Invalid,
            "names of lanes cannot be written as JSON",
        )
        .caused_by(it)
    })
}

type Due = (JobInfo, QueueEntry);

/// A job, read in its stored state, with the run that its execution becomes.
pub(crate) fn claimed_run(
    job: JobInfo,
    entry: QueueEntry,
    request: &ClaimRequest,
    run_id: RunId,
    now: Timestamp,
) -> ClaimedRun {
    let job = in_flight(job);
    let run = RunInfo {
        run_id,
        job_id: job.id,
        instance: request.instance,
        claim_id: request.claim_id,
        suspect: entry.is_suspect(),
        entry,
        job_version: job.version,
        after: After::Settle,
        claimed_at: now,
        cancel: None,
        progress: None,
    };
    ClaimedRun {
        job: Arc::new(job),
        run,
    }
}

/// A job, read in its stored state, as it shows itself while a run is in flight.
fn in_flight(mut job: JobInfo) -> JobInfo {
    job.is_running = true;
    if job.status == JobStatus::Queuing {
        job.status = JobStatus::Running;
    }
    job
}

/// Due executions in claim order: rank by rank, over all lanes of a rank by due time.
async fn due_executions<C: ConnectionTrait>(
    on: On<'_, C>,
    request: &ClaimRequest,
    now: Timestamp,
) -> Result<Vec<Due>, StoreError> {
    let heads = on
        .rows(
            on.dialect.sql().claim_heads,
            vec![lane_names(&request.lanes)?.into(), micros(now).into()],
            CLAIMING,
        )
        .await?;
    let mut lanes_by_rank: Vec<(i64, Vec<i64>)> = Vec::new();
    for row in &heads {
        let (lane, rank): (i64, i64) = (column(row, 0, CLAIMING)?, column(row, 1, CLAIMING)?);
        match lanes_by_rank.last_mut() {
            Some((last, lanes)) if *last == rank && lanes.len() < on.dialect.lanes_at_once() => {
                lanes.push(lane)
            }
            _ => lanes_by_rank.push((rank, vec![lane])),
        }
    }
    let mut due = Vec::new();
    for (rank, lanes) in lanes_by_rank {
        let left = request.limit.saturating_sub(due.len());
        if left == 0 {
            break;
        }
        let limit = i64::try_from(left).unwrap_or(i64::MAX);
        let mut values: Vec<Value> = vec![micros(now).into(), limit.into(), rank.into()];
        values.extend(lanes.iter().map(|it| Value::from(*it)));
        let mut rows = on
            .rows(on.dialect.claim_rows(lanes.len()), values, CLAIMING)
            .await?;
        if let Some(locks) = on.dialect.sql().rows {
            rows = read_locked(on, locks, &rows).await?;
        }
        let from = due.len();
        for row in &rows {
            match read_parts(row) {
                Ok((job, entry)) => due.extend(entry.map(|it| (job, it))),
                // One unreadable row must not keep all others waiting.
                Err(it) => tracing::error!(error = %it, "a waiting job is passed over"),
            }
        }
        due[from..].sort_by_key(|(job, entry)| (entry.due_at, job.id));
    }
    Ok(due)
}

/// Reads jobs whose queue rows were locked just now. In a statement of its own: no command can have changed them since.
async fn read_locked<C: ConnectionTrait>(
    on: On<'_, C>,
    locks: RowLocks,
    locked: &[QueryResult],
) -> Result<Vec<QueryResult>, StoreError> {
    let mut jobs = Vec::with_capacity(locked.len());
    for row in locked {
        jobs.push(Hex(uuid_at(row, 0, "the job of a waiting execution")?));
    }
    let mut rows = Vec::with_capacity(jobs.len());
    for (json, _) in json_rows(jobs)? {
        rows.extend(on.rows(locks.claimed, vec![json.into()], CLAIMING).await?);
    }
    Ok(rows)
}

/// Inserts the run rows and removes the queue rows of those that were inserted.
pub(crate) async fn move_to_runs<C: ConnectionTrait>(
    on: On<'_, C>,
    request: &ClaimRequest,
    now: Timestamp,
    claimed: &mut Vec<ClaimedRun>,
) -> Result<(), StoreError> {
    let sql = on.dialect.sql();
    let uuid = |it: Uuid| on.dialect.uuid(it);
    let rows = claimed.iter().map(|it| {
        let (run, entry) = (&it.run, &it.run.entry);
        (
            Hex(run.job_id.as_uuid()),
            Hex(run.run_id.as_uuid()),
            entry.lane.as_str(),
            entry.rank,
            micros(entry.due_at),
            entry.kind.code(),
            entry.attempt,
            u8::from(run.suspect),
            run.job_version,
        )
    });
    // In the order of the index.
    let mut rows: Vec<_> = rows.collect();
    rows.sort_unstable_by_key(|it| it.0.0);
    let batches = json_rows(rows)?;
    let mut inserted = 0;
    for (json, _) in &batches {
        let values = vec![
            json.as_str().into(),
            uuid(request.instance.as_uuid()),
            uuid(request.claim_id.as_uuid()),
            micros(now).into(),
        ];
        inserted += on.execute(sql.insert_runs, values, CLAIMING).await?;
    }
    if inserted != claimed.len() as u64 {
        // A job had a queue row and a run row. Never by this store's own doing; its queue row stays for the check to judge.
        let claim = vec![uuid(request.claim_id.as_uuid())];
        let mut own = HashSet::new();
        for row in on.rows(sql.runs_of_claim, claim, CLAIMING).await? {
            own.insert(uuid_at(&row, 0, "a run id")?);
        }
        claimed.retain(|it| own.contains(&it.run.run_id.as_uuid()));
    }
    let jobs = json_rows(claimed.iter().map(|it| Hex(it.run.job_id.as_uuid())))?;
    on.execute_batches(sql.delete_queue, jobs, CLAIMING).await?;
    Ok(())
}
