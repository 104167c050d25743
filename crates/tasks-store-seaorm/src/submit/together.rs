//! Single jobs of many callers at once: those that would have to wait for others are stored together.
//!
//! A commit waits for the disk, and on SQLite for every other writer. Whoever comes while enough are under way does not queue up for a transaction of its own, but goes with all that wait
//! in the next one. A caller that is alone notices nothing of it.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tasks_abstractions::StoreError;
use tasks_abstractions::store::{ClaimRequest, ClaimedRun, PreparedJob, StoreErrorKind, SubmitAnswer};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::DOING;
use crate::dialect::Dialect;
use crate::store::SeaOrmStore;

/// Most jobs that are stored together.
const MOST: usize = 500;

type Answered = oneshot::Receiver<Result<SubmitAnswer, StoreError>>;

/// What is under way, and what waits for it.
#[derive(Debug, Default)]
pub(crate) struct Together(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    under_way: usize,
    waiting: Vec<Waiting>,
}

#[derive(Debug)]
struct Waiting {
    job: PreparedJob,
    answer: oneshot::Sender<Result<SubmitAnswer, StoreError>>,
}

impl Together {
    /// Ignores poison: nothing in it is left half-changed by a panic.
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody's turn. When it ends, all that wait have theirs, as one.
struct Turn(SeaOrmStore);

impl Drop for Turn {
    fn drop(&mut self) {
        let mut state = self.0.handles().together.state();
        // Whoever gave up has no part in it.
        state.waiting.retain(|it| !it.answer.is_closed());
        match Handle::try_current() {
            Ok(runtime) if !state.waiting.is_empty() => {
                let most = state.waiting.len().min(MOST);
                let next: Vec<Waiting> = state.waiting.drain(..most).collect();
                drop(state);
                let turn = Self(self.0.clone());
                drop(runtime.spawn(async move { turn.store(next).await }));
            }
            // Without a runtime nobody could carry it out: those that wait are told so.
            _ => {
                state.waiting.clear();
                state.under_way -= 1;
            }
        }
    }
}

impl Turn {
    async fn store(self, waiting: Vec<Waiting>) {
        let (jobs, answers): (Vec<_>, Vec<_>) = waiting.into_iter().map(|it| (it.job, it.answer)).unzip();
        let stored = self.0.again(|| self.0.submit_jobs(&jobs)).await;
        let error = match stored {
            Ok(stored) => {
                for (answer, stored) in answers.into_iter().zip(stored) {
                    // Nobody waits any more where the caller gave up.
                    let _ = answer.send(Ok(stored));
                }
                return;
            }
            Err(error) => error,
        };
        for (answer, job) in answers.into_iter().zip(jobs) {
            let alone = if error.is_unavailable() {
                Err(StoreError::new(error.kind(), error.to_string()))
            } else {
                // What one job is refused for is not the fault of the others.
                self.0.submit_alone(&job).await
            };
            let _ = answer.send(alone);
        }
    }
}

impl SeaOrmStore {
    /// Stores one job: at once where not enough are under way, else with all others that wait.
    pub(crate) async fn submit_one(&self, job: &PreparedJob) -> Result<SubmitAnswer, StoreError> {
        match self.turn(job) {
            Ok(_turn) => self.submit_alone(job).await,
            Err(answered) => self.answer_of(answered).await,
        }
    }

    /// Stores one job and claims it; where it has to wait for others it is stored with them, and claimed as any other.
    pub(crate) async fn submit_and_claim_one(
        &self,
        job: &PreparedJob,
        request: &ClaimRequest,
    ) -> Result<(SubmitAnswer, Option<ClaimedRun>), StoreError> {
        match self.turn(job) {
            Ok(_turn) => self.again(|| self.submit_and_claim(job, request)).await,
            Err(answered) => Ok((self.answer_of(answered).await?, None)),
        }
    }

    /// A turn of its own, or the answer when it was stored with others.
    fn turn(&self, job: &PreparedJob) -> Result<Turn, Answered> {
        let mut state = self.handles().together.state();
        if state.under_way < self.at_once() {
            state.under_way += 1;
            return Ok(Turn(self.clone()));
        }
        let (answer, answered) = oneshot::channel();
        state.waiting.push(Waiting {
            job: job.clone(),
            answer,
        });
        Err(answered)
    }

    async fn submit_alone(&self, job: &PreparedJob) -> Result<SubmitAnswer, StoreError> {
        let jobs = std::slice::from_ref(job);
        let answer = self.again(|| self.submit_jobs(jobs)).await?.pop();
        answer.ok_or_else(|| StoreError::new(StoreErrorKind::Invalid, "the store gave no answer"))
    }

    /// How many transactions of single jobs are worth it at once: on a server one works while another one waits for the disk.
    fn at_once(&self) -> usize {
        match self.handles().open.dialect {
            Dialect::Sqlite => 1,
            Dialect::Postgres | Dialect::Mysql => 2,
        }
    }

    /// Waits no longer than for two transactions, that of others and the one with this job: somebody may have begun one and look at it no more.
    async fn answer_of(&self, answered: Answered) -> Result<SubmitAnswer, StoreError> {
        let limit = 2 * self.handles().longest_transaction();
        let unavailable = |why: &str| {
            StoreError::new(
                StoreErrorKind::Unavailable,
                format!("cannot {DOING}: {why}; store it again"),
            )
        };
        match timeout(limit, answered).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) => Err(unavailable(
                "the task that was to store this one with others has ended",
            )),
            Err(_) => Err(unavailable(&format!(
                "those that are stored before this one left it no room for {limit:?}"
            ))),
        }
    }
}
