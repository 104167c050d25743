//! Cleaning up behind jobs on PostgreSQL, where a row that is removed stays in its table until a vacuum.
//!
//! Every job goes through the queue and the runs. The server's own vacuum comes at most once in `autovacuum_naptime`, by default once a minute, and a million jobs
//! may have passed in less; both tables are small only if somebody cleans up behind them as they go.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use sea_orm::ConnectionTrait as _;
use tasks_abstractions::StoreError;
use tokio::runtime::Handle;

use crate::error::failed;
use crate::statement::{answered, column};
use crate::store::SeaOrmStore;

const DOING: &str = "clean up behind jobs";

/// Passes over a table that somebody else cleans up. The ends of the files stay, for cutting them off would hold up all others, and they are needed again at once.
const VACUUM: &str = "VACUUM (SKIP_LOCKED, TRUNCATE false) tk_job_queue, tk_job_runs";

/// Rows that are still there, by the server's count.
const LEFT: &str = "SELECT coalesce(sum(n_dead_tup), 0)::bigint FROM pg_stat_user_tables WHERE relid IN ('tk_job_queue'::regclass, 'tk_job_runs'::regclass)";

/// Between two sweeps lies so many times the time that one took.
const REST: u32 = 5;

/// After one in vain: a transaction that somebody holds open keeps the rows, and the tables grow.
const REST_IN_VAIN: u32 = 50;

/// When to clean up.
#[derive(Debug, Default)]
pub(crate) struct Sweep(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Rows that were removed since the last sweep began.
    left_behind: u64,
    is_under_way: bool,
    not_before: Option<Instant>,
}

impl Sweep {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that so many rows were removed; answers whether a sweep is to begin, which then is under way.
    fn begins(&self, removed: u64, after: u64, now: Instant) -> bool {
        let mut state = self.state();
        state.left_behind = state.left_behind.saturating_add(removed);
        let may_begin = !state.is_under_way && state.not_before.is_none_or(|it| it <= now);
        if state.left_behind < after || !may_begin {
            return false;
        }
        state.left_behind = 0;
        state.is_under_way = true;
        true
    }

    fn ended(&self, began: Instant, now: Instant, in_vain: bool) {
        let rest = if in_vain { REST_IN_VAIN } else { REST };
        let mut state = self.state();
        state.is_under_way = false;
        state.not_before = now.checked_add(now.saturating_duration_since(began) * rest);
    }
}

impl SeaOrmStore {
    /// Notes that so many jobs have gone through the queue and the runs, and cleans up behind them where it is time.
    pub(crate) fn left_behind(&self, jobs: usize) {
        let Some(after) = self.handles().vacuum_after else {
            return;
        };
        let now = Instant::now();
        if !self.handles().sweep.begins(jobs as u64, after.into(), now) {
            return;
        }
        let store = self.clone();
        match Handle::try_current() {
            Ok(runtime) => drop(runtime.spawn(async move { store.sweep(now, after.into()).await })),
            Err(_) => self.handles().sweep.ended(now, now, false),
        }
    }

    async fn sweep(&self, began: Instant, after: u64) {
        let left = self.vacuum().await.unwrap_or_else(|error| {
            // The next one may fare better, and the server's own comes in any case.
            tracing::debug!(%error, "the queue and the runs were not vacuumed");
            u64::MAX
        });
        self.handles().sweep.ended(began, Instant::now(), left > after);
    }

    /// Answers how many removed rows are still there.
    async fn vacuum(&self) -> Result<u64, StoreError> {
        let open = &self.handles().open;
        let vacuum = open.writer.execute_unprepared(VACUUM);
        answered(open.answer_limit, DOING, vacuum)
            .await?
            .map_err(|error| failed(error, DOING))?;
        let row = self.reading().row(LEFT, Vec::new(), DOING).await?;
        let left: i64 = row.map_or(Ok(0), |it| column(&it, 0, DOING))?;
        Ok(u64::try_from(left).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests;
