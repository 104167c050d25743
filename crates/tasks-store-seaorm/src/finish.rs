//! Settling runs: log, job, next execution and follow-ups in one transaction for the whole batch.

use std::collections::{HashMap, HashSet};

use sea_orm::ConnectionTrait;
use serde::Serialize;
use tasks_abstractions::StoreError;
use tasks_abstractions::job::Lane;
use tasks_abstractions::run::JobLog;
#[cfg(feature = "postgres")]
use tasks_abstractions::store::StoreErrorKind;
use tasks_abstractions::store::{FinishAnswer, FinishRun, PreparedJob};
use tasks_multitenancy::TenantScope;

#[cfg(feature = "postgres")]
use crate::connect::{Seat, Seats};
#[cfg(feature = "postgres")]
use crate::dialect::postgres;
use crate::dialect::{Batch, Sql};
use crate::error::refuse_nul;
use crate::list::snapshots_on;
use crate::row::{Hex, LogRow, Place, json_rows, micros};
use crate::statement::{On, column};
use crate::store::{SeaOrmStore, lock_jobs};
use crate::submit;
#[cfg(feature = "sqlite")]
use crate::writer_thread::WriterThread;

pub(crate) const DOING: &str = "write down finished runs";

/// Job, state, result, last run, trigger count, try count, interruptions, suspect interruptions, abandoned.
#[derive(Serialize)]
struct SettledJob<'a>(Hex, i16, Option<&'a str>, Option<i64>, u32, u32, u32, u32, u8);

/// What is written for runs that are settled, one batch a table.
struct Writing {
    /// Jobs whose run ends.
    ended: Batch,
    /// Their locks, by run.
    locks: Vec<(String, u64)>,
    logs: Batch,
    jobs: Batch,
    /// Jobs that are removed.
    removed: Batch,
    next: Batch,
    follow_ups: Vec<PreparedJob>,
}

impl SeaOrmStore {
    pub(crate) async fn finish_runs(&self, runs: &[FinishRun]) -> Result<Vec<FinishAnswer>, StoreError> {
        if runs.is_empty() {
            return Ok(Vec::new());
        }
        for it in runs {
            refuse_finish_nul(it)?;
        }
        #[cfg(feature = "postgres")]
        if let Some(seats) = self.seats() {
            let lanes = self.unknown_lanes(lanes_of(runs));
            match self.finish_at_once(seats, runs, &lanes).await {
                Ok(Some(answers)) => {
                    self.lanes_are_known(lanes);
                    self.left_behind(runs.len());
                    return Ok(answers);
                }
                // Which runs are gone or stale is found out row by row.
                Ok(None) => {}
                // Row by row it may pass: it leaves out what is there already.
                Err(error) if error.kind() == StoreErrorKind::Rejected => {
                    tracing::debug!(%error, "outcomes are written row by row");
                }
                Err(error) => return Err(error),
            }
        }
        #[cfg(feature = "sqlite")]
        if let Some(thread) = &self.handles().open.writer_thread {
            return self.finish_on(thread, runs).await;
        }
        self.finish_judged(runs).await
    }

    /// Settles those that can be settled, and answers why the others cannot.
    async fn finish_judged(&self, runs: &[FinishRun]) -> Result<Vec<FinishAnswer>, StoreError> {
        let lanes = self.unknown_lanes(lanes_of(runs));
        let sql = self.handles().open.dialect.sql();
        let keys = keys_of(sql, runs)?;
        // Nearly always all of them can be settled: then nothing is put together while the write lock is held.
        let whole = Writing::of(sql, &runs.iter())?;

        let tx = self.begin(DOING).await?;
        let on = self.on(&tx);
        lock_jobs(on, runs.iter().map(|it| it.job_id), DOING).await?;
        let mut answers = judge(on, runs, keys).await?;
        if answers.iter().all(|it| matches!(it, FinishAnswer::Applied)) {
            write(on, whole, &lanes).await?;
        } else {
            let left = || applied(runs, &answers);
            write(on, Writing::of(sql, &left())?, &lanes).await?;
            look_at_stale(on, runs, &mut answers).await?;
        }
        self.commit(tx, DOING).await?;
        self.lanes_are_known(lanes);
        Ok(answers)
    }

