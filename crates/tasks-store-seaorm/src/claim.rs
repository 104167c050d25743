//! Taking due executions out of the queue.

#[cfg(feature = "postgres")]
mod on_seats;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ConnectionTrait, QueryResult, Value};
use tasks_abstractions::job::{InstanceId, Lane};
use tasks_abstractions::run::{After, QueueEntry, RunInfo};
use tasks_abstractions::store::{ClaimRequest, ClaimedRun, NodeState, StoreErrorKind};
use tasks_abstractions::{JobInfo, JobStatus, RunId, StoreError, Timestamp};
use uuid::Uuid;

use crate::dialect::RowLocks;
use crate::heads::Heads;
use crate::row::{Hex, json_rows, micros, read_due, read_lines, unreadable, uuid_at};
use crate::statement::{On, column};
use crate::store::SeaOrmStore;

#[cfg(feature = "postgres")]
pub(crate) use on_seats::Unreadable;

pub(crate) const CLAIMING: &str = "claim due executions";

impl SeaOrmStore {
    pub(crate) async fn claim_due(&self, request: &ClaimRequest) -> Result<Vec<ClaimedRun>, StoreError> {
        #[cfg(feature = "postgres")]
        if let Some(seats) = self.seats() {
            return self.claim_on(seats, request).await;
        }
        #[cfg(feature = "sqlite")]
        if let Some(thread) = &self.handles().open.writer_thread {
            let (store, request) = (self.clone(), request.clone());
            let claim = async move { store.claim_row_by_row(&request).await };
            return thread.carry_out(claim).await;
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
            .map(|(job, entry)| claimed_run(in_flight(job), entry, request, self.new_run(), now))
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
        let Some(earliest) = Heads::of(on, lanes, doing).await?.earliest(on).await? else {
            return Ok(None);
        };
        let now = self.now_from(now, earliest.clock)?;
        let wait = earliest.due_at.saturating_sub(micros(now));
        Ok(Some(Duration::from_micros(u64::try_from(wait).unwrap_or(0))))
    }
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
    job: Arc<JobInfo>,
    entry: QueueEntry,
    request: &ClaimRequest,
    run_id: RunId,
    now: Timestamp,
) -> ClaimedRun {
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
    ClaimedRun { job, run }
}

/// A job, read in its stored state, as it shows itself while a run is in flight.
pub(crate) fn in_flight(mut job: JobInfo) -> Arc<JobInfo> {
    job.is_running = true;
    if job.status == JobStatus::Queuing {
        job.status = JobStatus::Running;
    }
    Arc::new(job)
}

/// Due executions in claim order: rank by rank, over all lanes of a rank by due time.
async fn due_executions<C: ConnectionTrait>(
    on: On<'_, C>,
    request: &ClaimRequest,
    now: Timestamp,
) -> Result<Vec<Due>, StoreError> {
    let mut heads = Heads::of(on, &request.lanes, CLAIMING).await?;
    let mut due = Vec::new();
    loop {
        let left = request.limit.saturating_sub(due.len());
        if left == 0 {
            break;
        }
        let Some((rank, lanes)) = heads.next_due(on, micros(now)).await? else {
            break;
        };
        let limit = i64::try_from(left).unwrap_or(i64::MAX);
        let mut values: Vec<Value> = vec![micros(now).into(), limit.into(), rank.into()];
        values.extend(lanes.iter().map(|it| Value::from(*it)));
        let from = due.len();
        let mut found = |it: Result<Due, StoreError>| match it {
            Ok(it) => due.push(it),
            // One unreadable row must not keep all others waiting.
            Err(it) => tracing::error!(error = %it, "a waiting job is passed over"),
        };
        match due_lines(on, lanes.len(), &values).await? {
            Some(lines) => read_lines(&lines).for_each(found),
            None => {
                let sql = on.dialect.claim_rows(lanes.len());
                let rows = on.rows(sql, values, CLAIMING).await?;
                match on.dialect.sql().rows {
                    Some(locks) => {
                        let rows = read_locked(on, locks, &rows).await?;
                        rows.iter().map(read_due).for_each(found);
                    }
                    None => {
                        for row in &rows {
                            match read_alone(on, row).await {
                                Err(error) if error.is_unavailable() => return Err(error),
                                read => found(read),
                            }
                        }
                    }
                }
            }
        }
        due[from..].sort_by_key(|(job, entry)| (entry.due_at, job.id));
    }
    Ok(due)
}

/// All due executions as one text, where the database does that. `None` also where that would be too much for it: then they come row by row.
async fn due_lines<C: ConnectionTrait>(
    on: On<'_, C>,
    lanes: usize,
    values: &[Value],
) -> Result<Option<String>, StoreError> {
    let Some(sql) = on.dialect.claim_lines(lanes) else {
        return Ok(None);
    };
    match on.row(sql, values.to_vec(), CLAIMING).await {
        Ok(row) => {
            let lines: Option<Option<String>> = row.map(|it| column(&it, 0, CLAIMING)).transpose()?;
            Ok(Some(lines.flatten().unwrap_or_default()))
        }
        Err(error) if error.is_unavailable() => Err(error),
        Err(error) => {
            tracing::debug!(%error, "due jobs are read row by row");
            Ok(None)
        }
    }
}

/// Reads one job, with its waiting execution.
async fn read_alone<C: ConnectionTrait>(on: On<'_, C>, row: &QueryResult) -> Result<Due, StoreError> {
    let what = "the job of a waiting execution";
    let id = uuid_at(row, 0, what)?;
    let key: Vec<Value> = vec![
        json_rows([Hex(id)])?.remove(0).0.into(),
        on.dialect.optional_uuid(None),
    ];
    let row = match on.row(on.dialect.sql().snapshots, key, CLAIMING).await {
        Err(error) if !error.is_unavailable() => {
            return Err(unreadable(&format!("job {id}"), &error.to_string()));
        }
        other => other?,
    };
    row.as_ref()
        .map_or_else(|| Err(unreadable(what, "there is none")), read_due)
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
    let others = [
        uuid(request.instance.as_uuid()),
        uuid(request.claim_id.as_uuid()),
        micros(now).into(),
    ];
    let inserted = on.write(sql.insert_runs.with(rows)?, &others, CLAIMING).await?;
    if inserted != claimed.len() as u64 {
        // A job had a queue row and a run row. Never by this store's own doing; its queue row stays for the check to judge.
        let claim = vec![uuid(request.claim_id.as_uuid())];
        let mut own = HashSet::new();
        for row in on.rows(sql.runs_of_claim, claim, CLAIMING).await? {
            own.insert(uuid_at(&row, 0, "a run id")?);
        }
        claimed.retain(|it| own.contains(&it.run.run_id.as_uuid()));
    }
    let jobs = claimed.iter().map(|it| Hex(it.run.job_id.as_uuid()));
    on.write(sql.delete_queue.with(jobs)?, &[], CLAIMING).await?;
    Ok(())
}
