//! From where on a claim looks while there is more than it can take.
//!
//! On a server the index entries of what was taken stay until a vacuum, and while somebody holds a transaction open, no vacuum removes them: each claim that
//! begins at the head of its lane walks over all of them. A claim after a full one therefore begins where that one found its first execution. What comes in
//! before that place lowers the floor, if this process hears of it, and every second one claim looks everywhere.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tasks_abstractions::Timestamp;
use tasks_abstractions::job::Lane;
use tasks_abstractions::store::ClaimFloor;
use tokio::time::Instant;

/// How long claims begin at a floor before one looks everywhere.
const LONGEST: Duration = Duration::from_secs(1);

/// The floors of one engine.
#[derive(Debug, Default)]
pub(super) struct Floors {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    floors: Vec<ClaimFloor>,
    /// When a claim looked everywhere last.
    looked_everywhere: Option<Instant>,
    /// The most urgent place, by rank and due time, that came in since the last claim was sent.
    came_in: Option<(i16, Timestamp)>,
}

impl Floors {
    /// Where the next claim looks; everywhere where this is empty.
    pub(super) fn for_next_claim(&self) -> Vec<ClaimFloor> {
        let mut state = self.state();
        let is_fresh = state.looked_everywhere.is_some_and(|at| at.elapsed() < LONGEST);
        if !is_fresh {
            state.floors.clear();
        }
        if state.floors.is_empty() {
            state.looked_everywhere = Some(Instant::now());
        }
        state.came_in = None;
        state.floors.clone()
    }

    /// The claim of `lanes` came back full, with executions of these ranks and due times: everything more urgent than its last rank was taken, and of that rank
    /// everything before its first execution.
    pub(super) fn raise(&self, lanes: &[Lane], claimed: impl Iterator<Item = (i16, Timestamp)> + Clone) {
        let Some(rank) = claimed.clone().map(|it| it.0).max() else {
            return;
        };
        let Some((_, due_at)) = claimed.filter(|it| it.0 == rank).min() else {
            return;
        };
        let mut state = self.state();
        if state.came_in.is_some_and(|it| it < (rank, due_at)) {
            state.floors.clear();
            return;
        }
        let floor = |lane: &Lane| ClaimFloor {
            lane: lane.clone(),
            rank,
            due_at,
        };
        state.floors = lanes.iter().map(floor).collect();
    }

    /// Something waits at a place: if it lies before the floors, the next claim looks everywhere.
    pub(super) fn lower(&self, rank: i16, due_at: Timestamp) {
        let mut state = self.state();
        let place = (rank, due_at);
        // A claim that is on its way may be about to set floors.
        state.came_in = Some(state.came_in.map_or(place, |it| it.min(place)));
        if state.floors.iter().any(|it| place < (it.rank, it.due_at)) {
            state.floors.clear();
        }
    }

    /// The next claim looks everywhere.
    pub(super) fn drop_all(&self) {
        let mut state = self.state();
        state.floors.clear();
        state.came_in = Some((i16::MIN, Timestamp::MIN_UTC));
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
