//! Planted bugs, which the chaos kit must find. Compiled only with the feature `chaos-mutants`; the environment names the one that is on.

use std::sync::OnceLock;

/// Names the bug that is on in this process.
const VARIABLE: &str = "TASKS_CHAOS_MUTANT";

/// Whether this bug is on.
pub(crate) fn is(name: &str) -> bool {
    static CHOSEN: OnceLock<Option<String>> = OnceLock::new();
    CHOSEN.get_or_init(|| std::env::var(VARIABLE).ok()).as_deref() == Some(name)
}
