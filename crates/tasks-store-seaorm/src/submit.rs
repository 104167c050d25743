//! Accepting new jobs, through the store's own transaction or the caller's.

mod at_once;
mod together;

use std::collections::{HashMap, HashSet};

use sea_orm::{ConnectionTrait, Value};
use tasks_abstractions::job::Lane;
use tasks_abstractions::store::{ClaimRequest, ClaimedRun, PreparedJob, StoreErrorKind, SubmitAnswer};
use tasks_abstractions::{JobId, JobInfo, JobState, StoreError, WakeHandle};
use uuid::Uuid;

use crate::claim::{claimed_run, in_flight, move_to_runs, must_live};
use crate::dialect::{Batched, Dialect, postgres};
use crate::error::refuse_nul;
use crate::row::{Hex, JobRow, Place, PlainRow, json_rows, name_key, uuid_at};
use crate::statement::{On, column};
use crate::store::SeaOrmStore;

pub(crate) use together::Together;

pub(crate) const DOING: &str = "store jobs";

/// How often a job is tried whose hindrance is gone each time.
const TRIES: usize = 4;

/// What became of jobs that were stored through the caller's transaction.
#[derive(Debug)]
#[must_use = "call `wake.wake()` after the commit, else the jobs wait for the next poll"]
pub struct Enqueued {
    /// One answer for each job, in order.
    pub answers: Vec<SubmitAnswer>,
    /// Wakes the nodes. Call it after the commit; after a rollback drop it.
    pub wake: WakeHandle,
}

/// Stores prepared jobs through the caller's own transaction: they commit or vanish with it. An id or name that exists is an answer, not an error, so the
/// transaction goes on.
///
/// The tables are those of the caller's connection: on PostgreSQL, of its `search_path`; see [`SeaOrmStore::enqueue_in`].
///
/// On SQLite begin the transaction with `BEGIN IMMEDIATE`, as [`SeaOrmStore::transaction`] does: one that reads before it writes fails where another writer was faster.
///
/// # Errors
/// Kind `Transaction` where SQLite cannot make the transaction a writing one, or a server gave it up for another one's sake: roll it back and run it anew. Kind `Rejected` where a
/// text contains NUL. After any error roll back.
pub async fn enqueue_in<C: ConnectionTrait>(
    transaction: &C,
    jobs: &[PreparedJob],
) -> Result<Enqueued, StoreError> {
    // The lanes may vanish with the caller's transaction, so nothing is remembered about them.
    let default = Lane::any_node();
    let lanes = lanes_of(jobs).filter(|it| **it != default).collect();
    let answers = insert(On::callers(transaction)?, jobs, &lanes).await?;
    let mut wake = WakeHandle::new(None, Vec::new());
    for (job, answer) in jobs.iter().zip(&answers) {
        if *answer == SubmitAnswer::Inserted {
            wake.merge(job.wake_handle());
        }
    }
    Ok(Enqueued { answers, wake })
}

impl SeaOrmStore {
    /// As [`enqueue_in`], into the tables of this store also where they are in another schema than the caller's.
    ///
    /// # Errors
    /// As [`enqueue_in`].
    pub async fn enqueue_in<C: ConnectionTrait>(
        &self,
        transaction: &C,
        jobs: &[PreparedJob],
    ) -> Result<Enqueued, StoreError> {
        let on = On::callers(transaction)?;
        let (Some(schema), Some(schemas)) = (&self.handles().schema, on.dialect.sql().schemas) else {
            return enqueue_in(transaction, jobs).await;
        };
        // The caller's statements look for tables elsewhere, before and after.
        let callers: String = match on.row(schemas.search_path, Vec::new(), DOING).await? {
            Some(row) => column(&row, 0, DOING)?,
            None => String::new(),
        };
        on.execute(schemas.set_search_path, vec![schema.as_str().into()], DOING)
            .await?;
        let enqueued = enqueue_in(transaction, jobs).await?;
        on.execute(schemas.set_search_path, vec![callers.into()], DOING)
            .await?;
        Ok(enqueued)
    }

