//! Cron workers: one run for each fire, whatever the number of nodes, by their misfire policies.

use tasks_abstractions::RunOutcome;
use tests::chaos::{CRON, EVERY_FIRE, EndKind, FIRE_EVERY_SECONDS};

use crate::evidence::{Evidence, Run};
use crate::fault::Kind;
use crate::place::Backend;

const GRID: i64 = FIRE_EVERY_SECONDS * 1_000_000;

pub(super) fn every_fire_once(it: &Evidence) -> Vec<String> {
    let mut found = Vec::new();
    for worker in [CRON, EVERY_FIRE] {
        let fires = fires_of(it, worker);
        if fires.len() < 2 {
            found.push(format!("{worker} was run {} times", fires.len()));
        }
        for pair in fires.windows(2) {
            let ((due, run), (next, _)) = (pair[0], pair[1]);
            if next == due {
                found.push(format!("{worker} was run twice for its fire at {due} µs"));
            }
            let expected = due + GRID;
            // One run for all missed fires: those that were over when the run before was settled are left out.
            let may_start = if worker == CRON {
                (latest_settle(it, run).div_euclid(GRID) + 1) * GRID
            } else {
                expected
            };
            if next > expected && next > may_start {
                found.push(format!(
                    "{worker} was run for its fires at {due} µs and {next} µs, and for none between them (run {} before it)",
                    run.run
                ));
            }
        }
        if fires.iter().any(|(due, _)| due % GRID != 0) {
            found.push(format!("{worker} was run for a time that is none of its fires"));
        }
    }
    found
}

/// Recorded fires with their runs, by time.
fn fires_of<'a>(it: &'a Evidence, worker: &str) -> Vec<(i64, &'a Run)> {
    let is_recorded = |run: &&Run| {
        it.log(&run.run)
            .is_some_and(|it| it.outcome == RunOutcome::Succeeded)
    };
    let mut fires: Vec<(i64, &Run)> = it
        .runs
        .iter()
        .filter(|run| run.type_name == worker && matches!(run.end, Some((_, EndKind::Done, _))))
        .filter(is_recorded)
        .filter_map(|run| Some((run.due?, run)))
        .collect();
    fires.sort_by_key(|(due, _)| *due);
    fires
}

/// The latest time, by the clock that due times are compared by, at which a run can have been settled.
fn latest_settle(it: &Evidence, run: &Run) -> i64 {
    let ended = run.end.as_ref().map_or(run.start.wall, |it| it.0.wall);
    let died = it.life(run.node, run.generation).and_then(|it| it.died);
    let settled = match (run.settled, died) {
        (Some(at), _) => at.wall,
        (None, Some((at, _))) => at.wall,
        (None, None) => ended,
    };
    // Where the machine's clock decides, a wrong one may have been ahead by two leases.
    let was_wrong = it.backend == Backend::Sqlite
        && it.faults.iter().any(|fault| {
            fault.kind == Kind::Clock
                && fault.node == Some((run.node, run.generation))
                && fault.begin.wall <= settled
                && fault.end.is_none_or(|end| end.wall >= run.start.wall)
        });
    let ahead = if was_wrong {
        it.settings.lease * 2
    } else {
        std::time::Duration::ZERO
    };
    settled + super::micros(ahead)
}