    /// As [`finish_runs`](Self::finish_runs), on the thread that writes. It gets no more than is written; the outcomes themselves only where not all of them can be settled.
    #[cfg(feature = "sqlite")]
    async fn finish_on(
        &self,
        thread: &WriterThread,
        runs: &[FinishRun],
    ) -> Result<Vec<FinishAnswer>, StoreError> {
        let mut seen = HashSet::with_capacity(runs.len());
        if runs.iter().all(|it| seen.insert(it.run_id)) {
            let sql = self.handles().open.dialect.sql();
            let (keys, writing) = (keys_of(sql, runs)?, Writing::of(sql, &runs.iter())?);
            let lanes = self.unknown_lanes(lanes_of(runs));
            let own: Vec<Lane> = lanes.iter().map(|it| (*it).clone()).collect();
            let store = self.clone();
            let all = async move { store.finish_all(keys, writing, &own).await };
            if thread.carry_out(all).await? {
                self.lanes_are_known(lanes);
                return Ok(vec![FinishAnswer::Applied; runs.len()]);
            }
        }
        let (store, runs) = (self.clone(), runs.to_vec());
        let judged = async move { store.finish_judged(&runs).await };
        thread.carry_out(judged).await
    }

    /// Settles all of them, or writes nothing and answers false.
    #[cfg(feature = "sqlite")]
    async fn finish_all(&self, keys: Batch, writing: Writing, lanes: &[Lane]) -> Result<bool, StoreError> {
        let tx = self.begin(DOING).await?;
        let on = self.on(&tx);
        if !exceptions(on, keys).await?.is_empty() {
            self.rollback(tx, DOING).await?;
            return Ok(false);
        }
        write(on, writing, &lanes.iter().collect()).await?;
        self.commit(tx, DOING).await?;
        Ok(true)
    }

    /// As [`finish_runs`](Self::finish_runs), in as few statements as PostgreSQL lets it. `None` where a run is gone or its job was changed, and nothing was written.
    #[cfg(feature = "postgres")]
    async fn finish_at_once(
        &self,
        seats: &Seats,
        runs: &[FinishRun],
        lanes: &HashSet<&Lane>,
    ) -> Result<Option<Vec<FinishAnswer>>, StoreError> {
        let seat = self.on_seat(DOING, seats.begin()).await?;
        let answers = finish_in(self.on(&seat), runs, lanes).await?;
        match answers {
            Some(_) => self.on_seat(DOING, seat.commit()).await?,
            None => self.on_seat(DOING, seat.rollback()).await?,
        }
        Ok(answers)
    }
}

#[cfg(feature = "postgres")]
async fn finish_in(
    on: On<'_, Seat>,
    runs: &[FinishRun],
    lanes: &HashSet<&Lane>,
) -> Result<Option<Vec<FinishAnswer>>, StoreError> {
    let is_removed = |it: &FinishRun| it.settlement.is_removed;
    if runs.iter().any(is_removed) && !runs.iter().all(is_removed) {
        // What is changed and what is removed are two statements, and all are locked in one order.
        lock_jobs(on, runs.iter().map(|it| it.job_id), DOING).await?;
    }
    if !postgres::finish::write(on, runs).await? {
        return Ok(None);
    }
    submit::ensure_lanes(on, lanes).await?;
    let put_queue = on.dialect.sql().put_queue;
    let next = put_queue.with(runs.iter().filter_map(place_of_next))?;
    on.write(next, &[], DOING).await?;
    write_follow_ups(on, &follow_ups_of(runs.iter())).await?;
    Ok(Some(vec![FinishAnswer::Applied; runs.len()]))
}