    pub(crate) async fn submit_jobs(&self, jobs: &[PreparedJob]) -> Result<Vec<SubmitAnswer>, StoreError> {
        if jobs.is_empty() {
            return Ok(Vec::new());
        }
        if let [job] = jobs
            && let Some((answer, _)) = self.submit_at_once(job, None).await?
        {
            return Ok(vec![answer]);
        }
        let lanes = self.unknown_lanes(lanes_of(jobs));
        let answers = self.insert_all(jobs, &lanes).await?;
        self.lanes_are_known(lanes);
        Ok(answers)
    }

    async fn insert_all(
        &self,
        jobs: &[PreparedJob],
        lanes: &HashSet<&Lane>,
    ) -> Result<Vec<SubmitAnswer>, StoreError> {
        #[cfg(feature = "postgres")]
        if let Some(seats) = self.seats() {
            if let Some(answers) = self.insert_new(seats, jobs, lanes).await? {
                return Ok(answers);
            }
            let seat = self.on_seat(DOING, seats.begin()).await?;
            let answers = insert(self.on(&seat), jobs, lanes).await?;
            self.on_seat(DOING, seat.commit()).await?;
            return Ok(answers);
        }
        if let Some(answers) = self.insert_plain(jobs, lanes).await? {
            return Ok(answers);
        }
        let tx = self.begin(DOING).await?;
        let answers = insert(self.on(&tx), jobs, lanes).await?;
        self.commit(tx, DOING).await?;
        Ok(answers)
    }

    pub(crate) async fn submit_and_claim(
        &self,
        job: &PreparedJob,
        request: &ClaimRequest,
    ) -> Result<(SubmitAnswer, Option<ClaimedRun>), StoreError> {
        if let Some(answer) = self.submit_at_once(job, Some(request)).await? {
            return Ok(answer);
        }
        let jobs = std::slice::from_ref(job);
        let lanes = self.unknown_lanes(lanes_of(jobs));
        let tx = self.begin(DOING).await?;
        let on = self.on(&tx);
        let answer = insert(on, jobs, &lanes).await?.pop();
        let answer =
            answer.ok_or_else(|| StoreError::new(StoreErrorKind::Invalid, "the store gave no answer"))?;
        let mut claimed = Vec::new();
        if let Some(first) = job.first.as_ref().filter(|it| request.lanes.contains(&it.lane))
            && answer == SubmitAnswer::Inserted
        {
            let clock = match must_live(on, request.instance, DOING).await {
                Ok(clock) => Some(clock),
                // It waits for others then.
                Err(error) if error.kind() == StoreErrorKind::Fenced => None,
                Err(error) => return Err(error),
            };
            let now = clock.map(|it| self.now_from(request.now, it)).transpose()?;
            if let Some(now) = now.filter(|it| first.due_at <= *it) {
                let job = stored_as(&new_row(job));
                claimed.push(claimed_run(
                    in_flight(job),
                    first.clone(),
                    request,
                    self.new_run(),
                    now,
                ));
                move_to_runs(on, request, now, &mut claimed).await?;
            }
        }
        self.commit(tx, DOING).await?;
        self.lanes_are_known(lanes);
        Ok((answer, claimed.pop()))
    }
}

/// A new job as it is read when it is claimed.
pub(crate) fn stored_as(row: &JobRow<'_>) -> JobInfo {
    JobInfo {
        status: row.state.into(),
        is_running: false,
        next_run_time: None,
        ..row.job.clone()
    }
}

pub(crate) fn lanes_of(jobs: &[PreparedJob]) -> impl Iterator<Item = &Lane> {
    jobs.iter().filter_map(|it| it.first.as_ref()).map(|it| &it.lane)
}

