//! The watch step: timeouts, exclusivity that ends, runs that do not stop, suspects that proved harmless.

use std::time::Duration;

use tasks_abstractions::{CancelReason, RunId, RunOutcome};
use tokio::time::Instant;
use tracing::{error, warn};

use super::Engine;
use crate::transition::RunReport;

impl Engine {
    /// Looks at every run here; answers when something is due next. Works from the board alone, so that a job which never yields is still
    /// seen.
    pub fn watch_step(&self) -> Option<Instant> {
        let now = Instant::now();
        let mut next: Option<Instant> = None;
        let mut given_up: Vec<RunId> = Vec::new();
        let (stuck_after, window) = (self.options().stuck_after, self.options().suspect_window);
        let mut board = self.board();
        let suspect = board.suspect;
        let mut cleared = None;
        for (run_id, it) in &mut board.runs {
            let Some(began) = it.began.filter(|_| it.is_code_running) else {
                continue;
            };
            let mut due = |at: Option<Instant>| -> bool {
                let Some(at) = at else { return false };
                if at <= now {
                    return true;
                }
                next = Some(next.map_or(at, |it| it.min(at)));
                false
            };
            if due(it.timeout_at.filter(|_| it.cancelled_at.is_none())) {
                warn!(run = %run_id, job = %it.claimed.job.id, "timeout: the run is asked to end");
                it.cancelled_at = Some(now);
                it.cancel.cancel(CancelReason::TimedOut);
            }
            if due(it.lock_ends_at.filter(|_| !it.has_ended)) {
                it.cancelled_at.get_or_insert(now);
                it.cancel.cancel(CancelReason::LockExpired);
                given_up.push(*run_id);
            }
            if due(it
                .cancelled_at
                .filter(|_| !it.is_reported_stuck)
                .map(|at| at + stuck_after))
            {
                error!(run = %run_id, job = %it.claimed.job.id, r#type = %it.claimed.job.type_name,
                    "stuck: the run was asked to end and still goes on; its slot stays taken until it does");
                it.is_reported_stuck = true;
            }
            if suspect == Some(*run_id) && it.claimed.run.suspect && due(Some(began + window)) {
                it.claimed.run.suspect = false;
                cleared = Some(*run_id);
            }
        }
        if let Some(run) = cleared {
            // The next suspect is claimed only when the store knows that this one is none any more: else the next one's crash would count
            // against it.
            board.cleared_suspects.push(run);
        }
        for run in given_up {
            self.give_up(&mut board, run);
        }
        drop(board);
        if cleared.is_some() {
            self.signals().beat();
        }
        next
    }

    /// Ends a run's exclusivity while its code still runs: the outcome is stored now, and whatever the code answers later is dropped.
    fn give_up(&self, board: &mut super::board::Board, run: RunId) {
        if !board.end(run) {
            return;
        }
        let Some(it) = board.runs.get(&run) else { return };
        let duration = it.began.map_or(Duration::ZERO, |it| it.elapsed());
        let claimed = it.claimed.clone();
        warn!(run = %run, job = %claimed.job.id, "lock timeout: the run has lost its exclusivity");
        let report = RunReport::new(RunOutcome::TimedOut, claimed.run.claimed_at, duration)
            .message("took longer than its lock timeout");
        self.send_ended(claimed, report);
    }
}
