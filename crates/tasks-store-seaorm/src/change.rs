//! Commands and edits: read, decide and write while the jobs are locked.

use std::collections::HashSet;

use sea_orm::{ConnectionTrait, Value};
use tasks_abstractions::run::JobSnapshot;
use tasks_abstractions::store::{ChangeAnswer, Decide, Decision, JobChange, StoreErrorKind, WaitingChange};
use tasks_abstractions::{JobId, JobInfo, StoreError, Timestamp};
use tasks_multitenancy::TenantScope;
use uuid::Uuid;

use crate::finish::refuse_log_nul;
use crate::list::snapshots_on;
use crate::row::{Hex, JobRow, LogRow, Place, json_rows, name_key, uuid_at};
use crate::statement::{On, column};
use crate::store::{SeaOrmStore, lock_jobs_and_queue};
use crate::submit::{ensure_lanes, refuse_job_nul};

const DOING: &str = "change jobs";

/// Most jobs of one transaction: others must get the write lock meanwhile.
const JOBS_AT_ONCE: usize = 500;

impl SeaOrmStore {
    pub(crate) async fn change_jobs(
        &self,
        scope: TenantScope,
        ids: &[JobId],
        now: Option<Timestamp>,
        decide: Decide<'_>,
    ) -> Result<Vec<ChangeAnswer>, StoreError> {
        let mut answers = Vec::with_capacity(ids.len());
        let mut rest = ids;
        while !rest.is_empty() {
            // A repeated id begins the next transaction, because it must see what was written before.
            let mut seen = HashSet::new();
            let length = rest
                .iter()
                .take(JOBS_AT_ONCE)
                .take_while(|it| seen.insert(**it))
                .count();
            let (batch, later) = rest.split_at(length);
            answers.extend(
                self.again(|| self.change_batch(scope, batch, now, decide))
                    .await?,
            );
            rest = later;
        }
        Ok(answers)
    }

    /// One transaction over different jobs.
    async fn change_batch(
        &self,
        scope: TenantScope,
        batch: &[JobId],
        now: Option<Timestamp>,
        decide: Decide<'_>,
    ) -> Result<Vec<ChangeAnswer>, StoreError> {
        let tx = self.begin(DOING).await?;
        let on = self.on(&tx);
        lock_jobs_and_queue(on, batch, DOING).await?;
        let now = self.now_on(on, now).await?;
        let decisions = decide_all(on, scope, batch, now, decide).await?;
        let mut answers = Vec::with_capacity(batch.len());
        let mut wrote = false;
        for it in decisions {
            let Some((snapshot, decision)) = it else {
                answers.push(ChangeAnswer::NotFound);
                continue;
            };
            wrote |= matches!(decision, Decision::Change(_) | Decision::Delete(_));
            answers.push(apply(on, snapshot, decision).await?);
        }
        if wrote {
            self.commit(tx, DOING).await?;
        } else {
            self.rollback(tx, DOING).await?;
        }
        Ok(answers)
    }
}

type Decided = Option<(JobSnapshot, Decision)>;

/// Decides over all jobs before the first is written, so that a decision which panics or is not allowed leaves nothing behind.
async fn decide_all<C: ConnectionTrait>(
    on: On<'_, C>,
    scope: TenantScope,
    ids: &[JobId],
    now: Timestamp,
    decide: Decide<'_>,
) -> Result<Vec<Decided>, StoreError> {
    let mut snapshots = snapshots_on(on, scope, ids).await?.into_iter().peekable();
    let mut decisions = Vec::with_capacity(ids.len());
    for id in ids {
        let Some(snapshot) = snapshots.next_if(|it| it.job.id == *id) else {
            decisions.push(None);
            continue;
        };
        let decision = decide(&snapshot, now);
        check(&snapshot, &decision)?;
        decisions.push(Some((snapshot, decision)));
    }
    Ok(decisions)
}

fn check(snapshot: &JobSnapshot, decision: &Decision) -> Result<(), StoreError> {
    match decision {
        Decision::Keep | Decision::Refuse(_) | Decision::Delete(None) => Ok(()),
        Decision::Delete(Some(log)) => refuse_log_nul(log),
        Decision::Change(change)
            if matches!(change.waiting, WaitingChange::Set(_)) && snapshot.run.is_some() =>
        {
            Err(StoreError::new(
                StoreErrorKind::Invalid,
                format!(
                    "job {} has a run in flight, so no execution may be made to wait; set what comes after the run",
                    snapshot.job.id
                ),
            ))
        }
        Decision::Change(change) => refuse_job_nul(&change.job),
    }
}