/// Puts lanes into the database that may not be there.
pub(crate) async fn ensure_lanes<C: ConnectionTrait>(
    on: On<'_, C>,
    lanes: &HashSet<&Lane>,
) -> Result<(), StoreError> {
    let names = json_rows(lanes.iter().map(|it| it.as_str()))?;
    on.execute_batches(on.dialect.sql().ensure_lanes, names, "store the lanes of jobs")
        .await?;
    Ok(())
}

/// Inserts jobs with their first executions. Writes before it reads, so that a caller's transaction that has not read yet gets the write lock.
pub(crate) async fn insert<C: ConnectionTrait>(
    on: On<'_, C>,
    jobs: &[PreparedJob],
    lanes: &HashSet<&Lane>,
) -> Result<Vec<SubmitAnswer>, StoreError> {
    for it in jobs {
        refuse_job_nul(&it.job)?;
    }
    ensure_lanes(on, lanes).await?;
    let mut answers = Vec::with_capacity(jobs.len());
    let mut rest = jobs;
    while !rest.is_empty() {
        // A repeated id begins the next part: of ids that come once, the database tells which were inserted. So does a repeated name: the first of them
        // gets it, in whatever order the database inserts a part.
        let mut seen = HashSet::with_capacity(rest.len());
        let mut names = HashSet::new();
        let length = rest
            .iter()
            .take_while(|it| {
                seen.insert(it.job.id) && name_key(&it.job).is_none_or(|name| names.insert(name))
            })
            .count();
        let (part, later) = rest.split_at(length);
        answers.extend(insert_part(on, part).await?);
        rest = later;
    }
    Ok(answers)
}

/// Inserts jobs of different ids and names.
async fn insert_part<C: ConnectionTrait>(
    on: On<'_, C>,
    jobs: &[PreparedJob],
) -> Result<Vec<SubmitAnswer>, StoreError> {
    let mut answers = vec![None; jobs.len()];
    // Where rows have locks, what was in the way of a job may be gone when it is looked at: then the job is tried again.
    for _ in 0..TRIES {
        let open: Vec<usize> = (0..jobs.len()).filter(|at| answers[*at].is_none()).collect();
        if open.is_empty() {
            break;
        }
        let rows: Vec<JobRow<'_>> = open.iter().map(|at| new_row(&jobs[*at])).collect();
        let mut inserted = HashSet::with_capacity(open.len());
        if on.dialect == Dialect::Postgres {
            inserted.extend(postgres::submit::insert_jobs(on, &rows).await?);
        } else if let Some(sql) = on.dialect.sql().insert_plain_jobs
            && rows.iter().all(JobRow::is_plain)
        {
            inserted.extend(insert_plain(on, sql, &rows).await?);
        } else {
            for (json, _) in json_rows(rows)? {
                inserted.extend(insert_rows(on, on.dialect.sql().insert_jobs, json, DOING).await?);
            }
        }
        let is_new = |at: usize| inserted.contains(&jobs[at].job.id.as_uuid());
        for at in open.iter().copied().filter(|at| is_new(*at)) {
            answers[at] = Some(SubmitAnswer::Inserted);
        }
        let left: Vec<usize> = open.into_iter().filter(|at| !is_new(*at)).collect();
        explain(on, jobs, &left, &mut answers).await?;
    }
    let answers: Option<Vec<_>> = answers.into_iter().collect();
    let answers = answers.ok_or_else(|| {
        StoreError::new(
            StoreErrorKind::Unavailable,
            format!("cannot {DOING}: others stored and removed the same jobs each time; try again"),
        )
    })?;
    let first = jobs.iter().zip(&answers).filter_map(|(it, answer)| {
        let first = it.first.as_ref().filter(|_| *answer == SubmitAnswer::Inserted)?;
        Some((it.job.id, first))
    });
    if on.dialect == Dialect::Postgres {
        postgres::submit::insert_first(on, first).await?;
    } else {
        let put_queue = on.dialect.sql().put_queue;
        let places = put_queue.with(first.map(|(job, first)| Place::new(job, first)))?;
        on.write(places, &[], DOING).await?;
    }
    Ok(answers)
}