/// Those of `runs` that are settled as they say.
fn applied<'a>(
    runs: &'a [FinishRun],
    answers: &'a [FinishAnswer],
) -> impl Iterator<Item = &'a FinishRun> + Clone {
    runs.iter()
        .zip(answers)
        .filter(|(_, answer)| matches!(answer, FinishAnswer::Applied))
        .map(|(it, _)| it)
}

fn place_of_next(run: &FinishRun) -> Option<Place<'_>> {
    let next = run.settlement.next.as_ref();
    next.map(|next| Place::new(run.job_id, next))
}

fn follow_ups_of<'a>(runs: impl Iterator<Item = &'a FinishRun>) -> Vec<PreparedJob> {
    runs.flat_map(|it| it.settlement.follow_ups.iter().cloned())
        .collect()
}

async fn write_follow_ups<C: ConnectionTrait>(
    on: On<'_, C>,
    follow_ups: &[PreparedJob],
) -> Result<(), StoreError> {
    if !follow_ups.is_empty() {
        // Their ids come from the run: one that exists was stored by an earlier try.
        submit::insert(on, follow_ups, &HashSet::new()).await?;
    }
    Ok(())
}

impl Writing {
    fn of<'a>(sql: &Sql, runs: &(impl Iterator<Item = &'a FinishRun> + Clone)) -> Result<Self, StoreError> {
        // In the order of the indexes: sorting them there costs more.
        let mut runs: Vec<&FinishRun> = runs.clone().collect();
        runs.sort_unstable_by_key(|it| it.job_id);
        let runs = runs.into_iter();
        let removed = runs.clone().filter(|it| it.settlement.is_removed);
        let kept = runs.clone().filter(|it| !it.settlement.is_removed);
        let jobs = kept.map(|it| {
            let update = &it.settlement.update;
            SettledJob(
                Hex(it.job_id.as_uuid()),
                update.state.code(),
                update.result.as_deref(),
                update.last_run_time.map(micros),
                update.trigger_count,
                update.try_count,
                update.interruptions,
                update.suspect_interruptions,
                u8::from(update.is_abandoned),
            )
        });
        Ok(Self {
            ended: sql
                .delete_runs
                .with(runs.clone().map(|it| Hex(it.job_id.as_uuid())))?,
            locks: json_rows(runs.clone().map(|it| Hex(it.run_id.as_uuid())))?,
            logs: sql.insert_logs.with(
                runs.clone()
                    .filter_map(|it| it.settlement.log.as_ref().map(LogRow)),
            )?,
            jobs: sql.settle_jobs.with(jobs)?,
            removed: sql.delete_jobs.with(removed.map(|it| Hex(it.job_id.as_uuid())))?,
            next: sql.put_queue.with(runs.clone().filter_map(place_of_next))?,
            follow_ups: follow_ups_of(runs),
        })
    }
}

fn lanes_of(runs: &[FinishRun]) -> impl Iterator<Item = &Lane> {
    runs.iter().flat_map(|it| {
        let next = it.settlement.next.as_ref().map(|it| &it.lane);
        next.into_iter()
            .chain(submit::lanes_of(&it.settlement.follow_ups))
    })
}

fn keys_of(sql: &Sql, runs: &[FinishRun]) -> Result<Batch, StoreError> {
    sql.finish_exceptions
        .with(runs.iter().enumerate().map(|(at, it)| {
            let (job, run) = (Hex(it.job_id.as_uuid()), Hex(it.run_id.as_uuid()));
            (job, run, it.job_version, at as u64)
        }))
}

/// Which of the keys cannot be settled.
async fn exceptions<C: ConnectionTrait>(on: On<'_, C>, keys: Batch) -> Result<Vec<usize>, StoreError> {
    let mut exceptions = Vec::new();
    for (from, row) in on.answers(keys, DOING).await? {
        #[cfg(feature = "chaos-mutants")]
        if crate::mutants::is(if column::<bool>(&row, 1, DOING)? {
            "version-ignored"
        } else {
            "finish-without-run-id"
        }) {
            continue;
        }
        let at = usize::try_from(column::<i64>(&row, 0, DOING)?).unwrap_or(usize::MAX);
        exceptions.push(from.saturating_add(at));
    }
    Ok(exceptions)
}

