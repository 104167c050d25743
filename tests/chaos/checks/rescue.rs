//! How long the work of dead nodes waits until somebody takes it over.

use std::time::Duration;

use super::micros;
use crate::evidence::{Evidence, Run};
use crate::fault::Kind;
use crate::node::Ending;

/// One run that was taken over.
#[derive(Debug)]
pub(crate) struct Rescue<'a> {
    pub(crate) run: &'a Run,
    /// From that until the take-over was recorded.
    pub(crate) took: Duration,
    /// Whether nothing else was wrong in that time.
    pub(crate) is_undisturbed: bool,
}

/// Every run that was in flight when its node was killed or stood still, and was taken over because of it.
pub(crate) fn rescues(it: &Evidence) -> Vec<Rescue<'_>> {
    let killed = it
        .faults
        .iter()
        .filter(|it| matches!(it.kind, Kind::Kill | Kind::Stop))
        .filter_map(|it| Some((it.node?, it.begin.mono, Some(it.kind))));
    let died = it.lives.iter().filter_map(|it| match it.died {
        Some((at, Ending::Signal(_))) => Some(((it.node, it.generation), at.mono, None)),
        _ => None,
    });
    let is_kill = |of: (usize, u32)| {
        it.faults
            .iter()
            .any(|it| it.kind == Kind::Kill && it.node == Some(of))
    };
    let died = died.filter(|(of, ..)| !is_kill(*of));
    let mut found = Vec::new();
    for (of, at, by) in killed.chain(died) {
        let in_flight: Vec<&Run> = match by {
            // What was in flight right before.
            None => it
                .runs
                .iter()
                .filter(|run| (run.node, run.generation) == of && run.end.is_none())
                .collect(),
            Some(_) => it.in_flight(Some(of), at).collect(),
        };
        for run in in_flight {
            let from = if by.is_none() { run.over } else { at };
            let next = it.runs_of(&run.job).map(|it| it.start.mono).find(|it| *it > from);
            let taken = it.settled.iter().find(|settled| {
                settled.job == run.job
                    && settled.outcome == "Interrupted"
                    && settled.is_applied
                    && settled.at.mono > from
                    && next.is_none_or(|next| settled.at.mono < next + 500_000)
            });
            if let Some(taken) = taken {
                let took = Duration::from_micros(u64::try_from(taken.at.mono - from).unwrap_or(0));
                found.push(Rescue {
                    run,
                    took,
                    is_undisturbed: is_undisturbed(it, of, from),
                });
            }
        }
    }
    found
}

/// Whether some other node, which had been well for a lease, could look on in peace.
fn is_undisturbed(it: &Evidence, of: (usize, u32), from: i64) -> bool {
    let bound = micros(it.settings.rescue_bound());
    // Having been well counts from one lease before, and being unwell is felt for a heartbeat more.
    let (begin, end) = (from - micros(it.settings.lease) - bound, from + bound);
    let touched = |life: &crate::node::Life| {
        it.faults
            .iter()
            .any(|fault| fault.is_of(life.node, life.generation) && fault.meets(begin, end))
    };
    it.lives.iter().any(|life| {
        (life.node, life.generation) != of
            && life.born.mono < begin
            && life.died.is_none_or(|it| it.0.mono > end)
            && !touched(life)
    })
}

pub(super) fn rescued_in_time(it: &Evidence) -> Vec<String> {
    let bound = it.settings.rescue_bound() + Duration::from_secs(1);
    rescues(it)
        .iter()
        .filter(|it| it.is_undisturbed && it.took > bound)
        .map(|it| {
            format!(
                "run {} of job {} waited {:?} until it was taken over from node {}",
                it.run.run, it.run.job, it.took, it.run.node
            )
        })
        .collect()
}