/// As [`insert_rows`], for jobs that are plain.
async fn insert_plain<C: ConnectionTrait>(
    on: On<'_, C>,
    sql: Batched,
    rows: &[JobRow<'_>],
) -> Result<Vec<Uuid>, StoreError> {
    let plain = rows.iter().map(PlainRow);
    if let Batched::Json(sql) = sql {
        let mut inserted = Vec::with_capacity(rows.len());
        for (json, _) in json_rows(plain)? {
            inserted.extend(insert_rows(on, sql, json, DOING).await?);
        }
        return Ok(inserted);
    }
    let inserted = on.answers(sql.with(plain)?, DOING).await?;
    inserted
        .iter()
        .map(|(_, it)| uuid_at(it, 0, "the id of a new job"))
        .collect()
}

/// Inserts the rows of jobs whose id and name are free, and answers which those are.
pub(crate) async fn insert_rows<C: ConnectionTrait>(
    on: On<'_, C>,
    insert: &'static str,
    json: String,
    doing: &str,
) -> Result<Vec<Uuid>, StoreError> {
    let rows = match on.dialect.sql().without_returning {
        None => on.rows(insert, vec![json.into()], doing).await?,
        Some(then) => {
            let values: Vec<Value> = vec![json.into(), on.dialect.uuid(Uuid::new_v4())];
            on.execute(insert, values.clone(), doing).await?;
            on.rows(then.inserted, values, doing).await?
        }
    };
    rows.iter()
        .map(|it| uuid_at(it, 0, "the id of a new job"))
        .collect()
}

fn new_row(job: &PreparedJob) -> JobRow<'_> {
    JobRow {
        job: &job.job,
        state: if job.first.is_some() {
            JobState::Active
        } else {
            job.job.state()
        },
    }
}

/// Why jobs were not inserted; nothing where there is no reason any more.
async fn explain<C: ConnectionTrait>(
    on: On<'_, C>,
    jobs: &[PreparedJob],
    left: &[usize],
    answers: &mut [Option<SubmitAnswer>],
) -> Result<(), StoreError> {
    let mut next = left.iter();
    let keys = left.iter().map(|at| {
        let job = &jobs[*at].job;
        (Hex(job.id.as_uuid()), name_key(job).map(Hex))
    });
    for (json, count) in json_rows(keys)? {
        let rows = on
            .rows(on.dialect.sql().existing_jobs, vec![json.into()], DOING)
            .await?;
        let mut found = HashMap::new();
        for row in rows {
            found.insert(column::<i64>(&row, 0, DOING)?, row);
        }
        for (key, at) in (0_i64..).zip(next.by_ref().take(usize::try_from(count).unwrap_or(usize::MAX))) {
            let Some(row) = found.get(&key) else { continue };
            answers[*at] = if column::<bool>(row, 1, DOING)? {
                Some(SubmitAnswer::Exists)
            } else {
                column::<Option<Uuid>>(row, 2, DOING)?
                    .map(|it| SubmitAnswer::NameTaken { by: JobId::new(it) })
            };
        }
    }
    Ok(())
}

/// Refuses a job with a NUL in a text.
pub(crate) fn refuse_job_nul(job: &JobInfo) -> Result<(), StoreError> {
    refuse_nul(
        &format_args!("job {}", job.id),
        [
            ("name", Some(job.name.as_str())),
            ("group", Some(job.group.as_str())),
            ("type_name", Some(job.type_name.as_str())),
            ("description", job.description.as_deref()),
            ("result", job.result.as_deref()),
            ("cron", job.cron.as_deref()),
            ("time_zone", job.time_zone.as_deref()),
            ("node_name", job.node_name.as_deref()),
            ("selector", job.selector.as_deref()),
            (
                "definition.version",
                job.definition.as_ref().map(|it| it.version.as_str()),
            ),
        ],
    )
}
