//! Processes end as they were asked to and not otherwise; and what was found while the run went on.

use crate::evidence::Evidence;
use crate::fault::{Fault, Kind};
use crate::node::Ending;
use crate::place::Backend;

/// SIGABRT: a job's own doing.
const ABORT: i32 = 6;
/// SIGKILL.
const KILL: i32 = 9;
/// SIGTERM.
const TERM: i32 = 15;

pub(super) fn processes_end_as_asked(it: &Evidence) -> Vec<String> {
    let mut found = Vec::new();
    for life in &it.lives {
        let process = (life.node, life.generation);
        let Some((at, ending)) = life.died else {
            found.push(format!("process {process:?} was still there at the end"));
            continue;
        };
        // A store that is away may keep a node from starting, and from writing down the last outcomes when it ends. So may another process that was stopped while
        // it had the lock of the whole file.
        let holds_all = |fault: &Fault| it.backend == Backend::Sqlite && fault.kind == Kind::Stop;
        let is_away = |fault: &Fault| {
            (!fault.kind.is_of_node() || fault.kind == Kind::Cut) && fault.is_of(life.node, life.generation)
        };
        let is_store_away = it.faults.iter().any(|fault| {
            (is_away(fault) || holds_all(fault))
                && fault.meets(life.asked.unwrap_or(life.born).mono - 1_000_000, at.mono)
        });
        let is_well = match ending {
            Ending::Code(0) => life.asked.is_some(),
            Ending::Code(_) => is_store_away,
            Ending::Signal(ABORT) => true,
            Ending::Signal(KILL) => it
                .faults
                .iter()
                .any(|it| it.kind == Kind::Kill && it.node == Some(process)),
            // Asked to end before it had begun to listen.
            Ending::Signal(TERM) => life.asked.is_some(),
            Ending::Signal(_) => false,
        };
        if !is_well {
            found.push(format!("process {process:?} ended by itself: {ending:?}"));
        }
    }
    found
}

pub(super) fn found_on_the_way(it: &Evidence) -> Vec<String> {
    it.found.clone()
}