async fn apply<C: ConnectionTrait>(
    on: On<'_, C>,
    snapshot: JobSnapshot,
    decision: Decision,
) -> Result<ChangeAnswer, StoreError> {
    match decision {
        Decision::Keep => Ok(ChangeAnswer::Kept(Box::new(snapshot))),
        Decision::Refuse(why) => Ok(ChangeAnswer::Refused(why)),
        Decision::Change(change) => write(on, &snapshot, *change).await,
        Decision::Delete(log) => {
            delete(on, &snapshot).await?;
            if let Some(log) = log {
                let row = on.dialect.sql().insert_logs.with([LogRow(&log)])?;
                on.write(row, &[], DOING).await?;
            }
            Ok(ChangeAnswer::Deleted(Box::new(snapshot)))
        }
    }
}

async fn write<C: ConnectionTrait>(
    on: On<'_, C>,
    former: &JobSnapshot,
    change: JobChange,
) -> Result<ChangeAnswer, StoreError> {
    let sql = on.dialect.sql();
    let id = former.job.id;
    let job = JobInfo {
        id,
        tenant_id: former.job.tenant_id,
        creation_time: former.job.creation_time,
        version: former.job.version + 1,
        ..change.job
    };
    if let Some(holder) = name_holder(on, &former.job, &job).await? {
        return Ok(ChangeAnswer::NameTaken(holder));
    }
    update(on, &job).await?;
    match &change.waiting {
        WaitingChange::Keep => {}
        WaitingChange::Remove => {
            on.write(sql.delete_queue.with(key(id))?, &[], DOING).await?;
        }
        WaitingChange::Set(entry) => {
            ensure_lanes(on, &HashSet::from([&entry.lane])).await?;
            let place = sql.put_queue.with([Place::new(id, entry)])?;
            on.write(place, &[], DOING).await?;
        }
    }
    if former.run.is_some() && (change.run.after.is_some() || change.run.cancel.is_some()) {
        let code = |it: Option<i16>| Value::BigInt(it.map(i64::from));
        let values = vec![
            on.dialect.uuid(id.as_uuid()),
            code(change.run.after.map(|it| it.code())),
            code(change.run.cancel.map(|it| it.code())),
        ];
        on.execute(sql.update_run, values, DOING).await?;
    }
    let now = snapshots_on(on, TenantScope::All, &[id])
        .await?
        .into_iter()
        .next();
    Ok(now.map_or(ChangeAnswer::NotFound, |it| ChangeAnswer::Changed(Box::new(it))))
}

/// Writes everything of a job that may change.
pub(crate) async fn update<C: ConnectionTrait>(on: On<'_, C>, job: &JobInfo) -> Result<(), StoreError> {
    let row = JobRow {
        job,
        state: job.state(),
    };
    on.execute_batches(on.dialect.sql().update_jobs, json_rows([row])?, DOING)
        .await?;
    Ok(())
}

/// Another job that has the name which `job` wants.
pub(crate) async fn name_holder<C: ConnectionTrait>(
    on: On<'_, C>,
    former: &JobInfo,
    job: &JobInfo,
) -> Result<Option<JobId>, StoreError> {
    let wanted = name_key(job);
    if wanted.is_none() || wanted == name_key(former) {
        return Ok(None);
    }
    for (json, _) in json_rows([(Hex(job.id.as_uuid()), wanted.map(Hex))])? {
        let rows = on
            .rows(on.dialect.sql().existing_jobs, vec![json.into()], DOING)
            .await?;
        for row in rows {
            if column::<Option<Uuid>>(&row, 2, DOING)?.is_some() {
                let holder = JobId::new(uuid_at(&row, 2, "the id of the job that has the name")?);
                return Ok((holder != job.id).then_some(holder));
            }
        }
    }
    Ok(None)
}

/// Removes a job with its executions and the locks of its run.
pub(crate) async fn delete<C: ConnectionTrait>(on: On<'_, C>, job: &JobSnapshot) -> Result<(), StoreError> {
    let sql = on.dialect.sql();
    let id = job.job.id;
    on.write(sql.delete_jobs.with(key(id))?, &[], DOING).await?;
    on.write(sql.delete_queue.with(key(id))?, &[], DOING).await?;
    if let Some(run) = &job.run {
        let run = json_rows([Hex(run.run_id.as_uuid())])?;
        on.write(sql.delete_runs.with(key(id))?, &[], DOING).await?;
        on.execute_batches(sql.delete_locks, run, DOING).await?;
    }
    Ok(())
}

fn key(id: JobId) -> [Hex; 1] {
    [Hex(id.as_uuid())]
}