/// What becomes of each run. Only exceptions come back from the database. Stale ones are `Gone` here until they are looked at.
async fn judge<C: ConnectionTrait>(
    on: On<'_, C>,
    runs: &[FinishRun],
    keys: Batch,
) -> Result<Vec<FinishAnswer>, StoreError> {
    let mut answers = vec![FinishAnswer::Applied; runs.len()];
    for at in exceptions(on, keys).await? {
        if let Some(answer) = answers.get_mut(at) {
            *answer = FinishAnswer::Gone;
        }
    }
    let mut seen = HashSet::with_capacity(runs.len());
    for (run, answer) in runs.iter().zip(&mut answers) {
        if !seen.insert(run.run_id) {
            *answer = FinishAnswer::Gone;
        }
    }
    Ok(answers)
}

/// Tells the stale from the gone: a run that still is there has a job that was changed. The answers are read after the writing, so a run that was
/// settled by an earlier element of the same batch is gone.
async fn look_at_stale<C: ConnectionTrait>(
    on: On<'_, C>,
    runs: &[FinishRun],
    answers: &mut [FinishAnswer],
) -> Result<(), StoreError> {
    let open = |answers: &[FinishAnswer], at: usize| matches!(answers[at], FinishAnswer::Gone);
    let ids: Vec<_> = (0..runs.len())
        .filter(|at| open(answers, *at))
        .map(|at| runs[at].job_id)
        .collect();
    let snapshots: HashMap<_, _> = snapshots_on(on, TenantScope::All, &ids)
        .await?
        .into_iter()
        .map(|it| (it.job.id, it))
        .collect();
    for (at, run) in runs.iter().enumerate() {
        if open(answers, at)
            && let Some(snapshot) = snapshots.get(&run.job_id)
            && snapshot.run.as_ref().is_some_and(|it| it.run_id == run.run_id)
        {
            answers[at] = FinishAnswer::Stale(Box::new(snapshot.clone()));
        }
    }
    Ok(())
}

async fn write<C: ConnectionTrait>(
    on: On<'_, C>,
    writing: Writing,
    lanes: &HashSet<&Lane>,
) -> Result<(), StoreError> {
    submit::ensure_lanes(on, lanes).await?;
    on.write(writing.jobs, &[], DOING).await?;
    on.write(writing.removed, &[], DOING).await?;
    on.write(writing.next, &[], DOING).await?;
    on.write(writing.ended, &[], DOING).await?;
    on.execute_batches(on.dialect.sql().delete_locks, writing.locks, DOING)
        .await?;
    on.write(writing.logs, &[], DOING).await?;
    write_follow_ups(on, &writing.follow_ups).await
}

fn refuse_finish_nul(run: &FinishRun) -> Result<(), StoreError> {
    let what = format_args!("the outcome of run {}", run.run_id);
    refuse_nul(&what, [("result", run.settlement.update.result.as_deref())])?;
    if let Some(log) = &run.settlement.log {
        refuse_log_nul(log)?;
    }
    run.settlement
        .follow_ups
        .iter()
        .try_for_each(|it| submit::refuse_job_nul(&it.job))
}

/// Refuses a log row with a NUL in a text.
pub(crate) fn refuse_log_nul(log: &JobLog) -> Result<(), StoreError> {
    refuse_nul(
        &format_args!("the log of run {}", log.run_id),
        [
            ("job_name", Some(log.job_name.as_str())),
            ("job_group", Some(log.job_group.as_str())),
            ("type_name", Some(log.type_name.as_str())),
            ("message", log.message.as_deref()),
            ("error", log.error.as_deref()),
            ("node_name", Some(log.node_name.as_str())),
        ],
    )
}
