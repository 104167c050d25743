//! Two runs with one lock at a time: only while the node of the first is taken for dead and lives.

use std::collections::HashMap;

use super::{may_be_fenced, millis};
use crate::evidence::{Evidence, Hold};

pub(super) fn no_lock_is_held_twice_without_a_cause(it: &Evidence) -> Vec<String> {
    let mut by_key: HashMap<&str, Vec<&Hold>> = HashMap::new();
    for hold in &it.holds {
        by_key.entry(&hold.key).or_default().push(hold);
    }
    let mut found = Vec::new();
    for (key, mut holds) in by_key {
        holds.sort_by_key(|it| it.from);
        for (at, first) in holds.iter().enumerate() {
            let during = holds[at + 1..].iter().take_while(|second| second.from < first.to);
            for second in during.filter(|second| !may_be_fenced(it, first.process, second.from)) {
                found.push(format!(
                    "{key} was held by run {} on node {} and, {} before that was over, by run {} on node {}",
                    first.run,
                    first.process.0,
                    millis(first.to.saturating_sub(second.from)),
                    second.run,
                    second.process.0
                ));
            }
        }
    }
    found
}
